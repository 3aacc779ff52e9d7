"""Drives the application from a Kinesis stream to Kinesis streams: the real source and sinks, on a mini cluster.

The streams are moto's; a proxy in front of it can hold a shard's first read back. A run ends with a savepoint, and the
next one goes on from it.
"""

from __future__ import annotations

import dataclasses
import http.client
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from contracts.archive import position
from contracts.rejections import REJECTED
from flink_jobs import endpoints, graph
from flink_jobs.settings import Settings
from local.oracle.records import LogRecord
from local.packed import packed
from local.standins.moto import Moto
from tests.events import Output, configured
from tests.jobs import cluster, harness
from tests.jobs.harness import SQL

#: How long a run may take to give what is expected of it.
PATIENCE_SECONDS = 180.0
_POLL_SECONDS = 0.1
_PAUSE_SECONDS = 0.02
#: An idle timeout for partitions that are to be given up: above any pause between two reads of one that is not.
IDLE_MILLIS = 3_000
_PUT_RECORDS = 500


class Proxy(http.server.ThreadingHTTPServer):
    """Hands requests on to moto; holds the first read of a shard back for as long as ``delays`` says, in seconds.

    ``limit``: no read gives more records than that; None leaves it to the reader.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = port
        self.delays: dict[str, float] = {}
        self.limit: int | None = None
        self.shard_of: dict[str, str] = {}
        self.held: list[str] = []
        self._released = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """What an AWS SDK takes for the service."""
        return f"http://127.0.0.1:{self.server_port}"

    def hold(self, shard: str) -> None:
        """Waits when this is the shard's first read."""
        delay = self.delays.pop(shard, None)
        if delay is not None:
            self.held.append(shard)
            self._released.wait(delay)

    def close(self) -> None:
        """Ends the server and its thread."""
        self._released.set()
        self.shutdown()
        self.server_close()
        self._thread.join(10)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        headers = dict(self.headers)
        if operation == "GetRecords":
            asked = json.loads(body)
            self.server.hold(self.server.shard_of.get(asked["ShardIterator"], ""))
            if self.server.limit is not None:
                body = json.dumps(asked | {"Limit": self.server.limit}).encode()
                headers["Content-Length"] = str(len(body))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=60)
        try:
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if operation == "GetShardIterator" and answer.status == http.HTTPStatus.OK:
            self.server.shard_of[json.loads(content)["ShardIterator"]] = json.loads(body)["ShardId"]
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class Stream:
    """The input stream of a test, and the log of what was put into it, in order per shard."""

    def __init__(self, client: Any, name: str, shards: int) -> None:
        self.name = name
        self.log: list[LogRecord] = []
        self._client = client
        client.create_stream(StreamName=name, ShardCount=shards)

    def shards(self) -> list[str]:
        """The open shards, oldest first."""
        return sorted(shard["ShardId"] for shard in self._listed() if not _closed(shard))

    def put(self, shard: str, payloads: Iterable[bytes]) -> None:
        """Puts the payloads into a shard."""
        key = next(listed["HashKeyRange"]["StartingHashKey"] for listed in self._listed() if listed["ShardId"] == shard)
        waiting = list(payloads)
        for first in range(0, len(waiting), _PUT_RECORDS):
            batch = waiting[first : first + _PUT_RECORDS]
            answer = self._client.put_records(
                StreamName=self.name,
                Records=[{"Data": payload, "PartitionKey": "test", "ExplicitHashKey": key} for payload in batch],
            )
            assert answer["FailedRecordCount"] == 0
            arrival = time.time_ns() // 1_000_000
            for payload, taken in zip(batch, answer["Records"], strict=True):
                assert taken["ShardId"] == shard
                self.log.append(LogRecord(self.name, shard, taken["SequenceNumber"], arrival, payload))

    def put_packed(self, shard: str, payloads: Sequence[bytes]) -> None:
        """Puts the payloads into a shard, packed into one record."""
        key = next(listed["HashKeyRange"]["StartingHashKey"] for listed in self._listed() if listed["ShardId"] == shard)
        taken = self._client.put_record(
            StreamName=self.name, Data=packed(payloads, key), PartitionKey="test", ExplicitHashKey=key
        )
        arrival = time.time_ns() // 1_000_000
        self.log += [
            LogRecord(self.name, shard, position(taken["SequenceNumber"], sub), arrival, payload)
            for sub, payload in enumerate(payloads)
        ]

    def parents(self) -> dict[str, list[str]]:
        """What each shard continues."""
        keys = ("ParentShardId", "AdjacentParentShardId")
        return {shard["ShardId"]: [shard[key] for key in keys if key in shard] for shard in self._listed()}

    def split(self, shard: str) -> list[str]:
        """Splits a shard in the middle; returns its children."""
        listed = next(listed for listed in self._listed() if listed["ShardId"] == shard)
        low, high = (int(listed["HashKeyRange"][edge]) for edge in ("StartingHashKey", "EndingHashKey"))
        return self._resharded(
            lambda: self._client.split_shard(
                StreamName=self.name, ShardToSplit=shard, NewStartingHashKey=str((low + high) // 2)
            )
        )

    def merge(self, shard: str, neighbour: str) -> str:
        """Merges two neighbouring shards; returns their child."""
        (child,) = self._resharded(
            lambda: self._client.merge_shards(StreamName=self.name, ShardToMerge=shard, AdjacentShardToMerge=neighbour)
        )
        return child

    def _resharded(self, change: Callable[[], Any]) -> list[str]:
        before = set(self.shards())
        change()
        return sorted(set(self.shards()) - before)

    def _listed(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._client.list_shards(StreamName=self.name)["Shards"]
        return listed


def _closed(shard: dict[str, Any]) -> bool:
    return "EndingSequenceNumber" in shard["SequenceNumberRange"]


class Live:
    """One test's streams, and runs of the application over them."""

    #: Longer than a test: a partition that is only slow is never given up.
    start_grace = "1 h"

    def __init__(self, moto: Moto, jar: Path, folder: Path, name: str, shards: int) -> None:
        self.client = moto.client("kinesis")
        self.stream = Stream(self.client, f"{name}-events", shards)
        self.proxy = Proxy(int(moto.endpoint.rpartition(":")[2]))
        self._outputs = {kind: f"{name}-{kind}" for kind in ("results", "rejected")}
        for stream in self._outputs.values():
            self.client.create_stream(StreamName=stream, ShardCount=1)
        self._jar = jar
        self._folder = folder
        self._job: Any = None
        self._stopped: list[Any] = []
        self._came = Output({}, {})
        self._read_to: dict[str, str] = {}

    def settings(
        self, *jobs: str, start: str = "TRIM_HORIZON", idle_millis: int | None = None, **time: str
    ) -> Settings:
        """The given jobs on this test's streams; ``time`` changes the group of that name.

        ``idle_millis``: an idle timeout, also one that is too short for real streams; without it nobody is idle.
        """
        settings = configured(
            *jobs,
            input={"region": "us-east-1", "start": start, "discovery_interval": "200 ms", **self.source()},
            output={f"{kind}_stream": stream for kind, stream in self._outputs.items()} | {"buffer": "100 ms"},
            time={"start_grace": self.start_grace, "idle_timeout": "1 h", **time},
            local={
                "endpoint": self.proxy.endpoint,
                "access_key": "testing",
                "secret_key": "testing",  # not a secret: moto takes any
                "checkpoint_interval": "1 s",
            },
        )
        if idle_millis is None:
            return settings
        return dataclasses.replace(settings, time=dataclasses.replace(settings.time, idle_timeout=idle_millis))

    def source(self) -> dict[str, str]:
        """Keys of the group ``input`` that say where the events are."""
        return {"stream": self.stream.name, "poll_interval": "200 ms"}

    def start(
        self,
        settings: Settings,
        parallelism: int,
        savepoint: str | None = None,
        sql: Path = SQL,
        checkpoint_millis: int = 1_000,
    ) -> None:
        """Submits the application; returns at once."""
        options = {
            "restart-strategy.type": "none",
            "python.fn-execution.bundle.time": "100",  # so long a rule's result waits for others
        }
        if savepoint is not None:
            options["execution.savepoint.path"] = savepoint
            options["execution.state-recovery.ignore-unclaimed-state"] = "true"
        environment = harness.environment(self._jar, parallelism, options)
        environment.enable_checkpointing(checkpoint_millis)
        records = endpoints.records(environment, settings)
        endpoints.sinks(graph.build(environment, records, settings, sql), settings)
        self._job = environment.execute_async("live")._j_job_client

    def stop(self) -> str:
        """Stops the application with a savepoint; returns its address.

        Results of the last 100 ms (``output.buffer``) may be in the savepoint instead of the stream: the sink keeps
        what it has not sent in its state, and the next start sends it.
        """
        canonical = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
        deadline = time.monotonic() + PATIENCE_SECONDS
        warm = cluster.started(self._jar)
        stopped = self._job.stopWithSavepoint(False, self._folder.as_uri(), canonical)
        # The job itself ends two seconds later: so long the AWS SDK waits when the sinks close their connections.
        while (savepoint := warm.saved(self._job)) is None:
            assert time.monotonic() < deadline, f"no savepoint within {PATIENCE_SECONDS:.0f} s"
            if stopped.isCompletedExceptionally():
                try:
                    stopped.get()
                except Py4JJavaError as error:
                    # A rejection may be there before the Python worker of a job is.
                    if "Not all required tasks are currently running" not in str(error):
                        raise
                stopped = self._job.stopWithSavepoint(False, self._folder.as_uri(), canonical)
            time.sleep(_PAUSE_SECONDS)
        self._stopped.append(stopped)
        self._job = None
        return savepoint

    def until(self, done: Callable[[Output], bool], what: str) -> Output:
        """Waits until what has come out is as wanted."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        output = self.output()
        while not done(output):
            status = self._job.getJobStatus().get().name()
            assert status in ("INITIALIZING", "CREATED", "RUNNING"), self._failure(status)
            assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:.0f} s; {_summary(output)}"
            time.sleep(_POLL_SECONDS)
            output = self.output()
        return output

    def until_subscribed(self) -> None:
        """Waits until the position in every open shard is taken."""
        shards = set(self.stream.shards())
        self.until(lambda _: shards <= set(self.proxy.shard_of.values()), "subscribed to every shard")

    def finish(self, wanted: Iterable[str], rejections: int = 0) -> Output:
        """Everything that comes, when what is wanted has come and nothing more can."""
        self.until_all(wanted, rejections)
        self.stop()
        return self.output()

    def until_all(self, wanted: Iterable[str], rejections: int = 0) -> Output:
        """Waits for the results of these ids and as many rejections."""
        ids = set(wanted)
        missing: set[str] = ids

        def came(output: Output) -> bool:
            nonlocal missing
            missing = ids - output.results.keys()
            return not missing and len(output.rejected) >= rejections

        try:
            return self.until(came, f"{len(ids)} results and {rejections} rejections")
        except AssertionError as error:
            raise AssertionError(f"{error}; missing: {sorted(missing)[:5]}") from error

    def output(self) -> Output:
        """Everything that came out so far; one id has one text."""
        for kind, stream in self._outputs.items():
            for text in self._new(kind, stream):
                document = json.loads(text)
                known = self._came.rejected if document["result_type"] == REJECTED else self._came.results
                assert known.get(document["result_id"], text) == text, f"one id, two documents: {text}"
                known[document["result_id"]] = text
        return Output(dict(self._came.results), dict(self._came.rejected))

    def close(self) -> None:
        """Ends the application, if it runs, and the proxy."""
        if self._job is not None:
            self._job.cancel().get()
            self._job = None
        # The jobs that were stopped may still be using it.
        cluster.started(self._jar).ends(self.stream.name, self._stopped, self.proxy.close)

    def _new(self, kind: str, stream: str) -> Iterator[str]:
        """What has come into a stream of one shard since the last time."""
        if kind not in self._read_to:
            (shard,) = self.client.list_shards(StreamName=stream)["Shards"]
            self._read_to[kind] = self.client.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        while True:
            answer = self.client.get_records(ShardIterator=self._read_to[kind], Limit=10_000)
            self._read_to[kind] = answer["NextShardIterator"]
            if not answer["Records"]:
                return
            for record in answer["Records"]:
                yield record["Data"].decode()

    def _failure(self, status: str) -> str:
        try:
            self._job.getJobExecutionResult().get()
        except Exception as error:  # noqa: BLE001 - the test's failure tells it
            return f"the job is {status}: {error}"
        return f"the job is {status}"


def _summary(output: Output) -> str:
    return f"there are {len(output.results)} results and {len(output.rejected)} rejections"
