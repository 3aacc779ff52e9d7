"""``make cost ENV=dev``: what the environment costs a month, line by line, at four rates; what breaks first.

Needs no account.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from config.load import ConfigurationError, environments, load
from config.model import Environment
from operations.costs import Line, bill, total
from operations.limits import limits
from operations.prices import PRICES, PriceError, Prices
from scripts.synth import OUT, cdk

#: Events a second that are billed unless asked otherwise.
RATES = (10.0, 100.0, 1000.0, 10_000.0)


def main() -> int:
    """Command line: ``python -m operations.cost ENV``; 1 when the settings or prices are not good."""
    parser = argparse.ArgumentParser(prog="python -m operations.cost", description=__doc__)
    parser.add_argument("environment", metavar="ENV", help=f"of {', '.join(environments())}")
    parser.add_argument("--events", type=_rate, nargs="+", default=RATES, help="events a second (default %(default)s)")
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
        bills = {rate: bill(environment, templates, prices, rate) for rate in options.events}
    except (ConfigurationError, PriceError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{environment.name}: USD a month, prices of {prices.date}, us-east-1, at events a second; and while stopped")
    for line in [*table(bills), "", *warnings(environment, options.events)]:
        print(line)
    return 0


def table(bills: dict[float, list[Line]]) -> Iterator[str]:
    """A row per line of the bill, a column per rate; what is paid while stopped is that of the lowest rate."""
    columns = list(bills.values())
    width = max(len(line.what) for line in columns[0])
    yield f"{'':<{width}} " + " ".join(f"{rate:>10,g}" for rate in bills) + f" {'stopped':>9}"
    for lines in zip(*columns, strict=True):
        amounts = " ".join(f"{line.running:>10.2f}" for line in lines)
        yield f"{lines[0].what:<{width}} {amounts} {lines[0].stopped:>9.2f}  {lines[0].formula}"
    totals = " ".join(f"{total(lines, lambda line: line.running):>10.2f}" for lines in columns)
    yield f"{'total':<{width}} {totals} {total(columns[0], lambda line: line.stopped):>9.2f}"


def warnings(environment: Environment, rates: Sequence[float]) -> Iterator[str]:
    """What breaks first, and at each rate all that is broken."""
    ordered = limits(environment)
    first = ordered[0]
    yield f"breaks first, at {first.most:,.0f} events/s: {first.what}; raise {first.setting}"
    for rate in rates:
        broken = [limit for limit in ordered if limit.most < rate]
        for limit in broken:
            yield f"WARNING at {rate:,g} events/s: {limit.what}: at most {limit.most:,.0f}; raise {limit.setting}"


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not allowed; allowed are rates above 0 and below 1e9")
    return value


if __name__ == "__main__":
    sys.exit(main())
