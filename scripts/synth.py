"""Synthesizes environments through the CDK CLI, offline and without credentials, and says what came of it."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from config.load import ConfigurationError, environments, load
from local.environment import child_environment

ROOT = Path(__file__).resolve().parent.parent
#: The CLI of package.json; it reads the assemblies of the aws-cdk-lib in requirements/.
CDK = ROOT / "node_modules" / ".bin" / "cdk"
OUT = ROOT / "build" / "cdk"
_OPTIONS = ("--no-notices", "--no-version-reporting")


def cdk(environment: str, *arguments: str, quiet: bool = False) -> int:
    """Runs the CLI for one environment; the exit code. Its telemetry and notices, which would call out, are off."""
    # Templates of a part that the settings have switched off would stay and count as current.
    shutil.rmtree(OUT / environment, ignore_errors=True)
    command = [
        str(CDK),
        *arguments,
        "--app",
        f"{sys.executable} app.py",
        "-c",
        f"env={environment}",
        "--output",
        str(OUT / environment),
        *_OPTIONS,
    ]
    done = subprocess.run(  # noqa: S603 - the CLI of this checkout
        command,
        cwd=ROOT,
        env=child_environment({"CDK_DISABLE_CLI_TELEMETRY": "true"}),
        stdout=subprocess.DEVNULL if quiet else None,
        check=False,
    )
    return done.returncode


def counts(folder: Path) -> dict[str, int]:
    """Resources by stack of a synthesized environment."""
    return {
        path.name.removesuffix(".template.json"): len(json.loads(path.read_text(encoding="utf-8"))["Resources"])
        for path in sorted(folder.glob("*.template.json"))
    }


def main() -> int:
    """Command line: ``python -m scripts.synth [ENV ...]``; 1 when an environment was refused."""
    parser = argparse.ArgumentParser(prog="python -m scripts.synth", description=__doc__)
    parser.add_argument("environments", nargs="*", help=f"of {', '.join(environments())}; default is all")
    names = parser.parse_args().environments or list(environments())
    for name in names:
        began = time.monotonic()
        try:
            load(name)
        except ConfigurationError as error:
            print(error, file=sys.stderr)
            return 1
        if cdk(name, "synth", "--quiet") != 0:
            return 1
        found = counts(OUT / name)
        print(f"{name}: {sum(found.values())} resources in {len(found)} stacks, {time.monotonic() - began:.1f} s")
        for stack, count in found.items():
            print(f"  {stack:<40} {count:>3}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
