"""An account of moto, and an environment in it."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from config.load import parse
from config.model import Environment
from operations.environment import Target

ACCOUNT = "123456789012"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


def environment(**changes: object) -> Environment:
    """A protected environment with every part that needs preparation."""
    return parse(
        {"name": "test", "account": ACCOUNT, "network": {"zones": ["us-east-1a"]}, **changes}, "config/test.toml"
    )


def target(**changes: object) -> Target:
    """The environment with clients of moto."""
    return Target(environment(**changes), boto3.session.Session())
