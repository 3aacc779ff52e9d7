"""A backfill on AWS: what is asked of the services (botocore's Stubber), in order, and what a person reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from operations.backfill import Backfill
from operations.environment import OperationError, Target
from tests.unit.operations.conftest import environment

START, END = "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"
TODAY = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
NAME = "realtime-analytics-test-backfill"
END_OF_TIME = float(2**63 - 1)
PROPERTIES = {
    "kinesis.analytics.flink.run.options": {"python": "main.py", "jarfile": "lib/x.jar", "pyFiles": "python"},
    "input": {"stream": "events", "region": "us-east-1"},
    "output": {"results_stream": "results", "rejected_stream": "rejected"},
    "backfill": {
        "archive": "s3://lake/events/",
        "output": "s3://lake/backfill/",
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-02T00:00:00Z",
    },
}


def _detail(status: str, properties: dict[str, dict[str, str]]) -> dict[str, Any]:
    groups = [{"PropertyGroupId": name, "PropertyMap": keys} for name, keys in properties.items()]
    return {
        "ApplicationARN": f"arn:aws:kinesisanalytics:us-east-1:123456789012:application/{NAME}",
        "ApplicationName": NAME,
        "RuntimeEnvironment": "FLINK-1_20",
        "ApplicationStatus": status,
        "ApplicationVersionId": 7,
        "ApplicationConfigurationDescription": {
            "EnvironmentPropertyDescriptions": {"PropertyGroupDescriptions": groups}
        },
    }


@dataclasses.dataclass(frozen=True)
class _Stubbed(Target):
    """The environment with stubbed clients."""

    clients: dict[str, Any] = dataclasses.field(default_factory=dict)

    def client(self, service: str, config: Any = None) -> Any:
        """The stubbed client."""
        return self.clients[service]


class Services:
    """The stubs, and a clock that a pause moves on."""

    def __init__(self, stack: ExitStack, lake: dict[str, object]) -> None:
        session = boto3.session.Session()
        self.now = 0.0
        self.told: list[str] = []
        self.from_the_first = False
        self._stubs = {}
        clients = {}
        for service in ("kinesisanalyticsv2", "cloudwatch", "athena", "s3"):
            clients[service] = session.client(service, region_name="us-east-1")
            self._stubs[service] = stack.enter_context(Stubber(clients[service]))
        self._target = _Stubbed(environment(lake=lake), session, clients)

    def backfill(self, start: str = START, end: str = END) -> Backfill:
        """The backfill over the stubs."""
        return Backfill(
            self._target,
            start,
            end,
            self.told.append,
            self._pause,
            lambda: self.now,
            lambda: TODAY,
            self.from_the_first,
        )

    def archive_begins(self, *hours: str) -> None:
        """The first object of the archive is of this hour; none: it is empty."""
        contents = [{"Key": f"events/{hour}/archive-1.gz"} for hour in hours]
        asked = {"Bucket": "lake", "Prefix": "events/", "MaxKeys": 1}
        self.expects("s3", "list_objects_v2", {"Contents": contents}, asked)

    def expects(self, service: str, call: str, answer: dict[str, Any], request: dict[str, Any] | None = None) -> None:
        """The next call of a service."""
        self._stubs[service].add_response(call, answer, request)

    def is_in(self, status: str, properties: dict[str, dict[str, str]] = PROPERTIES) -> None:
        """The application is described in this status."""
        described = {"ApplicationDetail": _detail(status, properties)}
        self.expects("kinesisanalyticsv2", "describe_application", described, {"ApplicationName": NAME})

    def is_absent(self) -> None:
        """There is no such application."""
        self._stubs["kinesisanalyticsv2"].add_client_error("describe_application", "ResourceNotFoundException")

    def has_restarted(self, restarts: float) -> None:
        """So often since it was started."""
        self._has("fullRestarts", "Maximum", restarts)

    def has_reached(self, *watermarks: float, restarts: float = 0.0) -> None:
        """The application's restarts, and its watermark in the last minute; none: no sample yet."""
        self.has_restarted(restarts)
        self._has("currentInputWatermark", "Minimum", *watermarks)

    def _has(self, metric: str, statistic: str, *values: float) -> None:
        points = [{"Timestamp": datetime.now(UTC), statistic: value} for value in values]
        asked = {
            "Namespace": "AWS/KinesisAnalytics",
            "MetricName": metric,
            "Dimensions": [{"Name": "Application", "Value": NAME}],
            "StartTime": ANY,
            "EndTime": ANY,
            "Period": 60,
            "Statistics": [statistic],
        }
        self.expects("cloudwatch", "get_metric_statistics", {"Label": metric, "Datapoints": points}, asked)

    def updates(self, backfill: dict[str, str]) -> None:
        """The groups are updated, all of them, with this one new."""
        groups = [
            {"PropertyGroupId": name, "PropertyMap": backfill if name == "backfill" else keys}
            for name, keys in PROPERTIES.items()
        ]
        self.expects(
            "kinesisanalyticsv2",
            "update_application",
            {"ApplicationDetail": _detail("UPDATING", PROPERTIES)},
            {
                "ApplicationName": NAME,
                "CurrentApplicationVersionId": 7,
                "ApplicationConfigurationUpdate": {"EnvironmentPropertyUpdates": {"PropertyGroups": groups}},
            },
        )

    def starts(self) -> None:
        """It starts without state."""
        restore = {"ApplicationRestoreConfiguration": {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}}
        self.expects(
            "kinesisanalyticsv2", "start_application", {}, {"ApplicationName": NAME, "RunConfiguration": restore}
        )

    def nothing_is_left(self) -> None:
        """Every call that was expected came."""
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()

    def _pause(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def services() -> Iterator[Callable[..., Services]]:
    with ExitStack() as stack:
        yield lambda **lake: Services(stack, {"parquet": False, **lake})


def test_given_an_archive_then_the_range_is_set_the_job_runs_to_its_end_and_is_stopped(
    services: Callable[..., Services],
) -> None:
    aws = services()
    aws.is_in("READY")
    aws.archive_begins("2026/11/20/07")
    aws.updates(
        {
            "archive": "s3://lake/events/",
            "output": "s3://lake/backfill/results_2026-11-24T000000Z_2026-11-25T000000Z/",
            "start": START,
            "end": END,
            "rejections": "s3://lake/rejected/",
        }
    )
    for status in ("UPDATING", "READY"):
        aws.is_in(status)
    aws.starts()
    for status in ("STARTING", "RUNNING"):
        aws.is_in(status)
    aws.is_in("RUNNING")
    aws.has_reached()
    aws.is_in("RUNNING")
    aws.has_reached(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() * 1000)
    # At the end of its input the job's watermark is the end of time; it is stopped when the sinks have had theirs.
    for _ in range(13):
        aws.is_in("RUNNING")
        aws.has_reached(END_OF_TIME)
    aws.expects("kinesisanalyticsv2", "stop_application", {}, {"ApplicationName": NAME, "Force": True})
    aws.is_in("READY")
    assert aws.backfill().play() == 0
    aws.nothing_is_left()
    assert aws.told[0] == f"{NAME}: RUNNING, no event time yet"
    assert aws.told[1] == f"{NAME}: RUNNING, 76%"  # 37 of the 49 hours that begin the margin before the start
    assert aws.told[2] == f"{NAME}: RUNNING, 100%"
    assert "indexed" in aws.told[-1]


def test_given_an_application_that_ends_by_itself_then_nothing_is_stopped(services: Callable[..., Services]) -> None:
    aws = services()
    aws.is_in("READY")
    aws.archive_begins("2026/11/20/07")
    aws.expects("kinesisanalyticsv2", "update_application", {"ApplicationDetail": _detail("UPDATING", PROPERTIES)})
    aws.is_in("READY")
    aws.starts()
    aws.is_in("RUNNING")
    aws.is_in("READY")
    assert aws.backfill().play() == 0
    aws.nothing_is_left()


def test_given_a_job_that_fails_again_and_again_then_it_is_stopped_and_its_log_named(
    services: Callable[..., Services],
) -> None:
    aws = services()
    aws.is_in("READY")
    aws.archive_begins("2026/11/20/07")
    aws.expects("kinesisanalyticsv2", "update_application", {"ApplicationDetail": _detail("UPDATING", PROPERTIES)})
    aws.is_in("READY")
    aws.starts()
    aws.is_in("RUNNING")
    for restarts in (0.0, 5.0):
        aws.is_in("RUNNING")
        aws.has_reached(restarts=restarts)
    aws.is_in("RUNNING")
    aws.has_restarted(6.0)
    aws.expects("kinesisanalyticsv2", "stop_application", {}, {"ApplicationName": NAME, "Force": True})
    aws.is_in("READY")
    with pytest.raises(
        OperationError, match=r"failed more than 5 times and is stopped.*: /realtime-analytics-test/backfill"
    ):
        aws.backfill().play()
    aws.nothing_is_left()


def test_given_rejections_in_parquet_then_athena_writes_them_as_lines_first(services: Callable[..., Services]) -> None:
    aws = services(parquet=True)
    aws.is_in("READY")
    aws.archive_begins("2026/11/20/07")
    asked: dict[str, Any] = {
        "QueryString": ANY,
        "QueryExecutionContext": {"Database": "realtime_analytics_test"},
        "WorkGroup": "realtime-analytics-test",
    }
    aws.expects("athena", "start_query_execution", {"QueryExecutionId": "q"}, asked)
    for state in ("RUNNING", "FAILED"):
        status = {"State": state, "StateChangeReason": "no such table"}
        aws.expects("athena", "get_query_execution", {"QueryExecution": {"Status": status}})
    with pytest.raises(OperationError, match="Athena could not read the rejections: FAILED: no such table"):
        aws.backfill().play()
    aws.nothing_is_left()


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(END, START, "group 'backfill', key 'end'"), ("yesterday", END, "a time in UTC since 1970")],
)
def test_given_a_range_that_is_none_then_nothing_is_changed(
    services: Callable[..., Services], start: str, end: str, words: str
) -> None:
    aws = services()
    aws.is_in("READY")
    with pytest.raises(OperationError, match=words):
        aws.backfill(start, end).play()
    aws.nothing_is_left()


def test_given_a_range_that_the_archive_may_not_have_to_its_end_then_it_is_refused(
    services: Callable[..., Services],
) -> None:
    aws = services()
    aws.is_in("READY")
    with pytest.raises(OperationError, match="may not have it yet; allowed is up to 2026-11-25T10:15:00Z"):
        aws.backfill(START, "2026-11-25T10:15:01Z").play()
    aws.nothing_is_left()


def test_given_a_range_whose_margin_has_expired_then_it_is_refused(services: Callable[..., Services]) -> None:
    aws = services(raw_days=3)
    aws.is_in("READY")
    # Kept from the 23rd at 10:30 on, and the margin is 25 hours
    with pytest.raises(OperationError, match=r"lake.raw_days = 3; allowed is from 2026-11-24T11:30:00Z on"):
        aws.backfill("2026-11-24T11:29:59Z", "2026-11-25T00:00:00Z").play()
    aws.nothing_is_left()


def test_given_an_archive_that_begins_later_then_only_one_that_begins_with_the_stream_is_played(
    services: Callable[..., Services],
) -> None:
    aws = services()
    aws.is_in("READY")
    aws.archive_begins("2026/11/23/00")
    told = "the archive begins at 2026-11-23T00:00:00Z; allowed is from 2026-11-24T01:00:00Z on"
    with pytest.raises(OperationError, match=told):
        aws.backfill().play()
    aws.nothing_is_left()
    aws.from_the_first = True
    aws.is_in("READY")
    aws.archive_begins("2026/11/23/00")
    aws.expects("kinesisanalyticsv2", "update_application", {"ApplicationDetail": _detail("UPDATING", PROPERTIES)})
    aws.is_in("READY")
    aws.starts()
    aws.is_in("RUNNING")
    aws.is_in("READY")
    assert aws.backfill().play() == 0
    aws.nothing_is_left()


def test_given_an_empty_archive_then_it_is_said(services: Callable[..., Services]) -> None:
    aws = services()
    aws.is_in("READY")
    aws.archive_begins()
    with pytest.raises(OperationError, match="s3://lake/events/ is empty: nothing has been archived yet"):
        aws.backfill().play()
    aws.nothing_is_left()


def test_given_a_backfill_under_way_then_the_second_is_refused(services: Callable[..., Services]) -> None:
    aws = services()
    aws.is_in("RUNNING")
    with pytest.raises(OperationError, match="is RUNNING: a backfill is under way"):
        aws.backfill().play()
    aws.nothing_is_left()


def test_given_an_application_without_an_archive_then_it_says_so(services: Callable[..., Services]) -> None:
    aws = services()
    aws.is_in("READY", {name: keys for name, keys in PROPERTIES.items() if name != "backfill"})
    with pytest.raises(OperationError, match="must name archive and output"):
        aws.backfill().play()


@pytest.mark.parametrize(
    ("lake", "words"),
    [
        ({"enabled": True}, f"there is no application {NAME}: the settings have it; run `make deploy ENV=test`"),
        ({"enabled": False}, f"there is no application {NAME}: config/test.toml archives no events"),
        ({"events": False}, f"there is no application {NAME}: config/test.toml archives no events"),
    ],
)
def test_given_no_application_then_it_says_what_to_do(
    services: Callable[..., Services], lake: dict[str, object], words: str
) -> None:
    aws = services(**lake)
    aws.is_absent()
    with pytest.raises(OperationError, match=words):
        aws.backfill().play()
    aws.nothing_is_left()
