"""What holds for every test: its environment and how far it reaches."""

from __future__ import annotations

import sys

from hypothesis import settings

from local.environment import leave_the_users_settings
from tests.loopback import refuse_other_addresses

# These machines are noisy: how long one example takes says nothing about the code.
settings.register_profile("kit", deadline=None, print_blob=True)
settings.load_profile("kit")

# Before any test module reads its environment or opens a connection.
leave_the_users_settings()
sys.addaudithook(refuse_other_addresses)
