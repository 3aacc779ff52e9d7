"""Every setting of the application: its group, key, meaning, default and limits; a job's stand in its entry.

The defaults are the design's. Durations are milliseconds in here and texts with a unit in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.results import RUN_BACKFILL, RUN_LIVE, SCHEMAS, ResultType
from contracts.settings import (
    JobSettings,
    SettingsError,
    a_choice,
    a_duration,
    a_text,
    a_time,
    a_whole_number,
    kinds,
    read_group,
    some_of,
)
from flink_jobs.properties import Groups, load

#: Where the managed service puts the properties.
SERVICE_PROPERTIES = Path("/etc/flink/application_properties.json")
#: Names the file of a laptop run; only then is the group ``local`` allowed.
LOCAL_PROPERTIES_VARIABLE = "REALTIME_ANALYTICS_LOCAL_PROPERTIES"

#: Sources of events, and where a first start begins.
KINESIS, MSK, S3 = "kinesis", "msk", "s3"
LATEST = "LATEST"
IAM = "iam"
ARCHIVE = "archive"

_STREAM = r"[a-zA-Z0-9_.-]{1,128}"
_FILES = r"(s3://|file://|/)[^\s?#]+"
_JOBS = tuple(job.value for job in ResultType)


@dataclass(frozen=True)
class RunOptions:
    """What the service itself reads to start the application: the zip's entry script, jar and modules."""

    python: str = a_text(r"[\w./-]+\.py", "the entry script's path in the zip", meaning="the script that starts")
    jarfile: str = a_text(r"[\w./-]+\.jar", "the jar's path in the zip", meaning="the Java part with the connectors")
    pyFiles: str = a_text(r"[\w./-]+", "the modules' path in the zip", meaning="the Python part and the queries")


@dataclass(frozen=True)
class InputSettings:
    """Where events come from: a Kinesis stream, a topic of MSK (Kafka), or files in S3. A key of another is refused."""

    region: str = a_text(
        r"[a-z]{2}(-[a-z]+)+-\d",
        "an AWS region, such as us-east-1",
        meaning="where the streams are that results are written to, whatever the source",
    )
    source: str = a_choice(KINESIS, KINESIS, MSK, S3, meaning="what events are read from")
    start: str = a_choice(
        LATEST,
        LATEST,
        "TRIM_HORIZON",
        meaning="what a first start reads: LATEST what comes after it, TRIM_HORIZON all that is there",
    )
    discovery_interval: int = a_duration(
        "10 s",
        "200 ms",
        "10 min",
        "how often new shards, partitions or files are looked for; a split or merge stands still for as long",
    )
    stream: str = a_text(
        _STREAM, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -", "", meaning="kinesis: the stream of events"
    )
    poll_interval: int = a_duration(
        "1 s",
        "200 ms",
        "60 s",
        "kinesis: how often a shard is read; 1 s leaves 4 of a shard's 5 reads a second to other readers",
    )
    bootstrap_servers: str = a_text(
        r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*",
        "brokers, host:port, separated by commas",
        "",
        meaning="msk: where the brokers are",
    )
    topic: str = a_text(
        r"[a-zA-Z0-9_.-]{1,249}",
        "a topic's name: 1 to 249 of a-z A-Z 0-9 _ . -",
        "",
        meaning="msk: the topic of events",
    )
    authentication: str = a_choice(
        IAM, IAM, "none", meaning="msk: how brokers know the reader; none is plaintext, on a laptop only"
    )
    prefix: str = a_text(
        r"(s3|file)://[^\s?#]*/",
        "an s3:// or file:// address that ends with a slash",
        "",
        meaning="s3: where the files are; a file's folder below it is its partition, with format lines",
    )
    format: str = a_choice(
        "lines",
        "lines",
        ARCHIVE,
        meaning="s3: lines is an event a line, archive what Firehose has archived (contracts/archive.py); files may be "
        "gzipped, and appear whole: as an object does, or renamed from a name that begins with a dot",
    )

    @property
    def starts_at_latest(self) -> bool:
        """Whether what is there at a first start is left out."""
        return self.start == LATEST


#: Keys of the group ``input`` that only one source has; the first ones are required of it.
SOURCE_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    KINESIS: (("stream",), ("poll_interval",)),
    MSK: (("bootstrap_servers", "topic"), ("authentication",)),
    S3: (("prefix",), ("format",)),
}


@dataclass(frozen=True)
class OutputSettings:
    """The streams of results and rejections."""

    results_stream: str = a_text(
        _STREAM, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -", meaning="the stream of results"
    )
    rejected_stream: str = a_text(
        _STREAM, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -", meaning="the stream of rejections"
    )
    buffer: int = a_duration("1 s", "50 ms", "60 s", "how long results wait to be written together")


@dataclass(frozen=True)
class TimeSettings:
    """What is late, future, idle or a duplicate."""

    watermark_delay: int = a_duration(
        "5 s", "0 s", "1 h", "how much older than the newest event of its shard an event may be, or it is late"
    )
    idle_timeout: int = a_duration(
        "5 min", "10 s", "1 d", "how long a shard is silent, with nothing left to read, before the others stop waiting"
    )
    start_grace: int = a_duration(
        "60 s", "0 s", "1 h", "how long a start waits for a first record of every shard before time goes on"
    )
    look_ahead: int = a_duration(
        "10 min",
        "1 min",
        "1 d",
        "how far ahead of the slowest shard another may be read, in event time; those events are in memory",
    )
    future_tolerance: int = a_duration(
        "5 min", "0 s", "1 d", "how far after its arrival an event may say that it happened, or it is rejected"
    )
    past_tolerance: int = a_duration(
        "7 d",
        "0 s",
        "3650 d",
        "how far before its arrival an event may have happened, or it is rejected; 0 s is no limit; raise it before "
        "older events are loaded from files, whose arrival is the file's time",
    )
    duplicate_window: int = a_duration(
        "10 min", "0 s", "1 d", "how long an event_id is remembered to reject its repeats; 0 s switches that off"
    )


@dataclass(frozen=True)
class JobsSettings:
    """Which jobs run, and how much of their state is in memory."""

    enabled: tuple[str, ...] = some_of(_JOBS, _JOBS, "the jobs that run")
    entries_in_memory: int = a_whole_number(
        200_000,
        1_000,
        100_000_000,
        "states of keys, some 400 bytes each, that a Python worker keeps in memory of each job; others wait on its "
        "disk and cost more CPU when their key is touched",
    )


@dataclass(frozen=True)
class BackfillSettings:
    """Reads an archive instead of the source, and writes the results that became true in (start, end], nothing else."""

    archive: str = a_text(
        _FILES,
        "an s3:// or file:// address, or an absolute path",
        meaning="where the archive's files are, however deep; their records are sorted per partition",
    )
    start: int = a_time("results that became true after it are written")
    end: int = a_time("and those until it, inclusive")
    margin: int = a_duration(
        "25 h",
        "0 s",
        "30 d",
        "how much earlier than start the archive is read; a result that needs more is left out, never written in part",
    )
    delay: int = a_duration(
        "1 d",
        "0 s",
        "30 d",
        "how long after end an event of before it may have arrived; archived hours beyond that are not read",
    )
    rejections: str = a_text(
        _FILES,
        "an s3:// or file:// address, or an absolute path",
        "",
        meaning="the archive of the live run's rejections, JSON lines: what one partition alone could not tell stays "
        "rejected; without it every record is judged anew",
    )
    output: str = a_text(
        _FILES,
        "an s3:// or file:// address, or an absolute path",
        "",
        meaning="where the results go as JSON lines, too",
    )

    @property
    def known_from(self) -> int:
        """The event time from which on the archive holds every event, epoch milliseconds."""
        return max(0, self.start - self.margin)


@dataclass(frozen=True)
class LocalSettings:
    """What only a laptop may set; the managed service owns all of it and the group is refused there."""

    endpoint: str = a_text(
        r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?",
        "a URL of the loopback",
        "",
        meaning="where the stand-in for AWS answers",
    )
    access_key: str = a_text(r"\w+", "letters and digits", "", meaning="the stand-in takes any")
    secret_key: str = a_text(r"\w+", "letters and digits", "", meaning="the stand-in takes any")
    checkpoint_interval: int = a_duration("10 s", "100 ms", "1 h", "time between checkpoints")
    parallelism: int = a_whole_number(1, 1, 64, "subtasks of each operator")


@dataclass(frozen=True)
class Settings:
    """All groups. ``backfill`` is None unless one runs, ``local`` is None on the managed service."""

    run_options: RunOptions
    input: InputSettings
    output: OutputSettings
    time: TimeSettings = field(default_factory=TimeSettings)
    jobs: JobsSettings = field(default_factory=JobsSettings)
    #: Settings of each job that has any, by its name; also attributes of this object: ``settings.session.gap``.
    of_jobs: Mapping[str, Any] = field(default_factory=lambda: _defaults())
    backfill: BackfillSettings | None = None
    local: LocalSettings | None = None

    def __getattr__(self, name: str) -> Any:
        """The settings of a job."""
        if name == "of_jobs" or name not in self.of_jobs:
            raise AttributeError(name)
        return self.of_jobs[name]

    @property
    def run(self) -> str:
        """What results say of how they came about."""
        return RUN_LIVE if self.backfill is None else RUN_BACKFILL


#: Classes of the jobs' settings, by the job.
JOB_SETTINGS: dict[str, type[JobSettings]] = {
    job.value: entry.settings for job, entry in SCHEMAS.items() if entry.settings is not None
}


def _defaults() -> Mapping[str, JobSettings]:
    return {name: cls() for name, cls in JOB_SETTINGS.items()}


#: Property groups and their classes, in the order of the page.
GROUPS: dict[str, type] = {
    "kinesis.analytics.flink.run.options": RunOptions,
    "input": InputSettings,
    "output": OutputSettings,
    "time": TimeSettings,
    "jobs": JobsSettings,
    **JOB_SETTINGS,
    "backfill": BackfillSettings,
    "local": LocalSettings,
}
_FIELDS = {"kinesis.analytics.flink.run.options": "run_options"}
REQUIRED_GROUPS = ("kinesis.analytics.flink.run.options", "input", "output")
LOCAL_GROUP = "local"


def parse(groups: Groups, source: str, *, local: bool) -> Settings:
    """Checks every group and what groups must have in common; SettingsError names the first thing wrong.

    ``local`` says that a laptop started the application: only then may the group ``local`` be there.
    """
    for group in groups:
        if group not in GROUPS:
            raise SettingsError(f"{source}: unknown group {group!r}; allowed are {', '.join(GROUPS)}")
    for group in REQUIRED_GROUPS:
        if group not in groups:
            raise SettingsError(f"{source}: group {group!r} is missing; required are {', '.join(REQUIRED_GROUPS)}")
    if not local and LOCAL_GROUP in groups:
        raise SettingsError(
            f"{source}: group {LOCAL_GROUP!r} is refused on the managed service, which sets parallelism, "
            "checkpoints, endpoint and credentials itself; allowed is no such group"
        )
    made: dict[str, Any] = {group: read_group(GROUPS[group], source, group, values) for group, values in groups.items()}
    of_jobs = dict(_defaults()) | {group: made.pop(group) for group in JOB_SETTINGS if group in made}
    settings = Settings(**{_FIELDS.get(group, group): value for group, value in made.items()}, of_jobs=of_jobs)
    _check_input(settings, source, groups["input"], local=local)
    _check_together(settings, source)
    return settings


def _check_input(settings: Settings, source: str, given: dict[str, str], *, local: bool) -> None:
    of_input = kinds(InputSettings)
    chosen = settings.input.source
    for name, (required, optional) in SOURCE_KEYS.items():
        for key in (*required, *optional):
            if name == chosen and key in required and key not in given:
                raise SettingsError(
                    f"{source}: group 'input': key {key!r} is missing; allowed is {of_input[key].allowed}"
                )
            if name != chosen and key in given:
                raise SettingsError(
                    f"{source}: group 'input', key {key!r}: {given[key]!r} is not allowed; "
                    f"allowed is no such key with source = {chosen}"
                )
    if chosen == MSK and not local and settings.input.authentication != IAM:
        raise SettingsError(
            f"{source}: group 'input', key 'authentication': {settings.input.authentication!r} is not allowed; "
            f"allowed is {IAM} on the managed service"
        )


def _check_together(settings: Settings, source: str) -> None:
    backfill = settings.backfill
    if backfill is not None and backfill.start >= backfill.end:
        raise SettingsError(f"{source}: group 'backfill', key 'end': not after 'start'; allowed is a later time")


def load_settings(environment: dict[str, str]) -> Settings:
    """The settings of this run: the laptop's file where the environment names one, else the service's."""
    local = environment.get(LOCAL_PROPERTIES_VARIABLE)
    path = Path(local) if local else SERVICE_PROPERTIES
    return parse(load(path), path.name, local=bool(local))
