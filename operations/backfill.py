"""``make backfill ENV=dev FROM=... TO=...``: plays the archive of a deployment through its second application.

The live application goes on. The second one has the same code and settings and is stopped between backfills; its group
``backfill`` names the archive and the prefix for what backfills write. A backfill sets the range in that group, starts
the application without state, and stops it when everything has been written.

What the live run rejected for reasons that only it could know is asked of Athena, as JSON lines, when the archive of
rejections is Parquet.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from config.properties import BACKFILL_GROUP
from config.runtimes import RUNTIMES
from contracts.lake import EVENTS, HOUR, database
from contracts.names import backfill_application_name, backfill_log_group
from contracts.rejections import REJECTED, Reason
from contracts.settings import SettingsError
from flink_jobs.properties import Groups
from flink_jobs.settings import BackfillSettings, parse
from lambdas.application_lifecycle.service import DOWN, READY, RUNNING, UP
from operations import archive_range
from operations.environment import OperationError, Target, run

_EVENTS = f"{EVENTS}/"
_POLL_SECONDS = 15.0
#: A job that was asked to start says so within minutes, or says why not.
_START_SECONDS = 900.0
_NAMESPACE = "AWS/KinesisAnalytics"
#: The service starts a failed job again for ever; what fails so often, as for a right that it lacks, will do so.
_MOST_RESTARTS = 5
#: Everything has been written when a checkpoint has been completed after the last event: two of the service's minutes.
_FLUSH_SECONDS = 180.0
#: Only the live run could know these: contracts/rejections.py has the others, which the payload shows.
_LIVE_REASONS = (Reason.LATE, Reason.LATE_AFTER_IDLE, Reason.DUPLICATE)


@dataclass
class Backfill:
    """One backfill of an environment.

    Args:
        target: where.
        start, end: as the setting wants them, ``2026-11-24T00:00:00Z``.
        tell: told what happens, a line each.
        pause: waits for so many seconds; a test's may not.
        clock: seconds that only go on.
        now: the time, which the archive is held against.
        from_the_first: the archive begins with the stream, so that a range may begin with it, too.
    """

    target: Target
    start: str
    end: str
    tell: Callable[[str], None] = print
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    from_the_first: bool = False
    _flink: Any = field(init=False)

    def __post_init__(self) -> None:
        """Makes the client."""
        self._flink = self.target.client("kinesisanalyticsv2")

    @property
    def name(self) -> str:
        """The application's name."""
        return backfill_application_name(self.target.environment.prefix)

    def play(self) -> int:
        """Sets the range, runs the application to its end, and stops it. OperationError says what stands in the way."""
        detail = self._describe()
        if detail["ApplicationStatus"] not in DOWN:
            raise OperationError(
                f"{self.name} is {detail['ApplicationStatus']}: a backfill is under way; let it end, or stop it"
            )
        groups = _groups(detail)
        deployed = groups.get(BACKFILL_GROUP, {})
        if not {"archive", "output"} <= deployed.keys() or not deployed["archive"].endswith(_EVENTS):
            raise OperationError(
                f"{self.name} has no archive: its group {BACKFILL_GROUP!r} must name archive and output"
            )
        bounds = f"{self.start}_{self.end}".replace(":", "")
        base = deployed["output"].partition("results_")[0]
        groups[BACKFILL_GROUP] = {
            **deployed,
            "start": self.start,
            "end": self.end,
            "output": f"{base}results_{bounds}/",
            "rejections": f"{deployed['archive'].removesuffix(_EVENTS)}{REJECTED}/",
        }
        settings = self._checked(groups)
        archive_range.check(
            settings,
            self.target.environment,
            self.target.client("s3"),
            self.now(),
            from_the_first=self.from_the_first,
        )
        if self.target.environment.lake.parquet:
            place = f"{base}rejections_{bounds}_{int(time.time())}/"
            self._unload(settings, place)
            groups[BACKFILL_GROUP]["rejections"] = place
        self._update(detail, groups)
        self._flink.start_application(
            ApplicationName=self.name,
            RunConfiguration={
                "ApplicationRestoreConfiguration": {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}
            },
        )
        self._wait(UP, _START_SECONDS)
        self._follow(settings, datetime.now(UTC))
        self.tell(
            f"{self.name}: results of {self.start} to {self.end} are indexed, and in {groups[BACKFILL_GROUP]['output']}"
        )
        return 0

    def _checked(self, groups: Groups) -> BackfillSettings:
        try:
            settings = parse(groups, self.name, local=False).backfill
        except SettingsError as error:
            raise OperationError(str(error)) from error
        if settings is None:
            raise OperationError(f"{self.name} has no group {BACKFILL_GROUP!r}")
        return settings

    def _describe(self) -> dict[str, Any]:
        try:
            answer = self._flink.describe_application(ApplicationName=self.name)
        except self._flink.exceptions.ResourceNotFoundException as error:
            raise OperationError(f"there is no application {self.name}: {self._why_absent()}") from error
        detail: dict[str, Any] = answer["ApplicationDetail"]
        return detail

    def _why_absent(self) -> str:
        environment = self.target.environment
        deploy = f"make deploy ENV={environment.name}"
        if environment.archives_events:
            return f"the settings have it; run `{deploy}`, which makes it"
        return (
            f"config/{environment.name}.toml archives no events (lake.enabled, lake.events; not of files in S3), so "
            f"nothing can be played; with an archive, `{deploy}` makes it, and what comes from then on can be"
        )

    def _update(self, detail: dict[str, Any], groups: Groups) -> None:
        properties = [{"PropertyGroupId": name, "PropertyMap": keys} for name, keys in groups.items()]
        self._flink.update_application(
            ApplicationName=self.name,
            CurrentApplicationVersionId=detail["ApplicationVersionId"],
            ApplicationConfigurationUpdate={"EnvironmentPropertyUpdates": {"PropertyGroups": properties}},
        )
        self._wait({READY}, _START_SECONDS)

    def _wait(self, wanted: Collection[str], seconds: float) -> str:
        """Waits for one of the states; returns it."""
        deadline = self.clock() + seconds
        while (status := self._describe()["ApplicationStatus"]) not in wanted:
            if self.clock() >= deadline:
                raise OperationError(f"{self.name} is {status} after {seconds:.0f} s: look at its log")
            self.pause(_POLL_SECONDS)
        return str(status)

    def _follow(self, settings: BackfillSettings, since: datetime) -> None:
        """Tells the progress until the application has ended, or has nothing left to do and is stopped.

        OperationError for a job that fails again and again; nobody else watches it, so it is stopped, too.
        """
        restarts = RUNTIMES[self.target.environment.application.runtime].restarts_metric
        done_at: float | None = None
        while (status := self._describe()["ApplicationStatus"]) not in DOWN:
            if (self._latest(restarts, "Maximum", since) or 0) > _MOST_RESTARTS:
                self._stop()
                raise OperationError(
                    f"{self.name} failed more than {_MOST_RESTARTS} times and is stopped; why, its log says: "
                    f"{backfill_log_group(self.target.environment.prefix)}"
                )
            # The lowest of all operators, epoch milliseconds; below zero until every one has had events.
            mark = self._latest("currentInputWatermark", "Minimum", since)
            if mark is None or mark <= 0:
                self.tell(f"{self.name}: {status}, no event time yet")
            else:
                share = min(1.0, max(0.0, (mark - settings.known_from) / (settings.end - settings.known_from)))
                self.tell(f"{self.name}: {status}, {share:.0%}")
                done_at = done_at or (self.clock() if mark > settings.end else None)
            if status == RUNNING and done_at is not None and self.clock() - done_at >= _FLUSH_SECONDS:
                self._stop()
                return
            self.pause(_POLL_SECONDS)

    def _stop(self) -> None:
        """Without a snapshot: the next backfill begins anew."""
        self._flink.stop_application(ApplicationName=self.name, Force=True)
        self._wait({READY}, _START_SECONDS)

    def _latest(self, metric: str, statistic: str, since: datetime) -> float | None:
        """A metric's value in the latest minute after ``since`` that has one; none in the last five."""
        now = datetime.now(UTC)
        points = self.target.client("cloudwatch").get_metric_statistics(
            Namespace=_NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": "Application", "Value": self.name}],
            StartTime=max(since, now - timedelta(minutes=5)),
            EndTime=now,
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        return float(max(points, key=lambda point: point["Timestamp"])[statistic]) if points else None

    def _unload(self, settings: BackfillSettings, place: str) -> None:
        """Writes the rejections of the hours that the backfill reads as JSON lines to ``place``."""
        athena = self.target.client("athena")
        first, last = (
            datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d-%H")
            for moment in (max(0, settings.known_from - 86_400_000), settings.end + settings.delay)
        )
        reasons = ", ".join(f"'{reason.value}'" for reason in _LIVE_REASONS)
        query = (
            f'UNLOAD (SELECT "partition", position, reason FROM {REJECTED} '  # noqa: S608  # nosec B608 - names of the contract, checked times
            f"WHERE {HOUR} BETWEEN '{first}' AND '{last}' AND reason IN ({reasons})) "
            f"TO '{place}' WITH (format = 'JSON', compression = 'GZIP')"
        )
        started = athena.start_query_execution(
            QueryString=query,
            QueryExecutionContext={"Database": database(self.target.environment.name)},
            WorkGroup=self.target.environment.prefix,
        )["QueryExecutionId"]
        deadline = self.clock() + _START_SECONDS
        while True:
            status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in ("FAILED", "CANCELLED") or self.clock() >= deadline:
                raise OperationError(
                    f"Athena could not read the rejections: {status['State']}: {status.get('StateChangeReason', '')}"
                )
            self.pause(_POLL_SECONDS)


def _groups(detail: dict[str, Any]) -> Groups:
    described = detail["ApplicationConfigurationDescription"]["EnvironmentPropertyDescriptions"]
    return {group["PropertyGroupId"]: dict(group["PropertyMap"]) for group in described["PropertyGroupDescriptions"]}


def main() -> int:
    """Command line: ``python -m operations.backfill ENV --from TIME --to TIME``."""
    parser = argparse.ArgumentParser(prog="python -m operations.backfill", description=__doc__)
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="2026-11-24T00:00:00Z")
    parser.add_argument("--to", dest="end", required=True, metavar="TIME", help="results of up to then, UTC")
    parser.add_argument("--from-the-first", action="store_true", help="the archive begins with the stream itself")
    return run(
        lambda target, given: Backfill(target, given.start, given.end, from_the_first=given.from_the_first).play(),
        parser,
    )


if __name__ == "__main__":
    sys.exit(main())
