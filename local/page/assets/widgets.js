// The dashboard's grid: a card for each widget of the body, drawn again with each snapshot.

import { h } from "./dom.js";
import { Chart, gauge, known, numbers } from "./charts.js";
import { markdown } from "./markdown.js";
import { quantity } from "./format.js";

export class Widgets {
  constructor(holder) {
    this.holder = holder;
    this.cards = [];
    this.last = null;
  }

  update(dashboard) {
    this.last = dashboard;
    if (this.cards.length !== dashboard.widgets.length) this.build(dashboard.widgets);
    dashboard.widgets.forEach((widget, place) => this.draw(this.cards[place], widget));
  }

  redraw() {
    if (this.last) this.update(this.last);
  }

  build(widgets) {
    this.holder.classList.remove("loading");
    this.cards = widgets.map((widget) => new Card(widget));
    this.holder.replaceChildren(...this.cards.map((card) => card.node));
  }

  draw(card, widget) {
    card.node.dataset.drawn = card.draw(widget);
  }
}

class Card {
  constructor(widget) {
    const classes = ["widget"];
    if (widget.view === "gauge") classes.push("gauge-widget");
    if (widget.view === "text" && /^## [^\n|]*$/.test(widget.markdown)) classes.push("heading");
    this.node = h("article", { class: classes.join(" "), "data-view": widget.view, "data-title": widget.title });
    this.node.style.gridColumn = `span ${widget.width}`;
    if (widget.title) {
      this.node.append(h("h4", {}, widget.title,
        widget.clock === "event" ? h("span", { class: "tag" }, "event time") : null));
    }
    this.body = h("div");
    this.node.append(this.body);
    this.shown = "";
    this.chart = null;
  }

  /** Draws; answers what is to be seen: drawn, absent (with its reason), or empty. */
  draw(widget) {
    if (widget.view === "text") return this.once(widget.markdown, () => h("div", { class: "markdown" }, ...markdown(widget.markdown)));
    if (widget.view === "alarm") return this.once(JSON.stringify(widget.alarms), () => alarms(widget.alarms));
    if (widget.absent) {
      this.once(widget.absent, () => nothing("Not on a laptop", widget.absent));
      return "absent";
    }
    if (!known(widget)) {
      this.chart = null;
      this.once("empty", () => nothing("No data yet", "It comes with the first samples."));
      return "empty";
    }
    if (widget.view === "gauge") return this.once(JSON.stringify(widget.lines), () => gauge(widget));
    if (widget.view === "singleValue") return this.once(JSON.stringify(widget.lines), () => numbers(widget));
    if (this.chart === null) {
      const holder = h("div", { class: "chart" });
      const keys = h("div", { class: "keys" });
      this.place(h("div", {}, holder, keys));
      this.chart = new Chart(holder, keys);
      this.shown = "chart";
    }
    this.chart.update(widget);
    return "drawn";
  }

  once(key, make) {
    if (this.shown !== key) {
      this.shown = key;
      this.place(make());
    }
    return "drawn";
  }

  place(node) {
    this.body.replaceWith(node);
    this.body = node;
  }
}

const nothing = (title, why) => h("div", { class: "nothing" }, h("b", {}, title), h("span", {}, why));

const ORDER = { ALARM: 0, INSUFFICIENT_DATA: 1, OK: 2 };

function alarms(list) {
  const sorted = list.toSorted((one, other) => ORDER[one.state] - ORDER[other.state] || one.name.localeCompare(other.name));
  return h("ul", { class: "alarms" }, ...sorted.map((alarm) => h("li", {
    "data-state": alarm.state, "data-alarm": alarm.name, "data-here": String(!alarm.not_here),
    title: `${alarm.meaning}. Threshold ${alarm.threshold}.${alarm.not_here ? ` Not on a laptop: ${alarm.not_here}.` : ""}`,
  }, h("span", {}, alarm.name), h("small", {}, alarm.not_here ? "not here" : alarm.value === null ? "no data" : quantity(alarm.value)))));
}
