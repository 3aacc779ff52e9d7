"""The recorder hears what is called, whether it succeeds or not, and refuses what it has no name for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore import handlers
from botocore.exceptions import ClientError
from moto import mock_aws

from lambdas.common.opensearch import OpenSearchClient
from tests.iam.opensearch import serving
from tests.iam.policies import Call
from tests.iam.recorder import Place, UnknownCallError, recording

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"
DOMAIN = f"arn:aws:es:eu-west-1:{ACCOUNT}:domain/kit"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.session.Session().client(service, region_name="eu-west-1")


def test_actions_have_their_name_in_iam_and_refused_calls_count() -> None:
    with recording(Place(ACCOUNT)) as calls, pytest.raises(ClientError):
        client("sns").publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=[{"Id": "0", "Message": "m"}])
    assert calls == [Call("sns:Publish", TOPIC)]


def test_what_conditions_look_at_is_recorded() -> None:
    with recording(Place(ACCOUNT)) as calls:
        client("cloudwatch").put_metric_data(Namespace="Kit", MetricData=[{"MetricName": "m", "Value": 1}])
    assert calls == [Call("cloudwatch:PutMetricData", "*", frozenset({("cloudwatch:namespace", "Kit")}))]


def test_a_call_without_a_name_raises() -> None:
    with pytest.raises(UnknownCallError, match="sqs ListQueues"), recording(Place(ACCOUNT)):
        client("sqs").list_queues()


def test_a_call_without_a_name_raises_in_the_end_where_the_code_takes_it_for_an_outage() -> None:
    with pytest.raises(UnknownCallError, match="sqs ListQueues"), recording(Place(ACCOUNT)), suppress(Exception):
        client("sqs").list_queues()


def test_records_are_read_from_the_stream_of_their_iterator() -> None:
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=1)
    with recording(Place(ACCOUNT)) as calls:
        heard = client("kinesis")
        shard = heard.list_shards(StreamName="events")["Shards"][0]["ShardId"]
        iterator = heard.get_shard_iterator(StreamName="events", ShardId=shard, ShardIteratorType="LATEST")
        answer = heard.get_records(ShardIterator=iterator["ShardIterator"])
        heard.get_records(ShardIterator=answer["NextShardIterator"])
    assert {call.resource for call in calls} == {f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/events"}
    assert [call.action for call in calls][-2:] == ["kinesis:GetRecords"] * 2


def test_played_services_answer_and_their_calls_are_checked() -> None:
    class Player:
        def start_application(self, *, ApplicationName: str) -> dict[str, str]:
            return {"OperationId": f"of {ApplicationName}"}

    with recording(Place(ACCOUNT), {"kinesisanalyticsv2": Player()}) as calls:
        flink = client("kinesisanalyticsv2")
        assert flink.start_application(ApplicationName="kit") == {"OperationId": "of kit"}
        with pytest.raises(Exception, match="Unknown parameter"):
            flink.start_application(ApplicationName="kit", Nonsense=1)
    application = f"arn:aws:kinesisanalytics:eu-west-1:{ACCOUNT}:application/kit"
    assert set(calls) == {Call("kinesisanalytics:StartApplication", application)}


def test_signed_requests_are_heard() -> None:
    with serving(lambda method, path, body: (200, b"{}")) as host:
        with recording(Place(ACCOUNT, {host: DOMAIN})) as calls:
            opensearch = OpenSearchClient(f"http://{host}", "eu-west-1", 5.0)
            opensearch.request("POST", "/_bulk?refresh=true", b"", "application/json")
            with pytest.raises(UnknownCallError):
                opensearch.request("DELETE", "/kit-fraud", b"", "application/json")
        with recording(Place(ACCOUNT)), pytest.raises(UnknownCallError):
            opensearch.request("POST", "/_bulk", b"", "application/json")
    assert calls == [Call("es:ESHttpPost", f"{DOMAIN}/_bulk")]


def test_nothing_is_left_behind() -> None:
    before = list(handlers.BUILTIN_HANDLERS)
    with recording(Place(ACCOUNT)):
        assert before != handlers.BUILTIN_HANDLERS
    assert before == handlers.BUILTIN_HANDLERS
