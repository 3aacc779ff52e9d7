"""The policy of the event source mapping against a simple model, over generated functions and settings."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.batch_policy import (
    Batch,
    MappingSettings,
    StreamRecord,
    backoff,
    first_failure,
    next_step,
    split_by_age,
)
from local.batch_processor import BatchProcessor
from local.kinesis_event import ShardName
from local.lambda_function import LambdaFunction

SHARD = ShardName("arn:aws:kinesis:us-east-1:123456789012:stream/s", "shardId-000000000000")


def records(count: int, arrived: float = 0.0) -> tuple[StreamRecord, ...]:
    return tuple(StreamRecord(str(10**30 + n), "k", b"%d" % n, arrived) for n in range(count))


def identifiers(event: dict[str, Any]) -> list[str]:
    return [record["kinesis"]["sequenceNumber"] for record in event["Records"]]


def failures(*numbers: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_answer_is_a_success(answer: object) -> None:
    assert first_failure(records(3), answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        failures(""),
        failures(None),
        failures("unknown"),
        failures(records(3)[2].sequence_number, ""),
        failures(5),
        {"batchItemFailures": [{"wrongKey": records(3)[2].sequence_number}]},
        {"batchItemFailures": ["text"]},
        {"batchItemFailures": "text"},
        {"batchItemFailures": 7},
        "text",
        ["list"],
        False,
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: object) -> None:
    assert first_failure(records(3), answer) == 0


@given(st.integers(1, 30), st.randoms(use_true_random=False))
def test_the_retry_begins_at_the_lowest_failure(count: int, choice: random.Random) -> None:
    batch = records(count)
    failed = choice.sample(range(count), choice.randint(1, count))
    answer = failures(*(batch[index].sequence_number for index in failed))
    assert first_failure(batch, answer) == min(failed)


SETTINGS = st.builds(
    MappingSettings,
    bisect_batch_on_function_error=st.booleans(),
    maximum_retry_attempts=st.integers(0, 4),
    report_batch_item_failures=st.booleans(),
)


@given(st.integers(1, 20), st.integers(0, 6), st.none() | st.integers(0, 19), SETTINGS)
def test_a_step_loses_and_reorders_nothing(
    count: int, retries: int, failed_at: int | None, settings: MappingSettings
) -> None:
    batch = Batch(records(count), retries)
    failed_at = None if failed_at is None else min(failed_at, count - 1)
    step = next_step(batch, failed_at, settings)
    retried = tuple(record for each in step.retry for record in each.records)
    assert step.done + step.given_up + retried == batch.records
    assert not (step.given_up and retried)
    assert all(each.records for each in step.retry)
    if failed_at is None:
        assert step.done == batch.records
    elif not settings.bisect_batch_on_function_error:
        assert step.done == batch.records[:failed_at]
    # Terminates: whatever is retried is smaller, or has used a retry.
    for each in step.retry:
        assert len(each.records) < count or each.retries == retries + 1


class Model:
    """A function that fails as generated, and notes what it was called with."""

    def __init__(self, choice: random.Random, poison: set[str], flaky: float) -> None:
        self.choice = choice
        self.poison = poison
        self.flaky = flaky
        self.succeeded: list[str] = []
        self.calls: list[list[str]] = []

    def __call__(self, event: dict[str, Any], _context: object) -> object:
        names = identifiers(event)
        self.calls.append(names)
        if self.choice.random() < self.flaky:
            raise RuntimeError("flaky")
        bad = [name for name in names if name in self.poison]
        if bad:
            if self.choice.random() < 0.5:
                raise RuntimeError("poison")
            return failures(*self.choice.sample(bad, len(bad)))
        self.succeeded += names
        return None


@given(st.integers(0, 25), st.randoms(use_true_random=False), st.floats(0, 0.7), SETTINGS)
def test_every_record_is_processed_or_given_up_in_order(
    count: int, choice: random.Random, flaky: float, settings: MappingSettings
) -> None:
    batch = records(count)
    names = [record.sequence_number for record in batch]
    poison = set(choice.sample(names, choice.randint(0, count)))
    model = Model(choice, poison, flaky)
    messages: list[dict[str, Any]] = []
    waits: list[float] = []

    def sleep(seconds: float) -> bool:
        waits.append(seconds)
        return False

    processor = BatchProcessor(
        SHARD,
        LambdaFunction("f", model),
        settings,
        messages.append,
        threading.Event(),
        clock=lambda: 0.0,
        sleep=sleep,
    )
    assert processor.process(batch)

    counts = processor.counts
    assert counts.done + counts.given_up == count
    ranges = [message["KinesisBatchInfo"] for message in messages]
    given_up = [
        name
        for info in ranges
        for name in names
        if int(info["startSequenceNumber"]) <= int(name) <= int(info["endSequenceNumber"])
    ]
    assert len(given_up) == counts.given_up == sum(info["batchSize"] for info in ranges)
    assert len(set(given_up)) == len(given_up)
    assert all(0 < wait <= settings.longest_backoff for wait in waits)
    assert all(call == sorted(call, key=int) for call in model.calls)
    # Order: no call goes back behind what is done, and the first calls of the records come in shard order.
    first = {name: index for index, call in reversed(list(enumerate(model.calls))) for name in call}
    assert [first[name] for name in names] == sorted(first[name] for name in names)
    starts = [int(call[0]) for call in model.calls]
    assert starts == sorted(starts)
    assert set(names) - set(given_up) <= set(model.succeeded) | _reported_done(model, poison, settings)
    if settings.bisect_batch_on_function_error and flaky == 0 and settings.report_batch_item_failures:
        assert set(given_up) <= poison  # the good ones are isolated from the bad ones


def _reported_done(model: Model, poison: set[str], settings: MappingSettings) -> set[str]:
    """Records before the first failure of a partial answer (or of an ignored one) count as done."""
    if not settings.report_batch_item_failures:
        return {name for call in model.calls for name in call}
    done: set[str] = set()
    for call in model.calls:
        first = next((index for index, name in enumerate(call) if name in poison), 0)
        done |= set(call[:first])
    return done


def test_splitting_takes_nothing_from_the_quota() -> None:
    settings = MappingSettings(bisect_batch_on_function_error=True, maximum_retry_attempts=0)
    step = next_step(Batch(records(5)), 0, settings)
    assert [len(each.records) for each in step.retry] == [2, 3]
    assert [each.retries for each in step.retry] == [0, 0]
    assert next_step(Batch(records(1)), 0, settings).given_up == records(1)


def test_without_a_limit_the_retries_never_end() -> None:
    step = next_step(Batch(records(2), retries=10**6), 0, MappingSettings())
    assert step.retry == (Batch(records(2), 10**6 + 1),)


def test_too_old_records_are_given_up_uncalled() -> None:
    settings = MappingSettings(maximum_record_age_in_seconds=60)
    old, young = records(2, arrived=100.0), records(4, arrived=200.0)[2:]
    assert split_by_age(Batch(old + young), 230.0, settings) == (old, Batch(young))
    assert split_by_age(Batch(old), 10.0**9, MappingSettings()) == ((), Batch(old))
    messages: list[dict[str, Any]] = []
    calls: list[list[str]] = []
    function = LambdaFunction("f", lambda event, _: calls.append(identifiers(event)))
    stop = threading.Event()
    processor = BatchProcessor(SHARD, function, settings, messages.append, stop, clock=lambda: 230.0)
    assert processor.process(old + young)
    assert calls == [[record.sequence_number for record in young]]
    assert messages[0]["requestContext"]["condition"] == "RecordAgeExceeded"
    assert messages[0]["requestContext"]["approximateInvokeCount"] == 0


def test_the_message_of_given_up_records() -> None:
    messages: list[dict[str, Any]] = []

    def fail(*_: object) -> None:
        raise ValueError("no")

    processor = BatchProcessor(
        SHARD,
        LambdaFunction("f", fail),
        MappingSettings(maximum_retry_attempts=2, first_backoff=0.0),
        messages.append,
        threading.Event(),
        clock=lambda: 1_700_000_000.5,
    )
    batch = records(3, arrived=1_699_999_999.25)
    assert processor.process(batch)
    request_id = messages[0]["requestContext"].pop("requestId")
    assert len(request_id) == 36
    assert messages == [
        {
            "requestContext": {
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 3,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": "2023-11-14T22:13:20.500Z",
            "KinesisBatchInfo": {
                "shardId": "shardId-000000000000",
                "startSequenceNumber": batch[0].sequence_number,
                "endSequenceNumber": batch[2].sequence_number,
                "approximateArrivalOfFirstRecord": "2023-11-14T22:13:19.250Z",
                "approximateArrivalOfLastRecord": "2023-11-14T22:13:19.250Z",
                "batchSize": 3,
                "streamArn": SHARD.stream_arn,
            },
        }
    ]


def test_a_stop_ends_the_retries_at_once() -> None:
    stop = threading.Event()

    def fail(*_: object) -> None:
        stop.set()
        raise ValueError("no")

    settings = MappingSettings(first_backoff=60, longest_backoff=60)
    processor = BatchProcessor(SHARD, LambdaFunction("f", fail), settings, None, stop)
    assert not processor.process(records(2))
    assert processor.counts.invocations == 1
    assert processor.counts.given_up == 0


def test_the_back_off_doubles_up_to_its_limit() -> None:
    settings = MappingSettings(first_backoff=0.5, longest_backoff=3)
    assert [backoff(n, settings) for n in (0, 1, 2, 3, 4, 5000)] == [0, 0.5, 1, 2, 3, 3]


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"batch_size": 10_001},
        {"maximum_batching_window_in_seconds": -1},
        {"maximum_retry_attempts": -2},
        {"maximum_record_age_in_seconds": -2},
        {"first_backoff": 11},
        {"poll_interval": 0},
    ],
)
def test_an_option_out_of_range_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        MappingSettings(**options)
