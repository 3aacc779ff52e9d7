"""The code that the stacks deploy: application.zip and the functions' folders, checked to be there and current."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

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


def application_asset(scope: Construct) -> assets.Asset:
    """``application.zip`` as the construct ``Code``; CodeError as above.

    Its key in the bucket is the digest of its sources: the same sources built by another patch of the JDK are no new
    code, for which a running application would take a snapshot and restart.
    """
    path = application_zip()
    return assets.Asset(
        scope, "Code", path=str(path), asset_hash=package.built_from(path), asset_hash_type=AssetHashType.CUSTOM
    )


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
