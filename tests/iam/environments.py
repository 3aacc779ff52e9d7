"""Synthesized environments for the proof, each once a process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.synth.conftest import environment_named
from tests.synth.templates import Assembly

# After the conftest, which imports stacks.main before aws_cdk.
from stacks.composition import compose  # isort: skip
from stacks.main import make_app  # isort: skip

#: What runs, and every option switched to what those do not use. What `least` has, dev has.
ENVIRONMENTS = ("dev", "prod", "full", "msk", "kafka", "files")


@cache
def assembly(name: str) -> Assembly:
    """The environment's templates; tests/synth checks them."""
    environment = environment_named(name)
    folder = Path(tempfile.mkdtemp(prefix="iam-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / name
    app = make_app(environment, outdir=str(target), builtin_cloud_formation_validation=False)
    parts = compose(app, environment)
    app.synth()
    return Assembly(environment, target, {part: stack.stack_name for part, stack in parts.items()})
