"""From events a second to what is paid for; the numbers are worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.load import load, parse
from operations.limits import limits
from operations.load import SECONDS, Load
from operations.measured import RESULTS, measured
from operations.prices import PriceError, Prices
from tests.unit.config.sources import settings
from tests.unit.monitoring.environments import changed

DEV = load("dev")
PROD = load("prod")


def _gathering(seconds: int) -> Load:
    return Load(changed(DEV, "alerts", gather_seconds=seconds), 10.0)


def test_a_function_is_called_when_its_time_is_over_and_never_without_a_record() -> None:
    # 2.08 results that are no recommendations, and 0.113 rejections a second, on one shard each
    assert _gathering(1).calls_month()["alerts from results"] == pytest.approx(SECONDS)
    assert _gathering(1).calls_month()["alerts from rejected"] == pytest.approx(0.113 * SECONDS)
    assert _gathering(10).calls_month()["alerts from results"] == pytest.approx(SECONDS / 10)
    assert _gathering(300).calls_month()["alerts from rejected"] == pytest.approx(SECONDS / 300)


def test_a_full_batch_does_not_wait() -> None:
    many = Load(changed(DEV, "alerts", gather_seconds=10), 10_000.0)
    assert many.calls_month()["alerts from results"] == pytest.approx(2080 / 500 * SECONDS)
    counting = Load(changed(DEV, "alerts", gather_seconds=10, categories=("books",)), 10_000.0)
    assert counting.calls_month()["alerts from results"] == pytest.approx((2080 + 1790) / 500 * SECONDS)


def test_only_calls_with_a_sample_ask_cloudwatch() -> None:
    few = Load(changed(DEV, "alerts", gather_seconds=1), 0.001)
    samples = 0.001 * 0.119 * SECONDS + 4 * 12 * 730
    rejections = 0.001 * 0.0113 * SECONDS
    assert few.metric_requests_month() == pytest.approx(min(0.001 * 0.208 * SECONDS, samples) + rejections)


def test_files_are_written_by_the_time_or_by_the_size() -> None:
    assert Load(DEV, 10.0).files_month() == pytest.approx(3 * SECONDS / 300)
    grown = Load(DEV, 10_000.0).files_month()
    assert grown > 3 * SECONDS / 300
    by_size = (10_000 * 180 + 6670 * 380) * SECONDS / (64 * 1024**2)
    assert grown == pytest.approx(by_size + SECONDS / 300)


def test_state_and_cpu_are_those_of_the_benchmarks(tmp_path: Path) -> None:
    costs = [
        {"scenario": "base", "contender": "decode", "checkpoint": 1, "cpu": 1.0},
        {"scenario": "base", "contender": "all_jobs", "checkpoint": 14_400_000, "cpu": 50.0},
    ]
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"costs": costs}), encoding="utf-8")
    found = measured(file)
    # a million events in four hours are 69.4 a second
    assert found.state_bytes == pytest.approx(14_400_000 / (1_000_000 / 14_400))
    assert found.cpu_seconds == 50.0
    real = measured(RESULTS)
    assert 50_000 < real.state_bytes < 5_000_000
    assert 5 < real.cpu_seconds < 500


def test_the_limit_that_breaks_first_stands_first_and_names_its_setting() -> None:
    found = limits(DEV)
    assert [limit.most for limit in found] == sorted(limit.most for limit in found)
    assert (found[0].most, found[0].setting) == (1000, "streams.input.shards")
    assert limits(changed(DEV, "streams", input=DEV.streams.input.model_copy(update={"shards": 4})))[0].setting == (
        "streams.results.shards"
    )


def test_an_index_that_fills_up_is_told_of() -> None:
    (search,) = (limit for limit in limits(PROD) if limit.what.startswith("search"))
    room = 3 * 100 * 1024**3 * 0.75
    assert search.most == pytest.approx(room / (0.667 * 380 * 2 * 90 * 86_400))
    assert search.setting == "search.volume_gb, or lower search.index_days"
    assert not [limit for limit in limits(DEV) if limit.what.startswith("search")]


def test_a_stream_on_demand_has_a_first_limit_of_its_own() -> None:
    on_demand = DEV.streams.results.model_copy(update={"mode": "on_demand"})
    found = [limit for limit in limits(changed(DEV, "streams", results=on_demand)) if limit.what.startswith("results")]
    assert [limit.most for limit in found] == [pytest.approx(4000 / 0.667)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date = [", "not TOML"),
        ("[flink]\nkpu_hour = 1", "no date"),
    ],
)
def test_a_table_that_is_none_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PriceError, match=message):
        Prices.load(file)


@pytest.mark.parametrize("value", ["-1", "true", '"free"', "{}"])
def test_what_is_no_price_is_told(tmp_path: Path, value: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"date = 2026-11-01\n[flink]\nkpu_hour = {value}\n", encoding="utf-8")
    with pytest.raises(PriceError, match=r"no price for flink\.kpu_hour"):
        Prices.load(file).of("flink", "kpu_hour")


def test_a_topic_of_ours_has_its_own_limits_and_an_existing_one_its_owners() -> None:
    ours = parse(settings("msk", source={"kind": "msk", "msk": {"partitions": 2}}), "test.toml")
    found = {limit.setting: limit for limit in limits(ours)}
    assert found["source.msk.partitions"].most == pytest.approx(2 * 5 * 1024 * 1024 / 180)
    assert not any("streams.input" in setting for setting in found)
    existing = {limit.setting for limit in limits(parse(settings("msk existing"), "test.toml"))}
    assert not any("source.msk" in setting for setting in existing)


def test_files_are_archived_already() -> None:
    assert set(Load(parse(settings("s3"), "test.toml"), 10.0).archived()) == {"results", "rejected"}
    assert set(Load(parse(settings("msk"), "test.toml"), 10.0).archived()) == {"input", "results", "rejected"}
