"""What an environment costs a month: a line per kind of resource, from its synthesized templates and a price table.

Every resource type of a template has a line here or stands among those without a price of their own: a test fails for
a type that nobody has thought of.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.model import Environment, Stream
from contracts.metrics import METRICS

HOURS = 730
_SECONDS = HOURS * 3600
PRICES = Path(__file__).resolve().parent / "prices.toml"

#: What one event is, for what is paid by use: its JSON; results, rejections and their bytes per event, as the laptop's
#: traffic has them (67,467 results of 100,000 events).
EVENT_BYTES = 180
RESULTS_PER_EVENT = 0.67
RESULT_BYTES = 420
_PUT_UNIT = 25 * 1024
_FIREHOSE_UNIT = 5 * 1024
_GB = 1024**3
#: Values of a metric's dimension that a pipeline has: event types, levels, reasons; without one it is one series.
_SERIES_PER_METRIC = {"EventType": 5, "AlertLevel": 3, "Reason": 9, None: 1}
#: A batch is up to 500 records or a second; a function of 256 MB takes some 50 ms for one.
_BATCHES_PER_SECOND = 1.0
_FUNCTION_GB_SECONDS = 0.25 * 0.05


@dataclass(frozen=True)
class Line:
    """One line of the bill, in USD a month. ``stopped`` is what remains while the application is stopped."""

    what: str
    formula: str
    running: float
    stopped: float


class PriceError(Exception):
    """The price table lacks something; the message names it."""


@dataclass(frozen=True)
class Prices:
    """The table, by section and key."""

    date: str
    table: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path = PRICES) -> Prices:
        """The table of a file."""
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(str(content.pop("date")), content)

    def of(self, section: str, *keys: str) -> float:
        """A price; PriceError where the table has none."""
        found: Any = self.table.get(section, {})
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(found, int | float):
            raise PriceError(f"no price for {section}.{'.'.join(keys)}: add it to the price table")
        return float(found)


@dataclass(frozen=True)
class _Bill:
    environment: Environment
    counts: Counter[str]
    zones: int
    prices: Prices
    events: float

    def lines(self) -> Iterator[Line]:
        for part in (self._flink, self._streams, self._network, self._keys, self._watching, self._search, self._lake):
            yield from part()
        yield from self._functions()

    def _flink(self) -> Iterator[Line]:
        settings = self.environment.application
        kpus = math.ceil(settings.parallelism / settings.parallelism_per_kpu)
        hour = self.prices.of("flink", "kpu_hour")
        yield Line(
            "Flink: KPUs", f"({kpus} + 1 that orchestrates) x {hour} x {HOURS} h", (kpus + 1) * hour * HOURS, 0.0
        )
        gb, month = (self.prices.of("flink", key) for key in ("running_storage_gb_per_kpu", "running_storage_gb_month"))
        yield Line("Flink: running storage", f"{kpus} x {gb:g} GB x {month}", kpus * gb * month, 0.0)

    def _streams(self) -> Iterator[Line]:
        streams, rates = self.environment.streams, self._rates()
        for role, settings in (("input", streams.input), ("results", streams.results), ("rejected", streams.rejected)):
            if role == "input" and streams.input.existing_arn is not None:
                continue
            per_second, size = rates[role]
            yield self._stream(role, settings, per_second, size)
        consumers = self.counts["AWS::Kinesis::StreamConsumer"]
        if consumers:
            shards = max(streams.results.shards, streams.rejected.shards)
            hour = self.prices.of("kinesis", "consumer_shard_hour")
            cost, formula = consumers * shards * hour * HOURS, f"{consumers} x {shards} shards x {hour} x {HOURS} h"
            yield Line("Kinesis: registered consumers", formula, cost, cost)

    def _stream(self, role: str, settings: Stream, per_second: float, size: float) -> Line:
        if settings.mode == "on_demand":
            hour, gb = (self.prices.of("kinesis", key) for key in ("on_demand_stream_hour", "on_demand_written_gb"))
            used = per_second * size * _SECONDS / _GB * gb
            return Line(f"Kinesis: {role}", f"{hour} x {HOURS} h + {gb}/GB written", hour * HOURS + used, hour * HOURS)
        hour = self.prices.of("kinesis", "shard_hour")
        formula = f"{settings.shards} shards x {hour} x {HOURS} h"
        if settings.retention_hours > 24:
            longer = self.prices.of("kinesis", "extended_retention_shard_hour")
            hour += longer
            formula = f"{settings.shards} shards x ({self.prices.of('kinesis', 'shard_hour')} + {longer}) x {HOURS} h"
        fixed = settings.shards * hour * HOURS
        million = self.prices.of("kinesis", "put_units_million")
        units = per_second * math.ceil(size / _PUT_UNIT) * _SECONDS / 1e6
        return Line(f"Kinesis: {role}", f"{formula} + {million} per million puts", fixed + units * million, fixed)

    def _rates(self) -> dict[str, tuple[float, float]]:
        """Records a second and bytes of each, by stream. A hundredth of the events is rejected."""
        return {
            "input": (self.events, EVENT_BYTES),
            "results": (self.events * RESULTS_PER_EVENT, RESULT_BYTES),
            "rejected": (self.events / 100, 2 * EVENT_BYTES),
        }

    def _network(self) -> Iterator[Line]:
        endpoints = self.counts["interface endpoint"]
        if endpoints:
            hour = self.prices.of("vpc", "endpoint_zone_hour")
            fixed = endpoints * self.zones * hour * HOURS
            gb = self.prices.of("vpc", "endpoint_gb")
            used = sum(rate * size for rate, size in self._rates().values()) * _SECONDS / _GB * gb
            formula = f"{endpoints} x {self.zones} zones x {hour} x {HOURS} h + {gb}/GB"
            yield Line("VPC: interface endpoints", formula, fixed + used, fixed)

    def _keys(self) -> Iterator[Line]:
        keys, month = self.counts["AWS::KMS::Key"], self.prices.of("kms", "key_month")
        # Kinesis asks for a data key every five minutes per producer and shard: a few hundred thousand calls a month.
        calls = self.prices.of("kms", "requests_10k") * 10
        yield Line("KMS: keys", f"{keys} x {month} + 100,000 calls", keys * month + calls, keys * month)

    def _watching(self) -> Iterator[Line]:
        alarms, composite = self.counts["AWS::CloudWatch::Alarm"], self.counts["AWS::CloudWatch::CompositeAlarm"]
        one, many = (self.prices.of("cloudwatch", key) for key in ("alarm_month", "composite_alarm_month"))
        cost = alarms * one + composite * many
        yield Line("CloudWatch: alarms", f"{alarms} x {one} + {composite} composite x {many}", cost, cost)
        boards, month = self.counts["AWS::CloudWatch::Dashboard"], self.prices.of("cloudwatch", "dashboard_month")
        free = self.prices.of("cloudwatch", "dashboards_free")
        cost = max(0.0, boards - free) * month
        yield Line(
            "CloudWatch: dashboard", f"{boards} x {month}, the first {free:g} of an account are free", cost, cost
        )
        series = sum(_SERIES_PER_METRIC[metric.dimension] for metric in METRICS)
        series += self.counts["AWS::Logs::MetricFilter"]
        month = self.prices.of("cloudwatch", "metric_month")
        yield Line("CloudWatch: the kit's metrics", f"{series} series x {month}", series * month, 0.0)
        gb = self.prices.of("cloudwatch", "logs_gb")
        yield Line("CloudWatch: logs", f"1 GB x {gb}", gb, 0.1 * gb)

    def _search(self) -> Iterator[Line]:
        search = self.environment.search
        if not self.counts["AWS::OpenSearchService::Domain"]:
            return
        hour = self.prices.of("opensearch", "instance_hour", search.instance_type)
        gb = self.prices.of("opensearch", "gp3_gb_month")
        cost = search.instances * (hour * HOURS + search.volume_gb * gb)
        formula = f"{search.instances} x ({hour} x {HOURS} h + {search.volume_gb} GB x {gb})"
        yield Line(f"OpenSearch: {search.instance_type}", formula, cost, cost)

    def _lake(self) -> Iterator[Line]:
        deliveries = self.counts["AWS::KinesisFirehose::DeliveryStream"]
        if not deliveries:
            return
        gb = self.prices.of("firehose", "gb")
        units = sum(rate * math.ceil(size / _FIREHOSE_UNIT) for rate, size in self._rates().values())
        used = units * _FIREHOSE_UNIT * _SECONDS / _GB * gb
        yield Line("Firehose", f"{deliveries} streams, {gb}/GB in steps of 5 KB a record", used, 0.0)
        lake, rates = self.environment.lake, self._rates()
        days = {"input": lake.raw_days, "results": lake.results_days, "rejected": lake.rejected_days}
        # gzip leaves about a sixth of such JSON lines.
        stored = sum(rate * size * 86400 * days[role] / 6 for role, (rate, size) in rates.items()) / _GB
        month = self.prices.of("s3", "gb_month")
        yield Line("S3: archive", f"{stored:,.1f} GB x {month}", stored * month, stored * month)

    def _functions(self) -> Iterator[Line]:
        mappings = self.counts["AWS::Lambda::EventSourceMapping"]
        second, million = (self.prices.of("lambda", key) for key in ("gb_second", "requests_million"))
        calls = mappings * min(_BATCHES_PER_SECOND, self.events) * _SECONDS
        cost = calls * (_FUNCTION_GB_SECONDS * second + million / 1e6)
        yield Line("Lambda", f"{mappings} mappings, a batch a second of 0.0125 GB-s", cost, 0.0)


#: Types without a price of their own: free, paid by use that another line holds, or part of another resource.
FREE = frozenset(
    {
        "AWS::Budgets::Budget",
        "AWS::CloudTrail::Trail",
        "AWS::DynamoDB::GlobalTable",
        "AWS::EC2::FlowLog",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::Logs::LogStream",
        "AWS::Logs::ResourcePolicy",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::StepFunctions::StateMachine",
    }
)
PRICED = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::VPCEndpoint",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Kinesis::StreamConsumer",
        "AWS::KinesisAnalyticsV2::Application",
        "AWS::KinesisFirehose::DeliveryStream",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Logs::MetricFilter",
        "AWS::OpenSearchService::Domain",
    }
)


def counted(templates: Mapping[str, Mapping[str, Any]]) -> Counter[str]:
    """Resources by type; interface endpoints once more under a name of their own."""
    found: Counter[str] = Counter()
    for template in templates.values():
        for body in template["Resources"].values():
            found[body["Type"]] += 1
            if body["Type"] == "AWS::EC2::VPCEndpoint" and body["Properties"].get("VpcEndpointType") == "Interface":
                found["interface endpoint"] += 1
    return found


def bill(
    environment: Environment, templates: Mapping[str, Mapping[str, Any]], prices: Prices, events: float
) -> list[Line]:
    """The lines, at ``events`` a second."""
    return list(_Bill(environment, counted(templates), len(environment.network.zones), prices, events).lines())


def total(lines: list[Line], which: Callable[[Line], float]) -> float:
    """The sum of the running or of the stopped cost."""
    return sum(which(line) for line in lines)
