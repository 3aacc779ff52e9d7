"""A rule's file is its own job's."""

from __future__ import annotations

import pytest

from contracts.events import ContractError
from contracts.results import ResultType
from flink_jobs.jobs import fraud, rule_of, session
from tests.events import configured


def test_a_rule_that_says_it_is_another_job_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a file that was copied from another job's, whose results it would double
    monkeypatch.setattr(session, "rule", fraud.rule)
    # When its rule is made
    with pytest.raises(ContractError) as caught:
        rule_of(ResultType("session"), configured("session"))
    # Then the line says what to write
    assert str(caught.value) == (
        "flink_jobs/jobs/session.py: the rule's job is fraud, whose results it would double: write "
        'job = ResultType("session")'
    )
