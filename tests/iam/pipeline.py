"""Runs what the delivery pipeline's own role does: the looks of ``make deploy`` and the canary of ``make smoke``.

The rest of a deployment is done with CDK's bootstrapped roles, which the role takes over.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from contracts.names import StreamRole, input_stream_name, stream_name
from contracts.results import RUN_LIVE, ResultType
from operations import deploy, smoke
from operations.canary import CANARY, Canary, Watch
from operations.environment import Target
from tests.iam.policies import Call
from tests.iam.recorder import Place, recording
from tests.iam.resolver import Resolver


class _Stacks:
    """CloudFormation with every stack of the environment as its template has it."""

    def __init__(self, resolver: Resolver) -> None:
        names = resolver.assembly.stack_names
        self.templates = {names[part]: template for part, template in resolver.assembly.templates.items()}

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:
        return {"Stacks": [{"StackName": StackName, "StackStatus": "UPDATE_COMPLETE"}]}

    def get_template(self, *, StackName: str, TemplateStage: str) -> Mapping[str, Any]:
        return {"TemplateBody": self.templates.get(StackName, {})}


def deploy_and_smoke(resolver: Resolver) -> list[Call]:
    """The calls."""
    environment = resolver.assembly.environment
    variables = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with patch.dict(os.environ, variables), mock_aws():
        _prepare(environment.region)
        kinesis = boto3.session.Session().client("kinesis", region_name=environment.region)
        results = stream_name(environment.prefix, StreamRole.RESULTS)
        events = environment.kinesis
        sources = [] if events is None else [input_stream_name(environment.prefix, events.existing_arn)]
        for name in (*sources, results, stream_name(environment.prefix, StreamRole.REJECTED)):
            kinesis.create_stream(StreamName=name, ShardCount=1)
        clock = _Clock()

        def wait(seconds: float) -> None:
            """A while later, the job has made its result."""
            clock.time += seconds
            if clock.time - clock.began > 10:
                kinesis.put_record(StreamName=results, Data=_result(), PartitionKey="1")

        with recording(Place(resolver.account), {"cloudformation": _Stacks(resolver)}) as calls:
            target = Target(environment, boto3.session.Session())
            target.check_account()
            deploy.check_prerequisites(target)
            with patch.object(deploy, "OUT", resolver.assembly.folder.parent):
                deploy.check_losses(target, deploy.deployed_stacks(target), ())
            given: dict[str, Any] = {"now": clock, "wait": wait, "tell": lambda _: None}
            flown, watched = partial(Canary, **given), partial(Watch, **given)
            with (
                patch.object(smoke, "Canary", flown),
                patch.object(smoke, "Watch", watched),
                redirect_stdout(StringIO()),
            ):
                assert smoke.smoke(target, argparse.Namespace(patience=60)) == 0
    return calls


class _Clock:
    def __init__(self) -> None:
        self.began = self.time = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.time


def _prepare(region: str) -> None:
    session = boto3.session.Session()
    session.client("ssm", region_name=region).put_parameter(
        Name=deploy._BOOTSTRAP_PARAMETER, Value=str(deploy._BOOTSTRAP), Type="String"
    )
    session.client("iam").create_role(
        RoleName=deploy._SEARCH_ROLE,
        Path="/aws-service-role/opensearchservice.amazonaws.com/",
        AssumeRolePolicyDocument="{}",
    )


def _result() -> bytes:
    now = datetime.now(UTC)
    window = {"window_start": now - timedelta(hours=1), "window_end": now + timedelta(hours=1)}
    document = {
        "result_type": ResultType.AGGREGATION,
        "event_type": CANARY,
        "result_id": "r",
        "run": RUN_LIVE,
        "event_count": 1,
        "total_value": 1.5,
        **{name: time.isoformat() for name, time in window.items()},
    }
    return json.dumps(document).encode()
