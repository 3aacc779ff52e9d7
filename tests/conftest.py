"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# These machines are noisy: how long one example takes says nothing about the code.
settings.register_profile("kit", deadline=None, print_blob=True)
#: `make fuzz`: so many examples of each test that is marked `fuzz`, other ones each time.
settings.register_profile(
    "fuzz",
    parent=settings.get_profile("kit"),
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "5000")),
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "kit"))
