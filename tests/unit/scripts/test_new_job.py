"""`make new-job`: what it writes is right in itself, and what it refuses is refused in a line."""

from __future__ import annotations

import ast
import sys
from types import ModuleType

import pytest

from contracts.entry import Entry, mistakes
from flink_jobs import sql_files
from scripts.new_job import NewJobError, files, main


@pytest.mark.parametrize("keys", [["category"], ["user_id"], ["user_id", "session_id"], ["event_type", "category"]])
@pytest.mark.parametrize("kind", ["sql", "python"])
def test_the_entry_is_right_and_each_file_is_python_or_names_its_setting(
    kind: str, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = files("my_job", kind, keys)
    assert len(made) == 4
    for place, text in made.items():
        if place.endswith(".py"):
            ast.parse(text)
        else:
            assert sql_files.parameters(text) == ["window"]
    module = ModuleType("made")
    monkeypatch.setitem(sys.modules, "made", module)  # where dataclasses look their types up
    exec(compile(made["contracts/jobs/my_job.py"], "entry", "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    entry: Entry = module.ENTRY
    assert list(mistakes("my_job", entry)) == []
    assert entry.key == tuple(keys)


@pytest.mark.parametrize(
    ("name", "kind", "keys", "line"),
    [
        ("Revenue", "sql", ["category"], "NAME=Revenue: a job's name is 1 to 32 of a-z"),
        ("fraud", "sql", ["category"], "NAME=fraud: there is a job of that name"),
        ("some_job", "scala", ["category"], "KIND=scala: write KIND=sql or KIND=python"),
        ("some_job", "sql", ["town"], "KEY=town: a key is one or more of user_id, event_type,"),
        ("some_job", "sql", ["value"], "KEY=value: a key is one or more of"),
        ("some_job", "sql", [], "KEY: write one field of the event"),
        ("some_job", "sql", ["category", "category"], "KEY: write one field of the event, or several that differ"),
    ],
)
def test_what_is_not_allowed_is_a_line(name: str, kind: str, keys: list[str], line: str) -> None:
    with pytest.raises(NewJobError) as caught:
        files(name, kind, keys)
    assert str(caught.value).startswith(line)


def test_the_command_says_it_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "fraud", "--kind", "sql", "--key", "category"]) == 2
    assert capsys.readouterr().err == "new-job: NAME=fraud: there is a job of that name; write another\n"
