"""Faulty events: each fits between what is sent without changing the verdict on anything else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from contracts.events import HEARTBEAT
from contracts.rejections import Reason
from local.demo.run import Run
from local.faults.fault import Fault, NotNow, Progress
from local.oracle.records import LogRecord
from local.oracle.verdicts import Rejected, Tolerance, decode
from local.traffic.delivery import DeliveryClosed
from local.traffic.plan import Planned, event_bytes
from local.traffic.poison import POISON

#: The last shard may be idle; the first never is.
SHARD = 0
MINUTE = 60_000
#: Good records of a shard that are looked at for its newest event time: records overtake each other by seconds only.
_LOOK_BACK = 300
#: What an injection may need of event time once the traffic is over: a slice, the delay, and a job's minute.
_NEEDED = 3 * MINUTE
_ANOMALY_TYPE = "gift_card"
_BASELINE = 60
_SLICES = 20_000

Log = Sequence[LogRecord]
Plans = Sequence[Planned]


class Injector:
    """Puts records into the stream of a run, at the newest event time of the first shard."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def over(self) -> bool:
        """Whether the traffic is over, so that nothing but us moves event time."""
        return self.run.verdict is not None

    def send(self, make: Callable[[int], list[Planned]]) -> tuple[int, list[LogRecord]]:
        """Sends what ``make`` makes of the newest event time; answers that time, and where the records lie.

        Raises:
            NotNow: nothing was sent yet, the run is closing, or event time has caught up with the clock.
        """
        newest: list[int] = []

        def made(log: Log, planned: Plans) -> list[Planned]:
            newest.append(self._newest(log, planned))
            return make(newest[0])

        try:
            records = self.run.delivery.inject(made)
        except DeliveryClosed as error:
            raise NotNow(f"{error}; with --keep it is possible again afterwards") from error
        return newest[0], records

    def heartbeats(self, event_time: int) -> list[Planned]:
        """Moves the watermark once the traffic is over: later by the delay and a job's minute, on every shard."""
        if not self.over:
            return []
        later = event_time + self.run.settings.time.watermark_delay + MINUTE + 1_000
        heartbeat = event_bytes({"event_time": later, "user_id": 0, "event_type": HEARTBEAT})
        return [Planned(shard, heartbeat) for shard in range(self.run.traffic.shards)]

    def _newest(self, log: Log, planned: Plans) -> int:
        """The newest accepted event time of the shard, from its last good records."""
        partition = next((each.partition for each, plan in zip(log, planned, strict=True) if plan.shard == SHARD), None)
        times: list[int] = []
        for record, plan in zip(reversed(log), reversed(planned), strict=True):
            if plan.shard != SHARD or record.partition != partition or plan.reason is not None:
                continue
            try:
                times.append(decode(record.payload, record.arrival, Tolerance.of(self.run.settings.time)).time)
            except Rejected:
                continue
            if len(times) == _LOOK_BACK:
                break
        if not times:
            raise NotNow("no event has been sent yet; a moment")
        newest = max(times)
        if self.over and newest + _NEEDED > time.time() * 1000:  # an event moves no clock beyond its arrival
            raise NotNow("event time has caught up with the clock; try again in a minute or two")
        return newest


class _Rejects(Fault):
    """Records that must be rejected, each for its reason."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def look(self, progress: Progress, token: list[tuple[tuple[str, str], str]]) -> None:
        """Noticed with the first rejection, recovered when each has its reason and the job goes on."""
        reasons = self._injector.run.rejections.reasons
        right = sum(reasons.get(place) == reason for place, reason in token)
        if right:
            progress.notice(f"{right} of {len(token)} rejected so far")
        if right == len(token):
            progress.recover(f"all {right} rejected, each with its reason; the job went on")

    def _placed(self, records: list[LogRecord], plans: list[Planned]) -> list[tuple[tuple[str, str], str]]:
        return [
            ((record.partition, record.position), plan.reason.value)
            for record, plan in zip(records, plans, strict=True)
            if plan.reason is not None
        ]


class Poison(_Rejects):
    """Records that nobody can read."""

    name, title, key = "poison", "Poison", "p"
    expect = "one record of each kind that nobody can read: rejected with its reason, the job goes on"

    def inject(self) -> tuple[str, Any]:
        """Sends each kind once."""
        plans: list[Planned] = []

        def make(newest: int) -> list[Planned]:
            plans.extend(Planned(SHARD, make_bytes(newest), reason) for reason, make_bytes in POISON)
            return plans

        _, records = self._injector.send(make)
        return f"{len(records)} records that nobody can read", self._placed(records, plans)


class Late(_Rejects):
    """Events from before the watermark."""

    name, title, key = "late", "Late events", "l"
    expect = "events that come minutes after their time: rejected as late, no closed window opens again"

    def inject(self) -> tuple[str, Any]:
        """Sends twenty, one to twenty minutes late."""
        delay = self._injector.run.settings.time.watermark_delay
        plans: list[Planned] = []

        def make(newest: int) -> list[Planned]:
            for late in range(1, 21):
                event = {"event_time": newest - delay - late * MINUTE, "user_id": late, "event_type": "view"}
                plans.append(Planned(SHARD, event_bytes(event), Reason.LATE))
            return plans

        _, records = self._injector.send(make)
        return f"{len(records)} events, one to twenty minutes late", self._placed(records, plans)


class FraudBurst(Fault):
    """One user buys again and again."""

    name, title, key = "fraud", "Fraud burst", "f"
    expect = "25 purchases of one user at once: a LOW and a MEDIUM alert"
    _USERS = 910_000

    def __init__(self, injector: Injector) -> None:
        self._injector = injector
        self._bursts = 0

    def inject(self) -> tuple[str, Any]:
        """Sends the purchases, and plants the truth that two levels are reached."""
        self._bursts += 1
        user = self._USERS + self._bursts
        truth = self._injector.run.traffic.truth

        def make(newest: int) -> list[Planned]:
            truth.frauds.update((user, level, newest) for level in ("LOW", "MEDIUM"))
            return [
                Planned(
                    SHARD,
                    event_bytes({"event_time": newest, "user_id": user, "event_type": "purchase", "value": 20.0 + n}),
                )
                for n in range(25)
            ] + self._injector.heartbeats(newest)

        self._injector.send(make)
        return f"25 purchases of user {user} at one moment", user

    def look(self, progress: Progress, token: int) -> None:
        """Noticed by the job's result, done when both alerts have come through SNS."""
        found = {level for user, level, _ in tuple(self._injector.run.findings.frauds) if user == token}
        if found:
            progress.notice(f"fraud result {', '.join(sorted(found))}")
        told = {alert["alert_level"] for alert in tuple(self._injector.run.alerts) if alert.get("user_id") == token}
        if {"LOW", "MEDIUM"} <= told:
            progress.recover("LOW and MEDIUM alerts delivered by SNS")


class Anomaly(Fault):
    """A value far outside of what its type had before."""

    name, title, key = "anomaly", "Anomaly", "a"
    expect = "sixty ordinary values of a new type, then one a hundred times as large: a HIGH alert"

    def __init__(self, injector: Injector) -> None:
        self._injector = injector
        self._count = 0

    def inject(self) -> tuple[str, Any]:
        """Sends the ordinary values; the outlier follows once event time has moved past their slice."""
        self._count += 1
        kind = f"{_ANOMALY_TYPE}_{self._count}"
        token: dict[str, Any] = {"type": kind, "id": f"anomaly-{time.time_ns()}", "baseline": 0, "sent": False}
        self._baseline(token)
        return f"{_BASELINE} ordinary values of type {kind}, and an outlier to follow", token

    def look(self, progress: Progress, token: dict[str, Any]) -> None:
        """Sends what follows; noticed by the job's result, done when the alert has come through SNS."""
        if not token["sent"]:
            try:
                self._outlier(token)
            except NotNow as why:
                if self._injector.run.delivery.closing:
                    progress.failed = f"the outlier was not sent: {why}"
            return
        if token["id"] in self._injector.run.findings.anomalies:
            progress.notice("anomaly result")
        if any(alert.get("event_type") == token["type"] for alert in tuple(self._injector.run.alerts)):
            progress.recover("alert delivered by SNS")

    def _baseline(self, token: dict[str, Any]) -> None:
        def make(newest: int) -> list[Planned]:
            token["baseline"] = newest
            return [self._event(newest, token["type"], 50.0 + n % 7) for n in range(_BASELINE)]

        self._injector.send(make)

    def _outlier(self, token: dict[str, Any]) -> None:
        def make(newest: int) -> list[Planned]:
            time_of = newest
            if self._injector.over and newest < token["baseline"] + _SLICES:
                time_of = token["baseline"] + _SLICES  # nobody else moves event time now
            if not token["baseline"] + _SLICES <= time_of < token["baseline"] + 30 * MINUTE:
                return []
            token["sent"] = True
            self._injector.run.traffic.truth.anomalies.add(token["id"])
            return [self._event(time_of, token["type"], 5_000.0, token["id"]), *self._injector.heartbeats(time_of)]

        newest, _ = self._injector.send(make)
        if not token["sent"] and newest >= token["baseline"] + 30 * MINUTE:
            self._baseline(token)  # the hour has run past the first ones

    @staticmethod
    def _event(event_time: int, kind: str, value: float, event_id: str | None = None) -> Planned:
        event = {"event_time": event_time, "user_id": 77, "event_type": kind, "value": value, "event_id": event_id}
        return Planned(SHARD, event_bytes(event))
