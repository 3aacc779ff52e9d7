"""``make diff ENV=dev``: what a deployment would change."""

from __future__ import annotations

import argparse
import sys

from operations.environment import Target, run
from scripts.synth import cdk


def diff(target: Target, _: argparse.Namespace) -> int:
    """Exit code of the CLI."""
    return cdk(target.environment.name, "diff", "--all")


def main() -> int:
    """Command line: ``python -m operations.diff ENV``."""
    return run(diff, argparse.ArgumentParser(prog="python -m operations.diff", description=__doc__))


if __name__ == "__main__":
    sys.exit(main())
