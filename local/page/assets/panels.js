// The live panels: alerts, results, rejections, planted truth, alarms that changed.

import { $, h, say, show } from "./dom.js";
import { count, elapsed, local, utc } from "./format.js";

let job = "aggregation";
let last = null;

export function panels(live) {
  last = live;
  top(live);
  alerts(live.alerts, live.flow.alerts);
  truth(live.truth);
  changes(live.alarms);
  results(live.results);
  rejections(live.rejections, live.flow.rejected);
}

function top(live) {
  say($("run-name"), `laptop run “${live.name}”`);
  say($("event-time"), live.event_time === null ? "waiting" : utc(live.event_time));
  say($("elapsed"), elapsed(live.now - live.began));
  say($("phase"), live.phase);
  $("progress").max = live.planned;
  $("progress").value = live.sent;
  const raised = live.alarms.raised.length;
  say($("alarm-count"), raised ? `${raised} raised` : "all quiet");
  const verdict = live.verdict;
  $("verdict").dataset.ok = verdict ? String(verdict.ok) : "";
  say($("verdict"), verdict === null ? `${count(live.sent)} of ${count(live.planned)} sent`
    : verdict.ok ? `reconciled: ${verdict.checks} checks agree` : `differs: ${verdict.differs.join(", ")}`);
}

const empty = (text) => h("li", { class: "empty" }, text);

function alerts(list, total) {
  say($("alerts-count"), total ? count(total) : "");
  show($("alerts"), list.length ? `${total}/${list[0].id}` : "none", () => list.length
    ? list.map((alert) => h("li", {},
        h("p", { class: "meta" }, h("span", { class: "tag", "data-level": alert.severity }, alert.severity),
          h("span", {}, alert.type.replace("_DETECTED", "").toLowerCase()), h("span", {}, alert.time.slice(11, 19))),
        h("p", {}, alert.why)))
    : [empty("No alert yet. The first comes with the first planted anomaly or fraud burst.")]);
}

function truth(rows) {
  show($("truth"), JSON.stringify(rows), () => rows.map((row) => h("div", { class: "row" },
    h("span", {}, row.what[0].toUpperCase() + row.what.slice(1)),
    row.missed ? h("span", { class: "bad" }, `${count(row.missed)} missed`)
      : h("span", {}, `${count(row.found)} of ${count(row.planted)} found`),
    h("meter", { min: 0, max: Math.max(1, row.planted), value: row.found, "aria-label": `${row.what} found` }))));
}

function changes(alarms) {
  show($("changes"), JSON.stringify(alarms.changes.map((each) => [each.name, each.at])), () => alarms.changes.length
    ? alarms.changes.map((each) => h("li", { title: each.reason },
        h("p", { class: "meta" }, h("span", { class: "tag", "data-level": each.state }, each.state.replace("_DATA", "")),
          h("span", {}, each.name), h("span", {}, local(each.at)))))
    : [empty("No alarm was raised. Kill the TaskManager to see one.")]);
}

function results(jobs) {
  if (!$("jobs").children.length) {
    $("jobs").append(...jobs.map((each) => {
      const tab = h("button", { type: "button", role: "tab", id: `tab-${each.job}`, "aria-controls": "results" },
        each.job, h("span", {}));
      tab.addEventListener("click", () => choose(each.job));
      return tab;
    }));
    $("jobs").addEventListener("keydown", arrowKeys);
  }
  for (const each of jobs) {
    const tab = $(`tab-${each.job}`);
    say(tab.querySelector("span"), count(each.count));
    tab.setAttribute("aria-selected", String(each.job === job));
    tab.tabIndex = each.job === job ? 0 : -1;
  }
  const chosen = jobs.find((each) => each.job === job);
  show($("results"), `${job}/${chosen.count}/${chosen.latest[0]?.id}`, () => chosen.latest.length
    ? chosen.latest.map((each) => h("li", { title: each.id, class: "line" },
        h("p", {}, each.text), h("time", {}, each.time.slice(11, 19))))
    : [empty(`No result of ${job} yet: it comes when the watermark closes its first window.`)]);
}

function choose(name) {
  job = name;
  if (last) results(last.results);
}

function arrowKeys(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...$("jobs").children];
  const next = tabs[(tabs.findIndex((tab) => tab.tabIndex === 0) + step + tabs.length) % tabs.length];
  next.click();
  next.focus();
  event.preventDefault();
}

function rejections(rejected, total) {
  say($("rejected-count"), total ? count(total) : "");
  const reasons = rejected.by_reason;
  show($("reasons"), JSON.stringify(reasons.map((each) => each.count)), () => reasons.map((each) =>
    h("li", { title: each.meaning, "data-none": String(each.count === 0) }, each.reason.replaceAll("_", " "),
      h("b", {}, count(each.count)))));
  show($("rejected"), rejected.latest.map((each) => each.id).join() || "none", () => rejected.latest.length
    ? rejected.latest.map((each) => h("li", {},
        h("p", { class: "meta" }, h("span", { class: "tag" }, each.reason.replaceAll("_", " ")),
          h("span", { class: "detail" }, each.detail ?? ""), h("span", {}, each.time.slice(11, 19))),
        h("code", { title: each.payload }, each.payload)))
    : [empty("Nothing rejected yet. Poison is planted among the events; or press p.")]);
}
