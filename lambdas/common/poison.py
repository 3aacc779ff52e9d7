"""Records that no delivery will make right: buried as dead letters, so that they hold up no shard."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lambdas.common.claim import Claim
from lambdas.common.clients import LONGEST_CALL
from lambdas.common.dead_letters import DeadLetter, DeadLetterQueue
from lambdas.common.patience import Patience
from lambdas.common.records import Batch, Failure, RawRecord

if TYPE_CHECKING:
    from lambdas.common.once import Once


@dataclass(frozen=True)
class Burial:
    """What became of poison: ``again`` are the records that must be delivered again, ``buried`` counts new letters."""

    again: tuple[Failure, ...]
    buried: int


def bury(
    queue: DeadLetterQueue,
    function: str,
    batch: Batch,
    poison: Iterable[Failure],
    patience: Patience,
    *,
    below: float = math.inf,
    once: Once | None = None,
) -> Burial:
    """Send the records of ``poison`` to the dead letters, in the order of the shard, while there is time.

    Lambda delivers every record behind a failed one again, so a letter must not be sent with each delivery. Two ways
    keep it single: a function with a table claims each letter by ``once``; one without a table calls this last and
    buries only what is ``below`` the lowest record that comes again. The first letter that SQS does not confirm ends
    the burial: the records from there on come again.

    Records that `make redrive` sent again are not buried again: all are answered, and stay where they are.
    """
    by_sequence = {failure.sequence: failure for failure in poison}
    if batch.replayed:
        return Burial(tuple(by_sequence.values()), 0)
    patience = replace(patience, reserve=LONGEST_CALL)
    again: list[Failure] = []
    buried, ended = 0, False
    for failure in sorted(by_sequence.values(), key=lambda failure: int(failure.sequence)):
        raw = batch.raw[failure.sequence]
        claim = Claim.UNKNOWN if ended or int(raw.sequence) >= below else _claim(once, raw)
        sent = claim is Claim.OURS and patience.lasts() and queue.send(_letter(function, failure, raw))
        if once is not None and claim is Claim.OURS:
            (once.done if sent else once.release)([_key(raw)])
        if sent:
            buried += 1
        elif claim is not Claim.DONE:
            again.append(failure)
            ended = ended or claim is not Claim.BUSY
    return Burial(tuple(again), buried)


def _letter(function: str, failure: Failure, raw: RawRecord) -> DeadLetter:
    return DeadLetter(function, failure.reason, raw.arrived, raw.stream, raw.shard, raw.sequence, raw.payload)


def _claim(once: Once | None, raw: RawRecord) -> Claim:
    return Claim.OURS if once is None else once.claim(_key(raw))


def _key(raw: RawRecord) -> str:
    return f"{raw.stream} {raw.shard} {raw.sequence}"
