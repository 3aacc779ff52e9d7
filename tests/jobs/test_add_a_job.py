"""docs/add-a-job.md, done: in a copy of the checkout, the page's blocks are put where it says, and the job runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import child_environment
from tests.jobs.harness import JAR, ROOT

PAGE = ROOT / "docs" / "add-a-job.md"
_COPIED = ("config", "contracts", "flink_jobs", "lambdas", "local", "monitoring", "scripts", "sql", "stacks", "tests")

#: Runs in the copy: the job with the harness of these tests, then everything that is derived from its entry.
_PROGRAM = """
import json, sys
from pathlib import Path
from tests.events import MINUTE, at, configured, event, log
from tests.jobs.harness import run
from contracts.lake import tables
from contracts.warehouse import views
from flink_jobs.settings import JobsSettings
from lambdas.search_indexer.template import template
from scripts import docs, redshift

jar, folder = Path(sys.argv[1]), Path(sys.argv[2])
payloads = [event(offset, event_type="sale", value=value) for offset, value in ((0, 2.5), (1, 9.0), (5 * MINUTE, 4.0))]
output = run(log(payloads), configured("peak", "aggregation"), jar, folder / "archive.jsonl")
rows = [[row["window_start"] == at(start), row["event_type"], float(row["highest_value"]), row["result_id"][:5]]
        for row, start in zip(output.rows("peak"), (0, 5 * MINUTE))]
print("FOUND " + json.dumps({
    "rows": rows,
    "aggregations": len(output.rows("aggregation")),
    "enabled by default": "peak" in JobsSettings().enabled,
    "index": sorted(template("p", "peak")["template"]["mappings"]["properties"]),
    "table": [table.prefix for table in tables(parquet=True) if table.name == "peak"],
    "view": [column.name for column in views()["peak"]],
    "warehouse": "20_peak.sql" in redshift.files(),
    "page": "highest_value" in docs.pages()["contracts.md"],
}))
"""


def _block(after: str, language: str) -> str:
    """The first code block of ``language`` behind the words ``after``."""
    text = PAGE.read_text(encoding="utf-8").partition(after)[2]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None, after
    return found[1]


def _put(file: Path, before: str, block: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    file.write_text(text.replace(before, block + before), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / "checkout"
    for folder in _COPIED:
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "java", "e2e"))
    return target


def test_a_sixth_query_is_a_file_and_an_entry_and_the_rest_follows(copy: Path, tmp_path: Path) -> None:
    # Given a copy of the checkout with the page's blocks where it says
    results = copy / "contracts" / "results.py"
    _put(results, '    FRAUD = "fraud"\n', _block("in `ResultType`", "python"))
    _put(results, "        ResultSchema(\n            ResultType.AGGREGATION,\n", _block("in `SCHEMAS`", "python"))
    (copy / "sql" / "peak.sql").write_text(_block("`sql/peak.sql`", "sql"), encoding="utf-8")
    # When the job runs beside another, and everything that is derived is asked
    done = subprocess.run(  # noqa: S603 - this interpreter and the program above
        [sys.executable, "-c", _PROGRAM, str(JAR), str(tmp_path)],
        cwd=copy,
        env=child_environment(),  # a Python job that ran here before has left PYFLINK_GATEWAY_DISABLED
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert found, done.stdout[-2000:] + done.stderr[-4000:]
    told = json.loads(found[0].removeprefix("FOUND "))
    # Then its rows are right, the other job's are there, and all that follows has it
    assert told["rows"] == [[True, "sale", 9.0, "peak-"], [True, "sale", 4.0, "peak-"]]
    assert told["aggregations"] == 2
    assert told["enabled by default"] is True
    assert {"highest_value", "result_id", "@timestamp"} <= set(told["index"])
    assert told["table"] == ["results/result_type=peak/"]
    assert told["view"][-1] == "highest_value"
    assert told["warehouse"] is True
    assert told["page"] is True
