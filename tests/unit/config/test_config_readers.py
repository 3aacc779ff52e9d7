"""The readers of each stream, added up against a shard's limits."""

from __future__ import annotations

from typing import Any

import pytest

from config.load import load, parse
from config.rules import polling_readers


def readers(**changes: Any) -> dict[str, dict[str, float]]:
    return polling_readers(parse({"name": "test", "network": {"zones": ["us-east-1a"]}, **changes}, "test"))


def test_every_reader_counts() -> None:
    assert readers(search={"enabled": True}) == {
        "input": {"application": 1, "firehose": 1},
        "results": {"alerts": 1, "search_indexer": 1, "firehose": 1},
        "rejected": {"alerts": 1, "firehose": 1},
    }


def test_what_is_switched_off_does_not_read() -> None:
    assert readers(lake={"enabled": False}) == {
        "input": {"application": 1},
        "results": {"alerts": 1},
        "rejected": {"alerts": 1},
    }


def test_a_registered_consumer_does_not_poll() -> None:
    found = readers(streams={"results": {"enhanced_fan_out": True}})
    assert found["results"] == {"firehose": 1}


@pytest.mark.parametrize(("interval", "reads"), [("500 ms", 2), ("2 s", 0.5)])
def test_the_application_reads_as_often_as_it_is_set(interval: str, reads: float) -> None:
    found = readers(application={"properties": {"input": {"poll_interval": interval}}})
    assert found["input"]["application"] == reads


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_environments_leave_a_shard_room(name: str) -> None:
    for polled in polling_readers(load(name)).values():
        assert sum(polled.values()) <= 4
