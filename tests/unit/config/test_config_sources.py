"""Sources and destinations: what goes together, and one clear line for what does not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from config.load import ConfigurationError, parse
from config.model import Environment
from config.properties import property_groups
from contracts.kafka import IAM_PORT
from flink_jobs.settings import parse as parse_settings
from tests.unit.config.sources import CLUSTER, KEY, SOURCES, settings


def lines(content: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(content, "config/test.toml")
    return [line.removeprefix("config/test.toml: ") for line in str(caught.value).splitlines()]


def made(content: dict[str, Any]) -> Environment:
    return parse(content, "config/test.toml")


#: Destinations beside the streams of Kinesis, which every environment has.
DESTINATIONS: list[dict[str, Any]] = [
    {"lake": lake, "warehouse": {"enabled": warehouse}}
    for lake, warehouse in itertools.product(
        ({"enabled": False}, {"enabled": True, "parquet": False}, {"enabled": True}), (False, True)
    )
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("destination", DESTINATIONS, ids=str)
def test_every_source_goes_with_every_destination(source: str, destination: dict[str, Any]) -> None:
    environment = made(settings(source, **destination))
    # What the stack hands to the application is what the application takes.
    group = parse_settings(property_groups(environment), "test", local=False).input
    assert group.source == environment.source.kind
    archived = environment.lake.enabled and source != "s3"
    assert environment.archives_events is archived


def test_the_application_is_told_where_its_events_are() -> None:
    def told(source: str, **changes: Any) -> dict[str, str]:
        return property_groups(made(settings(source, **changes)), "b-1.example.com:9098")["input"]

    assert told("kinesis") == {"stream": "realtime-analytics-test-events", "region": "us-east-1"}
    assert told("kinesis existing")["stream"] == "clicks"
    assert told("msk") == {
        "source": "msk",
        "bootstrap_servers": "b-1.example.com:9098",
        "topic": "events",
        "authentication": "iam",
        "region": "us-east-1",
    }
    assert told("s3") == {
        "source": "s3",
        "prefix": "s3://clicks-of-the-shop/web/events/",
        "format": "lines",
        "region": "us-east-1",
    }


def test_brokers_that_nobody_knows_yet_have_the_port_of_iam() -> None:
    assert property_groups(made(settings("msk")))["input"]["bootstrap_servers"].endswith(f":{IAM_PORT}")


#: An archive of the kit's, of another environment than ``test``.
OTHER_ARCHIVE = "realtime-analytics-prod-archive-123456789012-us-east-1"
IN_A_VPC_THAT_IS_THERE = SOURCES["msk existing"]["network"]
OTHER_ACCOUNT = CLUSTER.replace("123456789012", "210987654321")


@pytest.mark.parametrize(
    ("source", "changes", "line"),
    [
        (
            "kinesis",
            {"source": {"kind": "sqs"}},
            "source.kind: 'sqs' is not allowed; allowed is one of 'kinesis', 'msk' or 's3'",
        ),
        (
            "kinesis",
            {"source": {"msk": {"topic": "clicks"}}},
            'source.msk: \'a table\' is not allowed; allowed is only with source.kind = "msk"; it is "kinesis"',
        ),
        (
            "msk",
            {"source": {"kind": "msk", "s3": {"bucket": "clicks-of-the-shop"}}},
            'source.s3: \'a table\' is not allowed; allowed is only with source.kind = "s3"; it is "msk"',
        ),
        (
            "s3",
            {"source": {"kind": "s3"}},
            'source.s3: None is not allowed; allowed is a table with at least bucket: source.kind is "s3"',
        ),
        (
            "msk",
            {"streams": {"input": {"shards": 4}}},
            'streams.input: \'a table\' is not allowed; allowed is only with source.kind = "kinesis"; it is "msk"',
        ),
        (
            "s3",
            {"lake": {"events": True}},
            "lake.events: True is not allowed; allowed is false: the events are files in S3 already",
        ),
        (
            "msk",
            {"alerts": {"rejected_percent": 5.0}},
            'alerts.rejected_percent: 5.0 is not allowed; allowed is alerts.rejected_records with source.kind = "msk"',
        ),
        (
            "kinesis",
            {"alerts": {"rejected_records": 5}},
            "alerts.rejected_records: 5 is not allowed; allowed is alerts.rejected_percent with "
            'source.kind = "kinesis"',
        ),
        (
            "msk",
            {"network": {"zones": ["us-east-1a"]}},
            "network.zones: ['us-east-1a'] is not allowed; allowed is at least 2 zones for MSK Serverless, or a "
            "cluster of yours: source.msk.cluster_arn",
        ),
        (
            "msk",
            {"source": {"kind": "msk", "msk": {"existing_topic": True}}},
            "source.msk.existing_topic: True is not allowed; allowed is only beside source.msk.cluster_arn: a new "
            "cluster has neither",
        ),
        (
            "msk",
            {"source": {"kind": "msk", "msk": {"cluster_arn": CLUSTER}}},
            f"source.msk.cluster_arn: '{CLUSTER}' is not allowed; allowed is only with network.existing, the VPC that "
            "the cluster is in",
        ),
        (
            "msk existing",
            {"account": "123456789012", "source": {"kind": "msk", "msk": {"cluster_arn": OTHER_ACCOUNT}}},
            f"source.msk.cluster_arn: '{OTHER_ACCOUNT}' is not allowed; allowed is an ARN of account 123456789012",
        ),
        (
            "msk existing",
            {"source": {"kind": "msk", "msk": {"cluster_arn": CLUSTER, "existing_topic": True, "partitions": 8}}},
            "source.msk.partitions: 8 is not allowed; allowed is not with source.msk.existing_topic, which is not "
            "changed",
        ),
        (
            "msk",
            {"source": {"kind": "msk", "msk": {"topic": "a topic"}}},
            "source.msk.topic: 'a topic' is not allowed; allowed is a topic's name: 1 to 249 of a-z A-Z 0-9 _ . -",
        ),
        (
            "s3",
            {"source": {"kind": "s3", "s3": {"bucket": "clicks-of-the-shop", "prefix": "web/events"}}},
            "source.s3.prefix: 'web/events' is not allowed; allowed is a folder in the bucket that ends with a slash, "
            "such as events/",
        ),
        (
            "s3",
            {"source": {"kind": "s3", "s3": {"bucket": "clicks-of-the-shop", "key_arn": KEY.replace("us-", "eu-")}}},
            f"source.s3.key_arn: '{KEY.replace('us-', 'eu-')}' is not allowed; allowed is an ARN of region us-east-1",
        ),
        (
            "s3",
            {"source": {"kind": "s3", "s3": {"bucket": "realtime-analytics-test-archive"}}},
            "source.s3.bucket: 'realtime-analytics-test-archive' is not allowed; allowed is a bucket of your own: "
            "results must not come back as events",
        ),
        (
            "s3",
            {"source": {"kind": "s3", "s3": {"bucket": OTHER_ARCHIVE, "prefix": "events/"}}},
            "source.s3.format: 'lines' is not allowed; allowed is \"archive\": the bucket is the archive of another "
            "environment",
        ),
        (
            "s3",
            {"source": {"kind": "s3", "s3": {"bucket": OTHER_ARCHIVE, "format": "archive"}}},
            "source.s3.prefix: '' is not allowed; allowed is events/ or a folder below it: the archive of another "
            "environment has its results, too",
        ),
        (
            "s3",
            {"network": IN_A_VPC_THAT_IS_THERE},
            "network.s3_prefix_list: None is not allowed; allowed is the region's prefix list of S3 (aws ec2 "
            "describe-managed-prefix-lists): without it the application reaches no file from network.existing",
        ),
        (
            "msk existing",
            {"source": {"kind": "msk", "msk": {"cluster_arn": CLUSTER, "topic": "__consumer_offsets"}}},
            "source.msk.topic: '__consumer_offsets' is not allowed; allowed is a topic of events: what begins with two "
            "underscores is Kafka's own",
        ),
        (
            "msk",
            {"application": {"properties": {"input": {"topic": "clicks"}}}},
            "application.properties.input.topic: 'clicks' is not allowed; allowed is not here: the stack sets it",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_one_line(source: str, changes: dict[str, Any], line: str) -> None:
    assert line in lines(settings(source, **changes))


def test_a_key_that_only_kinesis_has_is_refused_of_a_topic() -> None:
    (line,) = lines(settings("msk", application={"properties": {"input": {"poll_interval": "1 s"}}}))
    assert "poll_interval" in line
    assert "msk" in line


def test_files_may_be_read_from_a_network_that_is_there_once_s3_is_let_through() -> None:
    made(settings("s3", network=IN_A_VPC_THAT_IS_THERE | {"s3_prefix_list": "pl-0123456789abcdef0"}))


def test_another_environments_archived_events_may_be_played() -> None:
    files = {"bucket": OTHER_ARCHIVE, "format": "archive", "prefix": "events/2026/11/23/"}
    assert made(settings("s3", source={"kind": "s3", "s3": files})).files is not None
