"""``make new-job NAME=revenue KIND=sql KEY=category``: the files of a job that runs, with what to fill in.

Writes the entry (with a setting, a metric and a line for the page), the query or the rule, the oracle and the test;
``make docs`` then writes what is derived. Nothing that is there is touched.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from string import Template

from contracts import jobs
from contracts.columns import ColumnType
from contracts.entry import name_mistake
from flink_jobs.event_table import COLUMNS, TYPES

ROOT = Path(__file__).resolve().parent.parent
#: Python's type of a key.
_PYTHON = {ColumnType.LONG: "int", ColumnType.STRING: "str"}

_ENTRY = '''"""$title: say here what the job does ($place)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.columns import Column, ColumnType
from contracts.entry import Count, Entry, Graph
from contracts.settings import JobSettings, a_duration


@dataclass(frozen=True)
class ${cls}Settings(JobSettings):
    """What can be set; each key with its default, limits and meaning. Further kinds: contracts/settings.py."""

    $setting


ENTRY = Entry(
    meaning="$meaning",
    columns=(
$columns
    ),
    key=$key_names,
    start="$start",
    end="$end",
    line="$line",
    settings=${cls}Settings,
    # Alerts go here, too: contracts/entry.py says what each part may be, docs/add-a-job.md has examples.
    counts=(Count("$cls", "events of the job's results", value="event_count"),),
    widgets=(Graph("$title", ("$cls",)),),
    longest=("$setting_key",),
)
'''

_QUERY = """-- $title: per $keys and tumbling window (setting `window`), the events and the exact sum of their values.
-- The table `events` is in sql/events.sql; `:window` is the setting in contracts/jobs/$name.py.
-- needs_from: the earliest event_time that can change the row; not part of the result.
SELECT
    window_end AS event_time,
    window_start,
    window_end,
    window_start AS needs_from,
$selected
    COUNT(*) AS event_count,
    COALESCE(SUM(amount), 0) AS total_value
FROM
    TABLE(
        TUMBLE(
            TABLE events,
            DESCRIPTOR (event_time),
            :window
        )
    )
${where}GROUP BY window_start, window_end, $keys;
"""

_RULE = '''"""$title: per $keys, the events until a pause (setting ``pause``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.events import Event
from contracts.jobs.$name import ${cls}Settings
from contracts.results import ResultType
from flink_jobs.rule import Emit, Rule, result_of
from flink_jobs.settings import Settings

Result = result_of(ResultType("$name"))

Key = $key_type


@dataclass(slots=True)
class Run:
    """What is kept of a key between events; times are epoch milliseconds."""

    first: int
    last: int
    count: int


class ${cls}(Rule[Key, Run]):
    """The rule; flink_jobs/rule.py says what each part may be."""

    job = ResultType("$name")
    key = $key_names
    # Fields of the event that it reads beside the key and event_time: ("event_type", "value"), say.
    fields = ()
    state = Run

    def __init__(self, settings: ${cls}Settings) -> None:
        self.pause = settings.pause

    def on_batch(self, key: Key, state: Run | None, events: Sequence[Event], emit: Emit) -> Run | None:
        """Adds the events; one that comes after the pause begins another run."""
        run = state
        for event in events:
            if run is not None and event.event_time >= self.due(run):
                self.on_time(key, run, event.event_time, emit)
                run = None
            run = run or Run(event.event_time, event.event_time, 0)
            run.last = event.event_time
            run.count += 1
        return run

    def due(self, state: Run) -> int:
        """When the pause is over."""
        return state.last + self.pause

    def on_time(self, key: Key, state: Run, now: int, emit: Emit) -> None:
        """The run is over."""
        emit(
            Result(
                event_time=state.last + self.pause,
                first_event=state.first,
                last_event=state.last,
$key_values
                event_count=state.count,
                # The earliest event that can change the result: one less than the pause before it would begin it.
                needs_from=state.first - self.pause,
            )
        )


def rule(settings: Settings) -> ${cls}:
    """The rule with its settings."""
    return ${cls}(settings.$name)
'''

_ORACLE = '''"""Oracle of $name: what its results must be, computed in another way than the job does."""

from __future__ import annotations

from collections.abc import Iterable

from flink_jobs.settings import Settings
from local.oracle.made import Result
from local.oracle.records import Event


def results(events: list[Event], settings: Settings) -> Iterable[Result] | None:
    """Every result over the accepted events; None says that the job is not checked.

    Write it with ``result`` of local/oracle/made.py, in the plainest way; aggregation.py beside it is an example.
    """
    return None
'''

_SQL_TEST = '''"""$title: events in, results out. Each test reads like a line of the job's specification."""

from __future__ import annotations

from tests.events import MINUTE, at, configured, event, log
from tests.jobs.conftest import Flink

SETTINGS = configured("$name")


def test_the_events_of_a_window_are_one_result(flink: Flink) -> None:
    # Given two events of one window, and one of the next
    events = [event(offset, $fields, value=2.5) for offset in (0, 1, 5 * MINUTE)]
    # When the job runs over them
    rows = flink(log(events), SETTINGS).rows("$name")
    # Then each window has its row
    assert [(row["window_start"], row["event_count"], float(row["total_value"])) for row in rows] == [
        (at(0), 2, 5.0),
        (at(5 * MINUTE), 1, 2.5),
    ]
'''

_RULE_TEST = '''"""$title: events in, results out. Each test reads like a line of the job's specification."""

from __future__ import annotations

from contracts.jobs.$name import ${cls}Settings
from flink_jobs.jobs.$name import ${cls}
from flink_jobs.testing import event, outcomes

MINUTE = 60_000


def test_a_pause_ends_a_run() -> None:
    # Given two events close together, and one after a long pause
    events = [event(offset, $fields) for offset in (0, MINUTE, 24 * 60 * MINUTE)]
    # When the rule runs over them, in order, in another order, with restarts and in short slots
    for how, rows in outcomes(${cls}(${cls}Settings()), events=events):
        # Then the first two are one result, and the third another
        assert [row.event_count for row in rows] == [2, 1], how
'''


class NewJobError(Exception):
    """The job cannot be made; the message says what to write."""


def files(name: str, kind: str, keys: list[str]) -> dict[str, str]:
    """Place in the checkout to text; NewJobError for a name, kind or key that is not allowed."""
    mistake = name_mistake(name)
    if mistake:
        raise NewJobError(f"NAME={name}: {mistake}")
    if name in jobs.names():
        raise NewJobError(f"NAME={name}: there is a job of that name; write another")
    if kind not in ("sql", "python"):
        raise NewJobError(f"KIND={kind}: write KIND=sql or KIND=python")
    for key in keys:
        if TYPES.get(key) not in _PYTHON:
            allowed = ", ".join(field for field, of_type in TYPES.items() if of_type in _PYTHON)
            raise NewJobError(f"KEY={key}: a key is one or more of {allowed}, separated by commas")
    if not keys or len(set(keys)) != len(keys):
        raise NewJobError("KEY: write one field of the event, or several that differ, separated by commas")
    words = _words(name, kind, keys)

    def filled(text: str) -> str:
        return Template(text).substitute(words)

    made = {f"contracts/jobs/{name}.py": filled(_ENTRY), f"local/oracle/jobs/{name}.py": filled(_ORACLE)}
    if kind == "sql":
        made |= {f"sql/{name}.sql": filled(_QUERY), f"tests/jobs/test_{name}.py": filled(_SQL_TEST)}
    else:
        test = f"tests/unit/flink_jobs/jobs/test_job_{name}.py"
        made |= {f"flink_jobs/jobs/{name}.py": filled(_RULE), test: filled(_RULE_TEST)}
    for place in made:
        if (ROOT / place).exists():
            raise NewJobError(f"NAME={name}: {place} is there already; move it, or write another name")
    return made


def _words(name: str, kind: str, keys: list[str]) -> dict[str, str]:
    start, end = ("window_start", "window_end") if kind == "sql" else ("first_event", "last_event")
    key_columns = [(key, TYPES[key].name, "the key") for key in keys]
    columns = [
        (start, "TIMESTAMP", "start of the window, inclusive" if kind == "sql" else "first event of the run"),
        (end, "TIMESTAMP", "end of the window, exclusive" if kind == "sql" else "last event of the run"),
        *key_columns,
        ("event_count", "LONG", "events"),
        *([("total_value", "DECIMAL", "exact sum of value, null counts as 0")] if kind == "sql" else []),
    ]
    nullable = [key for key in keys if not COLUMNS[key].endswith("NOT NULL")]
    default = "COALESCE({0}, '') AS {0}"
    several = len(keys) > 1
    return {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "cls": "".join(word.capitalize() for word in name.split("_")),
        "where": "" if not nullable else "WHERE " + " AND ".join(f"{key} IS NOT NULL" for key in nullable) + "\n",
        "meaning": f"events per {' and '.join(keys)} " + ("in tumbling windows" if kind == "sql" else "until a pause"),
        "columns": "\n".join(f'        Column("{each}", ColumnType.{of}, "{what}"),' for each, of, what in columns),
        "key_names": f'("{keys[0]}",)' if not several else "(" + ", ".join(f'"{key}"' for key in keys) + ")",
        "keys": ", ".join(keys),
        "start": start,
        "end": end,
        "line": ", ".join(f"{{{key}}}" for key in keys) + ": {event_count} events",
        "setting_key": "window" if kind == "sql" else "pause",
        "setting": 'window: int = a_duration("5 min", "1 s", "1 d", "length of the tumbling window")'
        if kind == "sql"
        else 'pause: int = a_duration("30 min", "1 s", "1 d", "how long without an event ends a run")',
        "selected": "\n".join(
            f"    {default.format(key) if key in nullable else key}," for key in sorted(keys, key=nullable.__contains__)
        ),
        "key_type": f"tuple[{', '.join(_PYTHON[TYPES[key]] for key in keys)}]" if several else _PYTHON[TYPES[keys[0]]],
        "key_values": "\n".join(
            f"                {key}={f'key[{place}]' if several else 'key'}," for place, key in enumerate(keys)
        ),
        "fields": ", ".join(
            f"{key}={7 if TYPES[key] is ColumnType.LONG else repr('x')}".replace("'", '"') for key in keys
        ),
        "place": f"sql/{name}.sql" if kind == "sql" else f"flink_jobs/jobs/{name}.py",
    }


def main(arguments: list[str]) -> int:
    """Exit code 2, and one line, for what is not allowed."""
    parser = argparse.ArgumentParser(prog="make new-job", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--key", required=True)
    given = parser.parse_args(arguments)
    try:
        made = files(given.name, given.kind, [key.strip() for key in given.key.split(",") if key.strip()])
    except NewJobError as error:
        print(f"new-job: {error}", file=sys.stderr)
        return 2
    for place, text in made.items():
        (ROOT / place).write_text(text, encoding="utf-8")
        print(f"wrote {place}: {_FILL_IN[Path(place).parts[0]]}")
    return 0


#: What is to be done with each file, by its folder.
_FILL_IN = {
    "contracts": "say what the results are, what is counted, and when they alert",
    "sql": "the query; it runs as it is",
    "flink_jobs": "the rule; it runs as it is",
    "local": "the independent computation; until it is there, the demo shows the job as not checked",
    "tests": "the specification of the job, a test a line",
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
