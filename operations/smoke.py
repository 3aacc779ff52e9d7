"""``make smoke ENV=dev``: sends a canary through the deployed pipeline and waits for its result.

Where events come from a topic or from files it sends nothing, and waits for the next live result.
"""

from __future__ import annotations

import argparse
import sys

from contracts.names import StreamRole, input_stream_name, stream_name
from operations.canary import Canary, CanaryError, Watch
from operations.environment import OperationError, Target, run

#: A 5-minute window, the start grace of a restart, a reader that is a little behind.
_PATIENCE_SECONDS = 900


def smoke(target: Target, arguments: argparse.Namespace) -> int:
    """0 when the canary came through."""
    environment = target.environment
    stream = environment.kinesis
    if stream is None:
        return _watch(target, arguments.patience)
    canary = Canary(
        target.client("kinesis"),
        input_stream_name(environment.prefix, stream.existing_arn),
        stream_name(environment.prefix, StreamRole.RESULTS),
        stream_name(environment.prefix, StreamRole.REJECTED),
    )
    try:
        result = canary.fly(arguments.patience)
    except CanaryError as error:
        raise OperationError(str(error)) from error
    print(f"{environment.name} works: {result['result_id']} counts {result['event_count']} canary in its window")
    return 0


def _watch(target: Target, patience: float) -> int:
    """0 when a result has come of what others write: from here nobody reaches a topic in a VPC, or owns the files."""
    environment = target.environment
    watch = Watch(target.client("kinesis"), stream_name(environment.prefix, StreamRole.RESULTS))
    try:
        result = watch.wait_for_one(patience)
    except CanaryError as error:
        raise OperationError(str(error)) from error
    print(f"{environment.name} works: {result['result_id']} came of your producers' events")
    return 0


def main() -> int:
    """Command line: ``python -m operations.smoke ENV``."""
    parser = argparse.ArgumentParser(prog="python -m operations.smoke", description=__doc__)
    parser.add_argument("--patience", type=int, default=_PATIENCE_SECONDS, help="seconds to wait")
    return run(smoke, parser)


if __name__ == "__main__":
    sys.exit(main())
