"""What the tests of the jobs share: one warm cluster a pytest session, moto, a broker."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings

from flink_jobs.settings import Settings
from local.demo.inputs import KAFKA_LIB
from local.oracle.records import LogRecord
from local.processes import Supervisor
from local.standins.kafka_broker import KafkaBroker
from local.standins.moto import Moto
from tests.events import Output
from tests.jobs import cluster, other_sources
from tests.jobs.harness import JAR, ROOT, run
from tests.jobs.live import Live
from tests.jobs.other_sources import OtherLive

Flink = Callable[..., Output]

# A generated stream is judged as a whole after ONE run of Flink (see streams.py), so nothing is shrunk or replayed.
_BATCHED = hypothesis_settings(
    phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
#: `make test`: the same streams at each run. `--hypothesis-profile=explore`: other and more ones at each run.
hypothesis_settings.register_profile("same", _BATCHED, derandomize=True, max_examples=150)
hypothesis_settings.register_profile("explore", _BATCHED, derandomize=False, max_examples=400)
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The job's jar, on a warm cluster; a copy, so that a build meanwhile does not pull it away under the JVM."""
    if not JAR.is_file():
        pytest.fail(f"{JAR.relative_to(ROOT)} is missing: run `make package` first", pytrace=False)
    copy = Path(shutil.copy(JAR, tmp_path_factory.mktemp("jar")))
    warm = cluster.started(copy)
    yield copy
    warm.close()


@pytest.fixture(scope="session")
def flink(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Flink:
    """Runs records through the graph: ``flink(records, settings, parallelism=2)``."""
    folder = tmp_path_factory.mktemp("archives")
    numbers = itertools.count()

    def execute(
        records: Sequence[LogRecord],
        settings: Settings,
        parallelism: int = 2,
        verdicts: Mapping[tuple[str, str], str] | None = None,
    ) -> Output:
        archive = folder / f"{next(numbers)}.jsonl"
        try:
            return run(records, settings, jar, archive, parallelism, verdicts)
        finally:
            archive.unlink()

    return execute


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """A moto server, with which the JVM's AWS SDKs speak JSON."""
    with Supervisor(tmp_path_factory.mktemp("moto")) as supervisor:
        yield Moto.start(supervisor)


@pytest.fixture
def live(moto: Moto, jar: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[int], Live]]:
    """Streams of the given number of shards, and the application over them."""
    made: list[Live] = []

    def make(shards: int) -> Live:
        name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)
        made.append(Live(moto, jar, tmp_path, f"{name}-{len(made)}", shards))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A Kafka broker; its topics are the tests'."""
    with Supervisor(tmp_path_factory.mktemp("kafka")) as supervisor:
        yield KafkaBroker.start(supervisor, KAFKA_LIB)


@pytest.fixture(params=["msk", "s3", "archive"])
def other(
    moto: Moto, jar: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[int], OtherLive]]:
    """An input of the given number of partitions, and the application over it."""
    made: list[OtherLive] = []
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)

    def start(shards: int) -> OtherLive:
        called = f"{name}-{len(made)}"
        if request.param == "msk":
            broker = request.getfixturevalue("broker")
            made.append(other_sources.topic(moto, jar, tmp_path, called, shards, broker))
        elif request.param == "s3":
            made.append(other_sources.files(moto, jar, tmp_path, called, shards))
        else:
            made.append(other_sources.archive(moto, jar, tmp_path, called, shards))
        return made[-1]

    yield start
    for each in made:
        each.close()
