"""From a result to the lines of a bulk request."""

from __future__ import annotations

import json
from dataclasses import dataclass

from contracts.rejections import REJECTED
from lambdas.common.errors import RecordError
from lambdas.common.person import USER_ID, user_in
from lambdas.common.result import Result
from lambdas.search_indexer.settings import weekly_index

TIMESTAMP = "@timestamp"
PROCESSED_BY = "processed_by"
PROCESSED_BY_VALUE = "kinesis_analytics"

_JSON_SPACE = " \t\r\n"
_LINE_ENDS_TO_SPACE = str.maketrans("\r\n", "  ")


@dataclass(frozen=True)
class Action:
    """An ``index`` action with its document: two lines of a bulk request, each with its line end."""

    result: Result
    lines: bytes

    @property
    def size(self) -> int:
        """Bytes that the action adds to a request."""
        return len(self.lines)


def action_of(result: Result, prefix: str) -> Action:
    """Index ``result`` under its ``result_id``: a repeat replaces the document by an equal one.

    The document is the result's own JSON text with members added, so that no number is read and written again: two,
    and the user of a rejected event where its payload names one, so that `make forget` finds it. Raises
    :class:`RecordError` without a valid time, or when a member has the name of an added one.
    """
    time_column = "arrival_time" if result.result_type == REJECTED else "event_time"
    time = result.time(time_column)
    for name in (TIMESTAMP, PROCESSED_BY):
        if name in result.document:
            raise RecordError(f"`{name}` is already there: OpenSearch refuses a repeated key")
    action = {"index": {"_index": weekly_index(prefix, result.result_type, time), "_id": result.result_id}}
    members: dict[str, object] = {TIMESTAMP: result.text(time_column), PROCESSED_BY: PROCESSED_BY_VALUE}
    user = _rejected_user(result)
    added = json.dumps(members if user is None else {**members, USER_ID: user})
    # In valid JSON a line end stands only between tokens, where a space says the same. The object is not
    # empty (it has an id), so a comma joins it to what is added.
    own = result.json_text.strip(_JSON_SPACE).translate(_LINE_ENDS_TO_SPACE)
    document = f"{own[:-1]},{added[1:]}"
    return Action(result, f"{json.dumps(action)}\n{document}\n".encode())


def _rejected_user(result: Result) -> int | None:
    if result.result_type != REJECTED or USER_ID in result.document:
        return None
    try:
        return user_in(result.document)
    except RecordError:  # a payload that is not an event's JSON names nobody; `make forget` counts these
        return None
