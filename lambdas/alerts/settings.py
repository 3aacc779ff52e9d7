"""Settings of the alerts function, from its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.results import SCHEMAS
from contracts.settings import SettingsError, read_group
from lambdas.alerts.alert import JobSettings
from lambdas.alerts.labels import label
from lambdas.common.errors import SettingError
from lambdas.common.settings import matching, required, seconds, whole
from lambdas.common.sink_settings import dead_letter_queue, metric_namespace

TOPIC_VARIABLE = "ALERT_TOPIC_ARN"
TABLE_VARIABLE = "PROCESSED_TABLE"
MAX_AGE_VARIABLE = "ALERT_MAX_AGE_SECONDS"
DIGEST_VARIABLE = "ALERT_DIGEST_ABOVE"
REMEMBER_VARIABLE = "PROCESSED_TTL_SECONDS"
CATEGORIES_VARIABLE = "METRIC_CATEGORIES"
EVENT_TYPES_VARIABLE = "METRIC_EVENT_TYPES"

JOB_SETTINGS_VARIABLE = "JOB_SETTINGS"

_HOUR = 3600
_DAY = 24 * _HOUR


@dataclass(frozen=True)
class Settings:
    """Where alerts, counts, marks and dead letters go.

    ``topic_arn``: the SNS topic (not FIFO) of alerts; ``namespace``: where CloudWatch keeps the counts; ``table``: the
    DynamoDB table of processed results; ``queue_url``: the SQS queue of dead letters; ``max_age``: seconds after which
    an alert is counted only; ``digest_above``: so many alerts of a type in a batch are sent one by one; ``remember``:
    seconds that a processed result is remembered, longer than the streams can deliver it; ``categories``: those that
    are counted by name; ``event_types``: so many of them, the largest, are counted by name; ``of_jobs``: settings of
    each job that its alerts name.
    """

    topic_arn: str
    namespace: str
    table: str
    queue_url: str
    max_age: float
    digest_above: int
    remember: float
    categories: frozenset[str]
    event_types: int
    of_jobs: JobSettings

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings from ``ALERT_TOPIC_ARN``; raises :class:`~lambdas.common.errors.SettingError`."""
        arn = required(env, TOPIC_VARIABLE, "the ARN of the SNS topic that alerts go to")
        return cls(
            topic_arn=matching(
                TOPIC_VARIABLE,
                arn,
                r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
                "allowed is the ARN of a standard topic, arn:aws:sns:<region>:<account>:<name>",
            ),
            namespace=metric_namespace(env),
            table=matching(
                TABLE_VARIABLE,
                required(env, TABLE_VARIABLE, "the DynamoDB table that remembers processed results"),
                r"[a-zA-Z0-9_.-]{3,255}",
                "allowed is a table's name: 3 to 255 letters, digits, _, . and -",
            ),
            queue_url=dead_letter_queue(env),
            max_age=seconds(env, MAX_AGE_VARIABLE, default=6 * _HOUR, low=60, high=14 * _DAY),
            digest_above=whole(env, DIGEST_VARIABLE, default=20, low=1, high=10_000),
            remember=seconds(env, REMEMBER_VARIABLE, default=2 * _DAY, low=_HOUR, high=400 * _DAY),
            event_types=whole(env, EVENT_TYPES_VARIABLE, default=20, low=1, high=500),
            categories=_categories(env.get(CATEGORIES_VARIABLE) or "[]"),
            of_jobs=_job_settings(env.get(JOB_SETTINGS_VARIABLE) or "{}"),
        )


def told_settings(groups: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What the function must be told of the application's property groups, as the variable has it: no defaults."""
    told = {
        job.value: {key: text for key, text in groups.get(job.value, {}).items() if key in entry.told_settings}
        for job, entry in SCHEMAS.items()
    }
    return {job: texts for job, texts in told.items() if texts}


def _job_settings(text: str) -> JobSettings:
    """The settings that alerts name, of every job: those of the JSON object, else the defaults."""
    try:
        groups = json.loads(text)
    except ValueError:
        groups = None
    if not isinstance(groups, dict) or not all(
        isinstance(given, dict) and all(isinstance(value, str) for value in given.values()) for given in groups.values()
    ):
        raise SettingError(f"{JOB_SETTINGS_VARIABLE} must be a JSON object of groups, got {text!r}")
    found = {}
    for job, entry in SCHEMAS.items():
        if entry.settings is not None:
            try:
                # Only those that alerts name are here: they were checked with the others at synth.
                given = groups.get(job.value, {})
                made = read_group(entry.settings, JOB_SETTINGS_VARIABLE, job.value, given, together=False)
            except SettingsError as error:
                raise SettingError(str(error)) from None
            found[job.value] = {key: getattr(made, key) for key in entry.told_settings}
    return found


def _categories(text: str) -> frozenset[str]:
    """A JSON list of names that are their own label (:func:`lambdas.alerts.labels.label`)."""
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) and name and label(name) == name for name in names):
        raise SettingError(f"{CATEGORIES_VARIABLE} is {text!r}: allowed is a JSON list of printable ASCII names")
    return frozenset(names)
