// As much Markdown as the dashboard's text widgets use: headings, links, tables, lines.

import { h } from "./dom.js";

const LINK = /\[([^\]]+)\]\(([^)]+)\)/g;

export function markdown(text) {
  const nodes = [];
  let table = null;
  for (const line of text.split("\n")) {
    const heading = line.match(/^#+ (.*)/);
    if (line.startsWith("|")) {
      const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
      if (cells.every((cell) => /^-+$/.test(cell))) continue;
      if (table === null) {
        table = h("table", {}, h("thead", {}, h("tr", {}, ...cells.map((cell) => h("th", { scope: "col" }, ...inline(cell))))));
        table.append(h("tbody"));
        nodes.push(table);
      } else {
        table.lastChild.append(h("tr", {}, ...cells.map((cell) => h("td", {}, ...inline(cell)))));
      }
      continue;
    }
    table = null;
    if (heading) nodes.push(h("h3", {}, ...inline(heading[1])));
    else if (line.trim()) nodes.push(h("p", {}, ...inline(line)));
  }
  return nodes;
}

/** Links lead to the console of an account that a laptop has not: their names are shown, their targets told. */
function inline(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(from, match.index), h("abbr", { title: `deployed: ${match[2]}` }, match[1]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}
