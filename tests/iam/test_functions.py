"""Each entry of ``config/functions.py`` has the rights that its function uses, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.functions import FUNCTIONS, AlertFunction, enabled
from tests.iam import proof
from tests.iam.environments import ENVIRONMENTS
from tests.iam.functions import missing
from tests.synth.conftest import environment_named


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_missing(environment: str) -> None:
    cases = proof.cases(environment)
    found = [
        line
        for function in enabled(environment_named(environment))
        for line in missing(function, cases[f"sinks/{function.construct}Role"])
    ]
    assert "\n".join(found) == ""


def test_every_function_is_on_in_some_environment_of_the_proof() -> None:
    on = {function.package for name in ENVIRONMENTS for function in enabled(environment_named(name))}
    assert {function.package for function in FUNCTIONS} == on, "switch it on in _EVERYTHING of tests/synth/conftest.py"


@pytest.fixture
def webhook() -> AlertFunction:
    return next(function for function in FUNCTIONS if function.package == "alert_webhook")


def test_a_right_that_is_missing_is_one_line(webhook: AlertFunction) -> None:
    case = proof.cases("full")["sinks/AlertWebhookRole"]
    kept = tuple(one for one in case.role.permissions if one.sid != "ReadTheAddress")
    (line,) = missing(webhook, replace(case, role=replace(case.role, permissions=kept)))
    assert line == (
        "alert_webhook calls secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
        "alerts/webhook-a1B2c3, which its role does not allow. Add a Right to its entry in config/functions.py."
    )


def test_a_right_that_no_call_uses_is_one_line(webhook: AlertFunction) -> None:
    case = proof.cases("full")["sinks/AlertWebhookRole"]
    more = tuple(
        replace(one, actions=(*one.actions, "secretsmanager:PutSecretValue")) if one.sid == "ReadTheAddress" else one
        for one in case.role.permissions
    )
    (line,) = missing(webhook, replace(case, role=replace(case.role, permissions=more)))
    assert line == (
        "alert_webhook has a right that no call uses: ReadTheAddress secretsmanager:PutSecretValue. Remove it from its "
        "entry in config/functions.py, or drive the call in tests/iam/drives.py."
    )
