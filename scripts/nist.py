"""Report, not a gate: what cdk-nag's NIST 800-53 rules say of an environment, into build/nist-<env>.md."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from config.load import ConfigurationError, environments, load
from stacks.main import ROOT, make_app

# After stacks.main, which chooses the Node.js that jsii starts.
import aws_cdk as cdk  # isort: skip
import cdk_nag  # isort: skip
from stacks.composition import compose  # isort: skip

_PLUGIN = "NIST.800.53.R5"


def findings(folder: Path) -> Counter[tuple[str, str]]:
    """How often each rule was met, by rule and description, from the assembly's validation report."""
    content = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    found: Counter[tuple[str, str]] = Counter()
    for plugin in content["pluginReports"]:
        for violation in plugin["violations"]:
            found[violation["ruleName"], violation["description"]] += len(violation["violatingConstructs"])
    return found


def report(name: str) -> Path:
    """Writes the page of one environment."""
    environment = load(name)
    with tempfile.TemporaryDirectory() as folder:
        app = make_app(environment, outdir=folder)
        compose(app, environment)
        cdk.Validations.of(app).add_plugins(cdk_nag.NIST80053R5Checks(app))
        try:
            app.synth()
        except RuntimeError as error:  # what jsii makes of a report with findings
            if "Acknowledge with" not in str(error) and "Validation failed" not in str(error):
                raise
        found = findings(Path(folder))
    page = ROOT / "build" / f"nist-{name}.md"
    rows = [f"| {rule} | {count} | {text} |" for (rule, text), count in sorted(found.items())]
    lines = [f"# NIST 800-53 rev. 5, {name}: {sum(found.values())} findings", "", "| rule | times | finding |"]
    page.write_text("\n".join([*lines, "| --- | ---: | --- |", *rows]) + "\n", encoding="utf-8")
    return page


def main() -> int:
    """Command line: ``python -m scripts.nist [ENV ...]``."""
    try:
        for name in sys.argv[1:] or environments():
            page = report(name)
            print(f"{page.relative_to(ROOT)}: {page.read_text(encoding='utf-8').splitlines()[0].rpartition(': ')[2]}")
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
