"""Compares results as they came from the stream with what the oracle says."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.columns import Column, ColumnType
from contracts.results import ENVELOPE, SCHEMAS, ResultType
from local.oracle.results import Result

#: Relative difference that another order of floating-point additions explains.
_RELATIVE = 1e-9
#: Absolute, for scores that both sides round to six decimals.
_ABSOLUTE = 2e-6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Comparison:
    """Per job: how many results were expected, came, and agree; and the first differences in words."""

    expected: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    equal: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Every expected result came with the expected content, and no other."""
        return not self.differences


def compare(results: dict[str, str], oracle: dict[str, Result]) -> Comparison:
    """``results``: result_id to JSON text. Tells every result that is missing, unexpected or different."""
    comparison = Comparison()
    for wanted in oracle.values():
        _count(comparison.expected, wanted["result_type"])
    for identity, text in results.items():
        result = json.loads(text, parse_float=Decimal)
        job = result["result_type"]
        _count(comparison.found, job)
        if identity not in oracle:
            comparison.differences.append(f"{job}: not expected: {text}")
            continue
        wrong = differing_columns(result, oracle[identity])
        if wrong:
            comparison.differences.append(f"{job}: {', '.join(wrong)} in {text}")
        else:
            _count(comparison.equal, job)
    comparison.differences += [
        f"{oracle[identity]['result_type']}: missing: {oracle[identity]}" for identity in oracle.keys() - results.keys()
    ]
    return comparison


def differing_columns(result: dict[str, Any], wanted: Result) -> list[str]:
    """What of the contract's columns is not as wanted, in words; and columns that the contract does not have."""
    schema = SCHEMAS[ResultType(wanted["result_type"])]
    columns = {column.name: column for column in (*ENVELOPE, *schema.columns)}
    wrong = [f"unknown column {name}" for name in result.keys() - columns.keys()]
    for name, column in columns.items():
        if name == "run":
            continue
        if name not in result:
            wrong.append(f"no column {name}")
        elif not _equal(column, result[name], wanted[name]):
            wrong.append(f"{name} is {result[name]!r} instead of {wanted[name]!r}")
    return wrong


def _equal(column: Column, found: Any, wanted: Any) -> bool:
    if found is None or wanted is None:
        return found is None and wanted is None
    if column.type is ColumnType.TIMESTAMP:
        moment = datetime.strptime(found, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        return bool((moment - _EPOCH) // timedelta(milliseconds=1) == wanted)
    if column.type is ColumnType.DOUBLE:
        return math.isclose(float(found), wanted, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _count(counts: dict[str, int], job: str) -> None:
    counts[job] = counts.get(job, 0) + 1
