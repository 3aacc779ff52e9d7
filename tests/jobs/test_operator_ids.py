"""The graph's operators: one source and one decoding whatever the jobs, and ids that are each job's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyflink.java_gateway import get_gateway

from contracts.results import ResultType
from flink_jobs import endpoints, graph
from flink_jobs.engine.gateway import java
from flink_jobs.engine.lanes import RuleError
from flink_jobs.settings import BackfillSettings
from tests.events import configured
from tests.jobs.harness import SQL, environment

#: Not of a job: source, intake, the rejected stream, and this test's sinks.
SHARED = ("source", "intake-", "rejected", "documents-")
#: Of the jobs whose rules share a key and its slots: their operators are named by the key.
LANE = "user_id-"
ITS_JOBS = (ResultType.SESSION, ResultType.BEHAVIOR, ResultType.RECOMMENDATION)


def operators(jar: Path, *jobs: str) -> dict[str, str]:
    """Name of each operator by its id."""
    env = environment(jar, 2)
    settings = configured(*jobs)
    records = endpoints.archived_records(env, settings, BackfillSettings("/nowhere", 0, 2**62, 0))
    documents = graph.build(env, records, settings, SQL)
    java("benchmark.CountedDiscard").attach(documents.results, "documents-results")
    java("benchmark.CountedDiscard").attach(documents.rejected, "documents-rejected")
    # A plain Collection is nothing that py4j iterates over.
    graph_nodes = env._j_stream_execution_environment.getStreamGraph(False).getStreamNodes()
    nodes = list(get_gateway().jvm.java.util.ArrayList(graph_nodes))
    found = {node.getTransformationUID(): node.getOperatorName() for node in nodes}
    assert None not in found, f"an operator has no id: {found[None]}"
    assert len(found) == len(nodes), "two operators have one id"
    return found


@pytest.fixture(scope="module")
def all_jobs(jar: Path) -> dict[str, str]:
    return operators(jar)


def test_the_source_is_read_and_decoded_once_whatever_the_jobs(all_jobs: dict[str, str]) -> None:
    assert [name for name in all_jobs.values() if "Source" in name] == [all_jobs["source"]]


def test_an_operators_id_says_whose_it_is(all_jobs: dict[str, str]) -> None:
    own = tuple(f"{job.value}-" for job in ResultType)
    assert not [identity for identity in all_jobs if not identity.startswith((*own, LANE, *SHARED))]


@pytest.mark.parametrize("job", ResultType)
def test_a_job_has_the_same_ids_with_and_without_the_others(
    jar: Path, all_jobs: dict[str, str], job: ResultType
) -> None:
    alone = operators(jar, job.value)
    lane = (LANE,) if job in ITS_JOBS else ()
    own = (f"{job.value}-", *lane, *SHARED)
    assert alone.keys() == {identity for identity in all_jobs if identity.startswith(own)}


def test_a_graph_whose_state_a_checkpoint_could_miss_is_refused(jar: Path) -> None:
    env = environment(jar, 2)
    env.disable_operator_chaining()
    settings = configured("session")
    records = endpoints.archived_records(env, settings, BackfillSettings("/nowhere", 0, 2**62, 0))
    with pytest.raises(RuleError, match=r"user_id: the operators 'slots' and 'rules' are not chained"):
        graph.build(env, records, settings, SQL)
