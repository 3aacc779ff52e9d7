"""``make cost ENV=dev``: what the environment costs a month, line by line, running and stopped. Needs no account."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from config.load import ConfigurationError, environments, load
from operations.costs import PRICES, PriceError, Prices, bill, total
from scripts.synth import OUT, cdk

_EVENTS = 10.0


def main() -> int:
    """Command line: ``python -m operations.cost ENV``; 1 when the settings or prices are not good."""
    parser = argparse.ArgumentParser(prog="python -m operations.cost", description=__doc__)
    parser.add_argument("environment", metavar="ENV", help=f"of {', '.join(environments())}")
    parser.add_argument("--events", type=float, default=_EVENTS, help="events a second (default %(default)g)")
    parser.add_argument("--prices", type=Path, default=PRICES, help="another price table")
    options = parser.parse_args()
    try:
        environment, prices = load(options.environment), Prices.load(options.prices)
        if cdk(environment.name, "synth", quiet=True) != 0:
            return 1
        templates = {
            path.name: json.loads(path.read_text(encoding="utf-8"))
            for path in (OUT / environment.name).glob("*.template.json")
        }
        lines = bill(environment, templates, prices, options.events)
    except (ConfigurationError, PriceError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{environment.name} at {options.events:g} events/s, USD a month, prices of {prices.date}, us-east-1")
    width = max(len(line.what) for line in lines)
    print(f"{'':<{width}} {'running':>9} {'stopped':>9}")
    for line in lines:
        print(f"{line.what:<{width}} {line.running:>9.2f} {line.stopped:>9.2f}  {line.formula}")
    running, stopped = (total(lines, which) for which in (lambda line: line.running, lambda line: line.stopped))
    print(f"{'total':<{width}} {running:>9.2f} {stopped:>9.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
