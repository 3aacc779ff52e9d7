"""The live page in a real browser, over a whole run: drawn, moving, broken on purpose, recovered, and alone.

The tests of this module share one run and go in their order: while events flow, then after the reconciliation.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from local.demo.monitored import NOT_ON_A_LAPTOP
from local.standins.rest import RestClient
from scripts.browser import browser as chromium
from scripts.demo_process import DemoProcess
from tests.e2e.page_scripts import CONTRAST, INK, OUTSIDE

WIDE, NARROW = (1400, 900), (390, 844)
#: Events enough for every fault to be injected while they flow.
EVENTS, RATE = "50000", "220"
_SECONDS = 240.0
expect.set_options(timeout=_SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def demo(browser: Browser) -> Iterator[DemoProcess]:
    """A demo that is kept; started after the browser, so that a missing one is told at once."""
    assert browser.is_connected()
    with DemoProcess("--events", EVENTS, "--rate", RATE, "--keep", "--name", f"page-{os.getpid()}") as process:
        yield process


@pytest.fixture(scope="module")
def url(demo: DemoProcess) -> str:
    return demo.told(r"live page: (http://127\.0\.0\.1:\d+/)", 240)[1]


class Watched:
    """A page with everything that it says and asks for."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        self.asked.append(request.url)

    def external(self) -> list[str]:
        """Requests to anybody but the page's own server."""
        own = urlsplit(self.url).netloc
        return [
            url for url in self.asked if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
        ]


@pytest.fixture(scope="module")
def watched(browser: Browser, url: str) -> Iterator[Watched]:
    page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
    page.set_default_timeout(_SECONDS * 1000)
    seen = Watched(page, url)
    page.goto(url)
    yield seen
    page.close()


def live(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}api/live", timeout=10) as answer:  # noqa: S310 - loopback
        told: dict[str, Any] = json.load(answer)
        return told


def until(url: str, condition: Callable[[dict[str, Any]], object], what: str, seconds: float = _SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition(told := live(url)):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s: {json.dumps(told)[:3000]}"
        time.sleep(0.3)


def alarm_went(name: str, state: str) -> Callable[[dict[str, Any]], bool]:
    def went(told: dict[str, Any]) -> bool:
        return any(each["name"] == name and each["state"] == state for each in told["alarms"]["changes"])

    return went


def number(text: str) -> int:
    return int("".join(letter for letter in text if letter.isdigit()))


def test_the_page_opens_and_its_values_change(watched: Watched) -> None:
    page = watched.page
    expect(page.get_by_role("heading", name="Real-time analytics")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    expect(page.locator("#flow .node")).to_have_count(9)
    accepted = page.locator("#flow .node[data-main=true] .what")
    expect(accepted).not_to_have_text("0 accepted")
    before = accepted.text_content() or ""
    expect(accepted).not_to_have_text(before)
    assert number(accepted.text_content() or "") > number(before)
    expect(page.locator("#flow .arrow[data-moving=true]").first).to_be_attached()
    expect(page.locator("#results li:not(.empty)").first).to_be_visible()
    expect(page.locator("#rejected li:not(.empty)").first).to_be_visible()
    expect(page.locator("#alerts li:not(.empty)").first).to_contain_text("expected was")


@pytest.mark.parametrize(
    ("fault", "by"),
    [
        ("idle", "key"),
        ("anomaly", "key"),
        ("fraud", "button"),
        ("poison", "button"),
        ("late", "key"),
        ("search", "button"),
    ],
)
def test_an_injected_fault_appears_and_clears(watched: Watched, fault: str, by: str) -> None:
    page = watched.page
    button = page.locator(f"#fault-{fault}")
    if by == "button":
        button.click()
    else:
        page.keyboard.press(button.get_attribute("aria-keyshortcuts") or "")
    row = page.locator(f"#fault-list li[data-fault={fault}]").first
    expect(row).to_be_visible()
    expect(row.locator(".step").nth(1)).to_contain_text("noticed after")
    expect(row.locator(".step").nth(2)).to_contain_text("recovered after")
    expect(row).to_have_attribute("data-over", "true")


def test_a_killed_task_manager_raises_the_alarms_that_page_and_the_job_recovers(watched: Watched) -> None:
    page = watched.page
    # OpenSearch's catching up may keep both cores busy: the job itself must run before it is killed.
    page.locator("#fault-taskmanager").focus()
    page.keyboard.press("Enter")
    row = page.locator("#fault-list li[data-fault=taskmanager]").first
    expect(row.locator(".step").nth(1)).to_contain_text("Flink noticed")
    until(watched.url, alarm_went("flink-downtime", "ALARM"), "the alarm on downtime")
    expect(page.locator("#changes").get_by_text("flink-downtime").first).to_be_visible()
    expect(row.locator(".step").nth(2)).to_contain_text("recovered after")
    until(watched.url, alarm_went("flink-downtime", "OK"), "the end of the alarm on downtime")
    until(watched.url, alarm_went("flink-checkpoint-failures", "ALARM"), "the alarm on failed checkpoints")
    until(watched.url, alarm_went("flink-checkpoint-failures", "OK"), "the end of the alarm on failed checkpoints")


def test_after_all_that_the_run_still_reconciles(watched: Watched, demo: DemoProcess) -> None:
    until(watched.url, lambda told: told["verdict"] is not None, "the reconciliation", 400)
    verdict = live(watched.url)["verdict"]
    assert verdict["ok"], verdict
    expect(watched.page.locator("#verdict")).to_contain_text("reconciled")
    truth = live(watched.url)["truth"]
    assert all(row["planted"] == row["found"] > 0 for row in truth), truth
    demo.told("reconciled: everything agrees", 30)


def test_every_widget_of_the_deployed_dashboard_is_drawn_with_data_or_says_why_not(watched: Watched) -> None:
    page = watched.page
    with urllib.request.urlopen(f"{watched.url}api/dashboard", timeout=20) as answer:  # noqa: S310 - loopback
        widgets = json.load(answer)["widgets"]
    cards = page.locator(".widget")
    expect(cards).to_have_count(len(widgets))
    drawn = {"drawn": 0, "absent": 0}
    for widget, card in zip(widgets, cards.all(), strict=True):
        state = card.get_attribute("data-drawn")
        assert state in drawn, f"{widget['title']}: {state}"
        drawn[state] += 1
        if state == "absent":
            assert any(reason in card.inner_text() for reason in NOT_ON_A_LAPTOP.values()), widget["title"]
        elif widget["view"] == "timeSeries":
            assert has_ink(page, widget["title"]), widget["title"]
        else:
            assert card.inner_text().strip(), widget["title"]
    assert drawn["drawn"] > 30, drawn
    assert drawn["absent"] <= 5, drawn


def has_ink(page: Page, title: str) -> bool:
    """Whether a chart's canvas holds pixels in one of the series' colours."""
    return bool(page.evaluate(INK, title))


def test_real_faults_of_the_sinks_raise_their_alarms_and_clear(watched: Watched, demo: DemoProcess) -> None:
    moto = demo.told(r"moto server: (http://\S+)", 1)[1]
    search = RestClient(int(demo.told(r"OpenSearch: http://127\.0\.0\.1:(\d+)", 1)[1]))
    # A record that no function can read: buried by both, and it waits in both queues
    kinesis = boto3.client(
        "kinesis",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - the stand-in takes any
    )
    record = {"result_type": "unheard-of", "result_id": "unheard-of-1"}
    kinesis.put_record(StreamName="results", Data=json.dumps(record).encode(), PartitionKey="x")
    # An index whose primary shard no node may hold, one whose replica finds no node, and writes that are refused
    settings = {"number_of_replicas": 0, "index.routing.allocation.require._name": "nobody"}
    search.call("PUT", "/red-on-purpose?wait_for_active_shards=0&timeout=1s", {"settings": settings})
    raised = ("dead-letters-alerts-failures", "dead-letters-search-failures", "search-red")
    for name in raised:
        until(watched.url, alarm_went(name, "ALARM"), f"the alarm {name}")
    expect(watched.page.locator("#alarm-count")).to_contain_text("raised")
    assert live(watched.url)["alarms"]["paging"] == "ALARM"
    search.call("DELETE", "/red-on-purpose")
    search.call("PUT", "/yellow-on-purpose?wait_for_active_shards=0", {"settings": {"number_of_replicas": 1}})
    search.call("PUT", "/_cluster/settings", {"transient": {"cluster.blocks.read_only": True}})
    until(watched.url, alarm_went("search-red", "OK"), "the end of the alarm search-red")
    until(watched.url, alarm_went("search-writes-blocked", "ALARM"), "the alarm search-writes-blocked")
    search.call("PUT", "/_cluster/settings", {"transient": {"cluster.blocks.read_only": None}})
    until(watched.url, alarm_went("search-writes-blocked", "OK"), "the end of the alarm search-writes-blocked")
    until(watched.url, alarm_went("search-yellow", "ALARM"), "the alarm search-yellow")
    search.call("DELETE", "/yellow-on-purpose")
    until(watched.url, alarm_went("search-yellow", "OK"), "the end of the alarm search-yellow")


def test_nothing_but_poison_raises_the_alarm_on_rejections(watched: Watched) -> None:
    page = watched.page
    deadline = time.monotonic() + 240
    pressed = 0.0
    while not alarm_went("rejected-rate", "ALARM")(live(watched.url)):
        assert time.monotonic() < deadline, "the alarm rejected-rate"
        if time.monotonic() - pressed > 6:
            page.keyboard.press("p")
            pressed = time.monotonic()
        page.wait_for_timeout(500)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_overflows_and_every_text_can_be_read(
    browser: Browser, url: str, size: tuple[int, int], scheme: str
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        seen = Watched(page, url)
        page.goto(url)
        expect(page.locator(".widget[data-drawn=drawn]").first).to_be_visible(timeout=20_000)
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        outside = page.evaluate(OUTSIDE)
        assert outside == []
        assert seen.external() == []
        assert seen.said == []
        faint = page.evaluate(CONTRAST)
        assert faint == []
    finally:
        page.close()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(watched: Watched) -> None:
    page = watched.page
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reached: list[str] = []
    while len(reached) < 40:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # the end of the page
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached
    assert reached[0] == "skip"
    wanted = {"theme", "fault-poison", "fault-taskmanager", "alerts", "tab-aggregation", "results", "rejected"}
    assert wanted <= set(reached), reached
    page.locator("#tab-aggregation").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-anomaly")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#results li").first).to_contain_text("instead of")
    before = page.locator("html").get_attribute("data-theme")
    page.keyboard.press("t")
    expect(page.locator("html")).not_to_have_attribute("data-theme", before or "")
    page.keyboard.press("t")


def test_until_the_first_answer_the_page_shows_that_it_waits(browser: Browser, url: str) -> None:
    page = browser.new_page()
    try:
        page.route("**/api/*", lambda route: None)  # never answered
        page.goto(url)
        expect(page.locator("body")).to_have_attribute("data-state", "loading")
        expect(page.locator("#widgets.loading")).to_be_visible()
        assert page.locator("#widgets").bounding_box()["height"] > 50  # type: ignore[index]
    finally:
        page.close()


def test_without_anything_found_each_panel_says_what_will_come(browser: Browser, url: str) -> None:
    told = live(url)
    told.update(alerts=[], event_time=None)
    told["rejections"]["latest"] = []
    told["alarms"]["changes"] = []
    for job in told["results"]:
        job.update(count=0, latest=[])
    page = browser.new_page()
    try:
        page.route("**/api/live", lambda route: route.fulfill(json=told))
        page.goto(url)
        for panel in ("alerts", "results", "rejected", "changes"):
            expect(page.locator(f"#{panel} .empty")).to_be_visible()
    finally:
        page.close()


def test_the_whole_run_asked_nobody_else_and_logged_no_error(watched: Watched) -> None:
    assert len(watched.asked) > 100
    assert watched.external() == []
    conflicts = [line for line in watched.said if "409" not in line]  # a fault that could not be injected just then
    assert conflicts == []


def test_a_demo_that_has_ended_leaves_its_last_picture_and_says_so(watched: Watched, demo: DemoProcess) -> None:
    demo.end()
    page = watched.page
    expect(page.locator("body")).to_have_attribute("data-state", "lost", timeout=30_000)
    expect(page.get_by_role("alert")).to_contain_text("last picture")
    expect(page.locator(".widget[data-drawn=drawn]").first).to_be_attached()
