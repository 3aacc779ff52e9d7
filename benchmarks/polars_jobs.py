"""The five jobs in Polars, as one batch over the whole file: the limit of what a machine can do.

Everything is known at once, so there is no state, no order of arrival and no lateness. Checked against the oracle in
tests/unit/benchmarks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from io import BytesIO

import polars as pl

_STEP = 300_000
_SLICE = 10_000
_HOUR = 3_600_000
_GAP = 1_800_000
_SCHEMA = {
    "event_time": pl.Int64,
    "user_id": pl.Int64,
    "event_type": pl.String,
    "value": pl.Float64,
    "session_id": pl.String,
    "category": pl.String,
}
_LEVELS = ((11, "LOW"), (21, "MEDIUM"), (51, "HIGH"))


def frame(payloads: Iterable[bytes]) -> pl.DataFrame:
    """The events as columns."""
    return pl.read_ndjson(BytesIO(b"\n".join(payloads)), schema=_SCHEMA)


def aggregation(events: pl.DataFrame) -> pl.DataFrame:
    """Tumbling windows of five minutes per event_type."""
    return (
        events.filter(pl.col("value").is_not_null())
        .group_by((pl.col("event_time") // _STEP * _STEP).alias("window_start"), "event_type")
        .agg(
            pl.len().alias("event_count"),
            pl.col("user_id").n_unique().alias("unique_users"),
            pl.col("value").sum().alias("total_value"),
        )
    )


def anomaly(events: pl.DataFrame) -> pl.DataFrame:
    """z-scores against the whole 10-s slices of the hour before."""
    valued = events.filter(pl.col("value").is_not_null()).with_columns(slice=pl.col("event_time") // _SLICE)
    slices = (
        valued.group_by("event_type", "slice")
        .agg(pl.len().alias("n"), pl.col("value").sum().alias("s"), (pl.col("value") ** 2).sum().alias("q"))
        .sort("event_type", "slice")
    )
    hour = _HOUR // _SLICE
    baselines = slices.select("event_type", "slice").join(
        slices.rolling(
            index_column="slice", period=f"{hour}i", offset=f"-{hour}i", closed="left", group_by="event_type"
        )
        .agg(pl.col("n").sum(), pl.col("s").sum(), pl.col("q").sum())
        .filter(pl.col("n") >= 30),
        on=["event_type", "slice"],
    )
    mean = pl.col("s") / pl.col("n")
    deviation = ((pl.col("q") - pl.col("n") * mean**2) / (pl.col("n") - 1)).clip(0).sqrt()
    return (
        valued.join(baselines, on=["event_type", "slice"])
        .with_columns(mean=mean, deviation=deviation)
        .with_columns(score=((pl.col("value") - pl.col("mean")).abs() / pl.col("deviation")).clip(0, 1e6))
        .filter(pl.col("score") > 3)
    )


def behavior(events: pl.DataFrame) -> pl.DataFrame:
    """Sessions per session_id and user: sequence, value, conversion."""
    key = ["user_id", "session_id"]
    rank = (
        pl.when(pl.col("event_type") == "view").then(0).when(pl.col("event_type") == "click").then(1)
        .when(pl.col("event_type") == "purchase").then(2).otherwise(3)
    )  # fmt: skip
    ordered = (
        events.filter(pl.col("session_id").is_not_null())
        .with_columns(rank=rank)
        .sort(*key, "event_time", "rank", "event_type")
        .with_columns(part=(pl.col("event_time").diff().over(key) >= _GAP).fill_null(False).cum_sum().over(key))
    )
    steps = pl.col("event_type").head(100).str.join(" -> ")
    place = pl.int_range(pl.len())
    view = place.filter(pl.col("rank") == 0).first()
    click = place.filter((pl.col("rank") == 1) & (place > view)).first()
    purchase = place.filter((pl.col("rank") == 2) & (place > click)).first()
    return ordered.group_by(*key, "part", maintain_order=True).agg(
        pl.col("event_time").first().alias("start"),
        pl.col("event_time").last().alias("end"),
        pl.len().alias("event_count"),
        (steps + pl.when(pl.len() > 100).then(pl.lit(" -> ...")).otherwise(pl.lit(""))).alias("sequence"),
        pl.col("value").sum().alias("total_value"),
        purchase.is_not_null().alias("conversion_flag"),
    )


def recommendation(events: pl.DataFrame) -> pl.DataFrame:
    """Decayed scores per user and category at the end of each step in which the user was active."""
    weight = (
        pl.when(pl.col("event_type") == "view").then(1.0).when(pl.col("event_type") == "click").then(2.0)
        .when(pl.col("event_type") == "purchase").then(5.0).otherwise(0.0)
    )  # fmt: skip
    step = pl.col("event_time") // _STEP
    slices = (
        events.filter(pl.col("category").is_not_null() & (pl.col("category") != ""))
        .with_columns(step=step)
        .with_columns(score=weight * ((pl.col("event_time") - (pl.col("step") + 1) * _STEP) / _HOUR).exp())
        .group_by("user_id", "category", "step")
        .agg(pl.col("score").sum(), pl.col("event_time").max().alias("last"))
    )
    active = slices.select("user_id", pl.col("step").alias("end")).unique()
    ages = pl.DataFrame({"age": range(12)}, schema={"age": pl.Int64})
    return (
        active.join(ages, how="cross")
        .with_columns(step=pl.col("end") - pl.col("age"))
        .join(slices, on=["user_id", "step"])
        .group_by("user_id", "end", "category")
        .agg((pl.col("score") * (-pl.col("age") * _STEP / _HOUR).exp()).sum().round(6), pl.col("last").max())
        .sort("user_id", "end", -pl.col("score"), "category")
        .group_by("user_id", "end", maintain_order=True)
        .head(5)
    )


def fraud(events: pl.DataFrame) -> pl.DataFrame:
    """Purchases that reach a level, unless it was reached within the five minutes before."""
    times = (
        events.filter(pl.col("event_type") == "purchase").select("user_id", "event_time").sort("user_id", "event_time")
    )
    alerts = []
    for threshold, level in _LEVELS:
        reached = times.with_columns(
            first=pl.col("event_time").shift(threshold - 1).over("user_id"),
        ).filter(pl.col("first") > pl.col("event_time") - _STEP)
        fell = (pl.col("first") + _STEP).shift(1).over("user_id")
        armed = fell.is_null() | (pl.col("event_time") - fell >= _STEP)
        alerts.append(reached.filter(armed).select("user_id", "event_time", level=pl.lit(level)))
    return pl.concat(alerts)


JOBS = {
    "aggregation": aggregation,
    "anomaly": anomaly,
    "behavior": behavior,
    "recommendation": recommendation,
    "fraud": fraud,
}


def run(payloads: Iterable[bytes]) -> Counter[str]:
    """Results per job."""
    events = frame(payloads)
    return Counter({name: job(events).height for name, job in JOBS.items()})
