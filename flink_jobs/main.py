"""Starts the application: reads the settings, builds the one job graph, executes it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import CheckpointingMode, StreamExecutionEnvironment

from contracts.events import ContractError
from contracts.settings import SettingsError
from flink_jobs import endpoints, graph
from flink_jobs.engine.lanes import RuleError
from flink_jobs.settings import Settings, load_settings

JOB_NAME = "realtime-analytics"
#: The queries lie beside the package, in the repository and in application.zip.
SQL = Path(__file__).resolve().parent.parent / "sql"


def configuration() -> Configuration:
    """What the application sets of Flink, on the managed service, a laptop and in tests."""
    result = Configuration()
    # No operator keeps or changes a row that it was given, so rows need no copies between chained operators.
    result.set_string("pipeline.object-reuse", "true")
    # Every operator has an id of its own job: a graph with one that has not is refused, so no savepoint is ever lost.
    result.set_string("pipeline.auto-generate-uids", "false")
    return result


def environment(settings: Settings) -> StreamExecutionEnvironment:
    """The execution environment; what the service owns is set on a laptop only."""
    result = StreamExecutionEnvironment.get_execution_environment(configuration())
    if settings.local is not None:
        result.set_parallelism(settings.local.parallelism)
        result.enable_checkpointing(settings.local.checkpoint_interval, CheckpointingMode.EXACTLY_ONCE)
    return result


def run() -> None:
    """Runs the application; exit code 2, and one line, for a setting or a job that is not what it may be."""
    try:
        settings = load_settings(dict(os.environ))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    env = environment(settings)
    if settings.backfill is not None:
        records = endpoints.backfill_records(env, settings, settings.backfill)
    else:
        records = endpoints.records(env, settings)
    try:
        documents = graph.build(env, records, settings, SQL)
    except (ContractError, SettingsError, RuleError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    endpoints.sinks(documents, settings)
    env.execute(JOB_NAME)
