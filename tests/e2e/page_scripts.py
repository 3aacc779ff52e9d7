"""What is asked of the page inside the browser."""

from __future__ import annotations

#: Whether a chart's canvas (of the widget of a title) holds pixels in the colour of one of its series.
INK = """(title) => {
  const card = [...document.querySelectorAll('.widget')].find((each) => each.dataset.title === title);
  card.scrollIntoView();
  const canvas = card.querySelector('canvas');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const wanted = [...card.querySelectorAll('.keys i')].map((each) => getComputedStyle(each).backgroundColor)
    .map((color) => color.match(/\\d+/g).map(Number));
  const near = (rgb, at) => rgb.every((part, place) => Math.abs(part - data[at + place]) < 14);
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] >= 200 && wanted.some((rgb) => near(rgb, at))) return true;
  }
  return false;
}"""

#: Elements that reach beyond the window's sides. A table may scroll in its own card.
OUTSIDE = """() => [...document.querySelectorAll('main *, header *')].filter((each) => {
  const box = each.getBoundingClientRect();
  if (box.width === 0 || each.closest('svg, .markdown, .skip')) return false;
  return box.left < -1 || box.right > innerWidth + 1;
}).map((each) => each.outerHTML.slice(0, 120))"""

#: Texts whose contrast against what is behind them is below WCAG's 4.5 (3 for large ones).
CONTRAST = """() => {
  const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const color = rgb(getComputedStyle(each).backgroundColor);
      if (color.length < 4 || color[3] > 0.5) return color;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const node of document.querySelectorAll('main *, header *')) {
    const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
    if (!own || node.closest('svg, [data-here=false], [data-none=true], :disabled') || !node.offsetParent) continue;
    const style = getComputedStyle(node);
    const [one, other] = [light(rgb(style.color)), light(behind(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const large = parseFloat(style.fontSize) >= 18.66;
    if (ratio < (large ? 3 : 4.5)) found.add(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return [...found];
}"""
