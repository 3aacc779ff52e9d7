"""Shared by the functions' tests: Kinesis events, results by the contract, logs, fake credentials."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from lambdas.alerts import handler as alerts_handler
from lambdas.alerts.event_types import Named, RegistryError
from lambdas.common import logs
from lambdas.common.dead_letters import DeadLetterQueue
from lambdas.common.patience import Patience
from lambdas.search_indexer import handler as indexer_handler
from tests.results import sample_result

#: An invocation with all the time there is, and no wait between tries.
PATIENT = Patience(lambda: 60_000, reserve=0, wait=lambda _: None)

SHARD = "shardId-000000000003"
_FIRST_SEQUENCE = 998


@dataclass(frozen=True)
class Kinesis:
    """Builds what the event source mapping sends. ``now`` is the time of every timestamp not given."""

    now: datetime

    def time(self, **ago: float) -> str:
        """A time before now, as the contract writes it."""
        at = self.now - timedelta(**ago)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def result(self, result_type: str, key: str = "a", **columns: object) -> dict[str, object]:
        """A result with every column of the contract; ``key`` decides its id."""
        return sample_result(result_type, key, self.time(hours=1), **columns)

    def event(self, *records: bytes | str | Mapping[str, object]) -> dict[str, object]:
        """A Lambda event of one shard; the records' sequence numbers begin at 998."""
        return {"Records": [self._record(number, data) for number, data in enumerate(records, _FIRST_SEQUENCE)]}

    def _record(self, sequence: int, data: bytes | str | Mapping[str, object]) -> dict[str, object]:
        if isinstance(data, Mapping):
            data = json.dumps(data)
        raw = data if isinstance(data, bytes) else data.encode()
        return {
            "eventSource": "aws:kinesis",
            "eventID": f"{SHARD}:{sequence}",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/results",
            "kinesis": {
                "sequenceNumber": str(sequence),
                "partitionKey": "0",
                "data": base64.b64encode(raw).decode(),
                "approximateArrivalTimestamp": 1.0,
            },
        }


@pytest.fixture(scope="session")
def kinesis() -> Kinesis:
    return Kinesis(datetime.now(UTC))


class CapturedLogs(logging.Handler):
    """Keeps the JSON lines of our loggers."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonFormatter())
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(self.format(record))

    def lines(self, message: str) -> list[dict[str, object]]:
        """Lines with that message, parsed."""
        parsed = [json.loads(line) for line in self.text]
        return [line for line in parsed if line["message"] == message]


@pytest.fixture
def captured_logs() -> Iterator[CapturedLogs]:
    logger = logging.getLogger(logs.ROOT)
    handler, level = CapturedLogs(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


@dataclass(frozen=True)
class Lost:
    """A service does what it is asked, and ``error`` is all that the caller hears."""

    error: Exception


@dataclass
class DeadLetters:
    """A double of SQS that keeps dead letters. ``failures`` holds, per call, an error, or None for an answer.

    ``call`` is made first, each time.
    """

    failures: list[Exception | Lost | None] = field(default_factory=list)
    letters: list[dict[str, str]] = field(default_factory=list)
    call: Callable[[], None] = lambda: None

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> object:
        self.call()
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, Exception):
            raise failure
        self.letters.append(json.loads(MessageBody))
        if failure is not None:
            raise failure.error
        return {}

    @property
    def queue(self) -> DeadLetterQueue:
        """The queue over this double."""
        return DeadLetterQueue(self, "https://sqs.example/queue")

    def by_sequence(self) -> dict[str, str]:
        """Reason by sequence number."""
        return {letter["sequence"]: letter["reason"] for letter in self.letters}


@dataclass
class Marks:
    """A double of Powertools' layer: what is claimed and done, under a clock of its own (milliseconds).

    ``errors`` holds, per call of any method, an error, or None for an answer.
    """

    errors: list[Exception | Lost | None] = field(default_factory=list)
    claimed: dict[str, int] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)
    time: int = 0

    def save_inprogress(self, data: dict[str, str], remaining_time_in_millis: int | None = None) -> None:
        lost = self._call()
        key = _key(data)
        if key in self.marked:
            raise IdempotencyItemAlreadyExistsError(old_data_record=DataRecord(key, STATUS_CONSTANTS["COMPLETED"]))
        if self.claimed.get(key, -1) >= self.time:
            raise IdempotencyItemAlreadyExistsError(old_data_record=DataRecord(key, STATUS_CONSTANTS["INPROGRESS"]))
        assert remaining_time_in_millis is not None
        self.claimed[key] = self.time + remaining_time_in_millis
        _raise(lost)

    def save_success(self, data: dict[str, str], result: dict[str, str]) -> None:
        lost = self._call()
        self.marked.add(_key(data))
        _raise(lost)

    def delete_record(self, data: dict[str, str], exception: Exception) -> None:
        lost = self._call()
        self.claimed.pop(_key(data), None)
        _raise(lost)

    def _call(self) -> Lost | None:
        error = self.errors.pop(0) if self.errors else None
        if isinstance(error, Exception):
            raise error
        return error


def _raise(lost: Lost | None) -> None:
    if lost is not None:
        raise lost.error


@dataclass
class Types:
    """A double of the item of named event types. ``errors``: calls that it does not answer; ``others``: lost races."""

    named: Named = field(default_factory=lambda: Named({}))
    version: int = 0
    errors: int = 0
    others: int = 0

    def read(self) -> tuple[Named, int]:
        if self.errors:
            self.errors -= 1
            raise RegistryError("the table of event types did not answer: ClientError")
        return self.named, self.version

    def write(self, named: Named, version: int) -> bool:
        if self.others:
            self.others -= 1
            self.version += 1
        if version != self.version:
            return False
        self.named, self.version = named, version + 1
        return True


def _key(data: dict[str, str]) -> str:
    return f"{data['effect']} {data['id']}"


@pytest.fixture(autouse=True)
def _aws_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fake credentials, one region, and functions that are made anew."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    alerts_handler.function.cache_clear()
    indexer_handler.function.cache_clear()
    yield
    alerts_handler.function.cache_clear()
    indexer_handler.function.cache_clear()


@dataclass
class Request:
    """A request that the stub received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def bulk_lines(self) -> list[dict[str, object]]:
        """The body's lines, parsed; checks that it ends as a bulk request must."""
        assert self.body.endswith(b"\n")
        # not splitlines: U+2028 ends no line of a bulk request
        return [json.loads(line) for line in self.body.decode().split("\n")[:-1]]


@dataclass
class OpenSearchStub:
    """An OpenSearch on the loopback device that answers as told.

    ``statuses``: status of an item by ``_id``, 201 where none is given; ``errors``: its error object.
    ``request_statuses``: statuses of the next whole requests, then 200. ``raw_answer`` replaces the body.
    ``drop``: ids left out of the answer.
    """

    endpoint: str = ""
    statuses: dict[str, int] = field(default_factory=dict)
    errors: dict[str, dict[str, object]] = field(default_factory=dict)
    request_statuses: list[int] = field(default_factory=list)
    raw_answer: bytes | None = None
    drop: Sequence[str] = ()
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, bytes]:
        self.requests.append(request)
        status = self.request_statuses.pop(0) if self.request_statuses else 200
        if self.raw_answer is not None:
            return status, self.raw_answer
        if status != 200:
            return status, json.dumps({"error": {"type": "refused", "reason": "told to"}}).encode()
        if request.path != "/_bulk":
            return status, b'{"acknowledged":true}'
        items = []
        for action in request.bulk_lines()[::2]:
            index = action["index"]
            assert isinstance(index, dict)
            document_id = index["_id"]
            if document_id in self.drop:
                continue
            outcome = {**index, "status": self.statuses.get(document_id, 201)}
            if document_id in self.errors:
                outcome["error"] = self.errors[document_id]
            items.append({"index": outcome})
        items.reverse()  # a reader that goes by position is wrong
        return status, json.dumps({"errors": bool(self.statuses), "items": items}).encode()


@pytest.fixture
def opensearch() -> Iterator[OpenSearchStub]:
    stub = OpenSearchStub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
            status, body = stub.answer(request)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    yield stub
    server.shutdown()
    thread.join()
    server.server_close()
