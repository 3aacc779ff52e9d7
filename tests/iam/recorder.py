"""What code calls while it runs, as IAM sees it: action, resource, and the context that conditions look at.

Calls of boto3 are heard at botocore's own events, in every session that is made while recording. Signed HTTP requests
to OpenSearch pass no client: they are heard where they are signed. A call that the tables below do not know raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore import handlers, xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.iam.policies import CALLER, Call

Parameters = Mapping[str, Any]


class UnknownCallError(AssertionError):
    """Code made a call of which nobody has written down what IAM makes of it."""


@dataclass(frozen=True)
class Place:
    """Whose calls they are; ``domains`` is the ARN of an OpenSearch domain by the host and port that stand for it."""

    account: str
    domains: Mapping[str, str] = field(default_factory=dict)


def _flink(operation: str) -> Callable[[str, str, Parameters], Call]:
    return lambda region, account, parameters: Call(
        f"kinesisanalytics:{operation}",  # the API is v2, IAM's name is not
        f"arn:aws:kinesisanalytics:{region}:{account}:application/{parameters['ApplicationName']}",
    )


def _stack(operation: str) -> Callable[[str, str, Parameters], Call]:
    return lambda region, account, parameters: Call(
        f"cloudformation:{operation}", f"arn:aws:cloudformation:{region}:{account}:stack/{parameters['StackName']}/0"
    )


def _stream(operation: str) -> Callable[[str, str, Parameters], Call]:
    return lambda region, account, parameters: Call(
        f"kinesis:{operation}", f"arn:aws:kinesis:{region}:{account}:stream/{parameters['StreamName']}"
    )


def _table(operation: str) -> Callable[[str, str, Parameters], Call]:
    return lambda region, account, parameters: Call(
        f"dynamodb:{operation}", f"arn:aws:dynamodb:{region}:{account}:table/{parameters['TableName']}"
    )


def _workgroup(operation: str) -> Callable[[str, str, Parameters], Call]:
    return lambda region, account, parameters: Call(
        f"redshift-data:{operation}",
        f"arn:aws:redshift-serverless:{region}:{account}:workgroup/{parameters['WorkgroupName']}",
    )


def _limits(operation: str) -> Callable[[str, str, Parameters], Call]:
    return lambda region, account, parameters: Call(f"redshift-serverless:{operation}", parameters["resourceArn"])


#: Where the roles are that the account has for AWS services: a call names them without their path.
_ROLE_PATHS = {"AWSServiceRoleForAmazonOpenSearchService": "aws-service-role/opensearchservice.amazonaws.com/"}
_FLINK = (
    "CreateApplicationSnapshot",
    "DeleteApplicationSnapshot",
    "DescribeApplication",
    "DescribeApplicationOperation",
    "DescribeApplicationSnapshot",
    "ListApplicationOperations",
    "ListApplicationSnapshots",
    "StartApplication",
    "StopApplication",
)
#: (service, operation) to what IAM judges, given region, account and the call's parameters. Where the action's name is
#: not the operation's, the service authorization reference has it.
_CALLS: Mapping[tuple[str, str], Callable[[str, str, Parameters], Call]] = {
    **{("kinesisanalyticsv2", operation): _flink(operation) for operation in _FLINK},
    ("cloudformation", "DescribeStackEvents"): lambda region, account, parameters: Call(
        "cloudformation:DescribeStackEvents", parameters["StackName"]
    ),
    ("cloudwatch", "PutMetricData"): lambda region, account, parameters: Call(
        "cloudwatch:PutMetricData", "*", frozenset({("cloudwatch:namespace", parameters["Namespace"])})
    ),
    ("cloudformation", "DescribeStacks"): _stack("DescribeStacks"),
    ("cloudformation", "GetTemplate"): _stack("GetTemplate"),
    ("iam", "GetRole"): lambda region, account, parameters: Call(
        "iam:GetRole", f"arn:aws:iam::{account}:role/{_ROLE_PATHS[parameters['RoleName']]}{parameters['RoleName']}"
    ),
    **{
        ("kinesis", operation): _stream(operation)
        for operation in ("GetRecords", "GetShardIterator", "ListShards", "PutRecord")
    },
    ("ssm", "GetParameter"): lambda region, account, parameters: Call(
        "ssm:GetParameter", f"arn:aws:ssm:{region}:{account}:parameter{parameters['Name']}"
    ),
    **{("dynamodb", operation): _table(operation) for operation in ("DeleteItem", "GetItem", "PutItem", "UpdateItem")},
    ("secretsmanager", "GetSecretValue"): lambda region, account, parameters: Call(
        "secretsmanager:GetSecretValue", parameters["SecretId"]
    ),
    ("sqs", "SendMessage"): lambda region, account, parameters: Call(
        "sqs:SendMessage", f"arn:aws:sqs:{region}:{account}:{parameters['QueueUrl'].rpartition('/')[2]}"
    ),
    **{
        ("redshift-data", operation): _workgroup(operation)
        for operation in ("BatchExecuteStatement", "ExecuteStatement")
    },
    # a statement is its caller's own
    ("redshift-data", "DescribeStatement"): lambda region, account, parameters: Call(
        "redshift-data:DescribeStatement",
        "*",
        frozenset({("redshift-data:statement-owner-iam-userid", CALLER)}),
    ),
    **{("redshift-serverless", operation): _limits(operation) for operation in ("CreateUsageLimit", "ListUsageLimits")},
    ("redshift-serverless", "UpdateUsageLimit"): lambda region, account, parameters: Call(
        "redshift-serverless:UpdateUsageLimit",
        f"arn:aws:redshift-serverless:{region}:{account}:usage-limit/{parameters['usageLimitId']}",
    ),
    ("kafka", "GetBootstrapBrokers"): lambda region, account, parameters: Call(
        "kafka:GetBootstrapBrokers", parameters["ClusterArn"]
    ),
    ("events", "PutEvents"): lambda region, account, parameters: Call(
        "events:PutEvents",
        f"arn:aws:events:{region}:{account}:event-bus/{parameters['Entries'][0].get('EventBusName', 'default')}",
    ),
    ("sns", "Publish"): lambda region, account, parameters: Call("sns:Publish", parameters["TopicArn"]),
    ("sns", "PublishBatch"): lambda region, account, parameters: Call("sns:Publish", parameters["TopicArn"]),
}
#: Calls that need no permission.
_FREE = {("sts", "GetCallerIdentity")}
_HTTP_ACTIONS = {"GET": "es:ESHttpGet", "POST": "es:ESHttpPost", "PUT": "es:ESHttpPut"}


@contextmanager
def recording(place: Place, played: Mapping[str, object] | None = None) -> Iterator[list[Call]]:
    """The calls of what runs in the block, in order, failed ones included.

    ``played``: by service, an object whose methods answer in its stead (as boto3's client has them), for services that
    moto cannot play. Sessions that were made before the block are not heard: clear the caches that hold them.
    """
    calls: list[Call] = []
    unknown: list[str] = []
    services = played or {}
    streams: dict[str, str] = {}

    def hear(params: Parameters, model: Any, context: dict[str, Any], **_: Any) -> None:
        service = model.service_model.service_name
        context["parameters"] = dict(params)
        if (service, model.name) in _FREE:
            return
        known = _CALLS.get((service, model.name))
        if known is None:
            unknown.append(f"{service} {model.name}: write into tests/iam/recorder.py what IAM makes of it")
            raise UnknownCallError(unknown[0])
        iterated = streams.get(params.get("ShardIterator", ""))
        parameters = params if iterated is None else {**params, "StreamName": iterated}
        calls.append(known(context["client_region"], place.account, parameters))

    def follow(parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        """A shard iterator does not show its stream; whoever handed it out knew."""
        asked = context["parameters"]
        stream = asked.get("StreamName") or streams.get(asked.get("ShardIterator", ""))
        for key in ("ShardIterator", "NextShardIterator"):
            if stream and key in parsed:
                streams[parsed[key]] = stream

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, Any] | None:
        player = services.get(model.service_model.service_name)
        if player is None:
            return None
        return SimpleNamespace(status_code=200), getattr(player, xform_name(model.name))(**context["parameters"])

    sign = SigV4Auth.add_auth

    def heard_sign(signer: SigV4Auth, request: AWSRequest) -> None:
        if signer._service_name == "es":
            calls.append(_request(place, request))
        sign(signer, request)

    added = [("before-parameter-build", hear), ("before-call", answer), ("after-call.kinesis", follow)]
    handlers.BUILTIN_HANDLERS.extend(added)
    try:
        with patch.object(SigV4Auth, "add_auth", heard_sign):
            yield calls
        if unknown:  # a function that takes every error for an outage must not hide it
            raise UnknownCallError(unknown[0])
    finally:
        for one in added:
            handlers.BUILTIN_HANDLERS.remove(one)


def _request(place: Place, request: AWSRequest) -> Call:
    url = urlsplit(request.url)
    action = _HTTP_ACTIONS.get(request.method)
    domain = place.domains.get(url.netloc)
    if action is None or domain is None:
        raise UnknownCallError(f"{request.method} {request.url}: no action or no domain is known for it")
    return Call(action, f"{domain}{url.path}")
