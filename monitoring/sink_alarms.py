"""Alarms on who takes the results: functions, what they gave up, the alerts' topic, the search index."""

from __future__ import annotations

from collections.abc import Iterator

from config.model import Environment
from contracts import metrics
from contracts.rejections import Reason
from monitoring import service_metrics as service
from monitoring.catalogue import BUSINESS, FUNCTION
from monitoring.names import ALERTS, Names
from monitoring.rules import READ_LAG_MS, Comparison, Missing, Rule, Severity
from monitoring.series import MINUTE, Metric, Series, series

_DAY = 86_400
#: SQS forgets a given-up record after 14 days (stacks/constructs/stream_reader.py): a week is left to act.
_OLD_MESSAGE_SECONDS = 7 * _DAY
#: An alert that a channel takes at once is seconds old; one that waited for so long was tried three times.
_LATE_ALERT_SECONDS = 15 * MINUTE
#: Free storage below which OpenSearch blocks writes is 20 % or 20 GB, whichever is less; the alarm comes before.
_FREE_SHARE = 0.25
_MB_PER_GB = 1024
_NO_CALLS = "a function that is not called has no error; lag-results tells when it should have been"
_NO_TELLING = "the domain publishes every minute; a gap is CloudWatch's, and errors-search-indexer tells of a real one"


def sink_alarms(environment: Environment, names: Names) -> Iterator[Rule]:
    """Those of Lambda, SQS, SNS and OpenSearch."""
    yield from _functions(names)
    yield from _registered(environment, names)
    yield from _again(names)
    yield from _given_up(names)
    yield from _channels(names)
    yield _event_types(names)
    yield _rule_failed(names)
    if names.search_domain is not None:
        yield from _search(environment, names, names.search_domain)
    if names.refresh_queue is not None and names.refresh_rule is not None:
        yield from _refreshes(names.refresh_queue, names.refresh_rule)


def _functions(names: Names) -> Iterator[Rule]:
    for package, function in names.functions.items():
        called = package.replace("_", "-")
        yield Rule(
            f"errors-{called}",
            {"m": series(service.ERRORS, function)},
            0,
            "the function raised: its whole batch is retried",
            Missing.FINE,
            _NO_CALLS,
            here="let the handler raise",
        )
        yield Rule(
            f"throttles-{called}",
            {"m": series(service.THROTTLES, function)},
            0,
            "the account has no concurrency left for the function",
            Missing.FINE,
            _NO_CALLS,
            not_here="a laptop has no quota of concurrency",
        )


def _registered(environment: Environment, names: Names) -> Iterator[Rule]:
    """Kinesis tells the age of what is polled only: a registered consumer's is its function's."""
    streams = environment.streams
    for package, function in names.functions.items():
        read = [streams.results, streams.rejected] if package == ALERTS else [streams.results]
        if any(stream.enhanced_fan_out for stream in read):
            yield Rule(
                f"lag-of-{package.replace('_', '-')}",
                {"m": series(service.READ_AGE, function)},
                READ_LAG_MS,
                "the function is ten minutes behind its stream",
                Missing.FINE,
                _NO_CALLS,
                here="stop the reader for ten minutes",
            )


def _again(names: Names) -> Iterator[Rule]:
    """The functions answer for each record, so that an outage of a service is no error of theirs."""
    for package in names.functions:
        yield Rule(
            f"retries-{package.replace('_', '-')}",
            {"m": series(FUNCTION[metrics.RETRIED.name], package, namespace=names.namespace, period=5 * MINUTE)},
            0,
            "records have come again for a quarter of an hour: a service refuses them, and nothing behind them is done",
            Missing.FINE,
            _NO_CALLS,
            here="close the index that the function writes to",
        )


def _rule_failed(names: Names) -> Rule:
    rejected = BUSINESS[metrics.REJECTED_EVENTS.name]
    return Rule(
        "rule-failed",
        {"m": series(rejected, Reason.RULE_FAILED, namespace=names.namespace)},
        0,
        "a job's rule raises an error on some events: its results lack them",
        Missing.FINE,
        "no sample is how it should be: no rule has failed",
        periods=1,
        of=1,
        here="let a rule raise an error",
    )


def _event_types(names: Names) -> Rule:
    count = BUSINESS["EventCount"]
    return Rule(
        "event-types-other",
        {"m": series(count, metrics.OTHER, namespace=names.namespace)},
        0,
        "more event types come than are counted by name; the others are counted together, as `other`",
        Missing.FINE,
        "no sample of `other` is how it should be",
        periods=1,
        of=1,
        here="send more event types than the setting names",
    )


def _given_up(names: Names) -> Iterator[Rule]:
    for called, queue in names.queues.items():
        yield Rule(
            f"dead-letters-{called}",
            {"m": series(service.MESSAGES, queue)},
            0,
            "records were given up: see the runbook before their retention ends",
            Missing.FINE,
            "SQS stops publishing for a queue that was empty for hours",
            periods=1,
            of=1,
            severity=Severity.PAGE,
            here="put a record into the results that no function can read",
        )
        yield Rule(
            f"old-dead-letters-{called}",
            {"m": series(service.MESSAGE_AGE, queue)},
            _OLD_MESSAGE_SECONDS,
            "a given-up record has waited for a week; SQS deletes it after two",
            Missing.FINE,
            "SQS stops publishing for a queue that was empty for hours",
            not_here="a message would have to wait for a week",
        )
    for called, topic in names.topics.items():
        yield Rule(
            f"undelivered-{called}",
            {"m": series(service.UNDELIVERED, topic)},
            0,
            "SNS could not deliver to a subscriber: somebody does not get the alerts",
            Missing.FINE,
            "SNS publishes nothing while nothing fails",
            periods=1,
            of=1,
            not_here="the stand-in for SNS delivers at once or not at all, and counts neither",
        )


def _channels(names: Names) -> Iterator[Rule]:
    """A queue before each channel tries again for hours, so its age tells of an outage before letters do."""
    for queue in names.channels:
        channel = queue.removeprefix(f"{names.prefix}-")
        nothing_here = "the demo has no channels; tests/unit/lambdas/test_alert_webhook.py plays a webhook's answers"
        yield Rule(
            f"late-{channel}",
            {"m": series(service.MESSAGE_AGE, queue)},
            _LATE_ALERT_SECONDS,
            "alerts wait for a channel that does not take them; they are tried again until they are too old",
            Missing.FINE,
            "SQS stops publishing for a queue that was empty for hours",
            not_here=nothing_here,
        )
        yield Rule(
            f"dead-letters-{channel}",
            {"m": series(service.MESSAGES, f"{queue}-failures")},
            0,
            "a channel gave alerts up: nobody got them there",
            Missing.FINE,
            "SQS stops publishing for a queue that was empty for hours",
            periods=1,
            of=1,
            severity=Severity.PAGE,
            not_here=nothing_here,
        )


def _refreshes(queue: str, rule: str) -> Iterator[Rule]:
    """AWS has no metric of one statement's success, so there is none to miss: a refresh tells when it fails."""
    nothing_here = "a laptop has neither Redshift nor EventBridge"
    yield Rule(
        "warehouse-refresh",
        {"m": series(service.MESSAGES, queue)},
        0,
        "a refresh of the warehouse could not be asked for, or failed in Redshift: its views stand still",
        Missing.FINE,
        "SQS stops publishing for a queue that was empty for hours",
        periods=1,
        of=1,
        not_here=nothing_here,
    )
    yield Rule(
        "warehouse-refresh-untold",
        {"m": series(service.FAILED_TARGETS, rule)},
        0,
        "a refresh failed in Redshift, and EventBridge could not put that into the queue of failures",
        Missing.FINE,
        "EventBridge publishes nothing while nothing fails",
        periods=1,
        of=1,
        not_here=nothing_here,
    )


def _search(environment: Environment, names: Names, domain: str) -> Iterator[Rule]:
    settings = environment.search

    def of(metric: Metric, period: int | None = None) -> dict[str, Series]:
        return {"m": series(metric, domain, names.account, period=period)}

    def flagged(name: str, metric: Metric, meaning: str, how: str, not_here: str, *, page: bool) -> Rule:
        return Rule(
            name,
            of(metric),
            0,
            meaning,
            Missing.FINE,
            _NO_TELLING,
            periods=1,
            of=1,
            severity=Severity.PAGE if page else Severity.TICKET,
            here=how,
            not_here=not_here,
        )

    yield flagged(
        "search-red",
        service.SEARCH_RED,
        "an index has lost a primary shard: results of it cannot be read or written",
        "ask for an index with a primary shard that no node may hold",
        "",
        page=True,
    )
    yield flagged(
        "search-writes-blocked",
        service.SEARCH_BLOCKED,
        "OpenSearch refuses writes: storage or memory is short",
        "block the cluster's writes by its settings",
        "",
        page=True,
    )
    yield flagged(
        "search-key",
        service.SEARCH_KEY,
        "the key of the domain cannot be used: without it the domain stops, and its data is lost with the key",
        "",
        "a laptop's OpenSearch has no key",
        page=True,
    )
    yield flagged(
        "search-snapshot",
        service.SEARCH_SNAPSHOT,
        "the automated snapshot failed: there is less to go back to",
        "",
        "automated snapshots are the service's",
        page=False,
    )
    yield Rule(
        "search-storage",
        of(service.SEARCH_FREE),
        settings.volume_gb * _MB_PER_GB * _FREE_SHARE,
        "a node's volume is three quarters full",
        Missing.FINE,
        _NO_TELLING,
        comparison=Comparison.BELOW,
        here="publish the value under the metric's name, as the test does: filling a disk is no test",
    )
    yield Rule(
        "search-memory",
        of(service.SEARCH_MEMORY),
        95,
        "the JVM's memory is short",
        Missing.FINE,
        _NO_TELLING,
        here="publish the value under the metric's name, as the test does",
    )
    yield Rule(
        "search-cpu",
        of(service.SEARCH_CPU, 900),
        80,
        "a node has been busy for three quarters of an hour",
        Missing.FINE,
        _NO_TELLING,
        here="publish the value under the metric's name, as the test does",
    )
    if settings.instances > 1:
        yield Rule(
            "search-yellow",
            of(service.SEARCH_YELLOW),
            0,
            "a replica is lost: one more failure and results cannot be read",
            Missing.FINE,
            _NO_TELLING,
            periods=5,
            of=5,
            here="ask for an index with a replica on a cluster of one node",
        )
