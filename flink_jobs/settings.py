"""Every setting of the application: its group, key, default and limits. One truth; nothing else reads properties.

The defaults are the design's. Durations are milliseconds in here and texts with a unit in the file.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from contracts.results import RUN_BACKFILL, RUN_LIVE, ResultType
from flink_jobs.properties import (
    Groups,
    SettingsError,
    a_choice,
    a_duration,
    a_flag,
    a_number,
    a_text,
    a_time,
    a_whole_number,
    load,
    names,
    numbers_by_name,
    read_group,
    some_of,
)

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

    python: str = a_text(r"[\w./-]+\.py", "the entry script's path in the zip")
    jarfile: str = a_text(r"[\w./-]+\.jar", "the jar's path in the zip")
    pyFiles: str = a_text(r"[\w./-]+", "the modules' path in the zip")


@dataclass(frozen=True)
class InputSettings:
    """Where events come from: a Kinesis stream, a topic of MSK (Kafka), or files in S3. A key of another is refused."""

    #: Of the streams that results are written to, whatever the source.
    region: str = a_text(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region, such as us-east-1")
    source: str = a_choice(KINESIS, KINESIS, MSK, S3)
    #: LATEST: what comes after the start; TRIM_HORIZON: all that is there.
    start: str = a_choice(LATEST, LATEST, "TRIM_HORIZON")
    #: How often new shards, partitions or files are looked for; a split or merge stands still for as long.
    discovery_interval: int = a_duration("10 s", "200 ms", "10 min")
    stream: str = a_text(_STREAM, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -", "")
    #: 1 s leaves 4 of a shard's 5 reads a second to other readers.
    poll_interval: int = a_duration("1 s", "200 ms", "60 s")
    bootstrap_servers: str = a_text(
        r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*", "brokers, host:port, separated by commas", ""
    )
    topic: str = a_text(r"[a-zA-Z0-9_.-]{1,249}", "a topic's name: 1 to 249 of a-z A-Z 0-9 _ . -", "")
    #: none: plaintext, on a laptop only.
    authentication: str = a_choice(IAM, IAM, "none")
    #: A file's folder below it is its partition, with format lines.
    prefix: str = a_text(r"(s3|file)://[^\s?#]*/", "an s3:// or file:// address that ends with a slash", "")
    #: lines: an event a line; archive: what Firehose has archived (contracts/archive.py). Files may be gzipped, and
    #: appear whole: as an object does, or renamed from a name that begins with a dot.
    format: str = a_choice("lines", "lines", ARCHIVE)

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

    results_stream: str = a_text(_STREAM, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -")
    rejected_stream: str = a_text(_STREAM, "a stream's name: 1 to 128 of a-z A-Z 0-9 _ . -")
    buffer: int = a_duration("1 s", "50 ms", "60 s")


@dataclass(frozen=True)
class TimeSettings:
    """What is late, future, idle or a duplicate."""

    watermark_delay: int = a_duration("5 s", "0 s", "1 h")
    idle_timeout: int = a_duration("5 min", "10 s", "1 d")
    start_grace: int = a_duration("60 s", "0 s", "1 h")
    #: How far ahead of the slowest shard another may be read, in event time; 0 s is no limit.
    look_ahead: int = a_duration("10 min", "0 s", "1 d")
    #: How far after its arrival an event may say that it happened.
    future_tolerance: int = a_duration("5 min", "0 s", "1 d")
    #: How far before; 0 s is no limit. Epoch seconds read as milliseconds are years before. Raise it before events that
    #: are older are loaded from files: their arrival is the file's time.
    past_tolerance: int = a_duration("7 d", "0 s", "3650 d")
    #: 0 s switches the check of duplicates off.
    duplicate_window: int = a_duration("10 min", "0 s", "1 d")


@dataclass(frozen=True)
class JobsSettings:
    """Which jobs run, and how much of their state is in memory."""

    enabled: tuple[str, ...] = some_of(_JOBS, _JOBS)
    #: States of keys, some 400 bytes each, that a Python worker keeps in memory of each job. Others wait on its disk
    #: and cost more CPU when their key is touched.
    entries_in_memory: int = a_whole_number(500_000, 1_000, 100_000_000)


@dataclass(frozen=True)
class AggregationSettings:
    """Tumbling window of sql/aggregation.sql."""

    window: int = a_duration("5 min", "1 s", "1 d")


@dataclass(frozen=True)
class AnomalySettings:
    """Slices, baseline and threshold of the z-score."""

    slice: int = a_duration("10 s", "1 s", "1 h")
    baseline: int = a_duration("1 h", "10 s", "1 d")
    threshold: float = a_number(3.0, 0.1, 1000.0)
    minimum_count: int = a_whole_number(30, 2, 1_000_000)
    emit_all: bool = a_flag(False)


@dataclass(frozen=True)
class SessionSettings:
    """Gap, longest span and number of types of a user's session."""

    gap: int = a_duration("30 min", "1 s", "1 d")
    max_span: int = a_duration("24 h", "1 min", "7 d")
    max_types: int = a_whole_number(100, 1, 1000)


@dataclass(frozen=True)
class BehaviorSettings:
    """Gap, steps and funnel of a session's sequence."""

    gap: int = a_duration("30 min", "1 s", "1 d")
    max_steps: int = a_whole_number(100, 1, 1000)
    #: Event types that a session must have in this order, not adjacent, to be a conversion.
    funnel: tuple[str, ...] = names(("view", "click", "purchase"), 2, 10)


@dataclass(frozen=True)
class RecommendationSettings:
    """Hopping window, decay, weights and length of the list of recommendations."""

    window: int = a_duration("1 h", "1 s", "1 d")
    step: int = a_duration("5 min", "1 s", "1 d")
    decay: int = a_duration("1 h", "1 s", "7 d")
    top: int = a_whole_number(5, 1, 100)
    #: What an event adds to its category's score, by event type; a negative one takes away.
    weights: tuple[tuple[str, float], ...] = numbers_by_name(
        (("view", 1.0), ("click", 2.0), ("purchase", 5.0)), 100, -1000.0, 1000.0
    )
    #: Of every other event type.
    weight_other: float = a_number(0.0, -1000.0, 1000.0)


@dataclass(frozen=True)
class FraudSettings:
    """Which events count, the window, how many in it reach each level, and how long alerts may wait for others."""

    event_types: tuple[str, ...] = names(("purchase",), 1, 100)
    window: int = a_duration("5 min", "1 s", "1 d")
    low: int = a_whole_number(11, 2, 10_000)
    medium: int = a_whole_number(21, 2, 10_000)
    high: int = a_whole_number(51, 2, 10_000)
    #: Events are taken together in slots of this length: an alert leaves within it after the watermark.
    slot: int = a_duration("1 s", "100 ms", "1 min")


@dataclass(frozen=True)
class BackfillSettings:
    """Reads an archive instead of the source, and writes the results that became true in (start, end], nothing else."""

    #: Files in the archive's format below it, however deep; their records are sorted per partition.
    archive: str = a_text(_FILES, "an s3:// or file:// address, or an absolute path")
    start: int = a_time()
    end: int = a_time()
    #: How much earlier than start the archive begins; a result that needs more is left out, never written in part.
    margin: int = a_duration("25 h", "0 s", "30 d")
    #: How long after end an event of before it may have arrived; archived hours beyond that are not read.
    delay: int = a_duration("1 d", "0 s", "30 d")
    #: The archive of the live run's rejections, JSON lines: what the run could not know from one partition alone stays
    #: rejected. Without it every record is judged anew.
    rejections: str = a_text(_FILES, "an s3:// or file:// address, or an absolute path", "")
    #: Where the results go as JSON lines, too.
    output: str = a_text(_FILES, "an s3:// or file:// address, or an absolute path", "")

    @property
    def known_from(self) -> int:
        """The event time from which on the archive holds every event, epoch milliseconds."""
        return max(0, self.start - self.margin)


@dataclass(frozen=True)
class LocalSettings:
    """What only a laptop may set; the managed service owns all of it and the group is refused there."""

    endpoint: str = a_text(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", "a URL of the loopback", "")
    access_key: str = a_text(r"\w+", "letters and digits", "")
    secret_key: str = a_text(r"\w+", "letters and digits", "")
    checkpoint_interval: int = a_duration("10 s", "100 ms", "1 h")
    parallelism: int = a_whole_number(1, 1, 64)


@dataclass(frozen=True)
class Settings:
    """All groups. ``backfill`` is None unless one runs, ``local`` is None on the managed service."""

    run_options: RunOptions
    input: InputSettings
    output: OutputSettings
    time: TimeSettings = field(default_factory=TimeSettings)
    jobs: JobsSettings = field(default_factory=JobsSettings)
    aggregation: AggregationSettings = field(default_factory=AggregationSettings)
    anomaly: AnomalySettings = field(default_factory=AnomalySettings)
    session: SessionSettings = field(default_factory=SessionSettings)
    behavior: BehaviorSettings = field(default_factory=BehaviorSettings)
    recommendation: RecommendationSettings = field(default_factory=RecommendationSettings)
    fraud: FraudSettings = field(default_factory=FraudSettings)
    backfill: BackfillSettings | None = None
    local: LocalSettings | None = None

    @property
    def run(self) -> str:
        """What results say of how they came about."""
        return RUN_LIVE if self.backfill is None else RUN_BACKFILL


#: Property group of each field of Settings, and its class.
GROUPS: dict[str, tuple[str, type]] = {
    "kinesis.analytics.flink.run.options": ("run_options", RunOptions),
    "input": ("input", InputSettings),
    "output": ("output", OutputSettings),
    "time": ("time", TimeSettings),
    "jobs": ("jobs", JobsSettings),
    "aggregation": ("aggregation", AggregationSettings),
    "anomaly": ("anomaly", AnomalySettings),
    "session": ("session", SessionSettings),
    "behavior": ("behavior", BehaviorSettings),
    "recommendation": ("recommendation", RecommendationSettings),
    "fraud": ("fraud", FraudSettings),
    "backfill": ("backfill", BackfillSettings),
    "local": ("local", LocalSettings),
}
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
    settings = Settings(
        **{GROUPS[group][0]: read_group(GROUPS[group][1], source, group, values) for group, values in groups.items()}
    )
    _check_input(settings, source, groups["input"], local=local)
    _check_together(settings, source)
    return settings


def _check_input(settings: Settings, source: str, given: dict[str, str], *, local: bool) -> None:
    kinds = {field.name: field.metadata["kind"] for field in dataclasses.fields(InputSettings)}
    chosen = settings.input.source
    for name, (required, optional) in SOURCE_KEYS.items():
        for key in (*required, *optional):
            if name == chosen and key in required and key not in given:
                raise SettingsError(f"{source}: group 'input': key {key!r} is missing; allowed is {kinds[key].allowed}")
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
    _check_multiple(source, "anomaly", "baseline", settings.anomaly.baseline, "slice", settings.anomaly.slice)
    _check_multiple(
        source,
        "recommendation",
        "window",
        settings.recommendation.window,
        "step",
        settings.recommendation.step,
    )
    fraud = settings.fraud
    if not fraud.low < fraud.medium < fraud.high:
        raise SettingsError(
            f"{source}: group 'fraud', keys 'low', 'medium', 'high': {fraud.low}, {fraud.medium}, {fraud.high} "
            "are not allowed; allowed are ascending numbers"
        )
    backfill = settings.backfill
    if backfill is not None and backfill.start >= backfill.end:
        raise SettingsError(f"{source}: group 'backfill', key 'end': not after 'start'; allowed is a later time")
    if settings.session.max_span < settings.session.gap:
        raise SettingsError(
            f"{source}: group 'session', key 'max_span': shorter than 'gap'; allowed is at least the gap"
        )


def _check_multiple(source: str, group: str, key: str, value: int, unit_key: str, unit: int) -> None:
    if value % unit != 0:
        raise SettingsError(
            f"{source}: group {group!r}, key {key!r}: {value} ms is not allowed; "
            f"allowed is a whole multiple of {unit_key!r} ({unit} ms)"
        )


def load_settings(environment: dict[str, str]) -> Settings:
    """The settings of this run: the laptop's file where the environment names one, else the service's."""
    local = environment.get(LOCAL_PROPERTIES_VARIABLE)
    path = Path(local) if local else SERVICE_PROPERTIES
    return parse(load(path), path.name, local=bool(local))
