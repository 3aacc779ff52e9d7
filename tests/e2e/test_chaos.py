"""The functions that read results, among services that fail at random: nothing is lost, nothing is doubled.

20,000 results in shards, in batches with random boundaries, delivered again at random, through the laptop's event
source mapping with the settings that are deployed, into a real OpenSearch and moto's SNS, SQS, CloudWatch and
DynamoDB, of which each call may fail or be the last one of its invocation. The clock is virtual: what waits for a
claim to run out, or for the next try, costs nothing.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aws_lambda_powertools.utilities.idempotency.persistence.base as powertools_base
import aws_lambda_powertools.utilities.idempotency.persistence.datarecord as powertools_record
import aws_lambda_powertools.utilities.idempotency.persistence.dynamodb as powertools_dynamodb
import pytest

from contracts import metrics
from contracts.event_sources import ALERTS_OF_RESULTS, INDEXER_OF_RESULTS, EventSource, record_age_hours
from contracts.results import ResultType
from lambdas.alerts.function import AlertsFunction, Rules
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.once import Effect, store
from lambdas.common.patience import Patience
from lambdas.search_indexer.function import SearchIndexer
from lambdas.search_indexer.settings import weekly_index
from lambdas.search_indexer.template import put_templates
from local.batch_policy import MappingSettings, StreamRecord
from local.batch_processor import BatchProcessor
from local.demo import application
from local.demo.pipeline import OPENSEARCH_LIB
from local.kinesis_event import ShardName
from local.lambda_function import LambdaFunction
from local.processes import Supervisor
from local.standins.moto import ACCOUNT, REGION, Moto
from local.standins.opensearch import OpenSearch
from tests.e2e.chaos import (
    Chaos,
    ChaoticCloudWatch,
    ChaoticOpenSearch,
    ChaoticSns,
    ChaoticSqs,
    ChaoticStore,
    Clock,
    Died,
    Fault,
    Ledger,
    SampleKey,
)
from tests.results import sample_result

SEED = 20261125
RESULTS = 20_000
SHARDS = 4
PREFIX = "chaos"
NAMESPACE = "Chaos"
POISON_SHARE = 0.01
#: Share of the batches after which an earlier stretch of the shard comes again.
REDELIVERED = 0.15
INVOCATION_SECONDS = 60.0

#: Parts of a hundred of the results; those with an effect of their own cost several calls each.
MIX = {
    ResultType.RECOMMENDATION: 52,
    ResultType.SESSION: 20,
    ResultType.BEHAVIOR: 12,
    ResultType.ANOMALY: 12,
    ResultType.AGGREGATION: 2,
    ResultType.FRAUD: 2,
}

#: Records that nobody can process: what they are, and which function's dead letters they belong into. Alerts is not
#: woken by what is no JSON, by a type that it does not serve, or by a column that only the index reads.
POISON: tuple[tuple[str, frozenset[str]], ...] = (
    ("bytes", frozenset({"indexer"})),
    ("json", frozenset({"indexer"})),
    ("array", frozenset({"indexer"})),
    ("no type", frozenset({"indexer", "alerts"})),
    ("unknown type", frozenset({"indexer", "alerts"})),
    ("fraud without a level", frozenset({"alerts"})),
    ("recommendation without a time", frozenset({"indexer"})),
    ("anomaly with a text for a number", frozenset({"indexer", "alerts"})),
)


def poison(kind: str, number: int, moment: str) -> bytes:
    match kind:
        case "bytes":
            return b"\xff\x00" + bytes([number % 256])
        case "json":
            return b'{"result_type": "fraud", ' + str(number).encode()
        case "array":
            return json.dumps([number]).encode()
        case "no type":
            return json.dumps({"result_id": f"poison-{number}", "run": "live"}).encode()
        case "unknown type":
            return json.dumps({"result_type": "x", "result_id": f"x-{number}", "run": "live"}).encode()
        case "fraud without a level":
            return json.dumps(sample_result("fraud", f"poison-{number}", moment, alert_level="?")).encode()
        case "recommendation without a time":
            return json.dumps(sample_result("recommendation", f"poison-{number}", moment, event_time=5)).encode()
        case _:
            document = sample_result("anomaly", f"poison-{number}", moment, is_anomaly=True, anomaly_score="high")
            return json.dumps(document).encode()


@dataclass
class Traffic:
    """The records of each shard, and what must come of them."""

    shards: list[list[StreamRecord]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    samples: dict[SampleKey, str] = field(default_factory=dict)
    values: dict[SampleKey, int] = field(default_factory=dict)
    at_least: Counter[str] = field(default_factory=Counter)
    poison: dict[str, dict[str, str]] = field(default_factory=lambda: {"alerts": {}, "indexer": {}})


def traffic(dice: random.Random, clock: Clock) -> Traffic:
    """20,000 results of two days, a hundredth of them poison."""
    made = Traffic()
    newest = clock.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    kinds = dice.choices(list(MIX), weights=list(MIX.values()), k=RESULTS)
    for number, kind in enumerate(kinds):
        minute = newest - timedelta(minutes=dice.randrange(2 * 24 * 60))
        moment = minute.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        sequence = f"{10**20 + number}"
        if dice.random() < POISON_SHARE:
            what, functions = POISON[number % len(POISON)]
            data = poison(what, number, moment)
            for function in functions:
                made.poison[function][sequence] = what
            if "indexer" not in functions:
                document = json.loads(data)
                made.documents[document["result_id"]] = document
        else:
            document = _result(made, dice, kind, number, minute, moment)
            made.documents[str(document["result_id"])] = document
            data = json.dumps(document).encode()
        made.shards[number % SHARDS].append(StreamRecord(sequence, "key", data, clock.seconds))
    return made


def _result(
    made: Traffic, dice: random.Random, kind: ResultType, number: int, minute: datetime, moment: str
) -> dict[str, Any]:
    columns: dict[str, object] = {}
    event_type = f"type {number}"  # a series of its own, so that its sample can be told apart
    match kind:
        case ResultType.AGGREGATION:
            columns = {
                "event_type": event_type,
                "event_count": 1 + number % 1000,
                "total_value": (1 + number % 1000) / 4,
            }
        case ResultType.ANOMALY:
            columns = {"event_type": event_type, "is_anomaly": dice.random() < 0.15}
        case ResultType.BEHAVIOR:
            columns = {"conversion_flag": dice.random() < 0.5}
        case _:
            pass
    document = sample_result(kind.value, str(number), moment, **columns)
    id_ = str(document["result_id"])
    if kind is ResultType.AGGREGATION:
        key = (metrics.EVENT_COUNT.name, event_type, minute)
        made.samples[key], made.values[key] = id_, 1 + number % 1000
    elif kind is ResultType.FRAUD or columns.get("is_anomaly"):
        made.alerts.add(id_)
    if columns.get("is_anomaly"):
        key = (metrics.ANOMALIES.name, event_type, minute)
        made.samples[key], made.values[key] = id_, 1
    elif kind is ResultType.FRAUD:
        made.at_least[metrics.FRAUD_ALERTS.name] += 1  # shares its series with others of the minute
    elif kind is ResultType.SESSION:
        made.at_least[metrics.SESSIONS.name] += 1
    elif columns.get("conversion_flag"):
        made.at_least[metrics.CONVERSIONS.name] += 1
    return document


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[Moto, OpenSearch]]:
    run_dir = application.ROOT / ".run" / f"chaos-{time.time_ns()}"
    with Supervisor(run_dir) as supervisor:
        moto = Moto.start(supervisor, wait=False)
        opensearch = OpenSearch.start(supervisor, OPENSEARCH_LIB)
        moto.wait_until_ready()
        yield moto, opensearch
    shutil.rmtree(run_dir, ignore_errors=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(time.time())
    for module in (powertools_base, powertools_record, powertools_dynamodb):
        monkeypatch.setattr(module, "dt", clock.as_datetime_module())
    return clock


@dataclass
class Stack:
    """Both functions over their services, and what those hold."""

    moto: Moto
    opensearch: OpenSearch
    clock: Clock
    chaos: Chaos
    traffic: Traffic
    ledger: Ledger = field(default_factory=Ledger)
    deaths: int = 0

    def __post_init__(self) -> None:
        sns, self.sqs, dynamodb = (self.moto.client(name) for name in ("sns", "sqs", "dynamodb"))
        self.cloudwatch = self.moto.client("cloudwatch")
        self.inbox = self.sqs.create_queue(QueueName="chaos-inbox")["QueueUrl"]
        topic = sns.create_topic(Name="chaos")["TopicArn"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        dynamodb.create_table(
            TableName="chaos",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        put_templates(self.opensearch.url, PREFIX)
        chaotic_sqs = ChaoticSqs(self.sqs, self.chaos)
        self.dead = {
            name: self.sqs.create_queue(QueueName=f"chaos-{name}-dead")["QueueUrl"] for name in ("alerts", "indexer")
        }
        self.alerts = AlertsFunction(
            topic_arn=topic,
            sns=ChaoticSns(sns, self.chaos, self.ledger),
            cloudwatch=ChaoticCloudWatch(self.cloudwatch, self.chaos, self.ledger, self.traffic.samples),
            now=self.clock.now,
            store=ChaoticStore(store("chaos", 14 * 86_400, dynamodb), self.chaos, self.ledger),
            dead_letters=DeadLetterQueue(chaotic_sqs, self.dead["alerts"]),
            namespace=NAMESPACE,
            rules=Rules(max_age=timedelta(days=14), digest_above=10_000),
        )
        self.indexer = SearchIndexer(
            ChaoticOpenSearch(self.opensearch.url, self.chaos),
            PREFIX,
            DeadLetterQueue(chaotic_sqs, self.dead["indexer"]),
            self.clock.now,
        )

    def function(self, name: str) -> LambdaFunction:
        def handler(event: dict[str, Any], _: object) -> object:
            self.chaos.deadline = self.clock.seconds + INVOCATION_SECONDS
            patience = Patience(self.chaos.remaining, 25, wait=self.clock.wait, share=self.chaos.dice.random)
            try:
                return self.alerts.handle(event, patience) if name == "alerts" else self.indexer.handle(event, patience)
            except Died:
                self.deaths += 1
                raise
            finally:
                self.ledger.end()

        return LambdaFunction(name, handler)

    def processors(self, name: str, how: EventSource, given_up: list[object]) -> list[BatchProcessor]:
        """The mapping's, a shard each."""
        settings = MappingSettings(
            batch_size=how.batch_size,
            bisect_batch_on_function_error=True,
            maximum_record_age_in_seconds=record_age_hours(24) * 3600,
            filters=how.filters,
        )
        function = self.function(name)
        return [
            BatchProcessor(
                ShardName(f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/results", f"shardId-{number:012d}"),
                function,
                settings,
                given_up.append,
                threading.Event(),
                clock=self.clock.time,
                sleep=self.clock.sleep,
            )
            for number in range(SHARDS)
        ]

    def deliver(self, name: str, how: EventSource) -> tuple[list[BatchProcessor], list[object]]:
        """All records to one function, shard by shard in turns, in random batches, some of them again."""
        dice, given_up = self.chaos.dice, []  # type: ignore[var-annotated]
        processors = self.processors(name, how, given_up)
        places = [0] * SHARDS
        while open_shards := [n for n in range(SHARDS) if places[n] < len(self.traffic.shards[n])]:
            shard = dice.choice(open_shards)
            records = self.traffic.shards[shard]
            start, end = places[shard], places[shard] + dice.randint(1, how.batch_size)
            self._arrive(records[start:end], processors[shard])
            places[shard] = end
            if dice.random() < REDELIVERED:
                again = dice.randrange(min(end, len(records)))
                self._arrive(records[again : again + dice.randint(1, how.batch_size)], processors[shard])
        return processors, given_up

    def _arrive(self, records: Sequence[StreamRecord], processor: BatchProcessor) -> None:
        """The records come now, whenever that is by the clock."""
        fresh = [StreamRecord(one.sequence_number, one.partition_key, one.data, self.clock.seconds) for one in records]
        assert processor.process(fresh)

    def letters(self, name: str) -> Counter[str]:
        return Counter(json.loads(body)["sequence"] for body in self._taken(self.dead[name]))

    def published(self) -> Counter[str]:
        """Alerts that came, by result_id."""
        return Counter(json.loads(body)["result_id"] for body in self._taken(self.inbox))

    def _taken(self, queue: str) -> Iterator[str]:
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            yield from (message["Body"] for message in messages)
            self.sqs.delete_message_batch(
                QueueUrl=queue,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages)
                ],
            )

    def sum(self, key: SampleKey) -> float:
        """What CloudWatch itself has for a series and minute."""
        name, label, minute = key
        dimension = next(metric.dimension for metric in metrics.METRICS if metric.name == name)
        answer = self.cloudwatch.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=name,
            Dimensions=[] if dimension is None else [{"Name": dimension, "Value": label}],
            StartTime=minute,
            EndTime=minute + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(float(point["Sum"]) for point in answer["Datapoints"])

    def indexed(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Every document by index and id."""
        self.opensearch.call("POST", f"/{PREFIX}-*/_refresh")
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        after: list[object] | None = None
        while True:
            query: dict[str, object] = {"size": 5000, "sort": [{"result_id": "asc"}, {"_index": "asc"}]}
            if after is not None:
                query["search_after"] = after
            hits = self.opensearch.call("POST", f"/{PREFIX}-*/_search", query)["hits"]["hits"]
            if not hits:
                return found
            found |= {(hit["_index"], hit["_id"]): hit["_source"] for hit in hits}
            after = hits[-1]["sort"]


def _chaos(clock: Clock, dice: random.Random) -> Chaos:
    return Chaos(
        dice,
        clock,
        # a batch makes hundreds of calls to the table and one or two to the others
        faults={"dynamodb": 0.01, "sns": 0.3, "cloudwatch": 0.3, "sqs": 0.3, "opensearch": 0.4},
        deaths={"dynamodb": 0.001, "sns": 0.05, "cloudwatch": 0.05, "sqs": 0.05, "opensearch": 0.1},
    )


def test_nothing_is_lost_and_nothing_is_doubled_but_by_a_death(
    services: tuple[Moto, OpenSearch],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="lambdas")  # thousands of lines that say what was meant to happen
    moto, opensearch = services
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    dice = random.Random(SEED)
    chaos = _chaos(clock, dice)
    stack = Stack(moto, opensearch, clock, chaos, traffic(dice, clock))

    # When every record has been delivered to both functions
    outcome = {
        "alerts": stack.deliver("alerts", ALERTS_OF_RESULTS),
        "indexer": stack.deliver("indexer", INDEXER_OF_RESULTS),
    }

    # Then every kind of fault has been there, at every service
    for service in ("dynamodb", "sns", "cloudwatch", "sqs", "opensearch"):
        kinds = set(Fault) if service in ("sns", "sqs", "opensearch") else set(Fault) - {Fault.PARTIAL}
        assert {fault for name, fault in chaos.seen if name == service} == kinds, service
    assert stack.deaths > 50
    # And no shard was blocked: all is done, nothing was given up
    for processors, given_up in outcome.values():
        assert given_up == []
        assert sum(one.counts.done + one.counts.filtered for one in processors) >= RESULTS
    _check_index(stack)
    _check_alerts(stack)
    _check_samples(stack)
    _check_dead_letters(stack)


def _check_index(stack: Stack) -> None:
    """Every result once, in its index, as it was."""
    found = stack.indexed()
    expected = {
        (
            weekly_index(PREFIX, document["result_type"], datetime.fromisoformat(document["event_time"])),
            id_,
        ): document
        for id_, document in stack.traffic.documents.items()
    }
    assert found.keys() == expected.keys()
    for place, document in expected.items():
        assert document.items() <= found[place].items()


def _check_alerts(stack: Stack) -> None:
    """Every alert came, once and once more for each time that nobody could know that it had been accepted."""
    came, ledger = stack.published(), stack.ledger
    assert came == Counter({id_: count for (effect, id_), count in ledger.accepted.items() if effect is Effect.ALERT})
    assert came.keys() == stack.traffic.alerts
    for id_, count in came.items():
        assert count - 1 <= ledger.unmarked[Effect.ALERT, id_], id_
    assert came.total() > len(came), "no alert was doubled: the deaths were too kind to show anything"


def _check_samples(stack: Stack) -> None:
    """Sums of once-counted series are right but for such doubles; others are at least right."""
    ledger, expected = stack.ledger, stack.traffic.samples
    once = {metrics.EVENT_COUNT.name, metrics.ANOMALIES.name}
    assert {key for key in ledger.sums if key[0] in once} == expected.keys()
    for key, id_ in expected.items():
        times = ledger.accepted[Effect.COUNT, id_]
        assert ledger.sums[key] == stack.traffic.values[key] * times, key
        if key[0] == metrics.EVENT_COUNT.name:  # what one result adds was taken together
            assert ledger.sums[metrics.TOTAL_VALUE.name, key[1], key[2]] == ledger.sums[key] / 4, key
        assert 1 <= times <= 1 + ledger.unmarked[Effect.COUNT, id_], key
    for name, count in stack.traffic.at_least.items():
        assert sum(value for key, value in ledger.sums.items() if key[0] == name) >= count, name
    for key in stack.chaos.dice.sample(sorted(ledger.sums), 50):  # asking moto for all of them takes minutes
        assert stack.sum(key) == pytest.approx(ledger.sums[key]), key


def _check_dead_letters(stack: Stack) -> None:
    """Every record that a function cannot process, and no other."""
    for name, expected in stack.traffic.poison.items():
        assert expected, name
        assert stack.letters(name).keys() == expected.keys(), name
