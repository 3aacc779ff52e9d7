"""What several keys of an environment must have in common. Each rule yields (key, value, what is allowed)."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterator

from config.model import Environment, PropertyGroups
from config.properties import BACKFILL_GROUP, backfill_groups, property_groups
from contracts.event_sources import ALERTS_OF_REJECTIONS, ALERTS_OF_RESULTS, INDEXER_OF_RESULTS
from contracts.kinesis import READ_KB_PER_SHARD, READS_PER_SHARD, WRITE_KB_PER_SHARD
from contracts.metrics import OTHER
from contracts.names import ARCHIVE_BUCKET, EVENTS_DELIVERY, bucket_name
from contracts.results import SCHEMAS
from contracts.settings import SettingsError
from flink_jobs.settings import parse

Finding = tuple[str, object, str]
Rule = Callable[[Environment], Iterator[Finding]]

#: Zones that a part needs, with its reason. Two data nodes of OpenSearch in one zone would go down together.
_SEARCH_ZONES = 2
_WAREHOUSE_ZONES = 3
_SERVERLESS_ZONES = 2


def check(environment: Environment, source: str) -> list[Finding]:
    """Everything that the settings of ``environment`` contradict each other in."""
    found = [finding for rule in _RULES for finding in rule(environment)]
    # What is wrong with the live application's groups would be said again of the other's.
    found += _application_properties(environment, source) or _backfill_properties(environment, source)
    return found


def readers_check(environment: Environment) -> list[Finding]:
    """Whether the readers of each stream fit its shards; needs application properties that are right."""
    return list(_readers(environment))


def _zones(environment: Environment) -> Iterator[Finding]:
    network = environment.network
    for zone in network.zones:
        if zone[:-1] != environment.region:
            yield "network.zones", zone, f"a zone of region {environment.region}"
    if len(set(network.zones)) != len(network.zones):
        yield "network.zones", list(network.zones), "each zone once"
    if network.existing is not None and len(network.existing.subnet_ids) != len(network.zones):
        yield (
            "network.existing.subnet_ids",
            list(network.existing.subnet_ids),
            f"one subnet for each of the {len(network.zones)} zones in network.zones",
        )
    if environment.search.enabled and environment.search.instances > 1 and len(network.zones) < _SEARCH_ZONES:
        yield (
            "network.zones",
            list(network.zones),
            f"at least {_SEARCH_ZONES} zones for search.instances = {environment.search.instances}, or one instance",
        )


def _search_nodes(environment: Environment) -> Iterator[Finding]:
    search, zones = environment.search, min(len(environment.network.zones), environment.search.instances)
    if search.enabled and search.instances % zones:
        yield "search.instances", search.instances, f"a multiple of the {zones} zones that the nodes are spread over"


def _overlap(environment: Environment) -> Iterator[Finding]:
    own = environment.network.existing.cidr if environment.network.existing else environment.network.cidr
    for peer in environment.network.peers:
        if ipaddress.IPv4Network(own).overlaps(ipaddress.IPv4Network(peer)):
            yield "network.peers", peer, f"a network that does not overlap this one's {own}"


def _kpus(environment: Environment) -> Iterator[Finding]:
    application = environment.application
    kpus = application.kpus
    if kpus > application.kpu_quota:
        yield (
            "application.parallelism",
            application.parallelism,
            f"at most {application.kpu_quota * application.parallelism_per_kpu}: "
            f"application.kpu_quota = {application.kpu_quota} KPUs of {application.parallelism_per_kpu} each",
        )
    elif kpus + 1 > application.kpu_alarm:
        yield (
            "application.kpu_alarm",
            application.kpu_alarm,
            f"at least {kpus + 1}: the {kpus} KPUs of the parallelism and the one that orchestrates",
        )
    if application.checkpoint_pause_seconds > application.checkpoint_interval_seconds:
        yield (
            "application.checkpoint_pause_seconds",
            application.checkpoint_pause_seconds,
            f"at most application.checkpoint_interval_seconds = {application.checkpoint_interval_seconds}",
        )


def _backfill(environment: Environment) -> Iterator[Finding]:
    """A backfill runs beside the live application, out of the same quota."""
    application, backfill = environment.application, environment.backfill
    left = application.kpu_quota - application.kpus
    if environment.archives_events and 0 <= left < backfill.kpus:
        yield (
            "backfill.parallelism",
            backfill.parallelism,
            f"at most {left * backfill.parallelism_per_kpu}: application.kpu_quota = {application.kpu_quota} KPUs, of "
            f"which the application takes {application.kpus}",
        )


def _source(environment: Environment) -> Iterator[Finding]:
    """That nothing is set which the source does not have."""
    source, kind = environment.source, environment.source.kind
    for table, given in (("msk", source.msk), ("s3", source.s3)):
        if given is not None and kind != table:
            yield f"source.{table}", "a table", f'only with source.kind = "{table}"; it is "{kind}"'
    if kind == "s3" and source.s3 is None:
        yield "source.s3", None, 'a table with at least bucket: source.kind is "s3"'
    if kind != "kinesis" and "input" in environment.streams.model_fields_set:
        yield "streams.input", "a table", f'only with source.kind = "kinesis"; it is "{kind}"'
    if kind == "s3" and "events" in environment.lake.model_fields_set and environment.lake.events:
        yield "lake.events", True, "false: the events are files in S3 already"
    other, own = (
        ("rejected_records", "rejected_percent") if kind == "kinesis" else ("rejected_percent", "rejected_records")
    )
    if other in environment.alerts.model_fields_set:
        yield f"alerts.{other}", getattr(environment.alerts, other), f'alerts.{own} with source.kind = "{kind}"'


def _topic(environment: Environment) -> Iterator[Finding]:
    topic = environment.msk
    if topic is None:
        return
    if topic.topic.startswith("__"):
        yield "source.msk.topic", topic.topic, "a topic of events: what begins with two underscores is Kafka's own"
    if topic.cluster_arn is None:
        if len(environment.network.zones) < _SERVERLESS_ZONES:
            yield (
                "network.zones",
                list(environment.network.zones),
                f"at least {_SERVERLESS_ZONES} zones for MSK Serverless, or a cluster of yours: source.msk.cluster_arn",
            )
        for key, given in (("security_group_id", topic.security_group_id), ("existing_topic", topic.existing_topic)):
            if given:
                yield f"source.msk.{key}", given, "only beside source.msk.cluster_arn: a new cluster has neither"
        return
    if environment.network.existing is None:
        yield "source.msk.cluster_arn", topic.cluster_arn, "only with network.existing, the VPC that the cluster is in"
    yield from _of_this_place(environment, "source.msk.cluster_arn", topic.cluster_arn)
    changed = {"partitions", "retention_hours"} & topic.model_fields_set
    if topic.existing_topic and changed:
        key = min(changed)
        yield f"source.msk.{key}", getattr(topic, key), "not with source.msk.existing_topic, which is not changed"


#: The archive of some environment of the kit: to be played into another one, which is a good use of it.
_ANY_ARCHIVE = re.compile(rf"realtime-analytics-[a-z0-9]+-{ARCHIVE_BUCKET}(-|$)")
_ARCHIVED_EVENTS = f"{EVENTS_DELIVERY}/"


def _files(environment: Environment) -> Iterator[Finding]:
    files, network = environment.files, environment.network
    if files is None:
        return
    if files.key_arn is not None:
        yield from _of_this_place(environment, "source.s3.key_arn", files.key_arn)
    if network.existing is not None and network.s3_prefix_list is None:
        yield (
            "network.s3_prefix_list",
            None,
            "the region's prefix list of S3 (aws ec2 describe-managed-prefix-lists): without it the application "
            "reaches no file from network.existing",
        )
    if files.bucket.startswith(f"{environment.prefix}-"):
        yield "source.s3.bucket", files.bucket, "a bucket of your own: results must not come back as events"
    elif _ANY_ARCHIVE.match(files.bucket):
        if files.format != "archive":
            yield "source.s3.format", files.format, '"archive": the bucket is the archive of another environment'
        if not files.prefix.startswith(_ARCHIVED_EVENTS):
            yield (
                "source.s3.prefix",
                files.prefix,
                f"{_ARCHIVED_EVENTS} or a folder below it: the archive of another environment has its results, too",
            )


def _of_this_place(environment: Environment, key: str, arn: str) -> Iterator[Finding]:
    _, _, _, region, account, *_ = arn.split(":")
    if region != environment.region:
        yield key, arn, f"an ARN of region {environment.region}"
    if environment.account and account != environment.account:
        yield key, arn, f"an ARN of account {environment.account}"


def _input(environment: Environment) -> Iterator[Finding]:
    stream = environment.kinesis
    if stream is None:
        return
    if stream.mode == "on_demand" and not stream.accept_automatic_resharding:
        yield (
            "streams.input.mode",
            stream.mode,
            "provisioned, or on_demand with streams.input.accept_automatic_resharding = true (see docs/deploy.md)",
        )
    if stream.enhanced_fan_out:
        yield "streams.input.enhanced_fan_out", True, "false: its reader is the application, which polls"
    if stream.existing_key_arn and not stream.existing_arn:
        yield "streams.input.existing_key_arn", stream.existing_key_arn, "only beside streams.input.existing_arn"
    for key, arn in (("existing_arn", stream.existing_arn), ("existing_key_arn", stream.existing_key_arn)):
        if arn is not None:
            yield from _of_this_place(environment, f"streams.input.{key}", arn)


def _readers(environment: Environment) -> Iterator[Finding]:
    """Kinesis' limits per shard and second: 5 reads and 2 MB for all polling readers together, 1 MB written."""
    for name, readers in polling_readers(environment).items():
        stream = getattr(environment.streams, name)
        if stream.mode == "on_demand":
            continue
        per_shard = stream.expected_kb_per_second / stream.shards
        reads = sum(readers.values())
        told = ", ".join(f"{reader} {count:g}" for reader, count in readers.items())
        if reads > READS_PER_SHARD:
            yield (
                f"streams.{name}",
                f"{reads:g} reads a second and shard ({told})",
                f"at most {READS_PER_SHARD}: raise application.properties.input.poll_interval or use enhanced_fan_out",
            )
        most = min(WRITE_KB_PER_SHARD, READ_KB_PER_SHARD / max(1, len(readers)))
        if per_shard > most:
            yield (
                f"streams.{name}.shards",
                stream.shards,
                f"at least {math.ceil(stream.expected_kb_per_second / most)} for {stream.expected_kb_per_second} KB/s "
                f"and {len(readers)} polling readers",
            )


def _concurrency(environment: Environment) -> Iterator[Finding]:
    reserved, streams = environment.functions.reserved_concurrency, environment.streams
    needs = {
        "alerts": ALERTS_OF_RESULTS.concurrency(streams.results.shards)
        + ALERTS_OF_REJECTIONS.concurrency(streams.rejected.shards)
    }
    if environment.search.enabled:
        needs["search_indexer"] = INDEXER_OF_RESULTS.concurrency(streams.results.shards)
    most = max(needs.values())
    if reserved is not None and reserved < most:
        told = ", ".join(f"{function} {count}" for function, count in needs.items())
        yield (
            "functions.reserved_concurrency",
            reserved,
            f"at least {most}: batches that the shards have in work at once ({told}); fewer would be throttled",
        )


def _warehouse(environment: Environment) -> Iterator[Finding]:
    warehouse, zones = environment.warehouse, environment.network.zones
    if not warehouse.enabled:
        return
    if len(zones) < _WAREHOUSE_ZONES:
        yield "warehouse.enabled", True, f"false, or {_WAREHOUSE_ZONES} zones in network.zones: Redshift wants as many"
    if warehouse.most_rpu < warehouse.base_rpu:
        yield "warehouse.most_rpu", warehouse.most_rpu, f"at least warehouse.base_rpu = {warehouse.base_rpu}"
    least = warehouse.base_rpu * 24 * 60 / warehouse.refresh_minutes / 60
    if warehouse.rpu_hours_a_day < least:
        yield (
            "warehouse.rpu_hours_a_day",
            warehouse.rpu_hours_a_day,
            f"at least {math.ceil(least)}: the refreshes every {warehouse.refresh_minutes} minutes alone take that, at "
            "a minute each",
        )


def polling_readers(environment: Environment) -> dict[str, dict[str, float]]:
    """Per stream, who polls it and how often a second and shard.

    Lambda's mapping and Firehose read each shard once a second (their developer guides); the application as set.
    """
    readers: dict[str, dict[str, float]] = {"results": {}, "rejected": {}}
    if environment.kinesis is not None:
        poll = parse(property_groups(environment), environment.name, local=False).input.poll_interval
        readers = {"input": {"application": 1000 / poll}, **readers}
    for name in ("results", "rejected"):
        if not getattr(environment.streams, name).enhanced_fan_out:
            readers[name]["alerts"] = 1
            if environment.search.enabled and name == "results":
                readers[name]["search_indexer"] = 1
    if environment.lake.enabled:
        for name, polled in readers.items():
            if name != "input" or environment.archives_events:
                polled["firehose"] = 1
    return readers


def _application_properties(environment: Environment, source: str) -> list[Finding]:
    given = environment.application.properties
    if BACKFILL_GROUP in given:  # the live application would play the archive and never read its input
        where = f"no such group: backfill.properties has its keys ({', '.join(BACKFILL_KEYS)})"
        return [(f"application.properties.{BACKFILL_GROUP}", given[BACKFILL_GROUP], where)]
    for group, key in OWNED:
        if key in given.get(group, {}):
            return [(f"application.properties.{group}.{key}", given[group][key], "not here: the stack sets it")]
    return _parsed(property_groups(environment), f"{source}: application.properties")


def _backfill_properties(environment: Environment, source: str) -> list[Finding]:
    if not environment.archives_events:
        return []
    for key, text in environment.backfill.properties.items():
        if key not in BACKFILL_KEYS:
            return [(f"backfill.properties.{key}", text, f"no such key: {' and '.join(BACKFILL_KEYS)} may be set here")]
    bucket = bucket_name(environment.prefix, ARCHIVE_BUCKET, environment.account or _ANY_ACCOUNT, environment.region)
    return _parsed(backfill_groups(environment, bucket), f"{source}: backfill.properties")


def _parsed(groups: PropertyGroups, source: str) -> list[Finding]:
    try:
        parse(groups, source, local=False)
    except SettingsError as error:
        return [("", None, str(error))]
    return []


#: Stands for the account where the settings name none.
_ANY_ACCOUNT = "123456789012"
#: Property keys of a backfill that are an environment's to set: the range and the places are the command's.
BACKFILL_KEYS = ("margin", "delay")


#: Property keys that the stack sets from other settings.
OWNED = (
    ("input", "source"),
    ("input", "stream"),
    ("input", "bootstrap_servers"),
    ("input", "topic"),
    ("input", "authentication"),
    ("input", "prefix"),
    ("input", "format"),
    ("input", "region"),
    ("output", "results_stream"),
    ("output", "rejected_stream"),
)


def _pipeline(environment: Environment) -> Iterator[Finding]:
    if environment.budget.monthly_usd is not None and not environment.alerts.emails:
        yield "budget.monthly_usd", environment.budget.monthly_usd, "only with alerts.emails: nobody would be told"


_ALERT_TYPES = sorted({alert.type for entry in SCHEMAS.values() for alert in entry.alerts})


def _channels(environment: Environment) -> Iterator[Finding]:
    alerts = environment.alerts
    for key, channel in (("webhook", alerts.webhook), ("event_bus", alerts.event_bus)):
        for kind in channel.alert_types if channel is not None else ():
            if kind not in _ALERT_TYPES:
                yield f"alerts.{key}.alert_types", kind, f"an alert type of a job: {', '.join(_ALERT_TYPES)}"
    if alerts.webhook is not None:
        yield from _of_this_place(environment, "alerts.webhook.secret_arn", alerts.webhook.secret_arn)
        if alerts.webhook.key_arn is not None:
            yield from _of_this_place(environment, "alerts.webhook.key_arn", alerts.webhook.key_arn)


#: Tags of one resource that AWS takes; `environment` is the kit's own.
_MOST_TAGS = 49
#: Subscribers of a budget's notification.
_MOST_SUBSCRIBERS = 10
#: OpenSearch's limits of a volume in GB (service quotas), for the types with a small one.
_SMALL_VOLUMES = {"t3.small.search": 100, "t3.medium.search": 200, "t2.small.search": 35, "t2.medium.search": 35}


def _people_and_tags(environment: Environment) -> Iterator[Finding]:
    emails = environment.alerts.emails
    if len({email.lower() for email in emails}) != len(emails):
        yield "alerts.emails", list(emails), "each address once"
    categories = environment.alerts.categories
    if categories and len({*categories, OTHER}) != len(categories) + 1:
        yield "alerts.categories", list(categories), f"each category once, and none called {OTHER}"
    if environment.budget.monthly_usd is not None and len(emails) > _MOST_SUBSCRIBERS:
        yield "alerts.emails", f"{len(emails)} addresses", f"at most {_MOST_SUBSCRIBERS}: a budget tells no more"
    for name in environment.tags:
        if name.lower().startswith("aws:") or name == "environment":
            yield f"tags.{name}", environment.tags[name], "a name that does not begin with aws: and is not environment"
    if len(environment.tags) > _MOST_TAGS:
        yield "tags", f"{len(environment.tags)} tags", f"at most {_MOST_TAGS}: AWS takes 50, one is the environment's"


def _search_types(environment: Environment) -> Iterator[Finding]:
    search = environment.search
    if not search.enabled:
        return
    family, size, _ = search.instance_type.split(".")
    known = re.fullmatch(r"[a-z]+\d[a-z0-9]*", family) and re.fullmatch(r"small|medium|(\d*x)?large", size)
    if not known:
        yield "search.instance_type", search.instance_type, "an OpenSearch instance type, such as m7g.large.search"
    most = _SMALL_VOLUMES.get(search.instance_type)
    if most is not None and search.volume_gb > most:
        yield "search.volume_gb", search.volume_gb, f"at most {most} with {search.instance_type}"


_RULES: tuple[Rule, ...] = (
    _zones,
    _search_nodes,
    _search_types,
    _overlap,
    _kpus,
    _backfill,
    _concurrency,
    _warehouse,
    _source,
    _topic,
    _files,
    _input,
    _pipeline,
    _channels,
    _people_and_tags,
)
