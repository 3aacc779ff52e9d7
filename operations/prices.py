"""The table of prices: dated, and a user may give another."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRICES = Path(__file__).resolve().parent / "prices.toml"


class PriceError(Exception):
    """The price table lacks something; the message names it."""


@dataclass(frozen=True)
class Prices:
    """The table, by section and key."""

    date: str
    table: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path = PRICES) -> Prices:
        """The table of a file; PriceError when it is not one."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PriceError(f"{path}: not TOML ({error})") from error
        if "date" not in content:
            raise PriceError(f"{path}: no date: say when the prices were read")
        return cls(str(content.pop("date")), content)

    def of(self, section: str, *keys: str) -> float:
        """A price, in USD unless its key says a quantity; PriceError where the table has none."""
        found: Any = self.table.get(section, {})
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, bool) or not isinstance(found, int | float) or found < 0:
            raise PriceError(f"no price for {section}.{'.'.join(keys)}: add it to the price table")
        return float(found)
