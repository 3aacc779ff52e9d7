"""docs/add-a-job.md, done: in a copy of the checkout, the page's blocks are put where it says, and the job runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs import pages
from tests.jobs.harness import JAR

PAGE = "add-a-job.md"

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


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return pages.copy_of_the_checkout(tmp_path / "checkout")


#: The rule's own test, then the job in the graph.
_RULE = """
import json, sys
from pathlib import Path
from tests.events import HOUR, at, configured, event, log
from tests.jobs.harness import run

page: dict = {}
exec(compile(Path(sys.argv[3]).read_text(), "page", "exec"), page)
page["test_three_in_a_row"]()
jar, folder = Path(sys.argv[1]), Path(sys.argv[2])
payloads = [event(offset, event_type="purchase") for offset in (0, 1000, 2000)] + [event(3000), event(5 * HOUR)]
output = run(log(payloads), configured("streak", "session"), jar, folder / "archive.jsonl")
print("FOUND " + json.dumps({
    "rows": [[row["streak_start"] == at(0), row["streak_end"] == at(2000), row["purchases"]]
             for row in output.rows("streak")],
    "sessions": len(output.rows("session")),
}))
"""


def test_a_rule_is_a_file_and_an_entry(copy: Path, tmp_path: Path) -> None:
    # Given a copy of the checkout with the blocks of the page's second part where it says
    entry = pages.block(PAGE, "## A job in Python", "python")
    pages.put_result(copy, entry, pages.block(PAGE, 'STREAK = "streak"\n```', "python"))
    rule = pages.block(PAGE, "The rule, `", "python")
    (copy / "flink_jobs" / "jobs" / "streak.py").write_text(rule, encoding="utf-8")
    test = tmp_path / "test_streak.py"
    test.write_text(pages.block(PAGE, "Its test needs no JVM", "python"), encoding="utf-8")
    # When its test runs, and the job beside another of its lane
    told = pages.run(copy, _RULE, str(JAR), str(tmp_path), str(test))
    # Then its row is right, and the other job's are there
    assert told == {"rows": [[True, True, 3]], "sessions": 2}


def test_a_sixth_query_is_a_file_and_an_entry_and_the_rest_follows(copy: Path, tmp_path: Path) -> None:
    # Given a copy of the checkout with the page's blocks where it says
    entry = pages.block(PAGE, "in `ResultType`", "python")
    pages.put_result(copy, entry, pages.block(PAGE, "in `SCHEMAS`", "python"))
    (copy / "sql" / "peak.sql").write_text(pages.block(PAGE, "`sql/peak.sql`", "sql"), encoding="utf-8")
    # When the job runs beside another, and everything that is derived is asked
    told = pages.run(copy, _PROGRAM, str(JAR), str(tmp_path))
    # Then its rows are right, the other job's are there, and all that follows has it
    assert told["rows"] == [[True, "sale", 9.0, "peak-"], [True, "sale", 4.0, "peak-"]]
    assert told["aggregations"] == 2
    assert told["enabled by default"] is True
    assert {"highest_value", "result_id", "@timestamp"} <= set(told["index"])
    assert told["table"] == ["results/result_type=peak/"]
    assert told["view"][-1] == "highest_value"
    assert told["warehouse"] is True
    assert told["page"] is True
