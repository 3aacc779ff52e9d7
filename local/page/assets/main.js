// Starts the page: asks its server, hands what it hears to the panels, and listens to keys.

import { $, h } from "./dom.js";
import { get, poll } from "./api.js";
import { faultKey, faults } from "./faults.js";
import { Flow } from "./flow.js";
import { panels } from "./panels.js";
import { Widgets } from "./widgets.js";

const LIVE_SECONDS = 1;
const DASHBOARD_SECONDS = 2;
const LOST_SECONDS = 4;

const flow = new Flow($("flow"));
const widgets = new Widgets($("widgets"));
let heard = Date.now();
let live = null;

function hear(snapshot) {
  heard = Date.now();
  live = snapshot;
  state("live");
  flow.update(snapshot);
  panels(snapshot);
  faults(snapshot.faults);
  const silent = Object.entries(snapshot.silent);
  tell(silent.length ? `${silent.map(([part]) => part).join(", ")} does not answer at the moment.` : "");
}

function lost(error) {
  const seconds = Math.round((Date.now() - heard) / 1000);
  if (seconds < LOST_SECONDS) return;
  state("lost");
  tell(live?.verdict ? "The run has ended: this is its last picture. make demo ARGS=--keep leaves everything running."
    : `The demo has not answered for ${seconds} s (${error.message}). If it has ended, this is its last picture.`);
}

function state(name) {
  document.body.dataset.state = name;
}

function tell(text) {
  const banner = $("banner");
  if (banner.textContent === text) return;
  banner.replaceChildren(...(text ? [h("p", {}, text)] : []));
  banner.hidden = !text;
}

const dark = matchMedia("(prefers-color-scheme: dark)");

function theme(name) {
  document.documentElement.dataset.theme = name;
  widgets.redraw();
}

function otherTheme() {
  theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}

theme(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
$("theme").addEventListener("click", otherTheme);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "t") otherTheme();
  else faultKey(event.key);
});
let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => { widgets.redraw(); if (live) flow.update(live); }, 150);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) get("/api/live").then(hear, lost); });

poll("/api/live", LIVE_SECONDS, hear, lost);
poll("/api/dashboard", DASHBOARD_SECONDS, (snapshot) => widgets.update(snapshot), lost);
