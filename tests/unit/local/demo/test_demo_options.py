"""The demo's command line: what is not allowed ends with 2 and one line that says what is."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.settings import SettingsError
from local.demo.application import checked, property_groups
from local.demo.options import Options, parse, refuse
from local.demo.reconciliation import planted_applies
from local.demo.run import DemoFailed, request

T0 = 1_763_892_000_000
MINUTE, HOUR = 60_000, 3_600_000


def line_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert len(written.err.splitlines()) == 1
    assert written.err.startswith("demo: ")
    return written.err


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--events", "999", "a whole number from 1000 to 5000000"),
        ("--events", "many", "a whole number from 1000 to 5000000"),
        ("--events", "1e4", "a whole number from 1000 to 5000000"),
        ("--seed", "-1", "a whole number from 0 to 2147483648"),
        ("--search-outage", "121", "a whole number from 0 to 120"),
        ("--rate", "1000001", "a whole number from 0 to 1000000"),
        ("--shards", "0", "a whole number from 1 to 16"),
        ("--shards", "17", "a whole number from 1 to 16"),
        ("--poison", "0.51", "a share from 0 to 0.5"),
        ("--poison", "nan", "a share from 0 to 0.5"),
        ("--poison", "-0.1", "a share from 0 to 0.5"),
        ("--start", "yesterday", "an ISO 8601 time such as 2026-11-23T08:00:00Z"),
        ("--start", "2026-02-30", "an ISO 8601 time such as 2026-11-23T08:00:00Z"),
        ("--span", "89 min", "a duration from 90 min to 7 d"),
        ("--span", "8 d", "a duration from 90 min to 7 d"),
        ("--span", "2", "a duration from 90 min to 7 d"),
        ("--name", "Demo", "a-z, 0-9 and '-'"),
        ("--name", "../other", "a-z, 0-9 and '-'"),
        ("--name", "", "a-z, 0-9 and '-'"),
        ("--set", "aggregation.window", "GROUP.KEY=VALUE"),
        ("--set", "window=5 min", "GROUP.KEY=VALUE"),
        ("--set", ".window=5 min", "GROUP.KEY=VALUE"),
        ("--set", "aggregation.=5 min", "GROUP.KEY=VALUE"),
    ],
)
def test_given_a_value_that_is_not_allowed_then_one_line_names_option_value_and_what_is(
    capsys: pytest.CaptureFixture[str], option: str, value: str, allowed: str
) -> None:
    line = line_of(capsys, f"{option}={value}")
    assert f"argument {option}: {value!r} is not allowed; allowed" in line
    assert allowed in line


@pytest.mark.parametrize("arguments", [["--event", "1000"], ["--unknown"], ["what"], ["--seed"]])
def test_given_what_is_no_option_then_one_line_names_it_and_the_help(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    line = line_of(capsys, *arguments)
    assert arguments[0] in line
    assert "--help" in line


def test_given_no_arguments_then_the_defaults() -> None:
    assert parse([]) == Options(
        events=20_000,
        seed=1,
        rate=1_000,
        start=None,
        span=2 * HOUR,
        shards=2,
        source="kinesis",
        poison=0.01,
        idle=True,
        search_outage=0,
        keep=False,
        page=True,
        name="demo",
        report=None,
        against=None,
        settings={},
    )


@pytest.mark.parametrize(
    "text", ["2025-11-23T10:00:00Z", "2025-11-23T10:00:00", "2025-11-23T11:00+01:00", "2025-11-23 10:00"]
)
def test_given_a_start_then_without_a_zone_it_is_utc(text: str) -> None:
    assert parse(["--start", text]).start == T0


def test_given_settings_then_they_come_by_group_and_the_last_of_a_key_counts() -> None:
    options = parse(
        ["--set", "fraud.low=3", "--set", "fraud.low=4", "--set", "time.idle_timeout=30 s", "--set", "a.b.c=x=y"]
    )
    assert options.settings == {"fraud": {"low": "4"}, "time": {"idle_timeout": "30 s"}, "a.b": {"c": "x=y"}}


def test_given_the_demos_own_groups_then_they_are_allowed_and_the_callers_come_last() -> None:
    settings = checked(property_groups({"aggregation": {"window": "1 min"}}, endpoint="http://127.0.0.1:5000"))
    assert settings.aggregation.window == MINUTE
    assert settings.local is not None
    assert settings.local.endpoint == "http://127.0.0.1:5000"
    assert settings.input.start == "TRIM_HORIZON"


@pytest.mark.parametrize(
    ("group", "key", "value"), [("agregation", "window", "1 min"), ("fraud", "lowest", "1"), ("fraud", "low", "-1")]
)
def test_given_a_setting_that_is_not_allowed_then_the_demo_ends_with_2_and_one_line(
    capsys: pytest.CaptureFixture[str], group: str, key: str, value: str
) -> None:
    with pytest.raises(SettingsError) as error:
        checked(property_groups({group: {key: value}}))
    with pytest.raises(SystemExit) as caught:
        refuse(error.value)
    assert caught.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("demo: application_properties.json: ")
    assert "allowed" in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("now", [T0, T0 + 1, T0 + HOUR - 1])
def test_given_no_start_then_it_is_the_last_whole_hour_that_ends_before_now(now: int) -> None:
    settings = checked(property_groups({}))
    wanted = request(parse([]), settings, now)
    assert wanted.start % HOUR == 0
    end = wanted.start + wanted.span + wanted.closing
    assert end <= now < end + HOUR
    assert wanted.closing > settings.session.gap + settings.time.watermark_delay


def test_given_a_start_whose_heartbeats_would_be_future_then_it_is_refused() -> None:
    settings = checked(property_groups({}))
    longest = request(parse([]), settings, T0)
    needed = longest.span + longest.closing
    options = parse(["--start", "2025-11-23T10:00:00Z"])
    assert request(options, settings, T0 + needed).start == T0
    with pytest.raises(DemoFailed, match="would be in the future"):
        request(options, settings, T0 + needed - 1)


def test_given_a_start_further_back_than_is_accepted_then_the_setting_is_named() -> None:
    options = parse(["--start", "2025-11-23T10:00:00Z"])
    week = checked(property_groups({})).time.past_tolerance
    assert request(options, checked(property_groups({})), T0 + week).start == T0
    with pytest.raises(DemoFailed, match=r"7 days ago .* --set time\.past_tolerance='9 d'"):
        request(options, checked(property_groups({})), T0 + week + 1)
    assert request(options, checked(property_groups({"time": {"past_tolerance": "9 d"}})), T0 + week + 1).start == T0


@pytest.mark.parametrize(
    ("group", "key"), [("input", "stream"), ("output", "results_stream"), ("output", "run"), ("local", "endpoint")]
)
def test_given_a_key_that_the_demo_sets_itself_then_it_is_refused(group: str, key: str) -> None:
    with pytest.raises(SettingsError, match=f"{group}.*{key}.*the demo's own"):
        property_groups({group: {key: "x"}})


def test_given_a_report_where_no_file_can_be_written_then_it_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = line_of(capsys, "--report", str(tmp_path / "missing" / "report.json"))
    assert "a file in a folder that can be written" in line


@pytest.mark.parametrize("start", ["1960-01-01", "2024-11-23T10:00:00Z"])
def test_given_a_start_that_cloudwatch_no_longer_takes_then_it_is_refused(start: str) -> None:
    options = parse(["--start", start])
    with pytest.raises(DemoFailed, match=r"--start.*two weeks"):
        request(options, checked(property_groups({})), T0)


@pytest.mark.parametrize("parallelism", ["1", "2"])
def test_given_any_parallelism_then_a_shard_falls_idle(parallelism: str) -> None:
    settings = checked(property_groups({"local": {"parallelism": parallelism}}))
    assert request(parse([]), settings, T0).idle


@pytest.mark.parametrize(
    ("overrides", "applies"),
    [
        ({}, True),
        ({"aggregation": {"window": "1 min"}}, True),
        ({"fraud": {"low": "5"}}, False),
        ({"anomaly": {"threshold": "1"}}, False),
        ({"time": {"watermark_delay": "1 s"}}, False),
    ],
)
def test_the_planted_truth_is_held_against_the_settings_that_it_is_made_for(
    overrides: dict[str, dict[str, str]], applies: bool
) -> None:
    assert planted_applies(checked(property_groups(overrides))) is applies
