"""The application's zip and property groups for a laptop run."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from contracts.settings import SettingsError
from flink_jobs import properties
from flink_jobs.properties import Groups
from flink_jobs.settings import KINESIS, LOCAL_GROUP, LOCAL_PROPERTIES_VARIABLE, SOURCE_KEYS, Settings, parse
from scripts.package import RUN_OPTIONS

ROOT = Path(__file__).resolve().parents[2]
ZIP = ROOT / "build" / "application.zip"
CONFIG = ROOT / "config" / "local.json"

#: File of a run's directory with the property groups of its application.
PROPERTIES = "application_properties.json"
INPUT_STREAM = "events"
RESULTS_STREAM = "results"
REJECTED_STREAM = "rejected"
#: What the demo sets itself; another value would only cut it off from its own streams.
OWNED = frozenset(
    {
        ("input", "source"),
        ("input", "stream"),
        ("input", "bootstrap_servers"),
        ("input", "topic"),
        ("input", "authentication"),
        ("input", "prefix"),
        ("input", "format"),
        ("input", "region"),
        ("input", "start"),
        ("output", "results_stream"),
        ("output", "rejected_stream"),
        ("output", "run"),
        ("local", "endpoint"),
        ("local", "access_key"),
        ("local", "secret_key"),
    }
)
_RUN_OPTIONS_GROUP = "kinesis.analytics.flink.run.options"


#: Where events come from unless the caller says otherwise; :mod:`local.demo.inputs` has the others.
KINESIS_INPUT = {"source": KINESIS, "stream": INPUT_STREAM}


def property_groups(
    overrides: Groups, endpoint: str = "", config: Path = CONFIG, source: Mapping[str, str] = KINESIS_INPUT
) -> Groups:
    """The groups of a laptop run: config/local.json, this run's source, streams and endpoint, the caller's overrides.

    ``source``: keys of the group ``input`` that say where the events are.
    """
    groups = properties.load(config)
    groups.setdefault(_RUN_OPTIONS_GROUP, {}).update(RUN_OPTIONS)
    given = groups.setdefault("input", {})
    given.update(source)
    for name, (required, optional) in SOURCE_KEYS.items():
        if name != given["source"]:  # config/local.json may have a key for one source only
            for key in (*required, *optional):
                given.pop(key, None)
    groups.setdefault("output", {}).update(results_stream=RESULTS_STREAM, rejected_stream=REJECTED_STREAM)
    if endpoint:
        # The stand-in takes any keys; these are not secrets.
        keys = dict.fromkeys(("access_key", "secret_key"), "testing")
        groups.setdefault(LOCAL_GROUP, {}).update(endpoint=endpoint, **keys)
    for group, key in sorted(OWNED):
        if key in overrides.get(group, {}):
            raise SettingsError(
                f"--set: group {group!r}, key {key!r} is the demo's own: it makes the streams and reads them back"
            )
    for group, values in overrides.items():
        groups.setdefault(group, {}).update(values)
    return groups


def checked(groups: Groups) -> Settings:
    """The settings, by the very check that the application makes; SettingsError for what is not allowed."""
    return parse(groups, PROPERTIES, local=True)


def unpack(target: Path) -> None:
    """Unpacks application.zip, as the service does."""
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(target)


def run_arguments(home: Path, groups: Groups) -> list[str]:
    """Arguments of ``flink run`` for the unpacked zip, from the same run options that the service reads."""
    options = groups[_RUN_OPTIONS_GROUP]
    return [
        "--python",
        str(home / options["python"]),
        "--pyFiles",
        str(home / options["pyFiles"]),
        "--jarfile",
        str(home / options["jarfile"]),
    ]


def environment(properties_file: Path) -> dict[str, str]:
    """Tells the application where its properties are, and that this is a laptop."""
    return {LOCAL_PROPERTIES_VARIABLE: str(properties_file)}
