"""What a person reads who wrote a wrong setting: one line with file, group, key, value and what is allowed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.results import ResultType
from contracts.settings import SettingsError
from flink_jobs import settings as application_settings
from flink_jobs.properties import Groups, dump, load
from flink_jobs.settings import GROUPS, JOB_SETTINGS, LOCAL_PROPERTIES_VARIABLE, Settings, load_settings, parse

FILE = "application_properties.json"
RUN_OPTIONS = "kinesis.analytics.flink.run.options"


def required() -> Groups:
    return {
        RUN_OPTIONS: {"python": "main.py", "jarfile": "lib/x.jar", "pyFiles": "python"},
        "input": {"stream": "events", "region": "us-east-1"},
        "output": {"results_stream": "results", "rejected_stream": "rejected"},
    }


def changed(group: str, **values: str) -> Groups:
    groups = required()
    groups.setdefault(group, {}).update(values)
    return groups


def without(group: str, key: str | None = None) -> Groups:
    groups = required()
    if key is None:
        del groups[group]
    else:
        del groups[group][key]
    return groups


def of_source(source: str, **keys: str) -> Groups:
    groups = without("input", "stream")
    groups["input"].update(source=source, **keys)
    return groups


def error_of(groups: Groups, *, local: bool = False) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(groups, FILE, local=local)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(FILE)
    return message


@pytest.mark.parametrize(
    ("group", "key", "value", "allowed"),
    [
        ("aggregation", "window", "-5 min", "a duration from 1 s to 1 d"),
        ("aggregation", "window", "0 s", "a duration from 1 s to 1 d"),
        ("aggregation", "window", "25 h", "a duration from 1 s to 1 d"),
        ("aggregation", "window", "5", "units: ms, s, min, h, d"),
        ("aggregation", "window", "5 minutes", "units: ms, s, min, h, d"),
        ("aggregation", "window", "1.5 h", "units: ms, s, min, h, d"),
        ("aggregation", "window", "", "a duration from 1 s to 1 d"),
        ("anomaly", "threshold", "nan", "a number from 0.1 to 1000.0"),
        ("anomaly", "threshold", "inf", "a number from 0.1 to 1000.0"),
        ("anomaly", "threshold", "high", "a number from 0.1 to 1000.0"),
        ("anomaly", "minimum_count", "1", "a whole number from 2 to 1000000"),
        ("anomaly", "minimum_count", "3.5", "a whole number from 2 to 1000000"),
        ("anomaly", "emit_all", "yes", "true or false"),
        ("anomaly", "emit_all", "True", "true or false"),
        ("input", "start", "EARLIEST", "one of LATEST, TRIM_HORIZON"),
        ("input", "source", "kafka", "one of kinesis, msk, s3"),
        ("input", "bootstrap_servers", "broker", "brokers, host:port, separated by commas"),
        ("input", "prefix", "s3://bucket/events", "an s3:// or file:// address that ends with a slash"),
        ("input", "region", "moon", "an AWS region, such as us-east-1"),
        ("input", "stream", "two words", "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -"),
        ("input", "stream", "x" * 129, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -"),
        ("backfill", "start", "yesterday", "a time in UTC since 1970, such as 2026-11-24T00:00:00Z"),
        ("backfill", "start", "2026-11-24T00:00:00+01:00", "a time in UTC since 1970"),
        ("backfill", "end", "2026-02-30T00:00:00Z", "a time in UTC since 1970"),
        ("backfill", "end", "1969-12-31T23:59:59Z", "a time in UTC since 1970"),
        ("backfill", "archive", "https://example.com/a", "an s3:// or file:// address, or an absolute path"),
        ("jobs", "enabled", "fraud,frauds", ", ".join(ResultType)),
        ("jobs", "enabled", "", ", ".join(ResultType)),
        ("recommendation", "top", "0", "a whole number from 1 to 100"),
        (RUN_OPTIONS, "python", "main.jar", "the entry script's path in the zip"),
    ],
)
def test_given_a_value_that_is_not_allowed_then_the_line_names_group_key_value_and_what_is(
    group: str, key: str, value: str, allowed: str
) -> None:
    message = error_of(changed(group, **{key: value}))
    assert f"group {group!r}, key {key!r}: {value!r} is not allowed; allowed is" in message
    assert allowed in message


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (changed("aggregation", windows="5 min"), ["'aggregation'", "'windows'", "allowed are window"]),
        (changed("agregation", window="5 min"), ["unknown group 'agregation'", "allowed are", "aggregation"]),
        (without("input"), ["group 'input' is missing", "required are", RUN_OPTIONS, "output"]),
        (without(RUN_OPTIONS), [f"group {RUN_OPTIONS!r} is missing"]),
        ({}, [f"group {RUN_OPTIONS!r} is missing"]),
        (without("input", "stream"), ["group 'input'", "key 'stream' is missing", "allowed is a stream's name"]),
        (
            changed("input", source="msk"),
            ["group 'input'", "key 'stream': 'events' is not allowed", "no such key with source = msk"],
        ),
        (of_source("msk", topic="events"), ["group 'input'", "key 'bootstrap_servers' is missing", "host:port"]),
        (of_source("msk", bootstrap_servers="b-1:9098"), ["group 'input'", "key 'topic' is missing"]),
        (
            of_source("msk", bootstrap_servers="b-1:9098", topic="events", authentication="none"),
            ["key 'authentication': 'none' is not allowed", "allowed is iam on the managed service"],
        ),
        (of_source("s3"), ["group 'input'", "key 'prefix' is missing", "ends with a slash"]),
        (
            of_source("s3", prefix="s3://bucket/events/", topic="events"),
            ["key 'topic': 'events' is not allowed", "no such key with source = s3"],
        ),
        (changed("local", parallelism="2"), ["group 'local' is refused on the managed service", "allowed is"]),
        ({**required(), "local": {}}, ["group 'local' is refused on the managed service"]),
        (
            changed("anomaly", slice="7 s"),
            ["'anomaly'", "'baseline': 1 h is not", "whole multiple of 'slice' (7 s)"],
        ),
        (
            changed("recommendation", step="7 min"),
            ["'recommendation'", "'window'", "whole multiple of 'step' (7 min)"],
        ),
        (changed("fraud", low="21"), ["'low', 'medium', 'high': 21, 21, 51", "allowed is ascending"]),
        (changed("fraud", medium="60"), ["11, 60, 51", "allowed is ascending"]),
        (changed("session", max_span="5 min"), ["'session'", "'max_span'", "at least the 'gap'"]),
    ],
)
def test_given_groups_that_do_not_go_together_then_the_line_names_what_is_wrong_and_what_is_allowed(
    groups: Groups, words: list[str]
) -> None:
    message = error_of(groups)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "endpoint", ["http://example.com", "https://127.0.0.1.example.com", "ftp://127.0.0.1", "http://127.0.0.1/x"]
)
def test_given_an_endpoint_off_the_loopback_then_it_is_refused_on_a_laptop_too(endpoint: str) -> None:
    assert "a URL of the loopback" in error_of(changed("local", endpoint=endpoint), local=True)


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("msk", {"bootstrap_servers": "b-1.example.com:9098,b-2.example.com:9098", "topic": "events"}),
        ("s3", {"prefix": "s3://bucket/events/", "format": "archive"}),
    ],
)
def test_given_another_source_then_its_own_keys_are_enough(source: str, keys: dict[str, str]) -> None:
    found = parse(of_source(source, **keys), FILE, local=False).input
    assert (found.source, found.authentication) == (source, "iam")
    assert {key: getattr(found, key) for key in keys} == keys


def test_given_a_laptop_then_a_broker_without_authentication_is_read() -> None:
    groups = of_source("msk", bootstrap_servers="127.0.0.1:9092", topic="events", authentication="none")
    assert parse(groups, FILE, local=True).input.authentication == "none"


def test_given_a_laptop_then_the_group_local_is_read() -> None:
    groups = changed("local", endpoint="http://127.0.0.1:4566", parallelism="3", checkpoint_interval="2 s")
    local = parse(groups, FILE, local=True).local
    assert local is not None
    assert (local.endpoint, local.parallelism, local.checkpoint_interval) == ("http://127.0.0.1:4566", 3, 2_000)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "null",
        '"text"',
        "[1]",
        "[[]]",
        "[{}]",
        '[{"PropertyGroupId": "time"}]',
        '[{"PropertyGroupId": 1, "PropertyMap": {}}]',
        '[{"PropertyGroupId": "time", "PropertyMap": []}]',
        '[{"PropertyGroupId": "time", "PropertyMap": {"idle_timeout": 5}}]',
        '[{"PropertyGroupId": "time", "PropertyMap": {"idle_timeout": null}}]',
    ],
)
def test_given_json_of_another_shape_then_the_line_shows_the_shape_that_is_allowed(tmp_path: Path, text: str) -> None:
    assert 'allowed is a list of {"PropertyGroupId": text, "PropertyMap": {key: text}}' in file_error(tmp_path, text)


@pytest.mark.parametrize("text", ["", "[", "aggregation.window=5 min", "[NaN}", "[" * 100_000])
def test_given_what_is_not_json_then_the_line_says_so(tmp_path: Path, text: str) -> None:
    message = file_error(tmp_path, text)
    assert "not JSON" in message
    assert "allowed is" in message


def test_given_a_byte_order_mark_then_the_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_bytes(b'\xef\xbb\xbf[{"PropertyGroupId": "time", "PropertyMap": {"idle_timeout": "1 min"}}]')
    assert load(file) == {"time": {"idle_timeout": "1 min"}}


def test_given_bytes_that_are_not_utf8_then_the_line_says_so(tmp_path: Path) -> None:
    assert "not JSON" in file_error(tmp_path, b'[{"PropertyGroupId": "caf\xe9"}]')


def test_given_a_group_twice_then_the_line_names_it(tmp_path: Path) -> None:
    group = {"PropertyGroupId": "time", "PropertyMap": {}}
    message = file_error(tmp_path, json.dumps([group, group]))
    assert "group 'time' is there twice; allowed is once" in message


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_given_a_file_that_cannot_be_read_then_the_line_names_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / name)
    message = str(caught.value)
    assert str(tmp_path / name) in message
    assert "cannot be read" in message
    assert "allowed is a readable file" in message
    assert len(message.splitlines()) == 1


def file_error(folder: Path, content: str | bytes) -> str:
    file = folder / FILE
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError) as caught:
        load(file)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(file))
    return message


KEYS = [(group, field.name) for group, cls in GROUPS.items() for field in dataclasses.fields(cls)]
LIKELY = st.one_of(
    st.text(),
    st.from_regex(r"-?\d{1,12} ?(ms|s|min|h|d)?", fullmatch=True),
    st.integers().map(str),
    st.floats().map(str),
    st.lists(st.sampled_from(["fraud", "session", "anomaly", " ", "x"])).map(",".join),
)


@given(st.sampled_from(KEYS), LIKELY)
@settings(max_examples=1_000)
def test_given_any_text_for_any_setting_then_it_is_read_within_bounds_or_refused_in_one_line(
    place: tuple[str, str], text: str
) -> None:
    group, key = place
    values = {**BACKFILL, key: text} if group == "backfill" else {key: text}
    try:
        parsed = parse(changed(group, **values), FILE, local=True)
    except SettingsError as error:
        message = str(error)
        assert len(message.splitlines()) == 1
        assert repr(group) in message
        assert repr(key) in message or "keys" in message or key in ("slice", "step", "gap", "start")
        assert "allowed" in message
        return
    value = getattr(getattr(parsed, "run_options" if group == RUN_OPTIONS else group), key)
    default = next(field.default for field in dataclasses.fields(GROUPS[group]) if field.name == key)
    assert default is dataclasses.MISSING or isinstance(value, type(default))
    if isinstance(value, int) and not isinstance(value, bool):
        days = 3650 if key == "past_tolerance" else 30
        assert 0 <= value <= days * 86_400_000
    elif isinstance(value, float):
        lowest = -1_000.0 if key == "weight_other" else 0.0  # a weight may take away
        assert lowest <= value <= (1e6 if key.endswith("_score") else 1_000.0)


PLAIN = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.dictionaries(PLAIN, st.dictionaries(PLAIN, PLAIN)))
def test_given_any_groups_when_written_and_read_then_they_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, groups: Groups
) -> None:
    file = tmp_path_factory.mktemp("properties") / FILE
    file.write_text(dump(groups), encoding="utf-8")
    assert load(file) == groups


def write(folder: Path, name: str, groups: Groups) -> Path:
    file = folder / name
    file.write_text(dump(groups), encoding="utf-8")
    return file


def test_given_the_variable_of_a_laptop_then_its_file_is_read_and_local_allowed(tmp_path: Path) -> None:
    file = write(tmp_path, "mine.json", changed("local", parallelism="4"))
    found = load_settings({LOCAL_PROPERTIES_VARIABLE: str(file)})
    assert found.local is not None
    assert found.local.parallelism == 4


@pytest.mark.parametrize("environment", [{}, {LOCAL_PROPERTIES_VARIABLE: ""}])
def test_given_no_such_variable_then_the_services_file_is_read_and_local_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    file = write(tmp_path, FILE, changed("aggregation", window="1 min"))
    monkeypatch.setattr(application_settings, "SERVICE_PROPERTIES", file)
    assert load_settings(environment).aggregation.window == 60_000

    write(tmp_path, FILE, changed("local", parallelism="4"))
    with pytest.raises(SettingsError, match="'local' is refused"):
        load_settings(environment)


def test_given_only_what_is_required_then_everything_else_is_the_designs() -> None:
    second, minute, hour = 1_000, 60_000, 3_600_000
    wanted: dict[str, dict[str, Any]] = {
        "input": {"stream": "events", "region": "us-east-1", "start": "LATEST", "poll_interval": second}
        | {"discovery_interval": 10 * second, "source": "kinesis", "bootstrap_servers": "", "topic": ""}
        | {"authentication": "iam", "prefix": "", "format": "lines"},
        "output": {"results_stream": "results", "rejected_stream": "rejected", "buffer": second},
        "time": {
            "watermark_delay": 5 * second,
            "idle_timeout": 5 * minute,
            "start_grace": 60 * second,
            "look_ahead": 10 * minute,
            "future_tolerance": 5 * minute,
            "past_tolerance": 7 * 24 * hour,
            "duplicate_window": 10 * minute,
        },
        "jobs": {
            "enabled": tuple(ResultType),
            "entries_in_memory": 200_000,
        },
        "aggregation": {"window": 5 * minute},
        "anomaly": {
            "slice": 10 * second,
            "baseline": hour,
            "threshold": 3.0,
            "minimum_count": 30,
            "emit_all": False,
            "medium_score": 5.0,
            "high_score": 10.0,
        },
        "session": {"gap": 30 * minute, "max_span": 24 * hour, "max_types": 100},
        "behavior": {"gap": 30 * minute, "max_steps": 100, "funnel": ("view", "click", "purchase")},
        "recommendation": {
            "window": hour,
            "step": 5 * minute,
            "decay": hour,
            "top": 5,
            "weights": (("view", 1.0), ("click", 2.0), ("purchase", 5.0)),
            "weight_other": 0.0,
        },
        "fraud": {"event_types": ("purchase",), "window": 5 * minute, "low": 11, "medium": 21, "high": 51}
        | {"slot": second},
    }
    parsed = parse(required(), FILE, local=False)
    found = dataclasses.asdict(parsed)
    of_jobs = {job: dataclasses.asdict(each) for job, each in parsed.of_jobs.items()}
    del found["of_jobs"]
    found |= {group: values for group, values in of_jobs.items() if group in wanted}  # a team adds its own
    assert found.pop("local") is None
    assert found.pop("backfill") is None
    assert found.pop("run_options") == required()[RUN_OPTIONS]
    assert found == wanted


@pytest.mark.parametrize(
    ("group", "key", "text", "value"),
    [
        ("behavior", "funnel", "visit,sign up , pay", ("visit", "sign up", "pay")),
        ("behavior", "funnel", "a=1, b", ("a=1", "b")),
        ("fraud", "event_types", "refund", ("refund",)),
        (
            "recommendation",
            "weights",
            "view=1, add_to_cart=3.5,return=-2",
            (("view", 1.0), ("add_to_cart", 3.5), ("return", -2.0)),
        ),
        ("recommendation", "weights", "a=b=1", (("a=b", 1.0),)),
        ("recommendation", "weights", "", ()),
    ],
)
def test_given_words_of_a_team_then_they_are_taken(group: str, key: str, text: str, value: object) -> None:
    assert getattr(getattr(parse(required() | {group: {key: text}}, FILE, local=False), group), key) == value


@pytest.mark.parametrize(
    ("group", "key", "text"),
    [
        ("behavior", "funnel", "view"),
        ("behavior", "funnel", "view,,purchase"),
        ("behavior", "funnel", "view, view"),
        ("behavior", "funnel", ",".join("abcdefghijk")),
        ("fraud", "event_types", ""),
        ("recommendation", "weights", "view"),
        ("recommendation", "weights", "=1"),
        ("recommendation", "weights", "view=much"),
        ("recommendation", "weights", "view=1,view=2"),
        ("recommendation", "weights", "view=1001"),
        ("recommendation", "weights", "view=1,"),
    ],
)
def test_given_words_that_make_no_list_then_the_line_says_what_is_allowed(group: str, key: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"{FILE}: group '{group}', key '{key}'.*allowed is .*such as"):
        parse(required() | {group: {key: text}}, FILE, local=False)


BACKFILL = {"archive": "s3://bucket/prefix", "start": "2026-11-24T00:00:00Z", "end": "2026-11-25T00:00:00.5Z"}


def test_given_a_backfill_then_its_results_say_so_and_the_archive_begins_a_margin_earlier() -> None:
    parsed = parse(changed("backfill", **BACKFILL), FILE, local=False)
    assert parsed.run == "backfill"
    assert parse(required(), FILE, local=False).run == "live"
    assert parsed.backfill is not None
    assert parsed.backfill.start == 1_795_478_400_000
    assert parsed.backfill.end == 1_795_564_800_500
    assert parsed.backfill.known_from == parsed.backfill.start - 25 * 3_600_000


def test_given_a_backfill_that_ends_before_it_starts_then_it_is_refused() -> None:
    message = error_of(changed("backfill", **BACKFILL | {"end": BACKFILL["start"]}))
    assert "group 'backfill', key 'end': not after 'start'; allowed is a later time" in message


def test_given_a_settings_class_then_every_group_of_it_can_be_set() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)} - {"of_jobs", "run_options"}
    assert set(GROUPS) == {*fields, *JOB_SETTINGS, RUN_OPTIONS}


def test_given_jobs_in_any_order_then_they_run_in_the_designs_order() -> None:
    assert parse(changed("jobs", enabled="fraud, anomaly"), FILE, local=False).jobs.enabled == ("anomaly", "fraud")
