"""Builds build/lambdas/<function>/: what one function imports, and nothing else.

The imports are followed in the source (``ast``), from the modules that hold the handlers, through ``lambdas`` and
``contracts``. Of others only :data:`BUNDLED` is packed, module by module: boto3, and with it botocore, urllib3 and
jmespath, are part of Lambda's Python runtimes from python3.11 on (StrEnum and datetime.UTC want 3.11), and an import of
anything else is refused here rather than at the first invocation. The runtimes' SDK follows boto3's releases with weeks
of delay; the youngest call that is made, ListApplicationOperations, is older than that by years.

The same sources give the same bytes, names, modes and times, in the same order.
"""

from __future__ import annotations

import argparse
import ast
import fcntl
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from config.functions import FUNCTIONS as DECLARED

#: Modules that hold the handlers of each function.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "alerts": ("lambdas.alerts.handler",),
    "search_indexer": ("lambdas.search_indexer.handler",),
    "application_lifecycle": ("lambdas.application_lifecycle.snapshot", "lambdas.application_lifecycle.start"),
    "search_setup": ("lambdas.search_setup.handler",),
    "search_forget": ("lambdas.search_forget.handler",),
    "archive_transform": ("lambdas.archive_transform.handler",),
    "warehouse_setup": ("lambdas.warehouse_setup.handler",),
    "msk_brokers": ("lambdas.msk_brokers.handler",),
    "topic_setup": ("lambdas.topic_setup.handler",),
    **{function.package: (function.module,) for function in DECLARED},
}
#: Handler names as Lambda takes them.
HANDLERS: dict[str, tuple[str, ...]] = {
    "alerts": ("lambdas.alerts.handler.handler",),
    "search_indexer": ("lambdas.search_indexer.handler.handler",),
    "application_lifecycle": (
        "lambdas.application_lifecycle.snapshot.on_event",
        "lambdas.application_lifecycle.snapshot.is_complete",
        "lambdas.application_lifecycle.start.on_event",
        "lambdas.application_lifecycle.start.is_complete",
    ),
    "search_setup": ("lambdas.search_setup.handler.on_event", "lambdas.search_setup.handler.is_complete"),
    "search_forget": ("lambdas.search_forget.handler.handler",),
    "archive_transform": ("lambdas.archive_transform.handler.handler",),
    "warehouse_setup": ("lambdas.warehouse_setup.handler.on_event", "lambdas.warehouse_setup.handler.is_complete"),
    "msk_brokers": ("lambdas.msk_brokers.handler.on_event", "lambdas.msk_brokers.handler.is_complete"),
    "topic_setup": ("lambdas.topic_setup.handler.on_event", "lambdas.topic_setup.handler.is_complete"),
    **{function.package: (function.handler,) for function in DECLARED},
}

_OURS = ("lambdas", "contracts")
#: Packages that find their modules by listing their folder: a job is a file there.
_LISTING = ("contracts.jobs",)
#: Packed from the installed packages, whose versions and hashes requirements/dev.lock holds: plain Python, so the same
#: files on every architecture. Their optional parts (pydantic, redis) import what is not there only when they are used.
BUNDLED = ("aws_lambda_powertools", "kafka", "typing_extensions")
#: Files that a bundled package reads when it is imported: Kafka's protocol is made from the schemas of its messages.
_DATA = {"kafka": "*.json"}
#: Comes with the runtime beside the standard library; jmespath is a dependency of botocore.
_RUNTIME = frozenset({"boto3", "botocore", "jmespath", "urllib3"})
#: 1980-01-01, the first time that a zip can hold; CDK zips the folder.
_TIME = 315_532_800


class PackageError(Exception):
    """A function cannot be packed; the text names the file and the import."""


def contents(function: str, root: Path = Path()) -> dict[str, Path]:
    """Name in the folder to file of the checkout at ``root``, in order of name.

    Raises :class:`PackageError` for an import that is neither ours nor the runtime's, or that is not there.
    """
    files: dict[str, Path] = {}
    waiting = list(FUNCTIONS[function])
    while waiting:
        for name in _with_parents(waiting.pop()):
            path = _file(root, name)
            if path is None:
                raise PackageError(f"{function}: there is no module {name}{_to_do(function, name)}")
            key = path.relative_to(_base(root, name)).as_posix()
            if key not in files:
                files[key] = path
                waiting.extend(_imports(root, path, name))
                waiting.extend(_listed(root, name))
                for data in path.parent.rglob(_DATA[name]) if name in _DATA else ():
                    files[data.relative_to(_base(root, name)).as_posix()] = data
    return dict(sorted(files.items()))


def _to_do(function: str, module: str) -> str:
    """What is to be written where an entry of ``config/functions.py`` has no code."""
    if not any(
        module.startswith(f"lambdas.{declared.package}") for declared in DECLARED if declared.package == function
    ):
        return ""
    return f". Write lambdas/{function}/handler.py with `handler`, and __init__.py (docs/add-a-function.md)"


def digest(files: dict[str, Path]) -> str:
    """SHA-256 over names and bytes: changes when, and only when, what is packed does."""
    found = hashlib.sha256()
    for name, path in sorted(files.items()):
        data = path.read_bytes()
        found.update(f"{name}\0{len(data)}\0".encode())
        found.update(data)
    return found.hexdigest()


def build(root: Path, target: Path) -> dict[str, str]:
    """Writes ``target``/<function>/ for every function; returns the digests by function.

    A folder appears whole or not at all, and holds nothing of an earlier build. One that is as it should be is left
    alone, so that whoever reads it meanwhile (another synthesis) does not notice. One process builds at a time: another
    one finds what the first has built.
    """
    digests: dict[str, str] = {}
    target.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for function in FUNCTIONS:
            files = contents(function, root)
            folder = target / function
            if not _holds(folder, files):
                _write(folder, files)
            digests[function] = digest(files)
    return digests


def _holds(folder: Path, files: dict[str, Path]) -> bool:
    """Whether the folder is what would be written."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    return found.keys() == files.keys() and digest(found) == digest(files)


def _write(folder: Path, files: dict[str, Path]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    for name, path in files.items():
        copy = partial / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o644)
    for path in [*sorted(partial.rglob("*"), reverse=True), partial]:  # what a folder holds before the folder
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (_TIME, _TIME))
    shutil.rmtree(folder, ignore_errors=True)
    try:
        partial.replace(folder)
    except OSError:
        shutil.rmtree(partial)
        raise


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _listed(root: Path, name: str) -> list[str]:
    """Modules that a package finds by listing its folder."""
    if name not in _LISTING:
        return []
    folder = root.joinpath(*name.split("."))
    return sorted(f"{name}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__")


def _top(name: str) -> str:
    return name.split(".")[0]


@cache
def _site_packages(package: str) -> Path:
    """Where an installed package lies."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise PackageError(f"{package} is not installed: run `make setup`")
    path = Path(spec.origin)
    return path.parent.parent if path.name == "__init__.py" else path.parent


def _base(root: Path, name: str) -> Path:
    return _site_packages(_top(name)) if _top(name) in BUNDLED else root


def _file(root: Path, name: str) -> Path | None:
    base = _base(root, name).joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _imports(root: Path, path: Path, importer: str) -> list[str]:
    """Modules to pack that the file imports when it runs, at any depth of it.

    ``importer`` is its name. What a bundled file imports and is neither there nor the runtime's, is optional.
    """
    known, bundled = (*_OURS, *BUNDLED), _top(importer) in BUNDLED
    package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
    found: list[str] = []
    for node in _running(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level and not bundled:
                raise PackageError(f"{path}:{node.lineno}: a relative import is not followed")
            source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            modules = [source]
            if _top(source) in known:  # what is imported may be a module or a name in one
                names = (f"{source}.{alias.name}" for alias in node.names)
                modules += [name for name in names if _file(root, name) is not None]
        else:
            continue
        for module in modules:
            if _top(module) in known:
                found.append(module)
            elif not bundled and _top(module) not in _RUNTIME and _top(module) not in sys.stdlib_module_names:
                raise PackageError(f"{path}:{node.lineno}: {module} is not part of Lambda's Python runtime")
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those below ``if TYPE_CHECKING:``, which never run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def main() -> None:
    """Command line: ``python -m scripts.package_lambdas``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--target", type=Path, default=Path("build/lambdas"))
    arguments = parser.parse_args()
    try:
        digests = build(arguments.root, arguments.target)
    except PackageError as error:
        sys.exit(str(error))
    for function, value in digests.items():
        print(f"{arguments.target / function}: {len(contents(function, arguments.root))} files, {value[:12]}")


if __name__ == "__main__":
    main()
