"""Settings, logs and chunks."""

from __future__ import annotations

import json
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.results import SCHEMAS
from lambdas.alerts.settings import Settings as AlertsSettings
from lambdas.common import logs
from lambdas.common.chunks import chunks
from lambdas.common.errors import SettingError
from lambdas.common.settings import endpoint
from lambdas.search_indexer.settings import Settings as IndexerSettings

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
ALERTS = {
    "ALERT_TOPIC_ARN": TOPIC,
    "PROCESSED_TABLE": "processed",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.example/dead",
}
INDEXER = {"OPENSEARCH_ENDPOINT": "https://search.example", "AWS_REGION": "eu-west-1"}


def test_settings_of_a_job_are_not_compared_with_those_that_are_not_here() -> None:
    # The medium score of that environment is below its high score; it is no setting of this function's entry.
    given = AlertsSettings.from_env(ALERTS | {"JOB_SETTINGS": '{"anomaly": {"high_score": "4"}}'})
    assert given.of_jobs["anomaly"]["high_score"] == 4


def test_settings_have_their_defaults() -> None:
    assert AlertsSettings.from_env(ALERTS) == AlertsSettings(
        TOPIC,
        "RealTimeAnalytics",
        "processed",
        "https://sqs.example/dead",
        6 * 3600,
        20,
        48 * 3600,
        frozenset(),
        20,
        {
            **{
                job.value: {key: getattr(entry.settings(), key) for key in entry.told_settings}
                for job, entry in SCHEMAS.items()
                if entry.settings is not None
            },
            "anomaly": {"medium_score": 5.0, "high_score": 10.0},
            "fraud": {"event_types": ("purchase",)},
        },
    )
    assert IndexerSettings.from_env(INDEXER) == IndexerSettings(
        "https://search.example", "realtime-analytics", "eu-west-1", 10.0, "RealTimeAnalytics"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PROCESSED_TABLE": ""}, "PROCESSED_TABLE is not set: the DynamoDB table that remembers processed results"),
        ({"PROCESSED_TABLE": "a table"}, "PROCESSED_TABLE is 'a table': allowed is a table's name"),
        ({"DEAD_LETTER_QUEUE_URL": ""}, "DEAD_LETTER_QUEUE_URL is not set: the URL of the SQS queue"),
        ({"DEAD_LETTER_QUEUE_URL": "dead"}, "DEAD_LETTER_QUEUE_URL is 'dead': allowed is a queue's URL"),
        ({"METRIC_NAMESPACE": "/"}, "METRIC_NAMESPACE is '/': allowed are 1 to 255"),
        ({"ALERT_MAX_AGE_SECONDS": "5"}, "ALERT_MAX_AGE_SECONDS is '5': allowed is a number of seconds from 60"),
        ({"ALERT_DIGEST_ABOVE": "0"}, "ALERT_DIGEST_ABOVE must be a whole number from 1 to 10000, got '0'"),
        ({"METRIC_EVENT_TYPES": "1.5"}, "METRIC_EVENT_TYPES must be a whole number from 1 to 500, got '1.5'"),
        ({"JOB_SETTINGS": "refund"}, "JOB_SETTINGS must be a JSON object of groups, got 'refund'"),
        ({"JOB_SETTINGS": '{"fraud": {"low": 5}}'}, "JOB_SETTINGS must be a JSON object of groups"),
        ({"JOB_SETTINGS": '{"fraud": {"event_types": ""}}'}, "JOB_SETTINGS: group 'fraud', key 'event_types': ''"),
        ({"METRIC_CATEGORIES": "books"}, "METRIC_CATEGORIES is 'books': allowed is a JSON list"),
        ({"METRIC_CATEGORIES": '{"books": 1}'}, "allowed is a JSON list of printable ASCII names"),
        ({"METRIC_CATEGORIES": '["café"]'}, "allowed is a JSON list of printable ASCII names"),
        ({"METRIC_CATEGORIES": '[""]'}, "allowed is a JSON list of printable ASCII names"),
        ({"PROCESSED_TTL_SECONDS": "60"}, "PROCESSED_TTL_SECONDS is '60'"),
    ],
)
def test_a_bad_setting_of_the_alerts_function_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)):
        AlertsSettings.from_env(ALERTS | change)


def test_the_older_name_of_the_region_is_read_too() -> None:
    env = {"OPENSEARCH_ENDPOINT": "https://search.example", "AWS_DEFAULT_REGION": "us-gov-west-1"}
    assert IndexerSettings.from_env(env).region == "us-gov-west-1"


@pytest.mark.parametrize("arn", ["", "alerts", TOPIC + ".fifo", TOPIC + "\n", "arn:aws:sqs:us-east-1:123456789012:q"])
def test_a_bad_topic_is_named(arn: str) -> None:
    with pytest.raises(SettingError, match="ALERT_TOPIC_ARN is"):
        AlertsSettings.from_env(ALERTS | {"ALERT_TOPIC_ARN": arn})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"OPENSEARCH_ENDPOINT": ""}, "OPENSEARCH_ENDPOINT is not set: the URL of the OpenSearch domain"),
        ({"INDEX_PREFIX": "Upper"}, "INDEX_PREFIX is 'Upper': allowed are 1 to 100 lower-case"),
        ({"INDEX_PREFIX": "-x"}, "INDEX_PREFIX is '-x'"),
        ({"AWS_REGION": "nowhere"}, "AWS_REGION .* is 'nowhere': allowed is a region's name"),
        ({"AWS_REGION": ""}, "AWS_REGION .* is ''"),
        ({"OPENSEARCH_TIMEOUT_SECONDS": "0"}, "is '0': allowed is a number of seconds from 1 to 60"),
        ({"OPENSEARCH_TIMEOUT_SECONDS": "nan"}, "is 'nan'"),
        ({"OPENSEARCH_TIMEOUT_SECONDS": "soon"}, "OPENSEARCH_TIMEOUT_SECONDS is 'soon'"),
    ],
)
def test_a_bad_indexer_setting_is_named_with_what_is_allowed(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        IndexerSettings.from_env(INDEXER | change)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("https://search.example", "https://search.example"),
        ("https://search.example:9200/", "https://search.example:9200"),
        ("http://localhost:9200", "http://localhost:9200"),
        ("http://127.0.0.1:9200", "http://127.0.0.1:9200"),
        ("http://[::1]:9200", "http://[::1]:9200"),
    ],
)
def test_an_endpoint_is_read(value: str, read: str) -> None:
    assert endpoint("E", value) == read


@pytest.mark.parametrize(
    "value",
    [
        "http://search.example",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "ftp://localhost",
        "localhost:9200",
        "https://",
        "https://user:word@search.example",
        "https://search.example/path",
        "https://search.example?x=1",
        "https://search.example:port",
        "https://search.example:99999",
        "https://search .example",
        "http://[::1",
    ],
)
def test_a_bad_endpoint_is_refused(value: str) -> None:
    with pytest.raises(SettingError, match=r"E is .*allowed is https://host"):
        endpoint("E", value)


def test_logs_are_json_lines_with_fields_and_exceptions() -> None:
    # Given a record with fields and an exception
    try:
        raise ValueError("reason")  # noqa: TRY301 (a traceback is what the test needs)
    except ValueError:
        record = logging.LogRecord("lambdas.x", logging.ERROR, "", 1, "it %s", ("broke",), sys.exc_info())
    record.__dict__.update(logs.fields(shard="s", strange={1}))
    # When it is formatted
    line = logs.JsonFormatter().format(record)
    # Then it is one line of ASCII JSON that holds them
    assert line.isascii()
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["message"] == "it broke"
    assert (parsed["level"], parsed["shard"], parsed["strange"]) == ("ERROR", "s", "{1}")
    assert "ValueError: reason" in parsed["exception"]


def test_setup_adds_one_handler_and_leaves_a_hosts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger(logs.ROOT)
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    logs.setup({"LOG_LEVEL": "WARNING"})
    logs.setup({})
    assert len(logger.handlers) == 1
    assert logger.level == logging.INFO
    assert logger.propagate is False


def test_a_bad_log_level_is_refused() -> None:
    with pytest.raises(SettingError, match="LOG_LEVEL is 'LOUD': allowed are DEBUG, INFO"):
        logs.setup({"LOG_LEVEL": "LOUD"})


@given(sizes=st.lists(st.integers(0, 20)), max_items=st.integers(1, 5), max_bytes=st.integers(1, 30))
def test_chunks_keep_order_and_limits(sizes: list[int], max_items: int, max_bytes: int) -> None:
    made = list(chunks(sizes, max_items=max_items, max_bytes=max_bytes, size_of=lambda size: size))
    assert [size for chunk in made for size in chunk] == sizes
    for chunk in made:
        assert 1 <= len(chunk) <= max_items
        assert sum(chunk) <= max_bytes or len(chunk) == 1
