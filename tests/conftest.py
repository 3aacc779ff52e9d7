"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# These machines are noisy: how long one example takes says nothing about the code.
settings.register_profile("kit", deadline=None, print_blob=True)
settings.load_profile("kit")
