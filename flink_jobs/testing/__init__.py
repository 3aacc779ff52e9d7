"""Runs a rule on lists of events, without a JVM, in milliseconds: what is in here ships with the kit.

    from flink_jobs.testing import Job, event

    job = Job(rule(Settings...))
    job.take([event(at=0, user_id=1), event(at=60_000, user_id=1)])
    assert [row.event_count for row in job.finish()] == [2]

The rule runs in the engine's own host: complete, ordered slots, states that become bytes between calls, and what a rule
raises becomes a rejection. Wrong order, restarts and other slots must not show; :func:`outcomes` tries them.
"""

from __future__ import annotations

from flink_jobs.testing.run import Job, Rejected, RuleFailed, event, outcomes, side_by_side

__all__ = ["Job", "Rejected", "RuleFailed", "event", "outcomes", "side_by_side"]
