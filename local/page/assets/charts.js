// Draws one metric widget: lines, stacked areas, numbers, a gauge.

import { h, svg } from "./dom.js";
import { number, quantity, utc, local } from "./format.js";

const COLORS = 9;
const color = (place) => getComputedStyle(document.documentElement).getPropertyValue(`--s${place % COLORS}`).trim();
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const latest = (line) => line.values.findLast((value) => value !== null) ?? null;
const known = (widget) => widget.lines.some((line) => line.values.some((value) => value !== null));

export class Chart {
  constructor(holder, keys) {
    this.holder = holder;
    this.keys = keys;
    this.plot = null;
    this.shape = "";
  }

  update(widget) {
    if (!known(widget)) return false;
    const stacked = widget.stacked && widget.lines.length > 0;
    const values = stacked ? stack(widget) : widget.lines.map((line) => line.values);
    const data = [widget.times, ...(stacked ? values.toReversed() : values)];
    const width = this.holder.clientWidth;
    const shape = JSON.stringify([widget.lines.map((line) => line.label), width, document.documentElement.dataset.theme]);
    this.widget = widget;
    if (this.plot === null || shape !== this.shape) {
      this.shape = shape;
      this.plot?.destroy();
      this.plot = new uPlot(this.options(widget, width, stacked), data, this.holder);
    } else {
      this.plot.setData(data);
    }
    this.legend(widget);
    return true;
  }

  options(widget, width, stacked) {
    // What is counted by the window stands for itself; between two windows there is nothing.
    const bars = stacked && widget.clock === "event";
    const lines = widget.lines.map((line, place) => ({
      label: line.label,
      stroke: color(place),
      width: bars ? 0 : 1.6,
      spanGaps: !bars,
      fill: stacked ? color(place) : undefined,
      paths: bars ? uPlot.paths.bars({ size: [0.82, 40], align: 1 }) : undefined,
      points: { show: bars ? false : (plot, series) => plot.data[series].filter((value) => value !== null).length < 3, size: 6 },
    }));
    if (stacked) lines.reverse();
    const axis = { stroke: token("faint"), grid: { stroke: token("line"), width: 1 }, ticks: { show: false }, font: '11px system-ui, "DejaVu Sans", sans-serif' };
    const clock = widget.clock === "event" ? (each) => utc(each * 1000).slice(0, 5) : (each) => local(each);
    return {
      width, height: 190, padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: true }, y: { range: (_, low, high) => this.range(low, high) } },
      series: [{}, ...lines],
      axes: [
        { ...axis, space: 74, size: 26, values: (_, splits) => splits.map(clock) },
        { ...axis, space: 34, size: (_, texts) => 14 + 6.6 * Math.max(3, ...(texts ?? []).map((text) => text.length)),
          values: (_, splits) => splits.map((each) => quantity(each, this.widget.unit)) },
      ],
      hooks: { draw: [(plot) => this.limits(plot)] },
    };
  }

  /** From the widget's own least; up to what is drawn, or to a threshold that is not far above it. */
  range(low, high) {
    const least = this.widget.low ?? Math.min(0, low ?? 0);
    const near = this.widget.thresholds.map((each) => each.value).filter((value) => value <= 3 * high);
    const most = Math.max(high ?? 0, ...near);
    return [least, most > least ? most + (most - least) * 0.08 : least + 1];
  }

  limits(plot) {
    for (const each of this.widget.thresholds) {
      const y = plot.valToPos(each.value, "y", true);
      if (y < plot.bbox.top) continue;
      plot.ctx.save();
      plot.ctx.strokeStyle = token("bad");
      plot.ctx.lineWidth = devicePixelRatio;
      plot.ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      plot.ctx.beginPath();
      plot.ctx.moveTo(plot.bbox.left, y);
      plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
      plot.ctx.stroke();
      plot.ctx.restore();
    }
  }

  legend(widget) {
    const keys = widget.lines.map((line, place) => {
      const swatch = h("i");
      swatch.style.background = color(place);
      return h("span", {}, swatch, line.label, h("b", {}, quantity(latest(line), line.unit)));
    });
    const limits = widget.thresholds.map((each) => h("span", { class: "limit" }, `${each.label}: ${quantity(each.value, widget.unit)}`));
    this.keys.replaceChildren(...keys, ...limits);
  }
}

/** Running sums from the first line up; a gap counts as nothing where any line has a value. */
function stack(widget) {
  const sums = widget.times.map(() => 0);
  return widget.lines.map((line) => line.values.map((value, index) => {
    if (widget.lines.every((each) => each.values[index] === null)) return null;
    sums[index] += value ?? 0;
    return sums[index];
  }));
}

export function numbers(widget) {
  return h("div", { class: "numbers" }, ...widget.lines.map((line) =>
    h("div", {}, h("b", {}, quantity(latest(line), line.unit)), h("span", {}, line.label))));
}

export function gauge(widget) {
  const [low, high] = [widget.low ?? 0, widget.high ?? 100];
  const value = latest(widget.lines[0]);
  const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
  const at = (part) => {
    const angle = Math.PI * (1 - part);
    return `${(100 + 78 * Math.cos(angle)).toFixed(2)} ${(96 - 78 * Math.sin(angle)).toFixed(2)}`;
  };
  const arc = (part, name) => svg("path", { class: name, d: `M${at(0)}A78 78 0 0 1 ${at(part)}` });
  const unit = widget.lines[0].unit;
  return h("div", { class: "gauge" }, svg("svg", { viewBox: "0 0 200 122", role: "img",
    "aria-label": `${widget.title}: ${quantity(value, unit)} of ${quantity(high, unit)}` },
    arc(1, "back"), share > 0.004 ? arc(share, "value") : null,
    svg("text", { class: "number", x: 100, y: 92 }, quantity(value, unit)),
    svg("text", { class: "ends", x: 22, y: 118 }, number(low)), svg("text", { class: "ends", x: 178, y: 118 }, quantity(high, unit))));
}

export { known };
