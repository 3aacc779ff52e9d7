"""What holds for every test: its environment and how far it reaches."""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

from local.environment import leave_the_users_settings
from tests.loopback import refuse_other_addresses

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

#: How much of a test is run, and pytest's own; the workers of xdist get them, too.
_OF_TESTS = ("CHAOS_RESULTS", "CHAOS_SEEDS", "FUZZ_EXAMPLES", "HYPOTHESIS_PROFILE", "PYTEST_")

# Before any test module reads its environment or opens a connection.
_kept = {name: value for name, value in os.environ.items() if name.startswith(_OF_TESTS)}
leave_the_users_settings()
os.environ.update(_kept)
sys.addaudithook(refuse_other_addresses)
