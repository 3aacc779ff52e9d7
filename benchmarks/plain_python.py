"""The five jobs as one plain-Python process: orjson and dicts, what a person would write in a Lambda.

It reads a file from its beginning to its end and keeps everything in memory: no state that outlives it, no restart, no
late events, no partitions. Event times may be a little out of order; results come at the end of each five minutes of
event time, a while after it. Checked against the oracle in tests/unit/benchmarks.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

_STEP = 300_000
_SLICE = 10_000
_HOUR = 3_600_000
_GAP = 1_800_000
_BASELINE_SLICES = _HOUR // _SLICE
_MINIMUM = 30
_THRESHOLD = 3.0
_WEIGHTS = {"view": 1.0, "click": 2.0, "purchase": 5.0}
_LEVELS = ((11, "LOW"), (21, "MEDIUM"), (51, "HIGH"))
_FUNNEL = ("view", "click", "purchase")
_STEPS = 100
_MAX_VALUE = 1e18
#: How long after a slice or window its results are made, so that events may be out of order.
_PATIENCE = 5_000

Result = tuple[Any, ...]


class Anomalies:
    """z-scores against the hour before, per event_type: sums of 10-s slices, added and taken away."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], list[tuple[int, int, float]]] = defaultdict(list)
        self._closed: dict[str, deque[tuple[int, int, float, float]]] = defaultdict(deque)
        self._sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])

    def add(self, time: int, user: int, event_type: str, value: float) -> None:
        """Takes an event."""
        self._open[time // _SLICE, event_type].append((time, user, value))

    def until(self, watermark: int) -> Iterator[Result]:
        """Scores the events of the slices that the watermark closes."""
        for number, event_type in sorted(key for key in self._open if (key[0] + 1) * _SLICE <= watermark):
            sums, slices = self._sums[event_type], self._closed[event_type]
            while slices and slices[0][0] < number - _BASELINE_SLICES:
                _, count, total, squares = slices.popleft()
                sums[0] -= count
                sums[1] -= total
                sums[2] -= squares
            events = self._open.pop((number, event_type))
            count = int(sums[0])
            if count >= _MINIMUM:
                mean = sums[1] / count
                deviation = math.sqrt(max(0.0, (sums[2] - count * mean * mean) / (count - 1)))
                for time, user, value in events:
                    distance = abs(value - mean)
                    score = 0.0 if distance == 0 else min(1e6, distance / deviation) if deviation else 1e6
                    if score > _THRESHOLD:
                        yield ("anomaly", time, user, event_type, value, mean, deviation, count, score)
            total, squares = sum(value for *_, value in events), sum(value * value for *_, value in events)
            slices.append((number, len(events), total, squares))
            sums[0] += len(events)
            sums[1] += total
            sums[2] += squares


class Behavior:
    """Sessions per session_id and user: sequence, value, conversion."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, str], list[tuple[int, int, str, float]]] = defaultdict(list)

    def add(self, time: int, user: int, session: str, event_type: str, value: float | None) -> Iterator[Result]:
        """Takes an event; gives the session that it shows to be over."""
        events = self._open[user, session]
        if events and time - events[-1][0] >= _GAP:
            yield self._close(user, session, events)
            events = self._open[user, session] = []
        rank = _FUNNEL.index(event_type) if event_type in _FUNNEL else len(_FUNNEL)
        event = (time, rank, event_type, value or 0.0)
        if not events or events[-1] <= event:
            events.append(event)
        else:
            insort(events, event)

    def until(self, watermark: int) -> Iterator[Result]:
        """The sessions that ended the gap before."""
        over = [key for key, events in self._open.items() if events[-1][0] + _GAP <= watermark]
        for user, session in over:
            yield self._close(user, session, self._open.pop((user, session)))

    @staticmethod
    def _close(user: int, session: str, events: list[tuple[int, int, str, float]]) -> Result:
        types = [event[2] for event in events]
        position = 0
        for name in types:
            if position < len(_FUNNEL) and name == _FUNNEL[position]:
                position += 1
        sequence = " -> ".join(types[:_STEPS] + (["..."] if len(types) > _STEPS else []))
        start, end = events[0][0], events[-1][0]
        total = math.fsum(event[3] for event in events)
        return ("behavior", user, session, start, end, len(events), sequence, total, position == len(_FUNNEL))


class Recommendations:
    """Decayed scores per user and category, in five-minute steps."""

    _DECAY = tuple(math.exp(-age * _STEP / _HOUR) for age in range(12))

    def __init__(self) -> None:
        self._active: dict[int, set[int]] = defaultdict(set)
        #: Per user and category: [step, score at its end, last event], oldest first.
        self._scores: dict[int, dict[str, list[list[float]]]] = defaultdict(dict)

    def add(self, time: int, user: int, category: str, event_type: str) -> None:
        """Takes an event."""
        step = time // _STEP
        score = _WEIGHTS.get(event_type, 0.0) * math.exp((time - (step + 1) * _STEP) / _HOUR)
        self._active[step].add(user)
        entries = self._scores[user].setdefault(category, [])
        for entry in reversed(entries):
            if entry[0] == step:
                entry[1] += score
                entry[2] = max(entry[2], time)
                return
            if entry[0] < step:
                break
        insort(entries, [step, score, time])

    def until(self, watermark: int) -> Iterator[Result]:
        """The lists at the end of each step that the watermark closes."""
        for step in sorted(step for step in self._active if step < watermark // _STEP):
            for user in self._active.pop(step):
                yield from self._list(user, step)

    def _list(self, user: int, step: int) -> Iterator[Result]:
        categories = self._scores[user]
        scored = []
        for category, entries in list(categories.items()):
            while entries and entries[0][0] <= step - 12:
                entries.pop(0)
            if not entries:
                del categories[category]
                continue
            inside = [entry for entry in entries if entry[0] <= step]
            if inside:
                score = sum(entry[1] * self._DECAY[step - int(entry[0])] for entry in inside)
                scored.append((-round(score, 6), category, max(entry[2] for entry in inside)))
        scored.sort()
        for rank, (score, category, last) in enumerate(scored[:5], 1):
            yield ("recommendation", (step + 1) * _STEP, user, category, -score, last, rank)


class Fraud:
    """Purchases per user in any five minutes; in order of arrival, as a Lambda sees them."""

    def __init__(self) -> None:
        self._recent: dict[int, deque[int]] = {}
        self._reached: dict[tuple[int, int], int] = {}

    def add(self, time: int, user: int) -> Iterator[Result]:
        """Takes a purchase; gives the alert that it raises."""
        recent = self._recent.setdefault(user, deque(maxlen=51))
        if recent and recent[-1] > time:
            ordered = sorted([*recent, time])[-51:]
            recent.clear()
            recent.extend(ordered)
        else:
            recent.append(time)
        count = 0
        for each in reversed(recent):
            if each <= time - _STEP:
                break
            count += 1
        for threshold, level in _LEVELS:
            if count < threshold:
                break
            until = self._reached.get((user, threshold))
            if until is None or time - until >= _STEP:
                yield ("fraud", time, user, threshold, level)
            self._reached[user, threshold] = recent[-threshold] + _STEP


class Pipeline:
    """Decodes, checks and hands each event to the five jobs."""

    def __init__(self) -> None:
        self.rejected = 0
        self._windows: dict[tuple[int, str], list[Any]] = {}
        self._anomalies = Anomalies()
        self._behavior = Behavior()
        self._recommendations = Recommendations()
        self._fraud = Fraud()
        self._newest = 0
        self._closed = 0
        self._step = 0

    def run(self, payloads: Iterable[bytes]) -> Iterator[Result]:
        """All results."""
        for payload in payloads:
            event = decoded(payload)
            if event is None:
                self.rejected += 1
                continue
            yield from self._take(event)
        yield from self._until(self._newest + 2 * _HOUR)

    def _take(self, event: dict[str, Any]) -> Iterator[Result]:
        time, user, event_type = event["event_time"], event["user_id"], event["event_type"]
        value, category, session = event.get("value"), event.get("category"), event.get("session_id")
        if value is not None:
            window = self._windows.get((time // _STEP, event_type))
            if window is None:
                window = self._windows[time // _STEP, event_type] = [0, set(), 0]
            window[0] += 1
            window[1].add(user)
            window[2] += round(value * 1_000_000)  # exact in whole millionths
            self._anomalies.add(time, user, event_type, value)
        if session:
            yield from self._behavior.add(time, user, session, event_type, value)
        if category:
            self._recommendations.add(time, user, category, event_type)
        if event_type == "purchase":
            yield from self._fraud.add(time, user)
        if time > self._newest:
            self._newest = time
            if (time - _PATIENCE) // _SLICE > self._closed:
                self._closed = (time - _PATIENCE) // _SLICE
                yield from self._until(self._closed * _SLICE)

    def _until(self, watermark: int) -> Iterator[Result]:
        yield from self._anomalies.until(watermark)
        steps = sorted({key[0] for key in self._windows if (key[0] + 1) * _STEP <= watermark})
        for number in steps:
            for key in [key for key in self._windows if key[0] == number]:
                count, users, micros = self._windows.pop(key)
                total = micros / 1_000_000
                yield ("aggregation", number * _STEP, key[1], count, len(users), total, total / count)
        if watermark // _STEP > self._step:
            self._step = watermark // _STEP
            yield from self._recommendations.until(watermark)
            yield from self._behavior.until(watermark)


def decoded(payload: bytes) -> dict[str, Any] | None:
    """The event, None for what is not one."""
    try:
        event = orjson.loads(payload)
        time, user, event_type = event["event_time"], event["user_id"], event["event_type"]
    except (ValueError, KeyError, TypeError):
        return None
    if type(time) is not int or type(user) is not int or type(event_type) is not str or not event_type:
        return None
    value = event.get("value")
    if value is not None and (type(value) not in (int, float) or not abs(value) <= _MAX_VALUE):
        return None
    for name in ("session_id", "category"):
        text = event.get(name)
        if text is not None and type(text) is not str:
            return None
    checked: dict[str, Any] = event
    return checked


def run(payloads: Iterable[bytes]) -> Counter[str]:
    """Results per job, and what was rejected; each result is serialized, as it would be sent."""
    pipeline = Pipeline()
    counts: Counter[str] = Counter()
    for result in pipeline.run(payloads):
        orjson.dumps(result)
        counts[result[0]] += 1
    counts["rejected"] = pipeline.rejected
    return counts
