"""docs/add-a-job.md, done in a copy of the checkout: its commands, its files, and the demo with its jobs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import child_environment
from tests.jobs import pages
from tests.jobs.harness import JAR, ROOT

NAME = "add-a-job.md"
PAGE = (ROOT / "docs" / NAME).read_text(encoding="utf-8")
#: Whatever hangs on entries without being of one job: settings, contracts, monitoring, the functions and their packing.
_UNIT = (
    "tests/unit/contracts",
    "tests/unit/flink_jobs",
    "tests/unit/monitoring",
    "tests/unit/lambdas/test_search_indexer_template.py",
    "tests/unit/lambdas/test_alerts_handler.py",
    "tests/unit/lambdas/test_common_settings.py",
    "tests/unit/local/test_local_event_filter.py",
    "tests/unit/local/demo",
    "tests/unit/scripts/test_package_lambdas.py",
)


def commands(goal: str) -> list[list[str]]:
    """The page's calls of a target of make, without `make`."""
    return [shlex.split(line)[1:] for line in re.findall(r"^make .*$", PAGE, re.M) if line.split()[1] == goal]


def done(checkout: Path, *arguments: str, code: int = 0) -> str:
    """Runs a module of the checkout; what it says."""
    ran = subprocess.run(  # noqa: S603 - this interpreter and modules of the checkout
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env=child_environment() | {"PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ran.returncode == code, ran.stdout[-6000:] + ran.stderr[-3000:]
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose jar is built, with what the demo downloads beside it."""
    copy = pages.copy_of_the_checkout(tmp_path_factory.mktemp("copy") / "checkout")
    for place in ("docs", "operations", "benchmarks", ".mvn"):
        shutil.copytree(ROOT / place, copy / place, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "flink_jobs" / "java" / "src" / "main", copy / "flink_jobs" / "java" / "src" / "main")
    for place in ("pyproject.toml", "pom.xml", "Makefile", "README.md"):
        shutil.copy(ROOT / place, copy / place)
    (copy / "build" / "maven").mkdir(parents=True)
    shutil.copy(JAR, copy / "build" / "maven" / JAR.name)
    for place in (".cache", "node_modules"):
        (copy / place).symlink_to(ROOT / place)
    return copy


@pytest.fixture(scope="module")
def made(checkout: Path) -> Path:
    """The copy after the page's commands that make jobs."""
    for words in commands("new-job"):
        given = dict(word.split("=", 1) for word in words[1:])
        done(checkout, "scripts.new_job", "--name", given["NAME"], "--kind", given["KIND"], "--key", given["KEY"])
    return checkout


@pytest.fixture(scope="module")
def filled(made: Path) -> Path:
    """The copy with the page's files where it says, and what is derived from them."""
    for place, text in pages.files(NAME).items():
        assert (made / place).is_file(), f"make new-job did not write {place}"
        (made / place).write_text(text, encoding="utf-8")
    done(made, "scripts.docs")
    done(made, "scripts.redshift")
    return made


def test_the_page_has_a_query_and_a_rule_with_their_entries_tests_and_oracles() -> None:
    assert len(pages.files(NAME)) == 8
    assert sum(place.startswith("contracts/jobs/") for place in pages.files(NAME)) == 2


def test_what_new_job_writes_passes_its_check_as_it_is(made: Path) -> None:
    for words in commands("check"):
        job = words[1].removeprefix("JOB=")
        assert f"{job}: all is right" in done(made, "local.job_check", job)
    own = [str(path.relative_to(made)) for path in made.rglob("*.py") if re.search("revenue|returned", path.name)]
    done(made, "ruff", "format", "--check", *own)
    done(made, "mypy", *own)


def test_the_pages_files_pass_the_check_lint_and_the_unit_tests(filled: Path) -> None:
    for words in commands("check"):
        job = words[1].removeprefix("JOB=")
        assert f"{job}: all is right" in done(filled, "local.job_check", job)
    own = [place for place in pages.files(NAME) if place.endswith(".py")]
    done(filled, "ruff", "check", *own)
    done(filled, "ruff", "format", "--check", *own)
    done(filled, "mypy", *own)
    done(filled, "scripts.docs", "--check")
    done(filled, "scripts.redshift", "--check")
    done(filled, "pytest", "-q", "-x", "-n", "2", "-p", "no:cacheprovider", *_UNIT)


def test_the_demo_reconciles_the_jobs_with_their_oracles_alerts_and_metrics(filled: Path) -> None:
    # Given the application's zip with the jobs, and the page's settings
    done(filled, "scripts.package")
    (words,) = [words for words in commands("demo") if "returned" in words[1]]
    settings = shlex.split(words[1].removeprefix("ARGS="))
    # When the demo runs
    done(filled, "local.demo", "--no-page", "--no-idle", "--rate", "0", "--name", "own", *settings)
    # Then both jobs are equal to their oracles, and each has results, a metric, and alerts that came
    report = json.loads((filled / ".run" / "own" / "report.json").read_text(encoding="utf-8"))
    checks = {(check["group"], check["name"]): check for check in report["checks"]}
    assert report["ok"]
    for job in ("revenue", "returned"):
        assert checks["results", f"{job}, equal to the oracle's"]["found"] > 0
    for metric in ("Revenue", "Returns"):
        assert checks["metrics", metric]["found"] > 0
    logged = (filled / ".run" / "own" / "results.jsonl").read_text(encoding="utf-8")
    results = [json.loads(line) for line in logged.splitlines()]
    assert any(each["result_type"] == "revenue" and each["revenue"] >= 400 for each in results)
    assert any(each["result_type"] == "returned" and each["days_away"] >= 0.008 for each in results)


#: Edits of the page's query and what is said of each.
_MUTATIONS = {
    "a reserved word": ("COUNT(*) AS purchases", "COUNT(*) AS value", "line 8: value cannot stand here; a name"),
    "another type": (
        "COUNT(*) AS purchases",
        "CAST(COUNT(*) AS INT) AS purchases",
        "the column purchases is INT, the entry says long: write CAST(... AS BIGINT) AS purchases",
    ),
    "a null": (
        "COALESCE(SUM(amount), 0) AS revenue",
        "SUM(amount) AS revenue",
        "the column revenue may be null: write COALESCE(..., 0) AS revenue, or say nullable=True in",
    ),
    "missing": ("    COUNT(*) AS purchases,\n", "", "the column purchases (events) is missing: write ... AS purchases"),
    "no setting": (":window", "INTERVAL '15' MINUTE", "the setting 'window' has no effect; write :window in the query"),
    "another setting": (":window", ":windows", ":windows is no setting of the job; allowed are window, much"),
    "no such column": ("SUM(amount)", "SUM(amonut)", "there is no column amonut; those of the table events are in"),
}  # fmt: skip
_NO_WINDOW = """
SELECT
    event_time, event_time AS window_start, event_time AS window_end, event_time AS needs_from,
    category, purchases, revenue
FROM (
    SELECT event_time, COALESCE(category, '') AS category, COUNT(*) AS purchases, COALESCE(SUM(amount), 0) AS revenue
    FROM events WHERE :window IS NOT NULL GROUP BY event_time, category
)
"""

_REFUSED = """
import json, sys
from pathlib import Path
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from contracts.events import ContractError
from contracts.results import ResultType
from contracts.settings import SettingsError
from flink_jobs import query, sql_files
from tests.events import configured

tables = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
tables.execute_sql(Path("sql/events.sql").read_text().rstrip().removesuffix(";"))
job, told = ResultType("revenue"), {}
for name, sql in json.loads(Path(sys.argv[1]).read_text()).items():
    try:
        query.stream_of(job, sql_files.render(sql, job, configured("revenue")).strip().removesuffix(";"), tables)
        told[name] = "accepted"
    except (ContractError, SettingsError) as error:
        told[name] = str(error)
print("FOUND " + json.dumps(told))
"""


def test_a_mistake_in_the_query_is_one_line_that_says_what_to_write(filled: Path, tmp_path: Path) -> None:
    # Given the page's query, and one with each mistake
    right = pages.files(NAME)["sql/revenue.sql"]
    queries = {"right": right, "no window": _NO_WINDOW}
    for name, (before, after, _) in _MUTATIONS.items():
        assert right.count(before) == 1, name
        queries[name] = right.replace(before, after)
    (tmp_path / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
    # When the graph is built of each
    told = pages.run(filled, _REFUSED, str(tmp_path / "queries.json"))
    # Then each is one line of its own, and the page's is accepted
    assert told.pop("right") == "accepted"
    wanted = {name: line for name, (_, _, line) in _MUTATIONS.items()}
    wanted["no window"] = "the query changes rows that it has given: group by a window, as in GROUP BY window_start"
    assert told.keys() == wanted.keys()
    for name, line in told.items():
        assert line.startswith("sql/revenue.sql: "), line
        assert wanted[name] in line
        assert len(line.splitlines()) == 1
