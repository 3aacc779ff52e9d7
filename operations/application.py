"""``make start|stop ENV=dev``: the application, without a deployment. Stopped, it costs no KPU; its snapshot stays."""

from __future__ import annotations

import argparse
import sys

from contracts.names import application_name
from lambdas.application_lifecycle.command import run_until_done
from lambdas.application_lifecycle.service import READY, RUNNING, LifecycleError
from operations.environment import OperationError, Target, run

_STATES = {"start": RUNNING, "stop": READY}


def change(target: Target, arguments: argparse.Namespace) -> int:
    """Brings the application to the state and tells every step."""
    name = application_name(target.environment.prefix)
    seen: list[str] = []

    def tell(status: str) -> None:
        if seen[-1:] != [status]:
            seen.append(status)
            print(f"{name}: {status}", flush=True)

    try:
        status = run_until_done(
            target.client("kinesisanalyticsv2"),
            name,
            _STATES[arguments.action],
            force=arguments.force,
            allow_non_restored_state=target.environment.application.allow_non_restored_state,
            tell=tell,
        )
    except LifecycleError as error:
        raise OperationError(str(error)) from error
    print(f"{name}: {status}")
    return 0


def main() -> int:
    """Command line: ``python -m operations.application start|stop ENV``."""
    parser = argparse.ArgumentParser(prog="python -m operations.application", description=__doc__)
    parser.add_argument("action", choices=_STATES)
    parser.add_argument("--force", action="store_true", help="stop without a snapshot where none can be taken")
    return run(change, parser)


if __name__ == "__main__":
    sys.exit(main())
