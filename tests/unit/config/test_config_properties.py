"""Property groups of the two applications, as their own check reads them."""

from __future__ import annotations

from config.load import parse as environment_of
from config.properties import backfill_groups, property_groups
from contracts.results import RUN_BACKFILL, RUN_LIVE
from flink_jobs.settings import parse

ENVIRONMENT = environment_of(
    {
        "name": "test",
        "network": {"zones": ["us-east-1a"]},
        "application": {"properties": {"jobs": {"enabled": "fraud"}, "fraud": {"window": "2 min"}}},
        "backfill": {"properties": {"margin": "3 d"}},
    },
    "config/test.toml",
)


def test_the_backfill_computes_what_the_live_application_does() -> None:
    live = parse(property_groups(ENVIRONMENT), "live", local=False)
    backfill = parse(backfill_groups(ENVIRONMENT, "lake"), "backfill", local=False)
    assert (live.run, backfill.run) == (RUN_LIVE, RUN_BACKFILL)
    assert (backfill.jobs, backfill.fraud, backfill.time) == (live.jobs, live.fraud, live.time)
    assert backfill.output.results_stream == live.output.results_stream


def test_its_group_names_the_archive_and_a_range_that_no_event_is_in() -> None:
    found = parse(backfill_groups(ENVIRONMENT, "lake"), "backfill", local=False).backfill
    assert found is not None
    assert (found.archive, found.output, found.rejections) == ("s3://lake/events/", "s3://lake/backfill/", "")
    assert found.margin == 3 * 86_400_000
    assert found.end == 1000  # a second of 1970
