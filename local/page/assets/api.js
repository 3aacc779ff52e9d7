// Requests to this page's own server.

const token = document.querySelector('meta[name="demo-token"]').content;

export async function get(path) {
  return answer(await fetch(path, { cache: "no-store" }));
}

export async function post(path) {
  return answer(await fetch(path, { method: "POST", headers: { "X-Demo-Token": token } }));
}

async function answer(response) {
  const told = await response.json();
  if (!response.ok) throw new Error(told.error ?? response.statusText);
  return told;
}

/** Asks again and again, `seconds` after each answer; a hidden page does not ask. */
export function poll(path, seconds, take, fail) {
  async function ask() {
    if (!document.hidden) {
      try {
        take(await get(path));
      } catch (error) {
        fail(error);
      }
    }
    setTimeout(ask, seconds * 1000);
  }
  ask();
}
