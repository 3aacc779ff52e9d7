"""``make screenshots``: pictures of the live page for the docs, of a run with faults injected."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from scripts.browser import browser
from scripts.demo_process import ROOT, DemoProcess

FOLDER = ROOT / "docs" / "page"
_WAIT_MS = 120_000
#: Name to window, theme, what is scrolled to, and the picture's height.
_PICTURES = {
    "top-light": ((1400, 1130), "light", None),
    "top-dark": ((1400, 1130), "dark", None),
    "dashboard-light": ((1400, 1500), "light", "#dashboard"),
    "narrow-light": ((390, 1300), "light", None),
    "narrow-dark": ((390, 1300), "dark", "#dashboard"),
}
_FAULTS = ("poison", "fraud", "anomaly", "taskmanager")


def main() -> None:
    """Takes them while events flow, after each fault was recovered from."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    arguments = ("--events", "40000", "--rate", "300", "--keep", "--name", "screenshots")
    with browser() as chromium, DemoProcess(*arguments) as demo:
        url = demo.told(r"live page: (http://\S+)", 240)[1]
        _inject(chromium, url)
        for name, (size, theme, place) in _PICTURES.items():
            _picture(chromium, url, FOLDER / f"{name}.png", size, theme, place)


def _inject(chromium: Browser, url: str) -> None:
    page = chromium.new_page()
    page.set_default_timeout(_WAIT_MS)
    page.goto(url)
    expect(page.locator("#alerts li:not(.empty)").first).to_be_visible(timeout=_WAIT_MS)
    for fault in _FAULTS:
        page.locator(f"#fault-{fault}").click()
        row = page.locator(f"#fault-list li[data-fault={fault}][data-over=true]").first
        expect(row).to_be_visible(timeout=_WAIT_MS)
    _until_drawn(page)
    page.close()


def _picture(chromium: Browser, url: str, file: Path, size: tuple[int, int], theme: str, place: str | None) -> None:
    page = chromium.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(url)
    _until_drawn(page)
    page.wait_for_function("document.querySelectorAll('#flow .rate:not(:empty)').length > 3", timeout=_WAIT_MS)
    if place is not None:
        page.locator(place).evaluate("(node) => node.scrollIntoView()")
    page.screenshot(path=file)
    page.close()


def _until_drawn(page: Page) -> None:
    """Until no widget waits for its first data."""
    expect(page.locator(".widget[data-drawn=drawn]").first).to_be_visible(timeout=_WAIT_MS)
    expect(page.locator(".widget[data-drawn=empty]")).to_have_count(0, timeout=_WAIT_MS)


if __name__ == "__main__":
    main()
