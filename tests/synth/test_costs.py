"""The bill: every resource type is thought of, and dev stays below what it promises."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from operations.costs import FREE, PRICED, PriceError, Prices, bill, counted, total
from tests.synth.templates import Assembly

PRICE_TABLE = Prices.load()


def dollars(assembly: Assembly, events: float = 10.0) -> dict[str, tuple[float, float]]:
    lines = bill(assembly.environment, assembly.templates, PRICE_TABLE, events)
    return {line.what: (line.running, line.stopped) for line in lines}


def test_every_resource_type_has_a_price_or_is_known_to_have_none(assembly: Assembly) -> None:
    types = {name for name in counted(assembly.templates) if name.startswith("AWS::")}
    assert types <= PRICED | FREE
    assert not PRICED & FREE


def test_dev_costs_what_it_promises(assemblies: Callable[[str], Assembly]) -> None:
    lines = bill(assemblies("dev").environment, assemblies("dev").templates, PRICE_TABLE, 10.0)
    assert 180 < total(lines, lambda line: line.running) <= 230
    assert 30 < total(lines, lambda line: line.stopped) <= 65


def test_a_stopped_application_pays_no_kpu_and_its_streams_stay(assembly: Assembly) -> None:
    found = dollars(assembly)
    settings = assembly.environment.application
    kpus = -(-settings.parallelism // settings.parallelism_per_kpu)
    running, stopped = found["Flink: KPUs"]
    assert running == pytest.approx((kpus + 1) * 0.11 * 730)
    assert stopped == 0
    assert found["Kinesis: results"][1] > 0


def test_the_facts_of_the_service_come_out(assemblies: Callable[[str], Assembly]) -> None:
    """Parallelism 2 at one per KPU is three KPUs of 240.90 USD (platform facts); dev has two per KPU."""
    assert dollars(assemblies("dev"))["Flink: KPUs"][0] == pytest.approx(240.90 * 2 / 3)


def test_the_bill_grows_with_the_events_and_never_shrinks(assembly: Assembly) -> None:
    bills = [dollars(assembly, events) for events in (10, 100, 1000, 10_000)]
    for less, more in pairwise(bills):
        assert less.keys() == more.keys()
        for what, (running, stopped) in less.items():
            assert more[what][0] >= running >= 0
            assert more[what][1] >= stopped >= 0
        assert sum(running for running, _ in more.values()) > sum(running for running, _ in less.values())


def test_what_is_switched_off_is_not_on_the_bill(assemblies: Callable[[str], Assembly]) -> None:
    least = dollars(assemblies("least"))
    assert not [what for what in least if what.startswith(("OpenSearch", "Firehose", "S3"))]
    full = dollars(assemblies("full"))
    assert "Kinesis: input" not in full  # it is somebody else's stream
    assert full["Kinesis: registered consumers"][0] == pytest.approx(3 * 1 * 0.015 * 730)


def test_an_instance_without_a_price_is_told(assemblies: Callable[[str], Assembly]) -> None:
    prod = assemblies("prod")
    without = Prices(PRICE_TABLE.date, {**PRICE_TABLE.table, "opensearch": {"instance_hour": {}, "gp3_gb_month": 0.1}})
    with pytest.raises(PriceError, match=r"no price for opensearch\.instance_hour\.m7g\.large\.search: add it"):
        bill(prod.environment, prod.templates, without, 10.0)
