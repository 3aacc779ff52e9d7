"""docs/iam.md says what the proof proves."""

from __future__ import annotations

from tests.iam import proof
from tests.iam.environments import ENVIRONMENTS
from tests.iam.page import PATH, page


def test_the_page_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == page(), "run: .venv/bin/python -m tests.iam.page"


def test_the_page_has_every_role_and_statement() -> None:
    text = PATH.read_text(encoding="utf-8")
    for environment in ENVIRONMENTS:
        for name, case in proof.cases(environment).items():
            section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
            for permission in case.role.permissions:
                assert f"| {permission.sid} |" in section, (name, permission.sid)
                assert all(f"`{action}`" in section for action in permission.actions), (name, permission.sid)
