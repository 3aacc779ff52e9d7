"""What an entry of ``config/functions.py`` lacks, in one line each."""

from __future__ import annotations

from collections.abc import Iterator

from config.functions import AlertFunction
from tests.iam.proof import Case


def missing(function: AlertFunction, case: Case) -> Iterator[str]:
    """Calls that the function's role does not allow, and rights that no call uses."""
    for call in case.denied():
        yield (
            f"{function.package} calls {call.action} on {call.resource}, which its role does not allow. "
            "Add a Right to its entry in config/functions.py."
        )
    for right in case.unused():
        yield (
            f"{function.package} has a right that no call uses: {right}. Remove it from its entry in "
            "config/functions.py, or drive the call in tests/iam/drives.py."
        )
