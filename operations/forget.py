"""``make forget ENV=prod USER=42``: removes a person from index and dead letters, and says what stays until when."""

from __future__ import annotations

import argparse
import json
import sys

from botocore.config import Config

from contracts.names import function_name
from contracts.warehouse import LANDING, SCHEMA
from lambdas.common.errors import RecordError
from lambdas.common.person import user_of
from operations.environment import OperationError, Target, run
from operations.letters import Inbox, Letter, inboxes

_LONG = 2**63
#: SQS keeps a letter for so long (stacks/constructs/stream_reader.py).
LETTER_DAYS = 14
#: The only way to remove a row: a streaming view takes no DELETE. Typed views are not bound to it and stay; CASCADE is
#: for views of the team's own that are.
DROP_LANDING = f"DROP MATERIALIZED VIEW {SCHEMA}.{LANDING} CASCADE"
#: The function may take five minutes; asking again meanwhile would start it once more.
_PATIENT = Config(connect_timeout=5, read_timeout=310, retries={"total_max_attempts": 1})


def forget(target: Target, arguments: argparse.Namespace) -> int:
    """0 when nothing is left that is known to be the user's, but for the places that are named."""
    environment, user = target.environment, arguments.user
    if not -_LONG <= user < _LONG:
        raise OperationError(f"--user: {user} is not allowed; allowed is a 64-bit number, as events have it")
    if environment.search.enabled:
        answer = target.client("lambda", _PATIENT).invoke(
            FunctionName=function_name(environment.prefix, "search_forget"),
            Payload=json.dumps({"user_id": user}).encode(),
        )
        told = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OperationError(f"the index did not forget user {user}: {told.get('errorMessage', told)}")
        print(f"index: {told['deleted']} documents of user {user} deleted")
        if told["unnamed"]:
            print(
                f"index: KEEPS {told['unnamed']} rejections of which nobody can tell whose they are (a payload that is "
                f"cut or not an event); they end within {environment.search.index_days} days and a week"
            )
    else:
        print("index: switched off in this environment")
    removed = unnamed = 0
    for inbox in inboxes(target):
        counts = _from_dead_letters(inbox, user)
        removed, unnamed = removed + counts[0], unnamed + counts[1]
    print(f"dead letters: {removed} records of user {user} removed")
    if unnamed:
        print(
            f"dead letters: KEEPS {unnamed} of which nobody can tell whose they are (not a JSON object, or without its "
            f"record); they end within {LETTER_DAYS} days; `make redrive` shows and removes them"
        )
    results = environment.streams.results
    streams = [results, environment.streams.rejected, *filter(None, [environment.kinesis])]
    hours = max(stream.retention_hours for stream in streams)
    print(f"streams: what they still hold of the user ends within {hours} hours")
    if environment.msk is not None:
        print(f"topic: its events end by its own retention ({environment.msk.topic}; source.msk)")
    if environment.files is not None:
        print(f"files: the events in {environment.files.bucket} are their owner's to delete")
    if environment.warehouse.enabled:
        print(
            f"warehouse: KEEPS the results of user {user}: {SCHEMA}.{LANDING} ends no row and takes no DELETE. To "
            f"remove them, {results.retention_hours} hours after the last one was written, drop it for everybody: "
            f"{DROP_LANDING} (docs/deploy.md, Remove a person: how, and what makes it again)"
        )
    lake = environment.lake
    if lake.enabled:
        print(
            "archive: objects end by themselves, "
            + (f"events after {lake.raw_days} days, " if environment.archives_events else "")
            + f"results after {lake.results_days}, rejections after {lake.rejected_days}, "
            f"undelivered records after {lake.raw_days} (docs/deploy.md: how to take "
            "one out before)"
        )
    return 0


def _from_dead_letters(inbox: Inbox, user: int) -> tuple[int, int]:
    """Removes the letters whose record is the user's; how many, and how many may be anybody's."""
    removed = unnamed = 0
    with inbox.looking() as held:
        for letter in inbox.take():
            if not isinstance(letter, Letter):
                unnamed += 1
                continue
            held.append(letter)
            try:
                found = None if letter.payload is None else user_of(letter.payload)
            except RecordError:
                unnamed += 1
                continue
            unnamed += letter.payload is None
            if found == user:
                inbox.delete(letter.receipt)
                held.remove(letter)
                removed += 1
    return removed, unnamed


def main() -> int:
    """Command line: ``python -m operations.forget ENV --user 42``."""
    parser = argparse.ArgumentParser(prog="python -m operations.forget", description=__doc__)
    parser.add_argument("--user", type=int, required=True, help="user_id, as events have it")
    return run(forget, parser)


if __name__ == "__main__":
    sys.exit(main())
