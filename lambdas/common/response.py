"""The answer that an event source mapping with ReportBatchItemFailures expects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict


class BatchItemFailure(TypedDict):
    """The sequence number of a record that is to be delivered again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """What a handler answers; an empty list says that the whole batch was processed."""

    batchItemFailures: list[BatchItemFailure]


def batch_item_failures(sequences: Iterable[str]) -> BatchResponse:
    """Answer that names each failed sequence number once, lowest first.

    Lambda delivers again from the lowest one named, in order, whatever was processed after it.
    """
    # Sequence numbers are decimal numbers without leading zeros: "9" comes before "10".
    ordered = sorted(set(sequences), key=lambda sequence: (len(sequence), sequence))
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in ordered]}
