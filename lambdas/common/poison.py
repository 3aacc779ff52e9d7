"""Records that no delivery will make right: buried as dead letters, so that they hold up no shard."""

from __future__ import annotations

from collections.abc import Iterable

from lambdas.common.dead_letters import DeadLetter, DeadLetterQueue
from lambdas.common.records import Batch, Failure


def bury(queue: DeadLetterQueue, function: str, batch: Batch, poison: Iterable[Failure]) -> list[Failure]:
    """Send the records of ``poison`` to the dead letters; those that were not taken are answered, to come again.

    Dead letters that were sent again are not buried again: all are answered, and stay where they are.
    """
    by_sequence = {failure.sequence: failure for failure in poison}
    if batch.replayed:
        return list(by_sequence.values())
    letters = []
    for failure in by_sequence.values():
        raw = batch.raw[failure.sequence]
        letters.append(
            DeadLetter(function, failure.reason, raw.arrived, raw.stream, raw.shard, raw.sequence, raw.payload)
        )
    return [by_sequence[letter.sequence] for letter in queue.send(letters)]
