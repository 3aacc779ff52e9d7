"""The gate refuses what a judge does not allow, in S3's words, and passes the rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.processes import Supervisor
from local.standins.moto import Moto
from tests.e2e.s3_gate import S3Gate, s3_gate
from tests.iam.policies import Call

_LISTS = frozenset({("s3:prefix", "events/")})


@pytest.fixture
def gated(run_dir: Path) -> Iterator[Callable[..., tuple[Any, S3Gate]]]:
    """``gated(*actions)``: a client of a bucket with one object, and the gate that allows these actions only."""
    with ExitStack() as stack:
        moto = Moto.start(stack.enter_context(Supervisor(run_dir)))
        moto.client("s3").create_bucket(Bucket="lake")
        moto.client("s3").put_object(Bucket="lake", Key="events/1", Body=b"here")

        def make(*actions: str) -> tuple[Any, S3Gate]:
            gate = stack.enter_context(s3_gate(moto.endpoint, lambda call: call.action in actions))
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
            config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={})
            return boto3.client("s3", region_name="us-east-1", endpoint_url=gate.endpoint, config=config, **keys), gate

        yield make


def _status(call: Callable[..., Any], **parameters: Any) -> int:
    with pytest.raises(ClientError) as caught:
        call(Bucket="lake", **parameters)
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def test_what_is_allowed_passes_and_what_is_not_is_refused(gated: Callable[..., tuple[Any, S3Gate]]) -> None:
    s3, gate = gated("s3:GetObject")
    assert s3.get_object(Bucket="lake", Key="events/1")["Body"].read() == b"here"
    assert _status(s3.list_objects_v2, Prefix="events/") == 403
    assert _status(s3.put_object, Key="events/2", Body=b"") == 403
    assert gate.denied == {
        Call("s3:ListBucket", "arn:aws:s3:::lake", _LISTS),
        Call("s3:PutObject", "arn:aws:s3:::lake/events/2"),
    }


def test_only_who_may_list_is_told_that_an_object_is_not_there(gated: Callable[..., tuple[Any, S3Gate]]) -> None:
    assert _status(gated("s3:GetObject")[0].head_object, Key="events") == 403
    assert _status(gated("s3:GetObject", "s3:ListBucket")[0].head_object, Key="events") == 404


def test_a_deletion_of_several_is_refused_one_by_one(gated: Callable[..., tuple[Any, S3Gate]]) -> None:
    s3, gate = gated("s3:GetObject")
    (error,) = s3.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "events/"}]})["Errors"]
    assert (error["Key"], error["Code"]) == ("events/", "AccessDenied")
    assert gate.denied == {Call("s3:DeleteObject", "arn:aws:s3:::lake/events/")}


def test_a_request_that_nobody_has_thought_of_is_told(gated: Callable[..., tuple[Any, S3Gate]]) -> None:
    s3, gate = gated("s3:GetObject")
    assert _status(s3.get_bucket_versioning) == 501
    assert gate.unknown == ["GET /lake?versioning"]
