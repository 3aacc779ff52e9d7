"""Runs every function of ours as it is deployed, through every call that it can make, and records the calls.

Environment variables and resource properties are the template's, resolved; AWS is moto, OpenSearch a stub, the managed
Flink service the one that the deployment tests play.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from config.functions import FUNCTIONS
from contracts.rejections import REJECTED
from contracts.results import ResultType
from lambdas.application_lifecycle.service import SNAPSHOT, LifecycleError
from lambdas.topic_setup.topic import Topics
from tests.iam import pipeline
from tests.iam.opensearch import serving
from tests.iam.policies import Call
from tests.iam.recorder import Place, recording
from tests.iam.resolver import Resolver
from tests.iam.roles import Deployed, functions
from tests.unit.lambdas.conftest import Kinesis, OpenSearchStub, Request
from tests.unit.lambdas.test_application_lifecycle_deployments import Service
from tests.unit.lambdas.test_application_lifecycle_service import Clock
from tests.unit.lambdas.test_archive_transform import event as firehose_event
from tests.unit.lambdas.test_archive_transform import record as firehose_record
from tests.unit.lambdas.test_search_setup import Domain
from tests.unit.lambdas.test_topic_setup import Admin
from tests.unit.lambdas.test_warehouse_setup import Redshift


@dataclass(frozen=True)
class Run:
    """One function, about to be driven."""

    resolver: Resolver
    function: Deployed

    @contextmanager
    def recording(
        self, played: Mapping[str, object] | None = None, domains: Mapping[str, str] | None = None
    ) -> Iterator[list[Call]]:
        """Its calls in the block, with clients made anew: one that is older would be heard by an older recording."""
        module = importlib.import_module(self.function.handler.rpartition(".")[0])
        _forget_clients(module)
        try:
            with recording(Place(self.resolver.account, domains or {}), played) as calls:
                yield calls
        finally:
            _forget_clients(module)

    def call(self, event: Mapping[str, object]) -> Any:
        """One invocation."""
        module, _, name = self.function.handler.rpartition(".")
        return getattr(importlib.import_module(module), name)(event, None)

    def properties(self, resource_type: str) -> dict[str, str]:
        """Properties of the one custom resource of that type, as CloudFormation sends them."""
        found = self.resolver.assembly.one(resource_type)
        resolved: dict[str, str] = self.resolver.value(
            found.part, {key: value for key, value in found.properties.items() if key != "ServiceToken"}
        )
        return resolved


def recorded(resolver: Resolver) -> dict[str, list[Call]]:
    """By role: the calls of the functions that have it, each of them driven."""
    calls: dict[str, list[Call]] = {}
    for function in functions(resolver):
        run = Run(resolver, function)
        with _lambda_environment(run):
            calls.setdefault(function.role, []).extend(_drive(function.handler)(run))
    if "delivery" in resolver.assembly.templates:
        calls["delivery/DeployRole"] = pipeline.deploy_and_smoke(resolver)
    return calls


def _drive(handler: str) -> Callable[[Run], list[Call]]:
    """What drives a function: its own drive, or for one of ``config/functions.py`` without any the common one."""
    drive = _DRIVES.get(handler)
    if drive is None and handler in {function.handler for function in FUNCTIONS}:
        drive = _alert_function
    assert drive is not None, f"{handler} is driven by nothing: add it to _DRIVES in tests/iam/drives.py"
    return drive


@contextmanager
def _lambda_environment(run: Run) -> Iterator[None]:
    """The function's environment and nothing of the host's."""
    region = run.resolver.region
    variables = {
        **os.environ,
        **run.function.environment,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOG_LEVEL": "ERROR",
    }
    with patch.dict(os.environ, variables, clear=True):
        yield


def _forget_clients(module: ModuleType) -> None:
    for value in vars(module).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def _alerts(run: Run) -> list[Call]:
    """Every kind of result and a record that is none; then an alert that SNS refuses, whose claim is given back."""
    kinesis = Kinesis(datetime.now(UTC))
    results = [kinesis.result(kind, is_anomaly=True) for kind in ResultType] + [kinesis.result(REJECTED)]
    with mock_aws():
        session = boto3.session.Session()
        topic = session.client("sns").create_topic(Name=os.environ["ALERT_TOPIC_ARN"].rpartition(":")[2])["TopicArn"]
        session.client("dynamodb").create_table(
            TableName=os.environ["PROCESSED_TABLE"],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        _make_queue()
        with run.recording() as calls:
            assert run.call(kinesis.event(*results, b"poison")) == {"batchItemFailures": []}
            session.client("sns").delete_topic(TopicArn=topic)
            assert run.call(kinesis.event(kinesis.result("fraud", "b")))["batchItemFailures"]
    return calls


def _make_queue() -> None:
    boto3.session.Session().client("sqs").create_queue(QueueName=os.environ["DEAD_LETTER_QUEUE_URL"].rpartition("/")[2])


@contextmanager
def _search(run: Run, answer: Callable[[str, str, bytes], tuple[int, bytes]]) -> Iterator[tuple[str, list[Call]]]:
    """Endpoint of a stub that stands for the environment's domain, and what is signed for it."""
    domain = run.resolver.arn(run.resolver.assembly.one("AWS::OpenSearchService::Domain"))
    with serving(answer) as host, run.recording(domains={host: domain}) as calls:
        endpoint = f"http://{host}"
        with patch.dict(os.environ, {"OPENSEARCH_ENDPOINT": endpoint}):
            yield endpoint, calls


def _indexer(run: Run) -> list[Call]:
    kinesis, stub = Kinesis(datetime.now(UTC)), OpenSearchStub()
    results = [kinesis.result(kind) for kind in (*ResultType, REJECTED)]
    with mock_aws():
        _make_queue()
        with _search(run, lambda method, path, data: stub.answer(Request(method, path, {}, data))) as (_, calls):
            assert run.call(kinesis.event(*results, b"poison")) == {"batchItemFailures": []}
    return calls


def _forget(run: Run) -> list[Call]:
    answer = {"deleted": 7, "failures": [], "version_conflicts": 0, "timed_out": False, "count": 2}
    with _search(run, lambda method, path, data: (200, json.dumps(answer).encode())) as (_, calls):
        assert run.call({"user_id": 42}) == {"deleted": 7, "unnamed": 2}
    return calls


def _setup(run: Run) -> list[Call]:
    """Twice: the second time, what is there is replaced."""
    domain = Domain()
    with _search(run, domain.answer) as (endpoint, calls):
        properties = run.properties("Custom::SearchSetup") | {"Endpoint": endpoint}
        for kind in ("Create", "Update"):
            assert run.call(_request(run, "search", kind, properties) | _since())["IsComplete"] is True
    return calls


def _warehouse(run: Run) -> list[Call]:
    """Twice: the second time the limit is another, and what is made once is there."""
    redshift = Redshift()
    played = {"redshift-data": redshift, "redshift-serverless": redshift}
    properties = run.properties("Custom::WarehouseSetup")
    with run.recording(played) as calls:
        for kind, hours in (("Create", "10"), ("Update", "20")):
            request = _request(run, "warehouse", kind, properties | {"RpuHoursADay": hours})
            assert run.call(request | _since())["IsComplete"] is True
    return calls


def _brokers(run: Run) -> list[Call]:
    class Msk:
        """As far as it is asked."""

        def get_bootstrap_brokers(self, *, ClusterArn: str) -> Mapping[str, str]:
            assert ClusterArn
            return {"BootstrapBrokerStringSaslIam": "b-1.example.com:9098"}

    request = _request(run, "topic", "Create", run.properties("Custom::Brokers")) | _since()
    with run.recording({"kafka": Msk()}) as calls:
        assert run.call(request)["IsComplete"] is True
    return calls


#: IAM action of each request of Kafka's protocol that is made (MSK developer guide, "IAM authorization policy actions
#: and resources"); a connection is one of the cluster, the others are of the topic.
_KAFKA_ACTIONS = {
    "describe_topics": "DescribeTopic",
    "create_topics": "CreateTopic",
    "create_partitions": "AlterTopic",
    "describe_configs": "DescribeTopicDynamicConfiguration",
    "alter_configs": "AlterTopicDynamicConfiguration",
}


def _topic(run: Run) -> list[Call]:
    """A topic that is made; and one that is there with fewer partitions and another retention."""
    properties = run.properties("Custom::Topic")
    cluster = run.properties("Custom::Brokers")["ClusterArn"]
    calls: list[Call] = []

    @contextmanager
    def connected(admin: Admin, brokers: str) -> Iterator[Topics]:
        assert brokers == properties["Brokers"]
        calls.append(Call("kafka-cluster:Connect", cluster))
        yield Topics(admin)

    for cluster_has in ({}, {properties["Topic"]: 0}):
        admin = Admin(dict(cluster_has))
        with patch("lambdas.topic_setup.handler.signed_in", partial(connected, admin)):
            assert run.call(_request(run, "topic", "Create", properties) | _since())["IsComplete"] is True
        topic = f"{cluster.replace(':cluster/', ':topic/')}/{properties['Topic']}"
        calls += [Call(f"kafka-cluster:{_KAFKA_ACTIONS[asked]}", topic) for asked in admin.asked]
    return calls


def _transform(run: Run) -> list[Call]:
    with run.recording() as calls:
        run.call(firehose_event(firehose_record(b"{}")))
    return calls


#: What every function of ``config/functions.py`` must take, beside a message that is no alert.
_ALERT = {
    "timestamp": "2026-11-23T10:00:00.000Z",
    "alert_type": "FRAUD_DETECTED",
    "event_type": "purchase",
    "user_id": 42,
    "result_id": "0123456789abcdef",
    "severity": "HIGH",
    "message": "User 42 made 11 purchases.",
}
_DIGEST = {
    "alert_type": "FRAUD_DETECTED",
    "digest": True,
    "count": 21,
    "severities": {"HIGH": 21},
    "result_ids": ["0123456789abcdef"],
    "severity": "HIGH",
    "message": "21 alerts of type FRAUD_DETECTED at once: 21 HIGH.",
}


def _alert_function(run: Run) -> list[Call]:
    """A function that calls AWS alone: moto hears every call, whether it knows the resource or not."""
    bodies = (json.dumps(_ALERT), json.dumps(_DIGEST), "not an alert")
    with mock_aws():
        _make_queue()
        with run.recording() as calls:
            run.call({"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]})
    return calls


def _webhook(run: Run) -> list[Call]:
    """An alert that the webhook takes, and one that it never will."""
    answers = iter((204, 404, 404))
    event = {"Records": [{"messageId": str(number), "body": json.dumps(_ALERT)} for number in range(2)]}

    class Secrets:
        """As far as it is asked."""

        def get_secret_value(self, *, SecretId: str) -> Mapping[str, str]:
            assert SecretId == os.environ["WEBHOOK_SECRET_ARN"]
            return {"SecretString": f"http://{host}/alerts"}

    with mock_aws(), serving(lambda method, path, data: (next(answers), b"")) as host:
        _make_queue()
        with run.recording({"secretsmanager": Secrets()}) as calls:
            assert run.call(event) == {"batchItemFailures": []}
    return calls


def _on_event(part: str, resource_type: str) -> Callable[[Run], list[Call]]:
    """The first half of a custom resource: it checks the properties, and calls nothing."""

    def drive(run: Run) -> list[Call]:
        with run.recording() as calls:
            for kind in ("Create", "Update", "Delete"):
                assert run.call(_request(run, part, kind, run.properties(resource_type)))
        return calls

    return drive


@dataclass
class _Stack:
    """CloudFormation as far as the snapshot asks it: the stack has just begun to be updated."""

    stack_id: str
    asked: list[str] = field(default_factory=list)

    def describe_stack_events(self, *, StackName: str) -> Mapping[str, Any]:
        self.asked.append(StackName)
        begun = {
            "ResourceType": "AWS::CloudFormation::Stack",
            "PhysicalResourceId": self.stack_id,
            "ResourceStatus": "UPDATE_IN_PROGRESS",
        }
        return {"StackEvents": [begun]}


def _service(code: str) -> Service:
    made = Service(Clock(datetime.now(UTC)))
    made.create(code)
    return made


def _until_complete(run: Run, service: Service, request: Mapping[str, object]) -> None:
    event = dict(request) | _since()
    for _ in range(20):
        if run.call(event)["IsComplete"]:
            return
        service.clock.advance(seconds=20)
        service.pass_time()
    raise AssertionError(f"it never ends: {service.status}")


def _snapshot(run: Run) -> list[Call]:
    properties = run.properties("Custom::SnapshotBefore")
    healthy, sick = _service("v1"), _service("v1")
    for service in (healthy, sick):
        service.status, service.running = "RUNNING", "v1"
    sick.sick = {"v1"}
    stack = _Stack(run.resolver.stack_id("analytics"))
    request = _request(run, "analytics", "Update", properties)
    with run.recording({"kinesisanalyticsv2": healthy, "cloudformation": stack}) as calls:
        _until_complete(run, healthy, request)
    # and a job of which no snapshot can be taken, in the one deployment that may go on without
    sick.operations.append(
        {
            "Operation": SNAPSHOT,
            "OperationId": "snapshot-1",
            "OperationStatus": "FAILED",
            "StartTime": sick.clock(),
            "OperationFailureDetails": {"ErrorInfo": {"ErrorString": "checkpoints fail"}},
        }
    )
    with run.recording({"kinesisanalyticsv2": sick, "cloudformation": stack}) as more:
        _until_complete(
            run, sick, request | {"ResourceProperties": properties | {"Snapshot": "best-effort"}, "RequestId": "2"}
        )
    assert stack.asked
    return calls + more


def _start(run: Run) -> list[Call]:
    properties = run.properties("Custom::StartAfter") | {"DesiredState": "RUNNING", "KeepSnapshots": "1"}
    service = _service("v1")
    for number in range(3):
        service.snapshots.append(
            {"SnapshotName": f"old-{number}", "SnapshotStatus": "READY", "SnapshotCreationTimestamp": service.clock()}
        )
    with run.recording({"kinesisanalyticsv2": service}) as calls:
        _until_complete(run, service, _request(run, "analytics", "Create", properties))
        assert len(service.snapshots) == 1
        _until_complete(run, service, _request(run, "analytics", "Delete", properties))
    broken = _service("v1")
    broken.broken = {"v1"}
    with run.recording({"kinesisanalyticsv2": broken}) as more, pytest.raises(LifecycleError, match="does not start"):
        _until_complete(run, broken, _request(run, "analytics", "Create", properties))
    return calls + more


def _request(run: Run, part: str, kind: str, properties: Mapping[str, str]) -> dict[str, object]:
    return {
        "RequestType": kind,
        "RequestId": "1",
        "StackId": run.resolver.stack_id(part),
        "PhysicalResourceId": "resource",
        "ResourceProperties": dict(properties),
    }


def _since() -> dict[str, object]:
    return {"Since": datetime.now(UTC).timestamp()}


#: By handler; a function that is not here, nor in config/functions.py, fails the proof.
_DRIVES: Mapping[str, Callable[[Run], list[Call]]] = {
    "lambdas.alert_webhook.handler.handler": _webhook,
    "lambdas.alerts.handler.handler": _alerts,
    "lambdas.application_lifecycle.snapshot.is_complete": _snapshot,
    "lambdas.application_lifecycle.snapshot.on_event": _on_event("analytics", "Custom::SnapshotBefore"),
    "lambdas.application_lifecycle.start.is_complete": _start,
    "lambdas.application_lifecycle.start.on_event": _on_event("analytics", "Custom::StartAfter"),
    "lambdas.archive_transform.handler.handler": _transform,
    "lambdas.search_forget.handler.handler": _forget,
    "lambdas.search_indexer.handler.handler": _indexer,
    "lambdas.search_setup.handler.is_complete": _setup,
    "lambdas.search_setup.handler.on_event": _on_event("search", "Custom::SearchSetup"),
    "lambdas.msk_brokers.handler.is_complete": _brokers,
    "lambdas.msk_brokers.handler.on_event": _on_event("topic", "Custom::Brokers"),
    "lambdas.topic_setup.handler.is_complete": _topic,
    "lambdas.topic_setup.handler.on_event": _on_event("topic", "Custom::Topic"),
    "lambdas.warehouse_setup.handler.is_complete": _warehouse,
    "lambdas.warehouse_setup.handler.on_event": _on_event("warehouse", "Custom::WarehouseSetup"),
}
