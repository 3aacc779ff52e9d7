"""Dashboard and alarms where events do not come from Kinesis: the application tells what the stream would."""

from __future__ import annotations

import json

import pytest

from config.load import parse
from config.model import Environment
from contracts.names import StreamRole
from monitoring.alarms import alarms
from monitoring.dashboard import body
from monitoring.names import deployed
from monitoring.rules import Comparison, Missing, Rule, Severity
from tests.unit.config.sources import SOURCES, settings


def environment(source: str, **changes: object) -> Environment:
    return parse(settings(source, **changes), "test.toml")


def rules(of: Environment) -> dict[str, Rule]:
    return {rule.name: rule for rule in alarms(of, deployed(of, "123456789012", of.region))}


@pytest.mark.parametrize("source", SOURCES)
def test_the_dashboard_and_the_alarms_read_streams_that_are_there(source: str) -> None:
    made = environment(source)
    names = deployed(made, "123456789012", made.region)
    # The body checks itself: every metric in it is one that something deployed publishes.
    text = json.dumps(body(made, names))
    inputs = (one for rule in rules(made).values() for one in rule.inputs.values())
    watched = {value for one in inputs for value in one.dimensions.values()}
    of_kinesis = source.startswith("kinesis")
    assert (StreamRole.INPUT in names.streams) is of_kinesis
    assert ("Rejected, % of events" in text) is of_kinesis
    # The stream's name is that of the archive's Firehose, too.
    assert ("realtime-analytics-test-events" in watched) is (source != "s3")
    assert ("events" in names.deliveries) is (source != "s3")


@pytest.mark.parametrize(
    ("source", "watermark", "hours"),
    [
        ("msk", "currentInputWatermark", 0),
        ("msk existing", "currentInputWatermark", 0),
        ("s3", "currentOutputWatermark", 24),
    ],
)
def test_alarms_of_the_stream_of_events_have_others_in_their_place(source: str, watermark: str, hours: int) -> None:
    found = rules(environment(source))
    assert "rejected-rate" not in found
    assert "throttled-writes-events" not in found
    assert found["rejected-records"].threshold == 300
    assert "lag-events" not in found
    behind = found["flink-event-time-behind"]
    assert behind.inputs["w"].name == watermark
    assert behind.threshold == (hours or 10 / 60) * 3_600_000 + 6 * 60_000
    quiet = found["no-events"]
    assert (quiet.severity, quiet.comparison, quiet.missing) == (Severity.PAGE, Comparison.BELOW, Missing.BREACHING)
    assert (quiet.periods, quiet.of) == (30, 30)
    assert quiet.inputs["n"].dimensions == {"Application": "realtime-analytics-test"}


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_that_is_gone_before_it_is_read_raises_an_alarm(source: str) -> None:
    found = rules(environment(source))
    assert ("files-gone" in found) is (source == "s3")
    if source == "s3":
        gone = found["files-gone"]
        assert (gone.inputs["m"].name, gone.expression, gone.threshold) == ("files_gone", "DIFF(m)", 0)


def test_they_follow_the_settings() -> None:
    changed = rules(environment("msk", alerts={"no_events_minutes": 0, "rejected_records": 7}))
    assert "no-events" not in changed
    assert changed["rejected-records"].threshold == 7
    stopped = rules(environment("msk", application={"state": "stopped"}))
    assert stopped["no-events"].missing is Missing.FINE


def test_a_silent_partition_is_no_lag_yet() -> None:
    properties = {"time": {"idle_timeout": "30 min", "start_grace": "1 min"}}
    rule = rules(environment("msk", application={"properties": properties}))["flink-event-time-behind"]
    assert rule.threshold == (10 + 30 + 1) * 60_000
