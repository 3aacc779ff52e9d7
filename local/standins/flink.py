"""A real standalone Flink cluster from the PyPI package: JobManager and TaskManager, a process each."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.ports import HOST, free_port
from local.processes import ManagedProcess, ProcessDied, Supervisor, wait_until
from local.standins.flink_distribution import FlinkDistribution
from local.standins.flink_rest import FlinkRest
from local.standins.java import loopback_option

JOB_MANAGER = "flink-jobmanager"
TASK_MANAGER = "flink-taskmanager"

_START_SECONDS = 120.0
_SUBMIT_SECONDS = 180.0
_MOST_REVIVALS = 3
_SUBMITTED = re.compile(r"Job has been submitted with JobID ([0-9a-f]{32})")
_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1.} - %m%n
# They write the whole environment, which may hold keys, and every line of the driver a second time.
logger.environment.name = org.apache.flink.client.python
logger.environment.level = WARN
"""
# What is neither a line of the log nor a frame of Java: the Python program's own words, and the client's last
# ones.
_NOISE = re.compile(r"\d\d:\d\d:\d\d,\d{3} |\s+at |\s+\.\.\. \d+ more")
_TOLD_LINES = 30


class SubmitError(Exception):
    """The client ended without submitting exactly one job; the message shows what the program said."""


class FlinkCluster:
    """A running cluster; `start` makes one, the supervisor ends it.

    `rest` talks to it (states, exceptions, cancelling). Everything that it writes lies in the run directory:
    logs in `logs/`, the rest (checkpoints, savepoints, blobs, temporary files) in `scratch/flink/`.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        distribution: FlinkDistribution,
        configuration: Path,
        port: int,
        slots: int,
    ) -> None:
        self.rest = FlinkRest(port)
        self._supervisor = supervisor
        self._distribution = distribution
        self._configuration = configuration
        self._port = port
        self._slots = slots
        self._submissions = 0
        self._revivals = 0
        self._lock = threading.Lock()
        self._commands: dict[str, list[str]] = {}
        self._processes: dict[str, ManagedProcess] = {}

    @classmethod
    def start(
        cls,
        supervisor: Supervisor,
        *,
        slots: int = 2,
        task_manager_memory: str = "1728m",
        job_manager_memory: str = "1024m",
        settings: Mapping[str, str | int | float | bool] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> FlinkCluster:
        """Start a cluster and wait until its TaskManager has registered its slots.

        Args:
            supervisor: owns the processes.
            slots: task slots of the one TaskManager.
            task_manager_memory: the whole process, in Flink's notation.
            job_manager_memory: likewise.
            settings: Flink options on top of ours, which they replace.
            env: added to the environment of both processes (and so of the Python workers).

        Raises:
            FlinkMissing: apache-flink is not installed, or refuses the settings.
            JavaMissing: there is no Java 17.
            ProcessDied: one of them ended.
            WaitTimeout: not up after 120 s.
        """
        distribution = FlinkDistribution.installed()
        configuration = supervisor.run_dir / "flink-conf"
        scratch = supervisor.scratch("flink")
        port = free_port()
        options = {
            **_options(scratch, port),
            "taskmanager.numberOfTaskSlots": slots,
            "taskmanager.memory.process.size": task_manager_memory,
            "jobmanager.memory.process.size": job_manager_memory,
            **(settings or {}),
        }
        _write_configuration(configuration, options)
        cluster = cls(supervisor, distribution, configuration, port, slots)
        cluster._prepare_commands(scratch / "tmp")
        for name in (JOB_MANAGER, TASK_MANAGER):
            cluster._start_process(name, env)
        cluster._wait_for_slots()
        return cluster

    @property
    def rest_url(self) -> str:
        """The address of the REST interface and the web page, without a slash at the end."""
        return self.rest.client.url

    @property
    def processes(self) -> Sequence[ManagedProcess]:
        """The JobManager and the TaskManager."""
        return tuple(self._processes.values())

    def submit(
        self,
        args: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        timeout: float = _SUBMIT_SECONDS,
    ) -> str:
        """Run `flink run --detached` with `args` and return the id of the job that it submitted.

        The output goes to `logs/flink-run-<n>.log`.

        Args:
            args: what follows the options, such as ["--python", "main.py", "--jarfile", "connectors.jar"].
            env: added to the environment of the client and its Python program.
            timeout: seconds.

        Raises:
            SubmitError: no job or more than one was submitted (the managed service runs one job an
            application). ProcessDied: the client failed; the message shows the end of its log, the driver's
            traceback included.
            WaitTimeout: it took longer.
        """
        with self._lock:
            self._submissions += 1
            name = f"flink-run-{self._submissions}"
        temporary = f"-Djava.io.tmpdir={self._supervisor.scratch('flink') / 'tmp'}"
        command = self._distribution.java(
            "org.apache.flink.client.cli.CliFrontend",
            ["run", "--detached", "--jobmanager", f"{HOST}:{self._port}", *map(str, args)],
            options=[
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                temporary,
                *self._common_options(name),
            ],
            python=False,  # the client finds the jar by itself, as the service's does
        )
        environment = {**self._distribution.environment(self._configuration), **(env or {})}
        try:
            log = self._supervisor.run(name, command, timeout=timeout, env=environment)
        except ProcessDied as error:
            raise SubmitError(f"{name} failed:\n{_told(self._supervisor.logs / f'{name}.log')}") from error
        submitted = _SUBMITTED.findall(log.read_text(encoding="utf-8", errors="replace"))
        if len(submitted) != 1:
            raise SubmitError(f"{name} submitted {len(submitted)} jobs instead of one:\n{_told(log)}")
        return str(submitted[0])

    def job_state(self, job_id: str) -> str:
        """See `FlinkRest.job_state`."""
        return self.rest.job_state(job_id)

    def job_exceptions(self, job_id: str) -> list[str]:
        """See `FlinkRest.job_exceptions`."""
        return self.rest.job_exceptions(job_id)

    def cancel(self, job_id: str) -> str:
        """See `FlinkRest.cancel`."""
        return self.rest.cancel(job_id)

    def restart_taskmanager(self, *, kill: bool = False, env: Mapping[str, str] | None = None) -> None:
        """End the TaskManager with its Python workers (`kill`: with SIGKILL, as a crash) and start a new one.

        Returns when the new one has registered. The JobManager has noticed the loss then. Running jobs
        recover by their own restart strategy.

        Raises:
            ProcessDied: the new one ended.
            WaitTimeout: it did not register.
        """
        before = self.rest.task_managers()
        self._supervisor.stop(self._processes[TASK_MANAGER], grace=0 if kill else None)
        self._start_process(TASK_MANAGER, env)

        def replaced() -> bool:
            now = self.rest.task_managers()
            return bool(now) and not now & before  # the JobManager noticed the loss, too

        wait_until(replaced, _START_SECONDS, "the new TaskManager", process=self.processes)

    def revive_taskmanager(self) -> bool:
        """Start a new TaskManager where the old one has died, as the managed service does; return whether it had.

        Raises: as `restart_taskmanager`; `ProcessDied` when one after another dies.
        """
        if self._processes[TASK_MANAGER].returncode is None:
            return False
        if self._revivals == _MOST_REVIVALS:
            raise ProcessDied(self._processes[TASK_MANAGER].death())
        self._revivals += 1
        self.restart_taskmanager()
        return True

    def _wait_for_slots(self) -> None:
        wait_until(lambda: self.rest.slots() >= self._slots, _START_SECONDS, "Flink's slots", process=self.processes)

    def _prepare_commands(self, temporary: Path) -> None:
        temporary.mkdir(exist_ok=True)
        commands = ("GET_JM_RESOURCE_PARAMS", "GET_TM_RESOURCE_PARAMS")
        with ThreadPoolExecutor() as pool:  # each is a JVM of a second
            job_manager, task_manager = pool.map(
                lambda command: self._distribution.memory(command, self._configuration), commands
            )
        roles = (
            (
                JOB_MANAGER,
                "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
                (["-XX:+UseSerialGC", *job_manager[0]], [*job_manager[1], "--executionMode", "cluster"]),
            ),
            (
                TASK_MANAGER,
                "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
                (["-XX:+UseG1GC", *task_manager[0]], task_manager[1]),
            ),
        )
        for name, main, (options, arguments) in roles:
            self._commands[name] = self._distribution.java(
                main,
                ["--configDir", str(self._configuration), *arguments],
                options=[*options, f"-Djava.io.tmpdir={temporary}", *self._common_options(name)],
                python=True,
            )

    def _start_process(self, name: str, env: Mapping[str, str] | None) -> None:
        environment = {**self._distribution.environment(self._configuration), **(env or {})}
        self._processes[name] = self._supervisor.start(name, self._commands[name], env=environment)

    def _common_options(self, name: str) -> list[str]:
        properties = self._configuration / "log4j.properties"
        # log.file is what the web page shows; the console goes into that very file.
        return [
            loopback_option(self._configuration),
            f"-Dlog4j.configurationFile=file:{properties}",
            f"-Dlog.file={self._supervisor.logs / f'{name}.log'}",
        ]


def _told(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [line for line in lines if line.strip() and not _NOISE.match(line)]
    return "\n".join([*told[-_TOLD_LINES:], f"(the whole log: {log})"])


def _options(scratch: Path, port: int) -> dict[str, str | int | float | bool]:
    """Return the options of every local cluster. Ports that nobody must know are left to the kernel."""
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": free_port(),
        "jobmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": port,
        "rest.bind-port": str(port),
        "blob.server.port": "0",
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.rpc.port": "0",
        "parallelism.default": 1,
        "io.tmp.dirs": str(scratch / "tmp"),
        "execution.checkpointing.dir": f"file://{scratch / 'checkpoints'}",
        "execution.checkpointing.savepoint-dir": f"file://{scratch / 'savepoints'}",
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "jobmanager.execution.failover-strategy": "region",
        "heartbeat.interval": 1000,  # ms; a lost TaskManager is noticed after two missed ones, not after 20 s
    }


def _write_configuration(directory: Path, options: Mapping[str, str | int | float | bool]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in options.items()]  # a JSON scalar is a YAML scalar
    (directory / "config.yaml").write_text("".join(lines), encoding="utf-8")
    (directory / "log4j.properties").write_text(_LOG4J, encoding="utf-8")
