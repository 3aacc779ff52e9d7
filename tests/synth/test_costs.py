"""The bill: every resource type is thought of, and dev stays below what it promises."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from contracts.metrics import METRICS
from contracts.results import SCHEMAS
from monitoring.alarms import alarms
from monitoring.names import deployed
from operations.costs import bill, series_of, total
from operations.prices import PriceError, Prices
from operations.resources import FREE, PRICED, counted
from tests.events import KIT_JOBS
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
    # What a team's own jobs count is on top: each series is to pay for.
    own = {count.metric for job, entry in SCHEMAS.items() if job not in KIT_JOBS for count in entry.counts}
    more = sum(series_of(metric, 0) for metric in METRICS if metric.name in own)
    assert 180 < total(lines, lambda line: line.running) <= 230 + more * PRICE_TABLE.of("cloudwatch", "metric_month")
    assert 30 < total(lines, lambda line: line.stopped) <= 65


def test_a_stopped_application_pays_no_kpu_and_its_streams_stay(assembly: Assembly) -> None:
    found = dollars(assembly)
    settings = assembly.environment.application
    kpus = -(-settings.parallelism // settings.parallelism_per_kpu)
    running, stopped = found["Flink: KPUs"]
    assert running == pytest.approx((kpus + 1) * 0.11 * 730)
    assert stopped == 0
    assert found["Kinesis: results"][1] > 0


def test_a_backfills_application_costs_nothing_stopped_and_its_line_says_what_an_hour_of_it_does(
    assemblies: Callable[[str], Assembly],
) -> None:
    dev = assemblies("dev")
    (line,) = (
        line for line in bill(dev.environment, dev.templates, PRICE_TABLE, 10.0) if line.what == "Flink: backfills"
    )
    assert (line.running, line.stopped) == (0.0, 0.0)
    # Four KPUs and the one that orchestrates, at 0.11 an hour; 50 GB for each of the four at 0.10 a month.
    assert line.formula.endswith(f"= {5 * 0.11 + 4 * 50 * 0.10 / 730:.2f}")
    assert "Flink: backfills" not in dollars(assemblies("least"))


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


def test_an_alarm_is_paid_for_each_metric_that_it_reads(assemblies: Callable[[str], Assembly]) -> None:
    dev = assemblies("dev")
    read = sum(len(rule.inputs) for rule in alarms(dev.environment, deployed(dev.environment, "1", "us-east-1")))
    assert counted(dev.templates)["alarm metric"] == read > len(list(dev.resources("AWS::CloudWatch::Alarm")))
    assert dollars(dev)["CloudWatch: alarms"][0] == pytest.approx((read - 10) * 0.10 + 0.50)


def test_the_line_of_the_metrics_says_what_made_up_event_types_can_cost(assemblies: Callable[[str], Assembly]) -> None:
    dev = assemblies("dev")
    (line,) = (
        line
        for line in bill(dev.environment, dev.templates, PRICE_TABLE, 10.0)
        if line.what == "CloudWatch: the kit's metrics"
    )
    # Three metrics each of four types, of one more a day that is named for an hour, and of `other`; four are there.
    most = line.running + 3 * (4 * (1 + 1 / 24) + 1 - 4) * 0.30
    assert line.formula.endswith(f"at most {most:.2f} by alerts.event_types = 4")
    # What producers make up does not break dev's promise.
    assert sum(running for running, _ in dollars(dev).values()) - line.running + most <= 230


def test_an_audited_archive_pays_for_its_data_events(assemblies: Callable[[str], Assembly]) -> None:
    assert "CloudTrail: data events" not in dollars(assemblies("dev"))
    # Three streams, a file each 300 s, three calls a file, 0.10 USD per 100,000 events.
    assert dollars(assemblies("prod"))["CloudTrail: data events"][0] == pytest.approx(3 * 8760 * 3 / 1e6)


def test_a_month_of_calls_with_samples_is_paid_for(assemblies: Callable[[str], Assembly]) -> None:
    """A function that is called each second asks CloudWatch each second: 2.6 million requests of 0.01 per thousand."""
    dev = assemblies("dev")
    eager = dev.environment.model_copy(
        update={"alerts": dev.environment.alerts.model_copy(update={"gather_seconds": 1})}
    )
    paid = {line.what: line.running for line in bill(eager, dev.templates, PRICE_TABLE, 100.0)}
    per_second = 730 * 3600
    assert paid["CloudWatch: PutMetricData"] == pytest.approx((2 * per_second - 1_000_000) / 1000 * 0.01)
    assert dollars(dev)["CloudWatch: PutMetricData"][0] == 0


def test_a_serverless_cluster_is_paid_for_while_the_application_is_stopped(
    assemblies: Callable[[str], Assembly],
) -> None:
    """Worked out by hand: 10 events/s of 180 bytes are 4.405 GB a month, of which 168 of 730 hours are kept."""
    found = dollars(assemblies("msk"))
    fixed = (0.75 + 4 * 0.0015) * 730
    gb = 10 * 180 * 730 * 3600 / 1024**3
    used = gb * (0.10 + 2 * 0.05) + gb * 168 / 730 * 0.10  # the application and Firehose read it
    assert found["MSK Serverless"] == pytest.approx((fixed + used, fixed))
    assert found["MSK: Firehose's connection"][1] == pytest.approx(0.0225 * 730)
    assert found["Firehose: the topic"] == pytest.approx((gb * 0.055, 0.0))
    assert "Kinesis: input" not in found


@pytest.mark.parametrize("name", ["kafka", "files"])
def test_what_somebody_else_owns_is_on_nobodys_bill_here(assemblies: Callable[[str], Assembly], name: str) -> None:
    found = dollars(assemblies(name))
    assert not [what for what in found if "MSK" in what or what in ("Kinesis: input", "Firehose: the topic")]


def test_the_channels_of_alerts_are_on_the_bill_where_they_are_on(assemblies: Callable[[str], Assembly]) -> None:
    lines = ("SQS: alerts' channels", "Lambda: alerts' channels", "EventBridge Pipes")
    full, dev = dollars(assemblies("full")), dollars(assemblies("dev"))
    assert not set(lines) & set(dev)
    # 2 channels x 5 polls each 20 s of a month, at 0.40 a million, go on while the application is stopped
    polls = 2 * 5 * 730 * 3600 / 20
    assert full["SQS: alerts' channels"][1] >= polls * 0.40 / 1e6
    for line in lines:
        assert 0 < full[line][0] < 2, line
