"""What a cold start of each Lambda function costs: import and first client, each time in a fresh process.

``python -m benchmarks.functions`` writes docs/benchmarks/functions.md and its plot. A function's process sees what the
function has on Lambda: its package, and boto3 with what that needs. The indexer's client is compared with
opensearch-py, which is installed below .cache for this and is nowhere else in the project.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "build" / "lambdas"
PAGE = ROOT / "docs" / "benchmarks" / "functions.md"
PLOT = PAGE.with_suffix(".svg")
_OPENSEARCH_PY = "opensearch-py==3.1.0"
_RIVAL = ROOT / ".cache" / "opensearch-py"

#: What the functions want to know to make their clients; nothing is called.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "ALERT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
    "PROCESSED_TABLE": "processed",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead",
    "OPENSEARCH_ENDPOINT": "https://search.example",
}

_PROBE = """
import json, sys, time
sys.path[:0] = {paths}
before = set(sys.modules)
began, cpu = time.perf_counter(), time.process_time()
{code}
wall, cpu = time.perf_counter() - began, time.process_time() - cpu
print(json.dumps({{"wall": wall, "cpu": cpu, "modules": sorted(set(sys.modules) - before)}}))
"""

#: What a process does, by what is compared.
CODE: Mapping[str, str] = {
    "alerts": "from lambdas.alerts.handler import function; function()",
    "search_indexer": "from lambdas.search_indexer.handler import function; function()",
    "archive_transform": "import lambdas.archive_transform.handler",
    "client: SigV4 of botocore over urllib3": (
        "from lambdas.common.opensearch import OpenSearchClient\n"
        "client = OpenSearchClient('https://search.example', 'us-east-1', 10)\n"
        "client._signed('POST', 'https://search.example/_bulk', b'', 'application/x-ndjson')"
    ),
    "client: opensearch-py": (
        "from botocore.session import Session\n"
        "from opensearchpy import OpenSearch, RequestsHttpConnection, AWSV4SignerAuth\n"
        "auth = AWSV4SignerAuth(Session().get_credentials(), 'us-east-1', 'es')\n"
        "OpenSearch('https://search.example', http_auth=auth, connection_class=RequestsHttpConnection)"
    ),
}
_OURS, _THEIRS = "client: SigV4 of botocore over urllib3", "client: opensearch-py"


@dataclass(frozen=True)
class Start:
    """Cold starts of one thing: CPU seconds of each, and the modules that were imported."""

    name: str
    cpu: tuple[float, ...]
    modules: tuple[str, ...]

    @property
    def median(self) -> float:
        """CPU seconds."""
        return statistics.median(self.cpu)


def probe(name: str, paths: tuple[Path, ...] = ()) -> tuple[float, tuple[str, ...]]:
    """CPU seconds and modules of one fresh process that sees ``paths`` and the installed packages."""
    code = _PROBE.format(paths=json.dumps([str(path) for path in paths]), code=CODE[name])
    done = subprocess.run(  # noqa: S603 - this interpreter and the code above
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=PACKAGES,
        env={"PATH": os.environ["PATH"], **ENVIRONMENT},
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return float(told["cpu"]), tuple(told["modules"])


def paths_of(name: str) -> tuple[Path, ...]:
    """Where the process finds what it imports."""
    if name == _THEIRS:
        return (_RIVAL,)
    return (PACKAGES / ("search_indexer" if name == _OURS else name),)


def third_party(modules: tuple[str, ...]) -> set[str]:
    """Top-level packages that are neither Python's nor ours; without the helpers of compiled modules."""
    packages = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    helpers = {name for name in packages if name.startswith("_") or "__mypyc" in name or name == "cython_runtime"}
    return packages - helpers - {"lambdas", "contracts"}


def _measure(rounds: int) -> list[Start]:
    """In alternation, so that a noisy minute meets all of them; the first round only warms the disk."""
    found: dict[str, list[float]] = {name: [] for name in CODE}
    modules: dict[str, tuple[str, ...]] = {}
    for number in range(rounds + 1):
        for name in CODE:
            cpu, modules[name] = probe(name, paths_of(name))
            if number:
                found[name].append(cpu)
        print(f"round {number}/{rounds}", file=sys.stderr, flush=True)
    return [Start(name, tuple(found[name]), modules[name]) for name in CODE]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")


def _page(starts: list[Start]) -> str:
    by_name = {start.name: start for start in starts}
    ratio = by_name[_THEIRS].median / by_name[_OURS].median
    lines = [
        "# Cold starts of the functions",
        "",
        "Written by `python -m benchmarks.functions`: import and first clients in a fresh process, medians of CPU",
        "seconds. Compare within one run only; a Lambda of 256 MB has about a seventh of a processor.",
        "",
        "| what | CPU s | fastest to slowest | modules | beside Python and ours |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for start in starts:
        packages = ", ".join(sorted(third_party(start.modules))) or "nothing"
        lines.append(
            f"| {start.name} | {start.median:.2f} | {min(start.cpu):.2f} to {max(start.cpu):.2f} | "
            f"{len(start.modules)} | {packages} |"
        )
    own = _size(PACKAGES / "search_indexer")
    lines += [
        "",
        f"opensearch-py takes {ratio:.1f} times the CPU of the signer over urllib3, which boto3 brings along, and adds "
        f"{_size(_RIVAL) / 1e6:.1f} MB to a package of {own / 1e6:.1f} MB. What we would use of it is one call.",
        "",
        "![CPU seconds of a cold start](functions.svg)",
        "",
    ]
    return "\n".join(lines)


def _plot(starts: list[Start]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.45 * len(starts)), layout="constrained")
    bars = axes.barh([start.name for start in starts], [start.median for start in starts], color="#3b6ea5")
    axes.bar_label(bars, fmt="%.2f", padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds of a cold start")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PLOT, metadata={"Date": None})
    pyplot.close(figure)


def _install_rival() -> None:
    if not (_RIVAL / "opensearchpy").is_dir():
        # with its dependencies, into a folder of its own: they are what a package would have to carry
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "pip", "install", "-q", "--target", str(_RIVAL), _OPENSEARCH_PY], check=True
        )


def main() -> int:
    """Command line; writes the page and the plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.functions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    if not (PACKAGES / "alerts").is_dir():
        print(f"{PACKAGES} is not there: run make package", file=sys.stderr)
        return 1
    _install_rival()
    starts = _measure(arguments.rounds)
    PAGE.write_text(_page(starts), encoding="utf-8")
    _plot(starts)
    print(PAGE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
