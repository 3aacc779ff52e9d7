"""Cutting a list of items into the calls that a service's limits allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], *, max_items: int, max_bytes: int, size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """``items`` in order, in non-empty lists of at most ``max_items`` items and ``max_bytes`` bytes.

    An item that alone is larger than ``max_bytes`` comes alone: whether that is too large, the service says.
    """
    chunk: list[T] = []
    chunk_bytes = 0
    for item in items:
        size = size_of(item)
        if chunk and (len(chunk) == max_items or chunk_bytes + size > max_bytes):
            yield chunk
            chunk, chunk_bytes = [], 0
        chunk.append(item)
        chunk_bytes += size
    if chunk:
        yield chunk
