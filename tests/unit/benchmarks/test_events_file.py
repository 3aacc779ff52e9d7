"""The benchmark's file: the same bytes for the same shape, and what the shape says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.events import ARRIVAL, PARTITIONS, SPAN, START, Shape, read, records, write


def test_the_same_shape_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    one = write(Shape(500), tmp_path / "a").read_bytes()
    assert one == write(Shape(500), tmp_path / "b").read_bytes()
    assert one != write(Shape(500, seed=2), tmp_path / "b").read_bytes()


def test_events_fill_the_span_in_every_partition(tmp_path: Path) -> None:
    found = list(records(write(Shape(5_000), tmp_path)))
    assert len(found) == 5_000
    assert {partition for partition, _ in found} == set(range(PARTITIONS))
    times = [json.loads(payload)["event_time"] for _, payload in found]
    assert START <= min(times) < START + 10_000
    assert START + SPAN - 10_000 < max(times) < START + SPAN
    assert 150 <= sum(len(payload) for _, payload in found) / len(found) <= 200


def test_hot_keys_are_four_and_sparse_ones_many(tmp_path: Path) -> None:
    hot = Counter(json.loads(payload)["event_type"] for payload in read(write(Shape(2_000), tmp_path)))
    assert len(hot) == 4
    sparse = Counter(json.loads(payload)["event_type"] for payload in read(write(Shape(2_000, 500), tmp_path)))
    assert len(sparse) > 300


def test_what_warms_up_comes_before_at_the_same_pace(tmp_path: Path) -> None:
    cold = list(read(write(Shape(2_000), tmp_path)))
    warm = list(read(write(Shape(2_000, warm_up=1_000, skewed=True), tmp_path)))
    assert len(warm) == 3_000
    times = [json.loads(payload)["event_time"] for payload in warm]
    assert max(times[:1_000]) <= START + SPAN // 2
    assert START + SPAN < max(times) < START + SPAN * 3 // 2 < ARRIVAL
    assert len(cold) == 2_000


@pytest.mark.parametrize("skewed", [False, True])
def test_a_skewed_file_holds_the_same_events_with_one_partition_far_ahead(tmp_path: Path, skewed: bool) -> None:
    even = sorted(records(write(Shape(4_000), tmp_path)))
    found = list(records(write(Shape(4_000, skewed=skewed), tmp_path)))
    assert sorted(found) == even
    first = Counter(partition for partition, _ in found[: 4_000 // PARTITIONS // 2])
    assert (first[0] > 450) == skewed
