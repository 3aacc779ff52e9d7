"""Property groups: the file format of the managed service, and how one text becomes one checked value.

The service hands an application ``/etc/flink/application_properties.json``: a list of
``{"PropertyGroupId": ..., "PropertyMap": {key: text}}``.
"""

from __future__ import annotations

import json
from pathlib import Path

from contracts.settings import SettingsError

Groups = dict[str, dict[str, str]]


def load(path: Path) -> Groups:
    """The property groups of a file; SettingsError where it is not of the service's format."""
    try:
        groups = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); allowed is a readable file") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: not JSON ({error}); allowed is a JSON list of property groups") from error
    result: Groups = {}
    for group in groups if isinstance(groups, list) else [None]:
        if not (
            isinstance(group, dict)
            and isinstance(group.get("PropertyGroupId"), str)
            and isinstance(group.get("PropertyMap"), dict)
            and all(isinstance(text, str) for text in group["PropertyMap"].values())
        ):
            raise SettingsError(
                f'{path}: allowed is a list of {{"PropertyGroupId": text, "PropertyMap": {{key: text}}}}'
            )
        if group["PropertyGroupId"] in result:
            raise SettingsError(f"{path}: group {group['PropertyGroupId']!r} is there twice; allowed is once")
        result[group["PropertyGroupId"]] = group["PropertyMap"]
    return result


def dump(groups: Groups) -> str:
    """The groups in the service's format."""
    return json.dumps([{"PropertyGroupId": name, "PropertyMap": values} for name, values in groups.items()], indent=2)
