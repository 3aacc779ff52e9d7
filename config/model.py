"""The settings of one environment: every key, its default and what is allowed.

A file ``config/<environment>.toml`` holds what differs from the defaults. What several keys must have in common is
checked in :mod:`config.rules`, so that each mistake is one line that names file, key, value and what is allowed.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from config.fields import (
    Account,
    AsTuple,
    BucketName,
    Category,
    Cidr,
    ClusterArn,
    Email,
    EventBusName,
    Folder,
    InstanceType,
    KeyArn,
    LogDays,
    PrefixList,
    Region,
    Repository,
    Rpu,
    SecretArn,
    Section,
    SecurityGroupId,
    StreamArn,
    SubnetId,
    TagName,
    TagText,
    TimeOfDay,
    Topic,
    VpcId,
    Zone,
)
from config.runtimes import RUNTIMES

PropertyGroups = dict[str, dict[str, str]]


class ExistingVpc(Section):
    """A VPC of the team's own. Nothing in it is changed but for security groups.

    It has an interface endpoint for Kinesis, and with search for SQS. NAT is no way to them: what runs in it may reach
    its range alone on port 443. S3 is reached by ``s3_prefix_list``, over a gateway endpoint or NAT. Endpoints are not
    made here: with private DNS they would serve, or lock out, everybody else in it.
    """

    vpc_id: VpcId
    #: Private subnets, one a zone, in the order of ``network.zones``.
    subnet_ids: Annotated[tuple[SubnetId, ...], AsTuple, Field(min_length=1, max_length=3)]
    cidr: Cidr


class Network(Section):
    """Private subnets without a way to the internet; what runs inside reaches AWS through endpoints."""

    cidr: Cidr = "10.20.0.0/20"
    zones: Annotated[tuple[Zone, ...], AsTuple, Field(min_length=1, max_length=3)]
    #: Networks that this one will be peered with: it must not overlap them.
    peers: Annotated[tuple[Cidr, ...], AsTuple] = ()
    flow_log_days: LogDays = 30
    existing: ExistingVpc | None = None
    #: The region's prefix list of S3 (aws ec2 describe-managed-prefix-lists); without it, a network of ours lets the
    #: application reach any address on port 443, of which only S3 has a route, and an existing one lets it reach none.
    s3_prefix_list: PrefixList | None = None


class Stream(Section):
    """A Kinesis stream. ``expected_kb_per_second`` is the write rate that the readers are added up for."""

    mode: Literal["provisioned", "on_demand"] = "provisioned"
    shards: Annotated[int, Field(ge=1, le=500)] = 1
    retention_hours: Annotated[int, Field(ge=24, le=8760)] = 24
    expected_kb_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    #: Gives each Lambda reader 2 MB/s a shard of its own; costs per shard-hour and GB.
    enhanced_fan_out: bool = False


class InputStream(Stream):
    """The stream of events; ``existing_arn`` reads a stream that somebody else owns (with its key, if it has one)."""

    existing_arn: StreamArn | None = None
    existing_key_arn: KeyArn | None = None
    #: On-demand streams reshard by themselves while a backlog is read: see docs/deploy.md before accepting it.
    accept_automatic_resharding: bool = False


class Msk(Section):
    """A topic of MSK whose clients sign in by IAM. Without ``cluster_arn`` a serverless cluster is made."""

    #: A cluster in ``network.existing``; ``security_group_id`` is its brokers', to let the application in. Without it,
    #: its rules must do so already.
    cluster_arn: ClusterArn | None = None
    security_group_id: SecurityGroupId | None = None
    topic: Topic = "events"
    #: True: the topic is somebody else's; it is neither made nor changed.
    existing_topic: bool = False
    #: A topic never loses partitions. MSK Serverless bills each.
    partitions: Annotated[int, Field(ge=1, le=2400)] = 4
    retention_hours: Annotated[int, Field(ge=1, le=8760)] = 168
    #: Raise it to have the brokers looked up again, after the cluster was given others.
    look_up: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class Files(Section):
    """Files in a bucket that somebody else owns, found as they come; a folder below ``prefix`` is a partition."""

    bucket: BucketName
    prefix: Folder = ""
    #: ``lines``: an event a line; ``archive``: what this kit archives. Files may be gzipped.
    format: Literal["lines", "archive"] = "lines"
    #: The bucket's key, if it has one of its own.
    key_arn: KeyArn | None = None

    @property
    def place(self) -> str:
        """What is read of the bucket, as policies write it: what is below the folder."""
        return f"{self.prefix}*"


class Source(Section):
    """Where events come from. ``kinesis``: the stream of ``streams.input``."""

    kind: Literal["kinesis", "msk", "s3"] = "kinesis"
    msk: Msk | None = None
    s3: Files | None = None


class Streams(Section):
    """Input, results and rejections."""

    input: InputStream = InputStream()
    results: Stream = Stream()
    rejected: Stream = Stream()


class Slots(Section):
    """How much of an application runs at once: task slots, and how many of them share a KPU (1 vCPU, 4 GB)."""

    parallelism: Annotated[int, Field(ge=1, le=512)] = 4
    parallelism_per_kpu: Annotated[int, Field(ge=1, le=8)] = 1

    @property
    def kpus(self) -> int:
        """KPUs that the parallelism takes, without the one that orchestrates."""
        return math.ceil(self.parallelism / self.parallelism_per_kpu)


class Application(Slots):
    """The Flink application on the managed service."""

    runtime: Literal[tuple(RUNTIMES)] = "FLINK-1_20"  # type: ignore[valid-type]
    autoscaling: bool = True
    #: The account's quota of KPUs in the region (the service's default is 64).
    kpu_quota: Annotated[int, Field(ge=1, le=2000)] = 64
    #: Alarm above so many KPUs: what autoscaling may cost before somebody is told. The service itself has no cap.
    kpu_alarm: Annotated[int, Field(ge=2, le=2000)] = 64
    checkpoint_interval_seconds: Annotated[int, Field(ge=10, le=3600)] = 60
    checkpoint_pause_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    log_level: Literal["INFO", "WARN", "ERROR", "DEBUG"] = "INFO"
    log_days: LogDays = 30
    maintenance_window: TimeOfDay = "06:00"
    #: ``required``: no change of a running application without a snapshot; ``best-effort`` for the one deployment that
    #: repairs an application whose snapshots fail: it goes back to the latest one that there is.
    snapshot_before_update: Literal["required", "best-effort"] = "required"
    snapshots_kept: Annotated[int, Field(ge=1, le=900)] = 10
    #: Needed by the one deployment that removes a job: its state is dropped.
    allow_non_restored_state: bool = False
    #: ``running``: a deployment ends when the application runs; ``stopped``: it leaves it stopped.
    state: Literal["running", "stopped"] = "running"
    #: Property groups of the application (docs/settings.md); streams, region and run options are the stack's own.
    properties: PropertyGroups = Field(default_factory=dict)


class Backfill(Slots):
    """The second application, which plays the archive (make backfill) and is stopped, and free, in between.

    Its code, runtime, log and jobs are those of ``application``. It is made where the lake archives the events.
    """

    #: Keys of the group ``backfill`` (docs/settings.md): ``margin`` and ``delay``; the others are the command's own.
    properties: dict[str, str] = Field(default_factory=dict)


class Channel(Section):
    """Alerts that a channel gets: those of all types and severities, or of the ones that are listed."""

    alert_types: Annotated[tuple[str, ...], AsTuple, Field(max_length=50)] = ()
    severities: Annotated[tuple[Literal["LOW", "MEDIUM", "HIGH"], ...], AsTuple] = ()

    @property
    def filter_policy(self) -> dict[str, list[str]]:
        """SNS's filter policy over the message's attributes; empty for all alerts."""
        wanted: dict[str, list[str]] = {"alert_type": list(self.alert_types), "severity": list(self.severities)}
        return {name: values for name, values in wanted.items() if values}


class Webhook(Channel):
    """Posts each alert to an https address, which is a secret: who knows it can post."""

    #: A secret of Secrets Manager with the address alone, or with a JSON object whose ``url`` it is.
    secret_arn: SecretArn
    #: The secret's key, if it is not ``aws/secretsmanager``.
    key_arn: KeyArn | None = None
    #: ``json``: the alert's JSON object; ``slack``: an incoming webhook's message; ``teams``: an adaptive card, as the
    #: webhooks of Teams' Workflows take it.
    format: Literal["json", "slack", "teams"] = "json"


class EventBus(Channel):
    """Puts each alert on an event bus of EventBridge in the environment's account and region."""

    name: EventBusName = "default"


class Alerts(Section):
    """Who is told."""

    emails: Annotated[tuple[Email, ...], AsTuple] = ()
    #: Off without the table. docs/alerts.md.
    webhook: Webhook | None = None
    event_bus: EventBus | None = None
    #: An older alert is counted and not sent: nobody acts on it any more, and a backlog would page for hours.
    max_age_hours: Annotated[int, Field(ge=1, le=336)] = 6
    #: More alerts of one type in a batch are one message: a storm is at most so many messages of a type each
    #: ``gather_seconds``, and one more where it has 500 of them in less.
    digest_above: Annotated[int, Field(ge=1, le=10_000)] = 20
    #: The function is called when so many seconds have passed or 500 records have come: a later alert, fewer calls, log
    #: lines and requests to CloudWatch, each of which is paid for.
    gather_seconds: Annotated[int, Field(ge=0, le=300)] = 10
    #: Categories that are counted one by one, the others together: for how many users each is the best one. None: no
    #: such metric. Each is a metric to pay for (docs/costs.md).
    categories: Annotated[tuple[Category, ...], AsTuple, Field(max_length=20)] = ()
    #: Event types that are counted one by one: the largest, and the others together as `other`, with an alarm.
    #: Producers make up event types, and each is three metrics to pay for (docs/costs.md).
    event_types: Annotated[int, Field(ge=1, le=500)] = 20
    #: Page when no event has come for so many minutes; 0 switches it off, for a stream that may rest.
    no_events_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    #: Tell when more of the events are rejected, for a quarter of an hour. Of Kinesis only: it counts what comes in.
    rejected_percent: Annotated[float, Field(gt=0, le=100)] = 5.0
    #: The same for the other sources, which do not: rejections in five minutes.
    rejected_records: Annotated[int, Field(ge=1, le=1_000_000_000)] = 300


class Functions(Section):
    """The functions that read results and rejections."""

    #: Concurrent executions kept for each of them out of the account's; none: they share what is free. They need shards
    #: times batches a shard at most (:mod:`contracts.event_sources`), so this guards against other functions of the
    #: account, not against these. A new account has too few to give any away.
    reserved_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None


class Search(Section):
    """OpenSearch in the VPC."""

    enabled: bool = False
    instance_type: InstanceType = "t3.small.search"
    instances: Annotated[int, Field(ge=1, le=30)] = 1
    volume_gb: Annotated[int, Field(ge=10, le=3072)] = 20
    index_days: Annotated[int, Field(ge=1, le=3650)] = 90


class Lake(Section):
    """The archive in S3: events, results and rejections."""

    enabled: bool = True
    #: Raw events, too, which a backfill reads. Not of files in S3: those are an archive. From an existing cluster of
    #: MSK Firehose reads only where multi-VPC connectivity by IAM is on and the cluster's policy lets it
    #: (docs/deploy.md).
    events: bool = True
    #: Results and rejections as Parquet, results by type: cheap to query, and about half as much again for Firehose.
    #: Without it they are JSON lines, by the hour alone. Cannot be changed for streams that are there.
    parquet: bool = True
    raw_days: Annotated[int, Field(ge=1, le=3650)] = 30
    results_days: Annotated[int, Field(ge=1, le=3650)] = 365
    rejected_days: Annotated[int, Field(ge=1, le=3650)] = 14


class Warehouse(Section):
    """Redshift Serverless over the results' stream: typed views, refreshed by a schedule. Off by default: it costs."""

    enabled: bool = False
    #: Redshift processing units while it is awake; a refresh or a query wakes it for a minute at least.
    base_rpu: Rpu = 8
    most_rpu: Rpu = 16
    #: Compute stops for the day at so many: a query that runs wild must not cost a month.
    rpu_hours_a_day: Annotated[int, Field(ge=1, le=100_000)] = 24
    #: Must be shorter than the retention of the results' stream, or records are never seen.
    refresh_minutes: Annotated[int, Field(ge=5, le=1440)] = 60


class Audit(Section):
    """CloudTrail: data events of the buckets, management events of the account."""

    enabled: bool = False
    days: Annotated[int, Field(ge=1, le=3650)] = 365


class Protection(Section):
    """What happens to data and stacks that are deleted."""

    #: True keeps streams, buckets, keys, index and logs when their stack is deleted.
    retain_data: bool = True
    termination_protection: bool = True


class Pipeline(Section):
    """Optional: a role that a GitHub workflow may take over to deploy, without keys.

    Only jobs of the GitHub environment of the same name may; restrict it to a branch in the repository's settings.
    """

    github_repository: Repository | None = None
    #: False where the account has the identity provider of GitHub already.
    create_provider: bool = True


class Budget(Section):
    """Optional: mails when the month's cost of what carries this environment's tag passes the limit."""

    monthly_usd: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class Environment(Section):
    """One environment. ``name`` comes from the file's name."""

    name: str
    account: Account = ""
    region: Region = "us-east-1"
    tags: dict[TagName, TagText] = Field(default_factory=dict)
    network: Network
    source: Source = Source()
    streams: Streams = Streams()
    application: Application = Application()
    backfill: Backfill = Backfill()
    alerts: Alerts = Alerts()
    functions: Functions = Functions()
    search: Search = Search()
    lake: Lake = Lake()
    warehouse: Warehouse = Warehouse()
    audit: Audit = Audit()
    protection: Protection = Protection()
    pipeline: Pipeline = Pipeline()
    budget: Budget = Budget()
    lambda_log_days: LogDays = 30

    @property
    def kinesis(self) -> InputStream | None:
        """The stream of events, where they come from one."""
        return self.streams.input if self.source.kind == "kinesis" else None

    @property
    def msk(self) -> Msk | None:
        """The topic of events, where they come from one."""
        return self.source.msk or Msk() if self.source.kind == "msk" else None

    @property
    def makes_cluster(self) -> bool:
        """Whether the cluster that events come from is one that the kit makes, and that costs while it is there."""
        return self.msk is not None and self.msk.cluster_arn is None

    @property
    def files(self) -> Files | None:
        """The files with events, where they come from files."""
        return self.source.s3 if self.source.kind == "s3" else None

    @property
    def archives_events(self) -> bool:
        """Whether raw events are archived, in the shape that a backfill reads: then there is an application for it."""
        return self.lake.enabled and self.lake.events and self.source.kind != "s3"

    @property
    def prefix(self) -> str:
        """What every name of the environment begins with."""
        return f"realtime-analytics-{self.name}"
