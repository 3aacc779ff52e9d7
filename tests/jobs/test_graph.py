"""All jobs in one graph: every result, the same bytes at any parallelism, and the contract's columns."""

from __future__ import annotations

import pytest

from contracts.results import ENVELOPE, SCHEMAS, ResultType
from flink_jobs.settings import Settings
from local.oracle.records import LogRecord
from tests import streams
from tests.events import HOUR, KIT_JOBS, MINUTE, SECOND, Output, configured, parsed
from tests.jobs.conftest import Flink
from tests.oracle import assert_agrees

JOBS = set(KIT_JOBS)


@pytest.fixture(scope="module")
def settings() -> Settings:
    """The defaults, but for numbers that short streams do not reach, and a threshold that no score is exactly."""
    return configured(
        anomaly={"minimum_count": "5", "threshold": "1.234567891", "emit_all": "true"},
        fraud={"low": "2", "medium": "3", "high": "5"},
    )


@pytest.fixture(scope="module")
def records() -> list[LogRecord]:
    scenarios = streams.generated([10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE, HOUR])
    return streams.merged(scenarios, skew=10 * MINUTE)


@pytest.fixture(scope="module")
def output(flink: Flink, records: list[LogRecord], settings: Settings) -> Output:
    return flink(records, settings, 1)


def test_every_job_agrees_with_the_oracle(output: Output, records: list[LogRecord], settings: Settings) -> None:
    counts = assert_agrees(output, records, settings)
    assert min(counts.get(job, 0) for job in JOBS) > 20, counts


@pytest.mark.parametrize("parallelism", [2, 4])
def test_parallelism_does_not_show(
    flink: Flink, output: Output, records: list[LogRecord], settings: Settings, parallelism: int
) -> None:
    other = flink(records, settings, parallelism)
    assert other.results == output.results
    assert other.rejected == output.rejected


def test_columns_are_the_contracts_in_its_order(output: Output) -> None:
    for text in output.results.values():
        row = parsed(text)
        schema = SCHEMAS[ResultType(row["result_type"])]
        columns = (*ENVELOPE, *schema.columns)
        assert list(row) == [column.name for column in columns]
        assert not [column.name for column in columns if row[column.name] is None and not column.nullable]


def test_a_job_gives_the_same_results_with_and_without_the_others(
    flink: Flink, output: Output, records: list[LogRecord]
) -> None:
    alone = flink(records, configured("behavior"))
    assert alone.results == {
        identity: text for identity, text in output.results.items() if identity.startswith("behavior-")
    }
