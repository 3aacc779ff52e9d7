"""`make check JOB=...`: what is checked of a job, and that the first thing wrong is said."""

from __future__ import annotations

import sys

import pytest

from local import job_check


def steps(job: str) -> dict[str, list[str]]:
    return dict(job_check.steps(job))


def test_a_query_and_a_rule_are_checked_with_their_own_files() -> None:
    assert list(steps("aggregation")) == ["entry", "tests", "ruff", "sqlfluff"]
    assert "sql/aggregation.sql" in steps("aggregation")["sqlfluff"]
    assert "tests/jobs/test_aggregation.py" in steps("aggregation")["tests"]
    assert list(steps("fraud")) == ["entry", "tests", "ruff"]
    assert "tests/unit/flink_jobs/jobs/test_job_fraud.py" in steps("fraud")["tests"]
    assert "flink_jobs/jobs/fraud.py" in steps("fraud")["ruff"]


def test_a_job_that_is_not_there_is_a_line_with_those_that_are() -> None:
    told: list[str] = []
    assert not job_check.check("frauds", told.append)
    assert "JOB=frauds: there is no such job; allowed are aggregation," in told[-1]


def test_what_a_step_says_is_told_and_a_mistake_of_the_contract_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a job whose tests end with a mistake in its query
    said = "line one\\nE   contracts.events.ContractError: sql/a.sql: the column a is missing: write ... AS a\\nmore"
    failing = [sys.executable, "-c", f"import sys; print('{said}'); sys.exit(1)"]
    monkeypatch.setattr(job_check, "steps", lambda job: iter([("tests", failing)]))
    told: list[str] = []
    # When it is checked
    assert not job_check.check("fraud", told.append)
    # Then the mistake is the only line behind the time
    first, line = told[-1].splitlines()
    assert first.startswith("fraud: tests failed after ")
    assert line == "sql/a.sql: the column a is missing: write ... AS a"
