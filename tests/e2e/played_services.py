"""The services that `make backfill` asks, played by a local Flink cluster and moto, as boto3's clients answer."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from flink_jobs import properties
from flink_jobs.properties import Groups
from flink_jobs.settings import LOCAL_GROUP
from local.demo import application
from local.standins.flink import FlinkCluster
from operations.environment import Target

#: States of a job that leave the application stopped; the service starts a failed one again.
_ENDED = ("FINISHED", "CANCELED")


@dataclass
class PlayedFlink:
    """kinesisanalyticsv2: one application, of which a start submits the job to the cluster.

    Args:
        name: the application's.
        groups: its property groups, as the template has them.
        cluster: runs the job.
        submit: given the property groups, submits the application; returns the job's id.
    """

    name: str
    groups: Groups
    cluster: FlinkCluster
    submit: Callable[[Groups], str]
    job: str | None = None
    #: As boto3's client has it: nothing here raises it.
    exceptions: Any = boto3.session.Session().client("kinesisanalyticsv2", region_name="us-east-1").exceptions

    def describe_application(self, *, ApplicationName: str) -> Mapping[str, Any]:
        """The application, in the state of its latest job."""
        assert ApplicationName == self.name
        ended = self.job is None or self.cluster.job_state(self.job) in _ENDED
        groups = [{"PropertyGroupId": name, "PropertyMap": keys} for name, keys in self.groups.items()]
        return {
            "ApplicationDetail": {
                "ApplicationStatus": "READY" if ended else "RUNNING",
                "ApplicationVersionId": 1,
                "ApplicationConfigurationDescription": {
                    "EnvironmentPropertyDescriptions": {"PropertyGroupDescriptions": groups}
                },
            }
        }

    def update_application(self, *, ApplicationConfigurationUpdate: Mapping[str, Any], **_: Any) -> None:
        """Takes the groups."""
        given = ApplicationConfigurationUpdate["EnvironmentPropertyUpdates"]["PropertyGroups"]
        self.groups = {group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in given}

    def start_application(self, *, RunConfiguration: Mapping[str, Any], **_: Any) -> None:
        """Submits the job, anew."""
        restore = RunConfiguration["ApplicationRestoreConfiguration"]["ApplicationRestoreType"]
        assert restore == "SKIP_RESTORE_FROM_SNAPSHOT"
        self.job = self.submit(self.groups)

    def stop_application(self, **_: Any) -> None:
        """Cancels the job."""
        assert self.job is not None
        self.cluster.cancel(self.job)

    def failures(self) -> list[str]:
        """Why the latest job was restarted."""
        return [] if self.job is None else self.cluster.job_exceptions(self.job)


@dataclass(frozen=True)
class PlayedMetrics:
    """CloudWatch: the job's restarts; no watermark, so a backfill ends when its job does."""

    flink: PlayedFlink

    def get_metric_statistics(self, *, MetricName: str, Statistics: Sequence[str], **_: Any) -> Mapping[str, Any]:
        """The latest value."""
        if MetricName != "fullRestarts":
            return {"Datapoints": []}
        (statistic,) = Statistics
        return {"Datapoints": [{"Timestamp": datetime.now(UTC), statistic: float(len(self.flink.failures()))}]}


@dataclass
class PlayedAthena:
    """Athena: an UNLOAD writes ``rows`` as JSON lines to the place that its query names; nothing for no rows."""

    s3: Any
    rows: list[dict[str, str]] = field(default_factory=list)

    def start_query_execution(self, *, QueryString: str, **_: Any) -> Mapping[str, str]:
        """Runs the query."""
        ((bucket, prefix),) = re.findall(r"TO 's3://([^/]+)/([^']+/)'", QueryString)
        if self.rows:
            lines = "".join(json.dumps(row) + "\n" for row in self.rows)
            self.s3.put_object(Bucket=bucket, Key=f"{prefix}0.gz", Body=gzip.compress(lines.encode()))
        return {"QueryExecutionId": "1"}

    def get_query_execution(self, **_: Any) -> Mapping[str, Any]:
        """It has run."""
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}}


@dataclass(frozen=True)
class PlayedTarget(Target):
    """An environment whose clients are played."""

    clients: Mapping[str, object] = field(default_factory=dict)

    def client(self, service: str, config: Any = None) -> Any:
        """The player of a service."""
        return self.clients[service]


def submitter(
    cluster: FlinkCluster, home: Path, file: Path, local: Mapping[str, str], env: Mapping[str, str]
) -> Callable[[Groups], str]:
    """Submits application.zip, unpacked at ``home``, with property groups and the group ``local``."""

    def submit(groups: Groups) -> str:
        given = {**groups, LOCAL_GROUP: dict(local)}
        file.write_text(properties.dump(given), encoding="utf-8")
        return cluster.submit(application.run_arguments(home, given), env={**application.environment(file), **env})

    return submit
