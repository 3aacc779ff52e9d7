"""Environments that the tests of monitoring/ look at: those of config/, and a second runtime."""

from __future__ import annotations

import pytest

from config.load import load
from config.model import Environment
from config.runtimes import RUNTIMES, Runtime
from monitoring.names import Names, deployed

ACCOUNT = "123456789012"
SECOND = "FLINK-2_2"


def names_of(environment: Environment) -> Names:
    return deployed(environment, ACCOUNT, environment.region)


def changed(environment: Environment, section: str, **values: object) -> Environment:
    """The environment with other values in one section."""
    return environment.model_copy(update={section: getattr(environment, section).model_copy(update=values)})


def on_second_runtime(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """prod, on a runtime with the names of Flink 2.x."""
    runtime = Runtime(
        name=SECOND,
        flink="2.2.1",
        python="3.12",
        java="17",
        connector="6.0.0-2.0",
        up_metric="runningTime",
        down_metrics=("restartingTime", "failingTime", "cancellingTime"),
        restarts_metric="numRestarts",
    )
    monkeypatch.setitem(RUNTIMES, SECOND, runtime)
    return changed(load("prod"), "application", runtime=SECOND)
