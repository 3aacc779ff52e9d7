// Buttons and keys that break something, and how each was noticed and recovered from.

import { $, h, say, show } from "./dom.js";
import { duration, local } from "./format.js";
import { post } from "./api.js";

let kinds = [];

export function faults(board) {
  kinds = board.kinds;
  show($("fault-buttons"), "built", () => kinds.map((kind) => {
    const button = h("button", { type: "button", title: kind.expect, id: `fault-${kind.name}`, "aria-keyshortcuts": kind.key },
      kind.title, h("kbd", {}, kind.key));
    button.addEventListener("click", () => inject(kind));
    return button;
  }));
  if (!$("fault-said").textContent) {
    say($("fault-said"), "Press a button or its key while events flow, and watch it being noticed and recovered from.");
  }
  show($("fault-list"), JSON.stringify(board.injected), () => board.injected.map(row));
}

export function faultKey(key) {
  const kind = kinds.find((each) => each.key === key);
  if (kind) inject(kind);
  return Boolean(kind);
}

async function inject(kind) {
  const button = $(`fault-${kind.name}`);
  if (button.disabled) return;
  button.disabled = true;
  const said = $("fault-said");
  try {
    await post(`/api/faults/${kind.name}`);
    said.dataset.bad = "false";
    say(said, `${kind.title}: ${kind.expect}.`);
  } catch (error) {
    said.dataset.bad = "true";
    say(said, `${kind.title}: ${error.message}.`);
  } finally {
    button.disabled = false;
  }
}

function row(each) {
  const title = kinds.find((kind) => kind.name === each.fault)?.title ?? each.fault;
  const after = (moment) => ` after ${duration(moment - each.at)}`;
  return h("li", { "data-fault": each.fault, "data-over": String(each.recovered !== null || Boolean(each.failed)) },
    h("span", {}, h("b", {}, title), " ", h("time", {}, local(each.at))),
    h("span", { class: "step", "data-done": "injected" }, each.said),
    each.failed ? h("span", { class: "step", "data-done": "failed" }, each.failed)
      : h("span", { class: "step", "data-done": String(each.noticed !== null) },
          each.noticed === null ? "not noticed yet" : `noticed${after(each.noticed)}: ${each.how_noticed}`),
    each.failed ? null
      : h("span", { class: "step", "data-done": String(each.recovered !== null) },
          each.recovered === null ? "not recovered yet" : `recovered${after(each.recovered)}: ${each.how_recovered}`));
}
