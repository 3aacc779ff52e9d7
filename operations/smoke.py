"""``make smoke ENV=dev``: sends a canary through the deployed pipeline and waits for its result."""

from __future__ import annotations

import argparse
import sys

from contracts.names import StreamRole, input_stream_name, stream_name
from operations.canary import Canary, CanaryError
from operations.environment import OperationError, Target, run

#: A 5-minute window, the start grace of a restart, a reader that is a little behind.
_PATIENCE_SECONDS = 900


def smoke(target: Target, arguments: argparse.Namespace) -> int:
    """0 when the canary came through."""
    environment = target.environment
    canary = Canary(
        target.client("kinesis"),
        input_stream_name(environment.prefix, environment.streams.input.existing_arn),
        stream_name(environment.prefix, StreamRole.RESULTS),
        stream_name(environment.prefix, StreamRole.REJECTED),
    )
    try:
        result = canary.fly(arguments.patience)
    except CanaryError as error:
        raise OperationError(str(error)) from error
    print(f"{environment.name} works: {result['result_id']} counts {result['event_count']} canary in its window")
    return 0


def main() -> int:
    """Command line: ``python -m operations.smoke ENV``."""
    parser = argparse.ArgumentParser(prog="python -m operations.smoke", description=__doc__)
    parser.add_argument("--patience", type=int, default=_PATIENCE_SECONDS, help="seconds to wait")
    return run(smoke, parser)


if __name__ == "__main__":
    sys.exit(main())
