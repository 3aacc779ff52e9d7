"""One warm Flink for a whole pytest session: a JVM, and in it one mini cluster that runs every graph.

A graph then costs a second instead of ten, because three things are done once instead of for each run:

- the cluster's start;
- loading the jar's classes, and compiling them: the jar is on the JVM's class path;
- starting Python: for each slot, PyFlink starts an interpreter that imports Beam for seconds, only to ask the tests'
  process for a worker thread (loopback mode). Here a shell script asks.

tests/e2e runs the zip on a cluster of processes, with a class loader and Python processes of the job's own.
"""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from apache_beam.portability.api.org.apache.beam.model.fn_execution.v1.beam_fn_api_pb2 import StartWorkerRequest
from apache_beam.portability.api.org.apache.beam.model.pipeline.v1.endpoints_pb2 import ApiServiceDescriptor
from py4j.protocol import Py4JJavaError
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.fn_execution.beam.beam_worker_pool_service import BeamFnLoopbackWorkerPoolServicer
from pyflink.java_gateway import get_gateway

#: Of parallelism 4 each: two graphs at once, and two whose sinks close.
SLOTS = 16
#: The JVM lives for minutes: the optimizing compiler and a parallel collector cost more than they save. Its AWS SDKs
#: speak JSON: moto's Kinesis knows no CBOR.
_JVM = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx2g",
    "-Dorg.apache.flink.kinesis.shaded.com.amazonaws.sdk.disableCbor=true",
    "-Daws.cborEnabled=false",
)

#: Name of jobs, the Java futures of their ends, and what is to be done then.
_Ending = tuple[str, Sequence[Any], Callable[[], None]]


class _Workers(socketserver.ThreadingTCPServer):
    """Runs a Python worker in a thread of this process for each request of pyflink-udf-runner.sh."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.loopback = BeamFnLoopbackWorkerPoolServicer()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Request(socketserver.StreamRequestHandler):
    server: _Workers

    def handle(self) -> None:
        options = {}
        while argument := self.rfile.readline().decode().strip():
            name, _, value = argument.removeprefix("--").partition("=")
            options[name] = value
        place = ApiServiceDescriptor(url=options["provision_endpoint"])
        # Returns when the worker ends.
        answer = self.server.loopback.StartWorker(
            StartWorkerRequest(worker_id=options["id"], provision_endpoint=place), None
        )
        self.wfile.write(answer.error.encode())


class Cluster:
    """A mini cluster in this process's JVM; ``started`` makes it."""

    def __init__(self, jar: Path) -> None:
        _start_jvm(jar)
        configuration = Configuration()
        for key, value in {
            "rest.address": "localhost",
            "rest.bind-port": "0",
            "taskmanager.memory.network.min": "128m",
            "taskmanager.memory.network.max": "128m",
        }.items():
            configuration.set_string(key, value)
        package = get_gateway().jvm.org.apache.flink.runtime.minicluster
        builder = package.MiniClusterConfiguration.Builder().setConfiguration(configuration._j_configuration)
        described = builder.setNumTaskManagers(1).setNumSlotsPerTaskManager(SLOTS).build()
        self._cluster: Any = package.MiniCluster(described)
        self._cluster.start()
        self._address = self._cluster.getRestAddress().get()
        self._ending: list[_Ending] = []

    def environment(self, options: Mapping[str, str]) -> StreamExecutionEnvironment:
        """An environment with Flink's ``options`` whose graphs run on this cluster."""
        configuration = Configuration()
        where = {
            "execution.target": "remote",
            "rest.address": self._address.getHost(),
            "rest.port": str(self._address.getPort()),
        }
        for key, value in {**where, **options}.items():
            configuration.set_string(key, value)
        java = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
        return StreamExecutionEnvironment(java(configuration._j_configuration))

    def saved(self, job: Any) -> str | None:
        """Address of the job's latest savepoint; None before there is one. ``job``: a Java ``JobClient``."""
        graph = self._cluster.getArchivedExecutionGraph(job.getJobID()).get()
        savepoint = graph.getCheckpointStatsSnapshot().getHistory().getLatestSavepoint()
        address: str | None = None if savepoint is None else savepoint.getExternalPath()
        return address

    def ends(self, what: str, stopped: Sequence[Any], then: Callable[[], None]) -> None:
        """Watches jobs that are on their way to their end, so that no test need wait for it.

        Args:
            what: names them.
            stopped: the Java futures of their ends.
            then: is called when all have ended.

        Raises:
            AssertionError: a job that was given before failed after its savepoint; the message names it.
        """
        self._ending.append((what, stopped, then))
        self._finish([each for each in self._ending if all(job.isDone() for job in each[1])])

    def close(self) -> None:
        """Waits for the jobs that are to end, then ends the cluster and every other one; errors as in ``ends``."""
        try:
            self._finish(list(self._ending))
        finally:
            self._cluster.close()

    def _finish(self, ending: Iterable[_Ending]) -> None:
        for each in ending:
            self._ending.remove(each)
            what, stopped, then = each
            try:
                for job in stopped:
                    job.get()
            except Py4JJavaError as error:
                raise AssertionError(f"{what}: the job failed after its savepoint") from error
            finally:
                then()


@cache
def started(jar: Path) -> Cluster:
    """The cluster of this process, which knows the jar's classes; the same at every call."""
    return Cluster(jar)


def _start_jvm(jar: Path) -> None:
    """Starts PyFlink's gateway with the jar on its class path and this process as its Python.

    Raises:
        AssertionError: the process has a gateway already, whose class path and environment are fixed.
    """
    from pyflink import java_gateway

    assert java_gateway._gateway is None, "something has started the JVM before: the jar is not on its class path"
    needed = {
        "JVM_ARGS": " ".join(_JVM),
        "HADOOP_CLASSPATH": str(jar),  # the one variable whose words go on the gateway's class path
        "PYFLINK_UDF_RUNNER_DIR": str(Path(__file__).parent),
        "TESTS_WORKER_PORT": str(_Workers().server_address[1]),
    }
    before = dict(os.environ)
    os.environ.update(needed)
    try:
        get_gateway()
    finally:
        os.environ.clear()
        os.environ.update(before)
