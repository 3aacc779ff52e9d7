"""Headless Chromium for the tests and the screenshots: the machine's own, and nothing but loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

#: By the names that distributions give it.
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_INSTALL = "sudo apt-get install chromium fonts-dejavu-core (macOS: brew install --cask chromium)"
#: Without them Chromium asks its maker's hosts at every start. The sandbox needs privileges that CI has not.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(Exception):
    """There is no Chromium; the message has the line that installs it."""


def chromium() -> str:
    """Where the machine's Chromium is. Raises :class:`ChromiumMissing`."""
    found = next((path for name in _NAMES if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise ChromiumMissing(f"no Chromium on the path ({', '.join(_NAMES)}); install it with: {_INSTALL}")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(_ARGUMENTS))
        try:
            yield started
        finally:
            started.close()
