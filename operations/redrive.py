"""``make redrive ENV=dev``: lists, shows and replays dead letters, and rejected events, after a fix.

``list``: what lies in the queues, by reason. ``show --id``: one letter with its record. ``replay``: every letter to its
function again. ``events``: rejected events into the stream of events again. ``remove --id``: takes a letter out for
good. Replays are once for each record, however often they are run; ``--dry-run`` counts and changes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from botocore.config import Config
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from contracts.names import FAILURE_QUEUES, StreamRole, function_name, input_stream_name, processed_table
from contracts.names import stream_name as name_of
from contracts.rejections import Reason
from lambdas.common.errors import RecordError
from lambdas.common.once import Effect, Once, store
from lambdas.common.patience import Patience
from operations import rejections
from operations.environment import OperationError, Target, run
from operations.letters import VISIBILITY_SECONDS, Inbox, Letter, UnreadableLetterError, inboxes
from operations.rejections import HOPEFUL, HOPELESS, EventReplayer, Rejected, Tally
from operations.replay import Outcome, Replayer

ACTIONS = ("list", "show", "replay", "events", "remove")
#: A function may take a minute; asking again meanwhile would invoke it once more.
_PATIENT = Config(connect_timeout=5, read_timeout=90, retries={"total_max_attempts": 1})
#: Replays are remembered for longer than SQS keeps a letter (14 days).
_REMEMBER_SECONDS = 15 * 24 * 3600
_SHOWN_BYTES = 64 * 1024
#: Of a mark or a throttled call: about 20 seconds.
_TRIES = 8


def redrive(target: Target, arguments: argparse.Namespace) -> int:
    """0 when it did what was asked, and nothing is left that could not be replayed."""
    console = Console(highlight=False, soft_wrap=True)
    match arguments.action:
        case "list":
            return _list(target, arguments, console)
        case "show" | "remove":
            return _one(target, arguments, console)
        case "replay":
            return _replay(target, arguments, console)
        case _:
            return _events(target, arguments, console)


def _inboxes(target: Target, arguments: argparse.Namespace) -> Iterator[tuple[str, Inbox]]:
    """Function's package and queue of each that the environment has, and that was asked for."""
    for inbox in inboxes(target):
        if arguments.function in (None, inbox.function):
            yield inbox.function, inbox


def _list(target: Target, arguments: argparse.Namespace, console: Console) -> int:
    table = Table("function", "message", "reason", "first seen", "records", "where")
    reasons: Counter[tuple[str, str]] = Counter()
    for function, inbox in _inboxes(target, arguments):
        for letter in _looked_at(inbox):
            if isinstance(letter, UnreadableLetterError):
                console.print(_plain(str(letter)))
                continue
            reasons[function, letter.reason] += letter.count
            cells = (function, letter.message_id, letter.reason, letter.first_seen, str(letter.count), letter.place)
            table.add_row(*(_plain(cell) for cell in cells))
    if not reasons:
        console.print("no dead letters")
        return 0
    console.print(table)
    for (function, reason), count in reasons.most_common():
        console.print(_plain(f"{count:>6} {function}: {reason}"))
    return 0


def _looked_at(inbox: Inbox) -> Sequence[Letter | UnreadableLetterError]:
    """All letters, given back: others see them again."""
    seen: list[Letter | UnreadableLetterError] = []
    with inbox.looking() as held:
        for letter in inbox.take():
            seen.append(letter)
            if isinstance(letter, Letter):
                held.append(letter)
    return seen


def _plain(text: str) -> Text:
    """A text that is no markup and moves no cursor: reasons may quote whoever refused the record."""
    return Text(text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text)


def _one(target: Target, arguments: argparse.Namespace, console: Console) -> int:
    if arguments.id is None:
        raise OperationError(f"{arguments.action} needs --id, a message of `make redrive ENV=... ARGS=list`")
    for function, inbox in _inboxes(target, arguments):
        with inbox.looking() as held:
            held += [letter for letter in inbox.take() if isinstance(letter, Letter)]
            wanted = [letter for letter in held if letter.message_id.startswith(arguments.id)]
            chosen = wanted[0] if len(wanted) == 1 else None
            removed = chosen if arguments.action == "remove" and not arguments.dry_run else None
            if removed is not None:
                inbox.delete(removed.receipt)
                held.remove(removed)
        if len(wanted) > 1:
            raise OperationError(f"--id: {arguments.id} begins the ids of {len(wanted)} messages; give more of it")
        if chosen is None:
            continue
        for line in (f"{function}: {chosen.reason}", f"first seen {chosen.first_seen}", chosen.place):
            console.print(_plain(line))
        if removed is not None:
            console.print("removed")
        elif arguments.action == "show" and chosen.payload is not None:
            # ASCII with escapes: a record's control characters must not reach a terminal
            shown = chosen.payload[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
            console.print(shown.encode("unicode_escape").decode("ascii"), markup=False)
        elif arguments.action == "show":
            console.print(f"{chosen.count} records, not in the message: replay reads them from the stream")
        return 0
    raise OperationError(f"--id: no dead letter's id begins with {arguments.id!r}")


def _replay(target: Target, arguments: argparse.Namespace, console: Console) -> int:
    total = Outcome()
    for function, inbox in _inboxes(target, arguments):
        with _progress(console) as progress:
            bar = progress.add_task(f"{function}: dead letters", total=inbox.size())
            replayer = Replayer(
                inbox=inbox,
                function=function_name(target.environment.prefix, function),
                client=target.client("lambda", _PATIENT),
                kinesis=target.client("kinesis"),
                once=_once(target),
                account=target.environment.account,
                region=target.environment.region,
                step=lambda bar=bar, progress=progress: progress.advance(bar),  # type: ignore[misc]
            )
            outcome = replayer.dry_run() if arguments.dry_run else replayer.replay()
        for note in outcome.notes:
            console.print(_plain(note))
        if arguments.dry_run:
            console.print(
                f"{function}: would replay {outcome.waiting} records; {outcome.gone} are in no stream any more"
            )
        else:
            console.print(
                f"{function}: {outcome.replayed} records replayed, {outcome.known} had been before, "
                f"{outcome.failed} failed again and stay, {outcome.waiting} wait, {outcome.gone} are in no stream now"
            )
        total.failed += outcome.failed
        total.gone += outcome.gone
        total.waiting += outcome.waiting
    return 0 if arguments.dry_run or total.ok else 1


def _events(target: Target, arguments: argparse.Namespace, console: Console) -> int:
    reasons = frozenset(arguments.reason or HOPEFUL)
    hopeless = sorted(reason.value for reason in reasons & HOPELESS)
    if hopeless:
        raise OperationError(
            f"--reason: {', '.join(hopeless)} is not allowed: such an event would be rejected again; "
            "make backfill reads the archive in its own time"
        )
    environment = target.environment
    stream = environment.kinesis
    if stream is None:
        raise OperationError(
            f"events are put back into a stream of Kinesis, and source.kind is {environment.source.kind}: have their "
            "producers write them again; the rejected stream holds them"
        )
    kinesis = target.client("kinesis")
    rejected = rejections.read(kinesis, name_of(environment.prefix, StreamRole.REJECTED), arguments.since)
    with _progress(console) as progress:
        bar = progress.add_task("rejected events", total=None)
        replayer = EventReplayer(
            kinesis,
            input_stream_name(environment.prefix, stream.existing_arn),
            _once(target),
            step=lambda count: progress.advance(bar, count),
        )
        tally = replayer.replay(_chosen(rejected, reasons, arguments.until, console), dry=arguments.dry_run)
    _tell(console, tally, arguments.dry_run)
    return 1 if tally.failed or (tally.waiting and not arguments.dry_run) else 0


def _tell(console: Console, tally: Tally, dry: bool) -> None:
    for reason, count in sorted(tally.by_reason.items()):
        console.print(f"{count:>6} {reason}")
    if tally.cut:
        console.print(f"{tally.cut} events were cut when they were rejected: the archive has them whole")
    if dry:
        console.print(f"would replay {tally.waiting} events")
        return
    console.print(
        f"{tally.replayed} events replayed, {tally.known} had been before, {tally.failed} refused by Kinesis and "
        f"{tally.waiting} in somebody else's hands: run it again for these. What is older than its shard's watermark "
        "is rejected as late: make backfill reads the archive in its own time."
    )


def _chosen(
    records: Iterator[bytes], reasons: frozenset[Reason], until: datetime | None, console: Console
) -> Iterator[Rejected]:
    for data in records:
        try:
            event = rejections.rejected_of(data)
        except RecordError as error:
            console.print(f"a record of the stream is not a rejection: {error}", markup=False)
            continue
        if event.reason in reasons and (until is None or event.arrived <= until):
            yield event


def _once(target: Target) -> Once:
    table = store(processed_table(target.environment.prefix), _REMEMBER_SECONDS, target.client("dynamodb"))
    # A claim lasts as long as the letter is hidden from others.
    return Once(table, Effect.REPLAY, Patience(lambda: VISIBILITY_SECONDS * 1000, reserve=0, most=_TRIES))


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; allowed is a time like 2026-11-23T10:00:00Z"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def main() -> int:
    """Command line: ``python -m operations.redrive ACTION ENV``."""
    parser = argparse.ArgumentParser(
        prog="python -m operations.redrive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")
    parser.add_argument("--function", choices=sorted(FAILURE_QUEUES), help="only what this function left")
    parser.add_argument("--id", help="show, remove: a message, or what its id begins with")
    parser.add_argument(
        "--reason",
        action="append",
        type=Reason,
        choices=list(Reason),
        help="events: only these; all that can be helped",
    )
    parser.add_argument("--since", type=_time, help="events: rejected from then on (default: all that the stream has)")
    parser.add_argument("--until", type=_time, help="events: that arrived until then")
    return run(redrive, parser)


if __name__ == "__main__":
    sys.exit(main())
