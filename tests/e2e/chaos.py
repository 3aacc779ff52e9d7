"""Services that fail at random, under a clock that nobody waits for: what the chaos test is made of.

Each service is one of :mod:`tests.e2e.chaos_services`; a fault is what its client would do or raise. A
death is an exception that no function catches, before or after any call: the invocation ends there, as when Lambda
kills it.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError

from contracts.metrics import REJECTED_EVENTS
from lambdas.alerts.notifier import PublishAnswer
from lambdas.common.once import Effect, Store
from lambdas.common.opensearch import Answer, OpenSearchError

T = TypeVar("T")


class Clock:
    """Seconds since 1970 that pass only when somebody waits."""

    def __init__(self, start: float) -> None:
        self.seconds = start

    def time(self) -> float:
        return self.seconds

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.seconds, dt.UTC)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def sleep(self, seconds: float) -> bool:
        """As the poller wants it: False, since nobody stops the wait."""
        self.wait(seconds)
        return False

    def as_datetime_module(self) -> types.SimpleNamespace:
        """What stands for the module ``datetime`` in Powertools, whose claims run out by it."""
        clock = self

        class Virtual(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Virtual:
                return cls.fromtimestamp(clock.seconds, tz)

        return types.SimpleNamespace(datetime=Virtual, timedelta=dt.timedelta)


class Fault(Enum):
    NONE = "answers"
    REFUSES = "refuses"
    THROTTLES = "throttles"
    UNREACHABLE = "cannot be reached"
    NO_ANSWER = "does it, and the answer is lost"
    PARTIAL = "does a part"
    DIES_BEFORE = "the function dies before the call"
    DIES_AFTER = "the function dies after the call"


DEATHS = (Fault.DIES_BEFORE, Fault.DIES_AFTER)


class Died(SystemExit):
    """The invocation is over, wherever it was. Not an Exception: nothing in the functions may catch it."""


@dataclass
class Chaos:
    """Throws the dice for every call, and counts what fell, by service.

    ``mode``: the faults that may fall; ``faults`` and ``deaths``: shares of the calls, by service.
    """

    dice: random.Random
    clock: Clock
    mode: frozenset[Fault]
    faults: Mapping[str, float]
    deaths: Mapping[str, float]
    deadline: float = 0.0
    seen: Counter[tuple[str, Fault]] = field(default_factory=Counter)

    def remaining(self) -> int:
        return max(0, int((self.deadline - self.clock.seconds) * 1000))

    def call(self, service: str, kinds: Sequence[Fault], timeout: float, do: Callable[[Fault], T]) -> T:
        """``do`` makes the call; it is told the fault, and handles PARTIAL itself."""
        fault = self._thrown(service, kinds)
        self.seen[service, fault] += 1
        if fault is Fault.DIES_BEFORE:
            raise Died(service)
        if fault is Fault.REFUSES:
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "chaos"}}, service)
        if fault is Fault.THROTTLES:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "chaos"}}, service)
        if fault is Fault.UNREACHABLE:
            self._pass(timeout)
            raise EndpointConnectionError(endpoint_url=service)
        answer = do(fault)
        if fault is Fault.NO_ANSWER:
            self._pass(timeout)
            raise ReadTimeoutError(endpoint_url=service)
        if fault is Fault.DIES_AFTER:
            raise Died(service)
        self.clock.wait(0.01)
        return answer

    def part(self, items: Sequence[T]) -> list[bool]:
        """Which of the items a partial answer takes: at least one not."""
        taken = [self.dice.random() < 0.5 for _ in items]
        taken[self.dice.randrange(len(taken))] = False
        return taken

    def _thrown(self, service: str, kinds: Sequence[Fault]) -> Fault:
        number, deaths = self.dice.random(), self.deaths[service]
        of = DEATHS if number < deaths else kinds if number < deaths + self.faults[service] else ()
        possible = [fault for fault in of if fault in self.mode]
        return self.dice.choice(possible) if possible else Fault.NONE

    def _pass(self, timeout: float) -> None:
        """A call that hangs; Lambda ends the invocation where its time is over."""
        self.clock.wait(min(timeout, self.remaining() / 1000))
        if self.remaining() == 0:
            raise Died("timeout")


#: A metric's sample that is one result's alone: name, dimension's value, minute.
SampleKey = tuple[str, str, dt.datetime]

#: A call that hangs: three attempts of the client of DynamoDB, the one of those of SNS, SQS and CloudWatch.
_BOTO_TIMEOUT = 24.0
_ONCE_TIMEOUT = 8.0
_CALL = (Fault.REFUSES, Fault.THROTTLES, Fault.UNREACHABLE, Fault.NO_ANSWER)
#: Metrics whose samples are counted without a claim.
UNCLAIMED = frozenset(("Sessions", "Conversions", REJECTED_EVENTS.name))


@dataclass
class Ledger:
    """What the services accepted, and how often more than once because of a fault that was injected.

    With a claim (``accepted``, by effect and id): ``unmarked`` counts the acceptances after which the function died,
    heard no answer, or was refused the mark; each other one is ``marked``, or ``unexcused``. Without a claim (samples
    by metric, the indexer's letters by sequence number): ``extra`` counts what was accepted and came again, because the
    function died later or heard no answer.
    """

    accepted: Counter[tuple[Effect, str]] = field(default_factory=Counter)
    marked: Counter[tuple[Effect, str]] = field(default_factory=Counter)
    unmarked: Counter[tuple[Effect, str]] = field(default_factory=Counter)
    unexcused: list[tuple[Effect, str]] = field(default_factory=list)
    sums: defaultdict[SampleKey, float] = field(default_factory=lambda: defaultdict(float))
    letters: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    _open: dict[tuple[Effect, str], bool] = field(default_factory=dict)
    _heard: Counter[str] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)

    def accept(self, effect: Effect, ids: Iterable[str], fault: Fault) -> None:
        """A service accepted what is claimed; ``fault`` is that of its call."""
        for id_ in ids:
            self.accepted[effect, id_] += 1
            self._open[effect, id_] = fault is Fault.NO_ANSWER

    def accept_unclaimed(self, name: str, count: int, fault: Fault) -> None:
        """A service accepted ``count`` of a metric, or of a letter."""
        (self._lost if fault is Fault.NO_ANSWER else self._heard)[name] += count

    def mark(self, effect: Effect, id_: str) -> None:
        if self._open.pop((effect, id_), None) is not None:
            self.marked[effect, id_] += 1

    def refuse_mark(self, effect: Effect, id_: str) -> None:
        if (effect, id_) in self._open:
            self._open[effect, id_] = True

    def end(self, *, died: bool) -> None:
        """The invocation is over."""
        for key, excused in self._open.items():
            if died or excused:
                self.unmarked[key] += 1
            else:
                self.unexcused.append(key)
        self.extra += self._lost
        if died:
            self.extra += self._heard
        for open_ in (self._open, self._lost, self._heard):
            open_.clear()


@dataclass
class ChaoticStore:
    """Powertools' layer. Its calls are those to DynamoDB."""

    store: Store
    chaos: Chaos
    ledger: Ledger

    def save_inprogress(self, data: dict[str, str], remaining_time_in_millis: int | None = None) -> None:
        self._call(lambda _: self.store.save_inprogress(data, remaining_time_in_millis))

    def save_success(self, data: dict[str, str], result: dict[str, str]) -> None:
        def do(_: Fault) -> None:
            self.store.save_success(data, result)
            self.ledger.mark(Effect(data["effect"]), data["id"])

        try:
            self._call(do)
        except (ClientError, BotoCoreError):
            self.ledger.refuse_mark(Effect(data["effect"]), data["id"])
            raise

    def delete_record(self, data: dict[str, str], exception: Exception) -> None:
        self._call(lambda _: self.store.delete_record(data, exception))

    def _call(self, do: Callable[[Fault], None]) -> None:
        self.chaos.call("dynamodb", _CALL, _BOTO_TIMEOUT, do)


@dataclass
class ChaoticTable:
    """The part of boto3's DynamoDB client that names event types."""

    dynamodb: Any
    chaos: Chaos

    @property
    def exceptions(self) -> Any:
        return self.dynamodb.exceptions

    def get_item(self, **parameters: object) -> Any:
        return self.chaos.call("dynamodb", _CALL, _BOTO_TIMEOUT, lambda _: self.dynamodb.get_item(**parameters))

    def put_item(self, **parameters: object) -> Any:
        return self.chaos.call("dynamodb", _CALL, _BOTO_TIMEOUT, lambda _: self.dynamodb.put_item(**parameters))


@dataclass
class ChaoticSns:
    sns: Any
    chaos: Chaos
    ledger: Ledger

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: Sequence[dict[str, object]]) -> PublishAnswer:
        entries = PublishBatchRequestEntries

        def do(fault: Fault) -> PublishAnswer:
            taken = self.chaos.part(entries) if fault is Fault.PARTIAL else [True] * len(entries)
            accepted = [entry for entry, one in zip(entries, taken, strict=True) if one]
            if accepted:
                answer = self.sns.publish_batch(TopicArn=TopicArn, PublishBatchRequestEntries=accepted)
                assert not answer.get("Failed")
            self.ledger.accept(Effect.ALERT, (alert_id(str(entry["Message"])) for entry in accepted), fault)
            refused = [str(entry["Id"]) for entry, one in zip(entries, taken, strict=True) if not one]
            return {"Failed": [{"Id": entry, "Code": "InternalError"} for entry in refused]}

        return self.chaos.call("sns", (*_CALL, Fault.PARTIAL), _ONCE_TIMEOUT, do)


def alert_id(message: str) -> str:
    """``result_id`` of an alert's message with MessageStructure json."""
    return str(json.loads(json.loads(message)["default"])["result_id"])


@dataclass
class ChaoticCloudWatch:
    """``ids``: the result of each sample that must be there once."""

    cloudwatch: Any
    chaos: Chaos
    ledger: Ledger
    ids: Mapping[SampleKey, str]

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[dict[str, Any]]) -> object:
        def do(fault: Fault) -> object:
            answer = self.cloudwatch.put_metric_data(Namespace=Namespace, MetricData=MetricData)
            keys = [
                (datum["MetricName"], "".join(d["Value"] for d in datum["Dimensions"]), datum["Timestamp"])
                for datum in MetricData
            ]
            self.ledger.accept(Effect.COUNT, (self.ids[key] for key in keys if key in self.ids), fault)
            for key, datum in zip(keys, MetricData, strict=True):
                self.ledger.sums[key] += datum["Value"]
                if key[0] in UNCLAIMED:
                    self.ledger.accept_unclaimed(key[0], int(datum["Value"]), fault)
            return answer

        return self.chaos.call("cloudwatch", _CALL, _ONCE_TIMEOUT, do)


@dataclass
class ChaoticSqs:
    """``claimed``: whether the function claims its letters."""

    sqs: Any
    chaos: Chaos
    ledger: Ledger
    claimed: bool

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> object:
        def do(fault: Fault) -> object:
            answer = self.sqs.send_message(QueueUrl=QueueUrl, MessageBody=MessageBody)
            letter = json.loads(MessageBody)
            if self.claimed:
                self.ledger.accept(Effect.BURY, [f"{letter['stream']} {letter['shard']} {letter['sequence']}"], fault)
            else:
                self.ledger.letters[letter["sequence"]] += 1
                self.ledger.accept_unclaimed(letter["sequence"], 1, fault)
            return answer

        return self.chaos.call("sqs", _CALL, _ONCE_TIMEOUT, do)


@dataclass
class ChaoticOpenSearch:
    """The client. A partial answer indexes some documents and has no room for the others."""

    client: Any
    chaos: Chaos

    def request(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        def do(fault: Fault) -> Answer:
            if fault is not Fault.PARTIAL:
                return self._request(method, path, body, content_type)
            lines = body.split(b"\n")[:-1]
            pairs = list(zip(lines[::2], lines[1::2], strict=True))
            taken = self.chaos.part(pairs)
            items: list[object] = [
                {"index": {**json.loads(action)["index"], "status": 429, "error": {"type": "rejected_execution"}}}
                for (action, _), one in zip(pairs, taken, strict=True)
                if not one
            ]
            accepted = b"".join(
                action + b"\n" + document + b"\n" for (action, document), one in zip(pairs, taken, strict=True) if one
            )
            if accepted:
                answer = self._request(method, path, accepted, content_type)
                items += json.loads(answer.body)["items"]
            self.chaos.dice.shuffle(items)
            return Answer(200, json.dumps({"errors": True, "items": items}).encode())

        try:
            return self.chaos.call("opensearch", (*_CALL, Fault.PARTIAL), 10.0, do)
        except ClientError as error:  # what the real client answers for a status
            throttled = error.response["Error"]["Code"] == "ThrottlingException"
            return Answer(429 if throttled else 500, b"{}")
        except (EndpointConnectionError, ReadTimeoutError) as error:
            raise OpenSearchError("no answer from OpenSearch: chaos") from error

    def _request(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        answer: Answer = self.client.request(method, path, body, content_type)
        return answer
