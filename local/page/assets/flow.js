// The picture of the pipeline: parts, and how many records a second pass each arrow.

import { svg, say } from "./dom.js";
import { count, number } from "./format.js";

const NODES = {
  producer: { name: "Producer", what: (f) => `${count(f.sent)} sent` + (f.held ? `, ${count(f.held)} held` : "") },
  events: { name: "Kinesis", what: () => "stream events" },
  flink: { name: "Flink", what: (f) => `${count(f.accepted)} accepted`, main: true },
  results: { name: "Kinesis", what: () => "stream results" },
  rejected: { name: "Kinesis", what: () => "stream rejected" },
  alerts: { name: "Lambda alerts", what: (f) => `${count(f.alerting)} handled` },
  indexer: { name: "Lambda indexer", what: (f) => `${count(f.indexed)} handled` },
  sns: { name: "SNS", what: (f) => `${count(f.alerts)} alerts` },
  search: { name: "OpenSearch", what: (f) => `${count(f.indexed)} written` },
};
const ARROWS = [
  ["producer", "events", "sent"], ["events", "flink", "read"], ["flink", "results", "results"],
  ["flink", "rejected", "rejections", "bad"], ["results", "alerts", "alerting"], ["results", "indexer", "indexed"],
  ["rejected", "alerts", "rejections", "bad quiet"], ["alerts", "sns", "alerts"], ["indexer", "search", "indexed"],
];
const WIDE = {
  box: [1320, 228], size: [148, 58],
  at: { producer: [74, 114], events: [302, 114], flink: [530, 114], results: [772, 54], rejected: [772, 174],
    alerts: [1008, 54], indexer: [1008, 174], sns: [1246, 54], search: [1246, 174] },
};
const NARROW = {
  box: [344, 520], size: [140, 56],
  at: { producer: [172, 30], events: [172, 128], flink: [172, 226], results: [72, 326], rejected: [272, 326],
    indexer: [72, 426], alerts: [272, 426], search: [72, 490], sns: [272, 490] },
};
NARROW.at.search = [72, 524]; NARROW.at.sns = [272, 524]; NARROW.box = [344, 556];
const SPAN_SECONDS = 4;

export class Flow {
  constructor(holder) {
    this.holder = holder;
    this.history = [];
    this.layout = null;
  }

  update(live) {
    const layout = this.holder.clientWidth < 700 ? NARROW : WIDE;
    if (layout !== this.layout) this.build(layout);
    this.history.push({ now: live.now, flow: live.flow });
    while (this.history.length > 2 && live.now - this.history[1].now >= SPAN_SECONDS) this.history.shift();
    const before = this.history[0];
    const seconds = live.now - before.now;
    for (const [name, node] of Object.entries(this.nodes)) {
      say(node.what, NODES[name].what(live.flow));
    }
    const down = live.alarms.raised.some((alarm) => alarm === "flink-downtime") || "flink" in live.silent;
    this.nodes.flink.group.dataset.down = String(down);
    this.nodes.search.group.dataset.down = String("search" in live.silent);
    for (const arrow of this.arrows) {
      const moved = Math.max(0, live.flow[arrow.counter] - before.flow[arrow.counter]);
      const rate = seconds > 0 ? moved / seconds : 0;
      arrow.path.dataset.moving = String(rate > 0);
      if (arrow.rate) say(arrow.rate, rate === 0 ? "" : rate < 1 ? "<1/s" : `${number(Math.round(rate))}/s`);
    }
  }

  build(layout) {
    this.layout = layout;
    this.holder.classList.remove("loading");
    const [width, height] = layout.box;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "flow-title" });
    picture.append(svg("defs", {}, svg("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7,
      markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", class: "tip" }))));
    this.arrows = ARROWS.map(([from, to, counter, kind]) => this.arrow(picture, layout, from, to, counter, kind ?? ""));
    this.nodes = {};
    for (const [name, [x, y]] of Object.entries(layout.at)) this.nodes[name] = this.node(picture, layout, name, x, y);
    this.holder.replaceChildren(picture);
  }

  node(picture, layout, name, x, y) {
    const [width, height] = layout.size;
    const what = svg("text", { class: "what", x, y: y + 17, "text-anchor": "middle" });
    const group = svg("g", { class: "node", "data-main": String(Boolean(NODES[name].main)) },
      svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 9 }),
      svg("text", { class: "name", x, y: y - 3, "text-anchor": "middle" }, NODES[name].name), what);
    picture.append(group);
    return { group, what };
  }

  arrow(picture, layout, from, to, counter, kind) {
    const [[x1, y1], [x2, y2]] = [layout.at[from], layout.at[to]];
    const [width, height] = layout.size;
    let d, label;
    if (layout === WIDE) {
      const [a, b] = [x1 + width / 2, x2 - width / 2 - 2];
      const middle = (a + b) / 2;
      const bend = y1 === y2 ? `L${b} ${y2}` : `C${middle} ${y1} ${middle} ${y2} ${b} ${y2}`;
      d = `M${a} ${y1}${bend}`;
      label = y1 === y2 ? [middle, y1 - 8] : [b - 6, y2 + (y2 > y1 ? 20 : -10), "end"];
    } else {
      const [a, b] = [y1 + height / 2, y2 - height / 2 - 2];
      d = x1 === x2 ? `M${x1} ${a}L${x2} ${b}` : `M${x1} ${a}C${x1} ${a + 26} ${x2} ${b - 26} ${x2} ${b}`;
      label = [x2 + 8, b - 10, "start"];
    }
    const path = svg("path", { class: `arrow ${kind}`, d, "marker-end": "url(#tip)" });
    const rate = kind.includes("quiet") ? null
      : svg("text", { class: "rate", x: label[0], y: label[1], "text-anchor": label[2] ?? "middle" });
    picture.append(path);
    if (rate) picture.append(rate);
    return { path, rate, counter };
  }
}
