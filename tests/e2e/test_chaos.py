"""The functions that read results, among services that fail at random: every sum is what the faults leave it to be.

Results in shards, in batches with random boundaries, delivered again at random, through the laptop's event source
mapping with the settings that are deployed, into services of which each call may fail or be the last one of its
invocation: in every mode into quick ones that keep what they are given, and once into a real OpenSearch and moto's SNS,
SQS, CloudWatch and DynamoDB. The clock is virtual: a claim that runs out and a wait before the next try cost nothing.

A value may be there more than once only where a fault was injected between a service's acceptance and the function's
mark (or its answer, for what has no claim). These faults are counted, and each sum is compared with equality. The suite
runs few results of one seed; ``CHAOS_RESULTS=20000 CHAOS_SEEDS=10 .venv/bin/python -m pytest tests/e2e/test_chaos.py
-k quick -s`` runs ten seeds of many, and prints the sums of each.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import aws_lambda_powertools.utilities.idempotency.persistence.base as powertools_base
import aws_lambda_powertools.utilities.idempotency.persistence.datarecord as powertools_record
import aws_lambda_powertools.utilities.idempotency.persistence.dynamodb as powertools_dynamodb
import pytest

from contracts import metrics
from contracts.event_sources import ALERTS_OF_RESULTS, INDEXER_OF_RESULTS, EventSource, record_age_hours
from contracts.rejections import REJECTED
from contracts.results import ALERT_LEVELS, ResultType
from lambdas.alerts.event_types import EventTypes, TableRegistry
from lambdas.alerts.function import AlertsFunction, Rules
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.once import Effect
from lambdas.common.opensearch import OpenSearchClient
from lambdas.common.patience import Patience
from lambdas.search_indexer.function import SearchIndexer
from lambdas.search_indexer.settings import weekly_index
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
    DEATHS,
    UNCLAIMED,
    Chaos,
    ChaoticCloudWatch,
    ChaoticOpenSearch,
    ChaoticSns,
    ChaoticSqs,
    ChaoticStore,
    ChaoticTable,
    Clock,
    Fault,
    Ledger,
    SampleKey,
)
from tests.e2e.chaos_services import QuickServices, RealServices, Services
from tests.results import sample_result

SEEDS = range(20261125, 20261125 + int(os.environ.get("CHAOS_SEEDS", "1")))
RESULTS = int(os.environ.get("CHAOS_RESULTS", "4000"))
#: With so many results every kind of fault has been at every service.
MANY = 20_000
#: The real services take some hundred times as long.
REAL_RESULTS = 1000
SHARDS = 4
MODES: dict[str, frozenset[Fault]] = {
    "dies-before": frozenset({Fault.DIES_BEFORE}),
    "dies-after": frozenset({Fault.DIES_AFTER}),
    "answer-lost": frozenset({Fault.NO_ANSWER}),
    "throttled": frozenset({Fault.THROTTLES, Fault.REFUSES, Fault.PARTIAL}),
    "all": frozenset(Fault),
}
POISON_SHARE = 0.01
#: Share of the batches after which an earlier stretch of the shard comes again.
REDELIVERED = 0.15
INVOCATION_SECONDS = 60.0

#: Parts of a hundred of the results; those with an effect of their own cost several calls each.
MIX: dict[str, int] = {
    ResultType.RECOMMENDATION: 50,
    REJECTED: 2,
    ResultType.SESSION: 20,
    ResultType.BEHAVIOR: 12,
    ResultType.ANOMALY: 12,
    ResultType.AGGREGATION: 2,
    ResultType.FRAUD: 2,
}

UNCLAIMED_OF = {
    ResultType.SESSION: "Sessions",
    ResultType.BEHAVIOR: "Conversions",
    REJECTED: metrics.REJECTED_EVENTS.name,
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
    #: By sequence number, the metric of a result that is counted without a claim.
    unclaimed: dict[str, str] = field(default_factory=dict)
    fraud: int = 0
    poison: dict[str, dict[str, str]] = field(default_factory=lambda: {"alerts": {}, "indexer": {}})


def traffic(dice: random.Random, clock: Clock, results: int) -> Traffic:
    """Results of two days, a hundredth of them poison."""
    made = Traffic()
    newest = clock.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    kinds = dice.choices(list(MIX), weights=list(MIX.values()), k=results)
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
            document = _result(made, dice, kind, number, minute)
            if kind in UNCLAIMED_OF and document.get("conversion_flag", True):
                made.unclaimed[sequence] = UNCLAIMED_OF[kind]
            made.documents[str(document["result_id"])] = document
            data = json.dumps(document).encode()
        made.shards[number % SHARDS].append(StreamRecord(sequence, "key", data, clock.seconds))
    return made


def _result(made: Traffic, dice: random.Random, kind: str, number: int, minute: datetime) -> dict[str, Any]:
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
        case ResultType.FRAUD:  # of its level, it has a minute of its own
            minute -= timedelta(minutes=(minute.hour * 60 + minute.minute - made.fraud) % (24 * 60))
            columns = {"alert_level": ALERT_LEVELS[made.fraud // (24 * 60)]}
            made.fraud += 1
        case _:
            pass
    moment = minute.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = sample_result(kind, str(number), moment, **columns)
    id_ = str(document["result_id"])
    keys: dict[SampleKey, int] = {}
    if kind == ResultType.AGGREGATION:
        keys = {("EventCount", event_type, minute): 1 + number % 1000}
    elif columns.get("is_anomaly"):
        keys = {("Anomalies", event_type, minute): 1}
        made.alerts.add(id_)
    elif kind == ResultType.FRAUD:
        keys = {("FraudAlerts", str(columns["alert_level"]), minute): 1}
        made.alerts.add(id_)
    for key, value in keys.items():
        made.samples[key], made.values[key] = id_, value
    return document


@pytest.fixture(scope="module")
def real() -> Iterator[tuple[Moto, OpenSearch]]:
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

    mode: str
    services: Services
    clock: Clock
    chaos: Chaos
    traffic: Traffic
    ledger: Ledger = field(default_factory=Ledger)
    #: How often each record was delivered to a function, but for what came again, by function and sequence number.
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        services = self.services
        self.alerts = AlertsFunction(
            topic_arn=services.topic,
            sns=ChaoticSns(services.sns, self.chaos, self.ledger),
            cloudwatch=ChaoticCloudWatch(services.cloudwatch, self.chaos, self.ledger, self.traffic.samples),
            now=self.clock.now,
            store=ChaoticStore(services.store, self.chaos, self.ledger),
            event_types=EventTypes(TableRegistry(ChaoticTable(services.dynamodb, self.chaos), services.name), RESULTS),
            dead_letters=self._dead_letters("alerts", claimed=True),
            namespace=services.name,
            rules=Rules(max_age=timedelta(days=14), digest_above=10_000),
        )
        self.indexer = SearchIndexer(
            cast(OpenSearchClient, ChaoticOpenSearch(services.search, self.chaos)),
            services.name,
            self._dead_letters("indexer", claimed=False),
            self.clock.now,
        )

    def _dead_letters(self, name: str, *, claimed: bool) -> DeadLetterQueue:
        return DeadLetterQueue(
            ChaoticSqs(self.services.sqs, self.chaos, self.ledger, claimed), self.services.queue(name)
        )

    def function(self, name: str) -> LambdaFunction:
        def handler(event: dict[str, Any], _: object) -> object:
            self.chaos.deadline = self.clock.seconds + INVOCATION_SECONDS
            patience = Patience(self.chaos.remaining, 25, wait=self.clock.wait, share=self.chaos.dice.random)
            died = True
            try:
                function = self.alerts if name == "alerts" else self.indexer
                answer = function.handle(event, patience)
                died = False
            finally:
                self.ledger.end(died=died)
            return answer

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
            self._arrive(name, records[start:end], processors[shard])
            places[shard] = end
            if dice.random() < REDELIVERED:
                again = dice.randrange(min(end, len(records)))
                self._arrive(name, records[again : again + dice.randint(1, how.batch_size)], processors[shard])
        return processors, given_up

    def _arrive(self, name: str, records: Sequence[StreamRecord], processor: BatchProcessor) -> None:
        """The records come now, whenever that is by the clock."""
        self.arrived.update((name, one.sequence_number) for one in records)
        fresh = [StreamRecord(one.sequence_number, one.partition_key, one.data, self.clock.seconds) for one in records]
        assert processor.process(fresh)


def _chaos(clock: Clock, dice: random.Random, mode: str) -> Chaos:
    return Chaos(
        dice,
        clock,
        MODES[mode],
        # a batch makes hundreds of calls to the table and one or two to the others
        faults={"dynamodb": 0.01, "sns": 0.3, "cloudwatch": 0.3, "sqs": 0.3, "opensearch": 0.4},
        deaths={"dynamodb": 0.001, "sns": 0.05, "cloudwatch": 0.05, "sqs": 0.05, "opensearch": 0.1},
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", MODES)
def test_every_sum_is_what_the_faults_leave_it_to_be_quick(
    clock: Clock, caplog: pytest.LogCaptureFixture, mode: str, seed: int
) -> None:
    seen = _run(QuickServices("quick", clock), clock, caplog, mode, seed, RESULTS)
    # Then faults of the mode have been there and no others; with many results every kind at every service
    assert {Fault.NONE} < {fault for _, fault in seen} <= MODES[mode] | {Fault.NONE}
    for service in ("dynamodb", "sns", "cloudwatch", "sqs", "opensearch") if RESULTS >= MANY else ():
        possible = set(Fault) if service in ("sns", "opensearch") else set(Fault) - {Fault.PARTIAL}
        found = {fault for name, fault in seen if name == service}
        assert found == (possible & MODES[mode]) | {Fault.NONE}, service


def test_every_sum_is_what_the_faults_leave_it_to_be_in_real_services(
    real: tuple[Moto, OpenSearch], clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    moto, opensearch = real
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    seen = _run(RealServices("chaos", moto, opensearch), clock, caplog, "all", SEEDS[0], REAL_RESULTS)
    assert {fault for _, fault in seen} == set(Fault)


def _run(
    services: Services, clock: Clock, caplog: pytest.LogCaptureFixture, mode: str, seed: int, results: int
) -> Counter[tuple[str, Fault]]:
    """Faults by service."""
    caplog.set_level(logging.CRITICAL, logger="lambdas")  # thousands of lines that say what was meant to happen
    dice = random.Random(seed)
    chaos = _chaos(clock, dice, mode)
    stack = Stack(mode, services, clock, chaos, traffic(dice, clock, results))

    # When every record has been delivered to both functions
    outcome = {
        "alerts": stack.deliver("alerts", ALERTS_OF_RESULTS),
        "indexer": stack.deliver("indexer", INDEXER_OF_RESULTS),
    }

    # Then no shard was blocked: all is done, nothing was given up
    for processors, given_up in outcome.values():
        assert given_up == []
        assert sum(one.counts.done + one.counts.filtered for one in processors) >= results
    _check_index(stack)
    _check_claimed(stack)
    _check_unclaimed(stack)
    _check_letters(stack)
    services.forget()
    print(f"\n{mode} {seed}: {_told(stack)}")
    return chaos.seen


def _check_index(stack: Stack) -> None:
    """Every result once, in its index, as it was."""
    found = stack.services.indexed()
    expected = {
        (
            weekly_index(stack.services.name, document["result_type"], datetime.fromisoformat(_time(document))),
            id_,
        ): document
        for id_, document in stack.traffic.documents.items()
    }
    assert found.keys() == expected.keys()
    for place, document in expected.items():
        assert document.items() <= found[place].items()


def _time(document: Mapping[str, Any]) -> str:
    return str(document["arrival_time" if document["result_type"] == REJECTED else "event_time"])


def _check_claimed(stack: Stack) -> None:
    """With a claim: once, and once more for each acceptance that a fault kept from its mark."""
    ledger, expected = stack.ledger, stack.traffic.samples
    assert ledger.unexcused == []
    for claimed, times in ledger.accepted.items():
        assert ledger.marked[claimed] <= 1, claimed
        assert times == ledger.marked[claimed] + ledger.unmarked[claimed], claimed
    if not MODES[stack.mode] & {*DEATHS, Fault.NO_ANSWER}:
        assert set(ledger.accepted.values()) == {1}
    alerts = Counter({id_: count for (effect, id_), count in ledger.accepted.items() if effect is Effect.ALERT})
    assert alerts.keys() == stack.traffic.alerts
    assert stack.services.published() == alerts
    once = {"EventCount", "Anomalies", "FraudAlerts"}
    assert {key for key in ledger.sums if key[0] in once} == expected.keys()
    for key, id_ in expected.items():
        assert ledger.sums[key] == stack.traffic.values[key] * ledger.accepted[Effect.COUNT, id_], key
        if key[0] == "EventCount":  # what one result adds was taken together
            assert ledger.sums["TotalValue", key[1], key[2]] == ledger.sums[key] / 4, key
    for key in stack.chaos.dice.sample(sorted(ledger.sums), 20):  # asking moto for all of them takes minutes
        assert stack.services.sum(key) == pytest.approx(ledger.sums[key]), key


def _check_unclaimed(stack: Stack) -> None:
    """Without a claim: once for each arrival, and what was accepted before a death or a lost answer once more."""
    arrived = Counter(
        {
            name: sum(
                stack.arrived["alerts", sequence] for sequence, of in stack.traffic.unclaimed.items() if of == name
            )
            for name in UNCLAIMED
        }
    )
    assert _sums(stack) == {name: count + stack.ledger.extra[name] for name, count in arrived.items()}


def _sums(stack: Stack) -> dict[str, float]:
    return {name: sum(value for key, value in stack.ledger.sums.items() if key[0] == name) for name in UNCLAIMED}


def _check_letters(stack: Stack) -> None:
    """Every record that a function cannot process, and no other; as often as its claim or the faults say."""
    ledger, poison = stack.ledger, stack.traffic.poison
    claimed = {
        id_.rpartition(" ")[2]: count for (effect, id_), count in ledger.accepted.items() if effect is Effect.BURY
    }
    assert stack.services.letters("alerts") == claimed
    assert claimed.keys() == poison["alerts"].keys()
    expected = {sequence: stack.arrived["indexer", sequence] + ledger.extra[sequence] for sequence in poison["indexer"]}
    assert stack.services.letters("indexer") == ledger.letters == expected


def _told(stack: Stack) -> str:
    """The sums of a run, for people."""
    ledger = stack.ledger
    claimed = {
        effect.value: (
            len({id_ for of, id_ in ledger.accepted if of is effect}),
            sum(count for (of, _), count in ledger.accepted.items() if of is effect),
            sum(count for (of, _), count in ledger.unmarked.items() if of is effect),
        )
        for effect in (Effect.ALERT, Effect.COUNT, Effect.BURY)
    }
    faults = Counter(fault.name for (_, fault), count in stack.chaos.seen.items() for _ in range(count))
    again = {name: ledger.extra[name] for name in UNCLAIMED}
    letters = sum(ledger.extra[sequence] for sequence in ledger.letters)
    return (
        f"claimed (ids, accepted, unmarked) {claimed}; unclaimed {_sums(stack)}, of which again {again}; "
        f"the indexer's letters {ledger.letters.total()}, of which again {letters}; calls {dict(faults)}"
    )
