"""Foreign bytes that are nearly right: what a reader is meant for, changed in one place or several.

Classes of input: members of another type, absent, added, or of another document; text with lone surrogates, NUL,
separators; numbers beyond 64 bits, beyond doubles, of thousands of digits, NaN and Infinity; nesting around the limit
and far beyond it; repeated keys; a byte order mark, UTF-16, invalid UTF-8; cut, doubled, flipped or inserted bytes; any
bytes at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["\ud800", "\u2028", "\x00", "NaN", "2026-11-23T11:00:00.000Z", "9999-12-31T23:59:59.999Z", "1e999", "٤٢"]
    )
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
#: JSON texts of values that no document of Python's has.
_RAW_VALUES = st.sampled_from(
    [
        "1" + "0" * 999,
        "1" + "0" * 1000,
        "9" * 5000,
        "1e400",
        "-1e-400",
        "1e9999999",
        "-1e-9999999",
        "1e99999999999999999999",
        "0." + "1" * 2000,
        "NaN",
        "-Infinity",
        "[" * 99 + "]" * 99,
        "[" * 100 + "]" * 100,
        '{"a":' * 2000 + "1" + "}" * 2000,
        "[" * 50_000,
        '{"a":1,"a":2}',
        '"\\ud800\\udc00\\udfff"',
        '"' + "x" * 70_000 + '"',
    ]
)
_MARK = "\ufffe the place of a raw value \ufffe"


@st.composite
def changed(draw: st.DrawFn, documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One of ``documents``, with some members changed, dropped or added, also in the objects that it holds."""
    document = dict(deepcopy(draw(st.sampled_from(documents))))
    for _ in range(draw(st.integers(0, 3))):
        places = [document, *(value for value in document.values() if isinstance(value, dict))]
        target = places[draw(st.integers(0, len(places) - 1))]
        name = draw(st.sampled_from([*sorted(target), "", "@timestamp", "user_id"]))
        match draw(st.integers(0, 3)):
            case 0:
                target.pop(name, None)
            case 1:
                target[name] = _MARK
            case 2:
                target[name] = deepcopy(draw(st.sampled_from(documents)).get(name))
            case _:
                target[name] = draw(VALUES)
    return document


@st.composite
def nearly(draw: st.DrawFn, documents: Sequence[Mapping[str, Any]]) -> bytes:
    """Bytes that are nearly one of ``documents``, or anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200) | VALUES.map(_dumped))
    text = json.dumps(draw(changed(documents)), ensure_ascii=draw(st.booleans()))
    text = text.replace(json.dumps(_MARK), draw(_RAW_VALUES)).replace(f'"{_MARK}"', draw(_RAW_VALUES))
    data = text.encode("utf-8", "surrogatepass")
    match draw(st.integers(0, 9)):
        case 0:
            data = b"\xef\xbb\xbf" + data
        case 1:
            data = text.encode("utf-16", "surrogatepass")
        case 2:
            data = data[: draw(st.integers(0, len(data)))]
        case 3:
            data = data + draw(st.sampled_from([b"\n", b"\x00", data, b"}"]))
        case 4:
            place = draw(st.integers(0, len(data) - 1))
            data = data[:place] + draw(st.binary(max_size=3)) + data[place + 1 :]
        case _:
            pass
    return data


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()
