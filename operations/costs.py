"""What an environment costs a month: a line per kind of resource, from its synthesized templates and a price table.

Every resource type of a template has a line here or stands among those without a price of their own
(:mod:`operations.resources`): a test fails for a type that nobody has thought of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.functions import enabled
from config.model import Environment, Stream
from contracts.metrics import CATEGORY, EVENT_TYPE, FUNCTION_METRICS, METRICS, REJECTED_EVENTS, Metric
from contracts.rejections import INTAKE_REASONS
from monitoring.dashboard import body
from monitoring.names import deployed
from monitoring.validate import searches, shown
from operations.load import EVENT_TYPES, GB, HOURS, SECONDS, Flow, Load
from operations.measured import measured
from operations.prices import Prices
from operations.resources import counted

_PUT_UNIT = 25 * 1024
_FIREHOSE_UNIT = 5 * 1024
#: A function of 256 MB takes some 50 ms for a batch, and writes some 1.5 KB of log: its line, and Lambda's three.
_CALL_GB_SECONDS = 0.25 * 0.05
_CALL_LOG_BYTES = 1500
#: A function of 256 MB waits some 500 ms for who takes an alert.
_CHANNEL_GB_SECONDS = 0.25 * 0.5
#: Lambda asks an SQS queue with five long polls at once (developer guide, "Using Lambda with Amazon SQS"); Pipes, of
#: which no number is told, is counted alike.
_POLLERS, _POLL_SECONDS = 5, 20
#: The application's log, flow logs, and all that is written by the day.
_OTHER_LOGS_GB = 0.5
#: Requests to KMS: a data key every five minutes per producer, reader and shard, and one a message.
_KEY_REQUESTS = 100_000
#: What Firehose calls of S3 for one object: the upload's start, its part, its end.
_CALLS_PER_FILE = 3


@dataclass(frozen=True)
class Line:
    """One line of the bill, in USD a month. ``stopped`` is what remains while the application is stopped."""

    what: str
    formula: str
    running: float
    stopped: float


def series_of(metric: Metric, categories: int) -> int:
    """Series of a metric that a pipeline has."""
    if metric is REJECTED_EVENTS:  # a rule's failures are a series only in the hours in which a rule fails
        return len(INTAKE_REASONS)
    if metric.dimension is None:
        return 1
    if metric.values:
        return len(metric.values)
    if metric.dimension == EVENT_TYPE:
        return EVENT_TYPES
    return categories + 1 if metric.dimension == CATEGORY and categories else 0


@dataclass(frozen=True)
class _Bill:
    environment: Environment
    counts: Counter[str]
    prices: Prices
    load: Load

    def lines(self) -> Iterator[Line]:
        for part in (self._flink, self._streams, self._topic, self._network, self._keys, self._watching):
            yield from part()
        yield from self._search()
        yield from self._lake()
        yield from self._functions()
        yield from self._channels()
        yield from self._warehouse()
        yield from self._audit()

    def _flink(self) -> Iterator[Line]:
        count, hour = self.environment.application.kpus, self.prices.of("flink", "kpu_hour")
        yield Line(
            "Flink: KPUs", f"({count} + 1 that orchestrates) x {hour} x {HOURS} h", (count + 1) * hour * HOURS, 0.0
        )
        gb, month = (self.prices.of("flink", key) for key in ("running_storage_gb_per_kpu", "running_storage_gb_month"))
        yield Line("Flink: running storage", f"{count} x {gb:g} GB x {month}", count * gb * month, 0.0)
        if self.counts["AWS::KinesisAnalyticsV2::Application"] > 1:
            own = self.environment.backfill.kpus
            run = (own + 1) * hour + own * gb * month / HOURS
            formula = f"stopped; an hour of make backfill: ({own} + 1) x {hour} + storage = {run:.2f}"
            yield Line("Flink: backfills", formula, 0.0, 0.0)
        kept, month = self.environment.application.snapshots_kept, self.prices.of("flink", "snapshot_gb_month")
        per_rate = measured().state_bytes
        cost = kept * per_rate * self.load.events / GB * month
        formula = f"{kept} x {per_rate / 1024:.0f} KB per event/s (docs/benchmarks) x {month}/GB"
        yield Line("Flink: snapshots", formula, cost, cost)

    def _streams(self) -> Iterator[Line]:
        streams, flows, events = self.environment.streams, self.load.flows(), self.environment.kinesis
        if events is not None and events.existing_arn is None:
            yield self._stream("input", events, flows["input"])
        for role, settings in (("results", streams.results), ("rejected", streams.rejected)):
            yield self._stream(role, settings, flows[role])
        consumers = self.counts["AWS::Kinesis::StreamConsumer"]
        if consumers:
            shards = max(streams.results.shards, streams.rejected.shards)
            hour = self.prices.of("kinesis", "consumer_shard_hour")
            cost, formula = consumers * shards * hour * HOURS, f"{consumers} x {shards} shards x {hour} x {HOURS} h"
            yield Line("Kinesis: registered consumers", formula, cost, cost)

    def _stream(self, role: str, settings: Stream, flow: Flow) -> Line:
        if settings.mode == "on_demand":
            hour, gb = (self.prices.of("kinesis", key) for key in ("on_demand_stream_hour", "on_demand_written_gb"))
            used = flow.bytes_month / GB * gb
            return Line(f"Kinesis: {role}", f"{hour} x {HOURS} h + {gb}/GB written", hour * HOURS + used, hour * HOURS)
        hour = self.prices.of("kinesis", "shard_hour")
        formula = f"{settings.shards} shards x {hour} x {HOURS} h"
        if settings.retention_hours > 24:
            longer = self.prices.of("kinesis", "extended_retention_shard_hour")
            hour += longer
            formula = f"{settings.shards} shards x ({self.prices.of('kinesis', 'shard_hour')} + {longer}) x {HOURS} h"
        fixed = settings.shards * hour * HOURS
        million = self.prices.of("kinesis", "put_units_million")
        units = flow.records * math.ceil(flow.size / _PUT_UNIT) * SECONDS / 1e6
        return Line(f"Kinesis: {role}", f"{formula} + {million} per million puts", fixed + units * million, fixed)

    def _topic(self) -> Iterator[Line]:
        """A cluster of ours: paid for whether the application runs or not."""
        topic = self.environment.msk
        if topic is None or not self.counts["AWS::MSK::ServerlessCluster"]:
            return
        cluster, partition, stored, written, read = (
            self.prices.of("msk", key)
            for key in ("cluster_hour", "partition_hour", "storage_gb_month", "in_gb", "out_gb")
        )
        fixed = (cluster + topic.partitions * partition) * HOURS
        gb = self.load.flows()["input"].bytes_month / GB
        readers = 1 + self.environment.archives_events
        kept = gb * min(1.0, topic.retention_hours / HOURS)
        formula = f"({cluster} + {topic.partitions} partitions x {partition}) x {HOURS} h + {written}/GB in"
        formula += f" + {readers} readers x {read}/GB + {topic.retention_hours} h kept x {stored}/GB"
        yield Line("MSK Serverless", formula, fixed + gb * (written + readers * read) + kept * stored, fixed)
        if self.environment.archives_events:
            hour, per_gb = (self.prices.of("msk", key) for key in ("private_connection_hour", "private_connection_gb"))
            cost = hour * HOURS
            formula = f"{hour} x {HOURS} h + {per_gb}/GB"
            yield Line("MSK: Firehose's connection", formula, cost + gb * per_gb, cost)

    def _network(self) -> Iterator[Line]:
        endpoints, zones = self.counts["interface endpoint"], len(self.environment.network.zones)
        if endpoints:
            hour = self.prices.of("vpc", "endpoint_zone_hour")
            fixed = endpoints * zones * hour * HOURS
            gb = self.prices.of("vpc", "endpoint_gb")
            through = (flow for role, flow in self.load.flows().items() if role != "input" or self.environment.kinesis)
            used = sum(flow.bytes_month for flow in through) / GB * gb
            formula = f"{endpoints} x {zones} zones x {hour} x {HOURS} h + {gb}/GB"
            yield Line("VPC: interface endpoints", formula, fixed + used, fixed)

    def _keys(self) -> Iterator[Line]:
        keys, month = self.counts["AWS::KMS::Key"], self.prices.of("kms", "key_month")
        calls = self.prices.of("kms", "requests_10k") * _KEY_REQUESTS / 10_000
        yield Line("KMS: keys", f"{keys} x {month} + {_KEY_REQUESTS:,} calls", keys * month + calls, keys * month)

    def _watching(self) -> Iterator[Line]:
        read, composite = self.counts["alarm metric"], self.counts["AWS::CloudWatch::CompositeAlarm"]
        one, many, free = (self._watch(key) for key in ("alarm_month", "composite_alarm_month", "alarms_free"))
        cost = max(0.0, read - free) * one + composite * many
        yield Line(
            "CloudWatch: alarms",
            f"({read} metrics - {free:g} free) x {one} + {composite} composite x {many}",
            cost,
            cost,
        )
        yield self._dashboard()
        categories = self.environment.alerts.categories
        series = sum(series_of(metric, len(categories)) for metric in METRICS)
        series += len(FUNCTION_METRICS) * len({called.partition(" ")[0] for called in self.load.calls_month()})
        series += self.counts["AWS::Logs::MetricFilter"]
        month, free = self._watch("metric_month"), self._watch("metrics_free")
        # A place among the named types changes hands once a day at most, and a metric is paid for by the hour.
        named = self.environment.alerts.event_types
        more = sum(metric.dimension == EVENT_TYPE for metric in METRICS) * (named * (1 + 1 / 24) + 1 - EVENT_TYPES)
        most = max(0.0, series + max(0.0, more) - free) * month
        formula = f"({series} series - {free:g} free) x {month}; at most {most:.2f} by alerts.event_types = {named}"
        yield Line("CloudWatch: the kit's metrics", formula, max(0.0, series - free) * month, 0.0)
        requests, thousand, free = (
            self.load.metric_requests_month(),
            self._watch("requests_1000"),
            self._watch("requests_free"),
        )
        formula = f"(calls with a sample - {free:,.0f} free) x {thousand} per 1,000; alerts.gather_seconds"
        yield Line("CloudWatch: PutMetricData", formula, max(0.0, requests - free) / 1000 * thousand, 0.0)
        gb, free = self._watch("logs_gb"), self._watch("logs_gb_free")
        written = _OTHER_LOGS_GB + sum(self.load.calls_month().values()) * _CALL_LOG_BYTES / GB
        formula = f"({_OTHER_LOGS_GB} GB + {_CALL_LOG_BYTES / 1000} KB a call - {free:g} GB free) x {gb}"
        yield Line("CloudWatch: logs", formula, max(0.0, written - free) * gb, 0.0)

    def _dashboard(self) -> Line:
        boards = self.counts["AWS::CloudWatch::Dashboard"]
        board = body(self.environment, deployed(self.environment, self.environment.account, self.environment.region))
        metrics = len(list(shown(board))) + EVENT_TYPES * len(list(searches(board)))
        month, free, most = (
            self._watch(key) for key in ("dashboard_month", "dashboards_free", "dashboard_free_metrics")
        )
        paid = boards if metrics > most else max(0.0, boards - free)
        formula = f"{boards} of {metrics} metrics x {month}, the first {free:g} of up to {most:g} metrics are free"
        return Line("CloudWatch: dashboard", formula, paid * month, paid * month)

    def _watch(self, key: str) -> float:
        return self.prices.of("cloudwatch", key)

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
        gb, flows = self.prices.of("firehose", "gb"), self.load.archived()
        units = sum(
            flow.records * math.ceil(flow.size / _FIREHOSE_UNIT)
            for role, flow in flows.items()
            if role != "input" or self.environment.kinesis
        )
        used = units * _FIREHOSE_UNIT * SECONDS / GB * gb
        yield Line("Firehose", f"{deliveries} streams, {gb}/GB in steps of 5 KB a record", used, 0.0)
        if self.environment.msk is not None and "input" in flows:
            gb = self.prices.of("firehose", "msk_gb")
            yield Line("Firehose: the topic", f"{gb}/GB", flows["input"].bytes_month / GB * gb, 0.0)
        results, rejected = (
            flow.records * math.ceil(flow.size / _FIREHOSE_UNIT) * _FIREHOSE_UNIT * SECONDS / GB
            for flow in (flows["results"], flows["rejected"])
        )
        if self.environment.lake.parquet:
            yield self._parquet(results, rejected)
        lake = self.environment.lake
        days = {"input": lake.raw_days, "results": lake.results_days, "rejected": lake.rejected_days}
        # gzip leaves about a sixth of such JSON lines.
        stored = sum(flow.records * flow.size * 86400 * days[role] / 6 for role, flow in flows.items()) / GB
        month = self.prices.of("s3", "gb_month")
        formula = f"bytes of {lake.raw_days}, {lake.results_days} and {lake.rejected_days} days / 6 (gzip) x {month}/GB"
        yield Line("S3: archive", formula, stored * month, stored * month)
        thousand = self.prices.of("s3", "puts_1000")
        cost = self.load.files_month() * _CALLS_PER_FILE * thousand / 1000
        formula = f"a file each 300 s or 64 MB and stream x {_CALLS_PER_FILE} calls x {thousand} per 1,000"
        yield Line("S3: requests", formula, cost, 0.0)

    def _parquet(self, results: float, rejected: float) -> Line:
        """``results`` and ``rejected``: GB a month in Firehose's steps."""
        converted, partitioned = (self.prices.of("firehose", key) for key in ("conversion_gb", "partitioning_gb"))
        formula = f"results and rejections x {converted}/GB, results by type x {partitioned}/GB, in the same steps"
        return Line("Firehose: Parquet", formula, (results + rejected) * converted + results * partitioned, 0.0)

    def _warehouse(self) -> Iterator[Line]:
        """Refreshes go on while the application is stopped; queries of people come on top, up to the daily limit."""
        if not self.counts["AWS::RedshiftServerless::Namespace"]:
            return
        warehouse, hour = self.environment.warehouse, self.prices.of("redshift", "rpu_hour")
        refreshes = HOURS * 60 / warehouse.refresh_minutes
        cost = refreshes / 60 * warehouse.base_rpu * hour
        formula = f"{refreshes:,.0f} refreshes x 1 min x {warehouse.base_rpu} RPU x {hour}; at most "
        formula += f"{warehouse.rpu_hours_a_day} RPU-hours a day with queries"
        yield Line("Redshift: refreshes", formula, cost, cost)
        results, month = self.load.flows()["results"], self.prices.of("redshift", "storage_gb_month")
        # Columns compress about as well as gzip does; nothing deletes what has landed.
        cost = results.bytes_month * 12 / 6 / GB * month
        yield Line("Redshift: storage", f"results of a year / 6 x {month}/GB", cost, cost)
        secrets, month = self.counts["AWS::SecretsManager::Secret"], self.prices.of("secretsmanager", "secret_month")
        yield Line("Secrets Manager", f"{secrets} x {month}", secrets * month, secrets * month)

    def _functions(self) -> Iterator[Line]:
        second, million = (self.prices.of("lambda", key) for key in ("gb_second", "requests_million"))
        calls, mappings = sum(self.load.calls_month().values()), self.counts["AWS::Lambda::EventSourceMapping"]
        cost = calls * (_CALL_GB_SECONDS * second + million / 1e6)
        formula = f"{mappings} mappings, calls x ({_CALL_GB_SECONDS} GB-s x {second} + {million} per million)"
        yield Line("Lambda", formula, cost, 0.0)
        writes = self.prices.of("dynamodb", "writes_million")
        cost = 2 * self.load.claims_month() / 1e6 * writes
        yield Line(
            "DynamoDB: processed results",
            f"2 writes for each thing that is done once x {writes} per million",
            cost,
            0.0,
        )
        emails, price = len(self.environment.alerts.emails), self.prices.of("sns", "emails_100k")
        cost = emails * self.load.alerts_month() / 100_000 * price
        yield Line("SNS: alerts", f"{emails} addresses x alerts x {price} per 100,000", cost, 0.0)

    def _channels(self) -> Iterator[Line]:
        """Queues of the alerts' channels are asked all the time, alerts or not."""
        alerts, names = self.environment.alerts, [function.package for function in enabled(self.environment)]
        channels = len(names) + (alerts.event_bus is not None)
        if not channels:
            return
        million, sent = self.prices.of("sqs", "requests_million"), self.load.alerts_month()
        requests = channels * (_POLLERS * SECONDS / _POLL_SECONDS + 3 * sent)
        formula = (
            f"{channels} x ({_POLLERS} pollers each {_POLL_SECONDS} s + 3 requests an alert) x {million} per million"
        )
        cost = requests / 1e6 * million
        yield Line("SQS: alerts' channels", formula, cost, cost)
        if names:
            second, calls = (self.prices.of("lambda", key) for key in ("gb_second", "requests_million"))
            formula = f"{len(names)} x alerts x ({_CHANNEL_GB_SECONDS} GB-s x {second} + {calls} per million)"
            cost = len(names) * sent * (_CHANNEL_GB_SECONDS * second + calls / 1e6)
            yield Line("Lambda: alerts' channels", formula, cost, 0.0)
        if alerts.event_bus is not None:
            million = self.prices.of("pipes", "requests_million")
            yield Line("EventBridge Pipes", f"alerts x {million} per million", sent / 1e6 * million, 0.0)

    def _audit(self) -> Iterator[Line]:
        if not self.counts["AWS::CloudTrail::Trail"]:
            return
        price = self.prices.of("cloudtrail", "data_events_100k")
        events = self.load.files_month() * _CALLS_PER_FILE if self.environment.lake.enabled else 0.0
        formula = f"calls of the archive's objects x {price} per 100,000"
        yield Line("CloudTrail: data events", formula, events / 100_000 * price, 0.0)


def bill(
    environment: Environment, templates: Mapping[str, Mapping[str, Any]], prices: Prices, events: float
) -> list[Line]:
    """The lines, at ``events`` a second."""
    return list(_Bill(environment, counted(templates), prices, Load(environment, events)).lines())


def total(lines: list[Line], which: Callable[[Line], float]) -> float:
    """The sum of the running or of the stopped cost."""
    return sum(which(line) for line in lines)
