"""The code that the stacks deploy: application.zip and the functions' folders, checked to be there and current."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from scripts import package, package_lambdas

ROOT = Path(__file__).resolve().parent.parent
ZIP = ROOT / "build" / "application.zip"
LAMBDAS = ROOT / "build" / "lambdas"


class CodeError(Exception):
    """Code that would be deployed is missing or older than its sources; the message says what to run."""


def application_zip(path: Path = ZIP, root: Path = ROOT) -> Path:
    """``application.zip``; CodeError when it is missing or was built from other sources than the checkout's."""
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    if not path.is_file():
        raise CodeError(f"{shown} is missing: run `make package`")
    built_from = package.built_from(path)
    if built_from != package.fingerprint(root):
        raise CodeError(f"{shown} is stale: it was built from other sources than this checkout's; run `make package`")
    return path


def lambda_code(function: str) -> Path:
    """The folder with a function's own modules, built anew from the checkout (no download, no compiler)."""
    _build_lambdas()
    return LAMBDAS / function


def lambda_digest(function: str) -> str:
    """SHA-256 of a function's folder: changes when its code does."""
    return package_lambdas.digest(package_lambdas.contents(function, ROOT))


@cache
def _build_lambdas() -> None:
    package_lambdas.build(ROOT, LAMBDAS)
