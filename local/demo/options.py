"""Command line of the demo, checked at the door."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from contracts.settings import SettingsError, duration
from flink_jobs.properties import Groups
from flink_jobs.settings import KINESIS, MSK, S3
from local.demo.against import TRAFFIC, NoRun, read


@dataclass(frozen=True)
class Options:
    """What was asked for. ``start`` is epoch milliseconds or None; ``span`` milliseconds; ``rate`` events/s.

    ``search_outage``: seconds.
    """

    events: int
    seed: int
    rate: int
    start: int | None
    span: int
    shards: int
    source: str
    poison: float
    idle: bool
    search_outage: int
    keep: bool
    page: bool
    name: str
    report: Path | None
    against: Path | None
    settings: Groups


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed is a whole number from {low} to {high}")
        return number

    return parse


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 0.5:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed is a share from 0 to 0.5")
    return number


def _time(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; allowed is an ISO 8601 time such as 2026-11-23T08:00:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def _span(text: str) -> int:
    try:
        span = duration(text)
    except ValueError:
        span = 0
    if not duration("90 min") <= span <= duration("7 d"):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed is a duration from 90 min to 7 d")
    return span


def _name(text: str) -> str:
    if not text or not all("a" <= letter <= "z" or letter.isdigit() or letter == "-" for letter in text):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed are a-z, 0-9 and '-'")
    return text


def _report(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed is a file in a folder that can be written")
    return path


def _setting(text: str) -> tuple[str, str, str]:
    name, equals, value = text.partition("=")
    group, dot, key = name.rpartition(".")
    if not (equals and dot and group and key):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed is GROUP.KEY=VALUE")
    return group, key, value


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"demo: {message} (see --help)", file=sys.stderr)
        sys.exit(2)


def parse(arguments: Sequence[str]) -> Options:
    """The options; exits with 2 and one line for what is not allowed."""
    parser = _Parser(
        prog="make demo ARGS='...'",
        description="Runs the whole pipeline here: Kinesis stand-in, Flink, the Lambda handlers, OpenSearch.",
        epilog="Exit code: 0 reconciled, 1 something differs or broke, 2 an option or setting is not allowed.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--events", type=_whole(1_000, 5_000_000), default=20_000, help="good events to send (%(default)s)"
    )
    parser.add_argument(
        "--seed",
        type=_whole(0, 2**31),
        default=1,
        help="the same seed and start give the same results (%(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=_whole(0, 1_000_000),
        default=1_000,
        help="events a second, 0 for as fast as it goes (%(default)s)",
    )
    parser.add_argument(
        "--start",
        type=_time,
        metavar="TIME",
        help="event time of the first event, ISO 8601 (a whole hour, so that all ends before now)",
    )
    parser.add_argument(
        "--span",
        type=_span,
        default=duration("2 h"),
        metavar="DURATION",
        help="event time that the events cover (2 h)",
    )
    parser.add_argument(
        "--shards", type=_whole(1, 16), default=2, help="shards, partitions or folders of the input (%(default)s)"
    )
    parser.add_argument(
        "--source",
        choices=(KINESIS, MSK, S3),
        default=KINESIS,
        help="where events are: a Kinesis stream, a topic of a real Kafka broker, files (%(default)s)",
    )
    parser.add_argument(
        "--poison", type=_share, default=0.01, help="share of records that must be rejected (%(default)s)"
    )
    parser.add_argument(
        "--no-idle",
        dest="idle",
        action="store_false",
        help="leave out the shard that falls idle and comes back (saves 20 s)",
    )
    parser.add_argument(
        "--search-outage",
        type=_whole(0, 120),
        default=0,
        metavar="SECONDS",
        help="stop OpenSearch in the middle of the run for so long, and start it again (0: do not)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep everything running after the reconciliation, until Ctrl-C"
    )
    parser.add_argument("--no-page", dest="page", action="store_false", help="serve no live page and judge no alarms")
    parser.add_argument(
        "--name",
        type=_name,
        default="demo",
        help="folder below .run for logs and files; a second demo beside this one takes a free one (%(default)s)",
    )
    parser.add_argument(
        "--report",
        type=_report,
        metavar="FILE",
        help="where to write the reconciliation as JSON (.run/NAME/report.json)",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER",
        help="show what changed since that run, of the same traffic: .run/last is the one before",
    )
    parser.add_argument(
        "--set",
        dest="settings",
        type=_setting,
        action="append",
        default=[],
        metavar="GROUP.KEY=VALUE",
        help="a setting of the application, such as aggregation.window='1 min'; may be repeated",
    )
    given = vars(parser.parse_args(arguments))
    if given["against"] is not None:
        _same_traffic(parser, given)
    groups: Groups = {}
    for group, key, value in given.pop("settings"):
        groups.setdefault(group, {})[key] = value
    return Options(settings=groups, **given)


def _same_traffic(parser: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    """What makes the traffic is the other run's, where nobody says otherwise."""
    try:
        traffic = read(given["against"]).traffic
    except NoRun as error:
        parser.error(str(error))
    for key in TRAFFIC:
        if given[key] == parser.get_default(key):
            given[key] = traffic[key]


def refuse(error: SettingsError) -> NoReturn:
    """Says what is not allowed, in one line, and exits with 2."""
    print(f"demo: {error}", file=sys.stderr)
    sys.exit(2)
