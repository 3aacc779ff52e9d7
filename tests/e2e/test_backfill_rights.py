"""`make backfill` under the synthesized policies: what the role and the endpoint allow is what a backfill needs in S3.

The command, its application's property groups from the template, the job, Flink and its file system for S3 are real; S3
and Kinesis are moto's, behind a gate that refuses what the policies do not allow.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from config.load import parse
from config.model import Environment
from local.demo import application
from local.processes import Supervisor
from local.standins.flink import FlinkCluster
from local.standins.moto import ACCOUNT, Moto
from operations import archive_range
from operations.backfill import Backfill
from tests.e2e.played_services import PlayedAthena, PlayedFlink, PlayedMetrics, PlayedTarget, submitter
from tests.e2e.s3_gate import S3Gate, s3_gate
from tests.e2e.test_template import synthesized
from tests.iam.policies import Call, allowed
from tests.iam.proof import calls_of
from tests.iam.resolver import Resolver
from tests.iam.roles import roles
from tests.iam.service_calls import FILES_SOURCE, S3A, lines

PLUGINS = application.ROOT / ".cache" / "s3-filesystem" / "plugins"
START = datetime(2026, 11, 24, tzinfo=UTC)
EVENTS_AN_HOUR = 360
HOURS = 4
SHARD = "shardId-000000000000"
#: An event that the live run rejected as late: a backfill must know it from the archive of rejections.
LATE = 7


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _position(number: int) -> str:
    return str(10**30 + number)


@dataclass(frozen=True)
class Deployed:
    """An environment with its application for backfills, an archive, and the gate before it."""

    environment: Environment
    resolver: Resolver
    gate: S3Gate
    flink: PlayedFlink
    athena: PlayedAthena
    s3: Any
    kinesis: Any

    @property
    def bucket(self) -> str:
        """The archive's."""
        found = self.resolver.named("lake", "Archive")
        assert found is not None
        return self.resolver.name(found)

    def archive_events(self) -> None:
        """Some hours of one user's events, a file each hour, as Firehose writes them."""
        for hour in range(HOURS):
            begins = START + timedelta(hours=hour)
            content = "".join(_line(hour * EVENTS_AN_HOUR + number) for number in range(EVENTS_AN_HOUR))
            self._put(f"events/{begins:%Y/%m/%d/%H}/1.gz", content)

    def reject(self, *numbers: int) -> None:
        """These events were late: in the archive of rejections, or what Athena makes of it."""
        rows = [{"partition": SHARD, "position": _position(number), "reason": "late"} for number in numbers]
        self.athena.rows = rows
        self.delete("rejected/")
        if rows and not self.environment.lake.parquet:
            content = "".join(json.dumps({"result_type": "rejected", **row}) + "\n" for row in rows)
            self._put(f"rejected/hour={START:%Y-%m-%d-%H}/1.gz", content)

    def _put(self, key: str, content: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=gzip.compress(content.encode()))

    def delete(self, prefix: str) -> None:
        """Nothing is below the prefix any more."""
        for each in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", []):
            self.s3.delete_object(Bucket=self.bucket, Key=each["Key"])

    def play(self, start: datetime, end: datetime) -> dict[str, dict[str, Any]]:
        """`make backfill`; what it wrote to files, by result_id."""
        clients = {
            "kinesisanalyticsv2": self.flink,
            "cloudwatch": PlayedMetrics(self.flink),
            "athena": self.athena,
            "s3": self.s3,
        }
        target = PlayedTarget(self.environment, boto3.session.Session(), clients)
        told: list[str] = []
        command = Backfill(
            target,
            _text(start),
            _text(end),
            told.append,
            lambda _: time.sleep(0.5),
            now=lambda: START + timedelta(days=1),
            from_the_first=True,
        )
        assert command.play() == 0, (told, self.flink.failures())
        prefix = self.flink.groups["backfill"]["output"].removeprefix(f"s3://{self.bucket}/")
        found = {}
        for each in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", []):
            text = self.s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read().decode()
            for line in text.splitlines():
                result = json.loads(line)
                found[result["result_id"]] = result
        return found

    def sent(self) -> dict[str, dict[str, Any]]:
        """What is in the stream of results, by result_id."""
        stream = f"{self.environment.prefix}-results"
        (shard,) = self.kinesis.list_shards(StreamName=stream)["Shards"]
        iterator = self.kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: dict[str, dict[str, Any]] = {}
        while True:
            answer = self.kinesis.get_records(ShardIterator=iterator, Limit=1000)
            if not answer["Records"]:
                return found
            for record in answer["Records"]:
                result = json.loads(record["Data"])
                found[result["result_id"]] = result
            iterator = answer["NextShardIterator"]


def _line(number: int) -> str:
    moment = START + timedelta(seconds=number * 3600 // EVENTS_AN_HOUR)
    event = {"event_time": _text(moment), "user_id": 1, "event_type": "view", "value": 1.0}
    arrival = int(moment.timestamp() * 1000) + 1000
    payload = base64.b64encode(json.dumps(event).encode()).decode()
    row = {"source": "events", "partition": SHARD, "position": _position(number), "arrival_time": arrival}
    return json.dumps({**row, "payload": payload}) + "\n"


@pytest.fixture(params=[False, True], ids=["lines", "parquet"])
def deployed(request: pytest.FixtureRequest, run_dir: Path, tmp_path: Path) -> Iterator[Deployed]:
    if not list(PLUGINS.glob("*/*.jar")):
        pytest.fail("Flink's file system for S3 is missing: run `make e2e`", pytrace=False)
    settings = {
        "name": "test",
        "account": ACCOUNT,
        "network": {"zones": ["us-east-1a"]},
        "application": {"properties": {"jobs": {"enabled": "aggregation"}}},
        "lake": {"parquet": request.param},
        "backfill": {"properties": {"margin": "1 h"}},
    }
    environment = parse(settings, "config/test.toml")
    resolver = Resolver(synthesized(environment, tmp_path / "cdk.out"))
    found = roles(resolver)
    role, endpoint = (found[name].permissions for name in ("backfill/Role", "network/S3Endpoint"))
    own = frozenset({("aws:PrincipalAccount", ACCOUNT)})

    def judge(call: Call) -> bool:
        return allowed(role, call) and allowed(endpoint, Call(call.action, call.resource, call.context | own))

    properties = resolver.assembly.one("AWS::KinesisAnalyticsV2::Application", "backfill").properties
    described = properties["ApplicationConfiguration"]["EnvironmentProperties"]["PropertyGroups"]
    groups = {one["PropertyGroupId"]: resolver.value("backfill", one["PropertyMap"]) for one in described}
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor(run_dir))
        moto = Moto.start(supervisor)
        gate = stack.enter_context(s3_gate(moto.endpoint, judge))
        plugins = {"FLINK_PLUGINS_DIR": str(PLUGINS)}
        sdk = {**moto.environment(), "AWS_ENDPOINT_URL_S3": gate.endpoint}  # the source's, beside the sink's S3A
        keys = {"s3.access-key": "testing", "s3.secret-key": "testing"}  # not secrets
        flink = FlinkCluster.start(
            supervisor,
            slots=1,
            settings={"s3.endpoint": gate.endpoint, "s3.path.style.access": "true", **keys},
            env={**plugins, **sdk},
        )
        home = supervisor.scratch("application")
        application.unpack(home)
        local = {"endpoint": moto.endpoint, "access_key": "testing", "secret_key": "testing"}
        submit = submitter(flink, home, run_dir / "properties.json", {**local, "checkpoint_interval": "1 s"}, plugins)
        made = Deployed(
            environment,
            resolver,
            gate,
            PlayedFlink(properties["ApplicationName"], groups, flink, submit),
            PlayedAthena(moto.client("s3")),
            moto.client("s3"),
            moto.client("kinesis"),
        )
        made.s3.create_bucket(Bucket=made.bucket)
        made.kinesis.create_stream(StreamName=f"{environment.prefix}-results", ShardCount=1)
        yield made


def _asked(calls: set[Call], bucket: str) -> set[tuple[str, str]]:
    """Actions, with the prefix that they are about; one without a slash is about an object of the prefix's name."""
    asked = set()
    for call in calls:
        place = next(iter(call.values("s3:prefix")), call.resource.removeprefix(f"arn:aws:s3:::{bucket}/"))
        prefix, rest = re.fullmatch(r"(backfill/[a-z]+|[a-z]+)(.*)", place).groups()  # type: ignore[union-attr]
        asked.add((call.action, f"{prefix}/..." if "/" in rest else prefix))
    return asked


def test_a_backfill_needs_what_its_policies_allow_and_nothing_more(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an archive with an event that was late, and an S3 that does not answer the first completed upload
    deployed.archive_events()
    deployed.reject(LATE)
    deployed.gate.answers_to_lose = 1
    # When it is played
    results = deployed.play(START, START + timedelta(hours=3))
    # Then each window has its events, but for the late one; in files and in the stream
    counts = {result["window_start"]: result["event_count"] for result in results.values()}
    assert len(counts) == 36
    assert sorted(counts.values()) == [EVENTS_AN_HOUR // 12 - 1, *[EVENTS_AN_HOUR // 12] * 35]
    assert {result["run"] for result in results.values()} == {"backfill"}
    assert deployed.sent() == results
    assert deployed.gate.answers_to_lose == 0

    # When nothing was rejected
    deployed.reject()
    again = deployed.play(START + timedelta(hours=1), START + timedelta(hours=3))
    assert {result["event_count"] for result in again.values()} == {EVENTS_AN_HOUR // 12}
    assert len(again) == 24

    # When nothing is archived
    deployed.delete("events/")
    # The command would not begin; the application, which a person may start, must bear it.
    monkeypatch.setattr(archive_range, "check", lambda *_, **__: None)
    assert deployed.play(START + timedelta(hours=2), START + timedelta(hours=3)) == {}

    # Then no request was one that nobody has thought of, and what was refused are the markers of folders
    gate = deployed.gate
    assert gate.unknown == []
    assert {call.action for call in gate.denied} == {"s3:DeleteObject"}
    assert all(call.resource.endswith("/") for call in gate.denied)
    # and what was asked for is what docs/iam.md lists
    listed = {
        call
        for line in lines()
        if line.role == "backfill/Role" and line.source in (FILES_SOURCE, S3A)
        for call in calls_of(deployed.resolver, line)
    }
    assert _asked(gate.calls - gate.denied, deployed.bucket) == _asked(listed, deployed.bucket)
