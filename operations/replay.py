"""Dead letters sent again to the function that could not process them, each record once.

The function is invoked, not its stream written to: nobody else gets the record a second time, and the answer says what
became of it. A record is claimed before and marked after, in the table that the functions use, so that a second run, a
second person, or a message that the queue delivers twice replays nothing again. A record that still fails stays where
it is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.chunks import chunks
from lambdas.common.claim import Claim
from lambdas.common.once import Once
from lambdas.common.records import REPLAYED, RawRecord
from operations.letters import Inbox, Letter, UnreadableLetterError, records_of

#: An invocation that is waited for takes 6 MB; records are in base64 there.
_MOST_RECORDS = 500
_MOST_BYTES = 4 * 1024 * 1024
_AROUND_A_RECORD = 512
_WAITING = {
    Claim.BUSY: "somebody else replays them, or a run was broken off; try again in 15 minutes",
    Claim.UNKNOWN: "the table that remembers replays did not answer; may these credentials write to it?",
}


@dataclass
class Outcome:
    """What became of the letters, in records; ``notes`` are lines for a person."""

    replayed: int = 0
    known: int = 0
    failed: int = 0
    gone: int = 0
    waiting: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is left."""
        return not (self.failed or self.gone or self.waiting)


@dataclass(frozen=True)
class Replayer:
    """Sends the letters of ``inbox`` to ``function`` (its name). ``account`` and ``region`` are those of its streams.

    ``step`` is called after each letter.
    """

    inbox: Inbox
    function: str
    client: Any
    kinesis: Any
    once: Once
    account: str
    region: str
    step: Callable[[], None] = lambda: None

    def replay(self) -> Outcome:
        """All letters, one after the other."""
        outcome = Outcome()
        with self.inbox.looking() as held:
            for letter in self.inbox.take():
                if isinstance(letter, UnreadableLetterError):
                    outcome.notes.append(str(letter))
                    outcome.waiting += 1
                else:
                    held.append(letter)
                    if self._letter(letter, outcome):
                        self.inbox.delete(letter.receipt)
                        held.remove(letter)
                self.step()
        return outcome

    def dry_run(self) -> Outcome:
        """What :meth:`replay` would have to do: ``waiting`` records that are there, ``gone`` ones that are not."""
        outcome = Outcome()
        with self.inbox.looking() as held:
            for letter in self.inbox.take():
                if isinstance(letter, UnreadableLetterError):
                    outcome.notes.append(str(letter))
                else:
                    held.append(letter)
                    records = records_of(letter, self.kinesis)
                    outcome.waiting += len(records.found)
                    outcome.gone += records.gone
                self.step()
        return outcome

    def _letter(self, letter: Letter, outcome: Outcome) -> bool:
        """Whether nothing of the letter is left to do."""
        records = records_of(letter, self.kinesis)
        if records.gone:
            outcome.gone += records.gone
            outcome.notes.append(
                f"{letter.place}: {records.gone} of {letter.count} records are in the stream no more; "
                "the archive has them (docs/runbook.md)"
            )
        claims: dict[Claim, list[RawRecord]] = {claim: [] for claim in Claim}
        for record in records.found:
            claims[self.once.claim(self._key(record))].append(record)
        outcome.known += len(claims[Claim.DONE])
        for claim, why in _WAITING.items():
            if claims[claim]:
                outcome.waiting += len(claims[claim])
                outcome.notes.append(f"{letter.place}: {len(claims[claim])} records wait: {why}")
        failed = self._invoke_all(claims[Claim.OURS], outcome)
        return not (failed or records.gone or any(claims[claim] for claim in _WAITING))

    def _invoke_all(self, records: Sequence[RawRecord], outcome: Outcome) -> int:
        """How many failed."""
        failed = 0
        for chunk in chunks(
            records,
            max_items=_MOST_RECORDS,
            max_bytes=_MOST_BYTES,
            size_of=lambda record: len(record.payload) * 4 // 3 + _AROUND_A_RECORD,
        ):
            try:
                again = self._invoke(chunk, outcome)
            except BaseException:  # a stop by hand, too: nothing of the chunk is known to be done
                self.once.release(self._key(record) for record in chunk)
                raise
            self.once.done(self._key(record) for record in chunk if record.sequence not in again)
            self.once.release(self._key(record) for record in chunk if record.sequence in again)
            outcome.replayed += len(chunk) - len(again)
            outcome.failed += len(again)
            failed += len(again)
        return failed

    def _invoke(self, records: Sequence[RawRecord], outcome: Outcome) -> set[str]:
        """Sequence numbers of the records that failed."""
        payload = json.dumps({"Records": [*self._entries(records)], REPLAYED: True})
        try:
            answer = self._answered(payload)
        except (ClientError, BotoCoreError) as error:
            outcome.notes.append(f"{self.function} could not be asked, or did not answer: {error}")
            return {record.sequence for record in records}
        told = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            outcome.notes.append(f"{self.function} failed: {told.get('errorType')}: {told.get('errorMessage')}")
            return {record.sequence for record in records}
        return {failure["itemIdentifier"] for failure in told["batchItemFailures"]}

    def _answered(self, payload: str) -> Any:
        """The function's answer. A throttle did nothing, so it is tried again."""
        tries = 0
        while True:
            try:
                return self.client.invoke(FunctionName=self.function, Payload=payload)
            except ClientError as error:
                throttled = error.response.get("Error", {}).get("Code") == "TooManyRequestsException"
                if not throttled or not self.once.patience.next(tries):
                    raise
                tries += 1

    def _entries(self, records: Sequence[RawRecord]) -> Iterator[dict[str, object]]:
        """As the event source mapping sends them."""
        for record in records:
            yield {
                "eventSource": "aws:kinesis",
                "eventID": f"{record.shard}:{record.sequence}",
                "eventSourceARN": f"arn:aws:kinesis:{self.region}:{self.account}:stream/{record.stream}",
                "kinesis": {
                    "sequenceNumber": record.sequence,
                    "partitionKey": "replayed",
                    "data": base64.b64encode(record.payload).decode("ascii"),
                    "approximateArrivalTimestamp": datetime.fromisoformat(record.arrived).timestamp(),
                },
            }

    def _key(self, record: RawRecord) -> str:
        return f"{self.function} {record.stream} {record.shard} {record.sequence}"
