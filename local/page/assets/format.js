// Numbers and times for people.

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export function count(value) {
  return whole.format(value);
}

export function number(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 10000) return compact.format(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return fine.format(value);
}

export function quantity(value, unit) {
  if (value === null || value === undefined) return "–";
  switch (unit) {
    case "Milliseconds": return duration(value / 1000);
    case "Seconds": return duration(value);
    case "Bytes": return bytes(value);
    case "Megabytes": return bytes(value * 1024 * 1024);
    case "Percent": return `${number(Math.round(value * 10) / 10)} %`;
    default: return number(value);
  }
}

export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return "0";
  if (size < 1) return `${Math.round(seconds * 1000)} ms`;
  if (size < 120) return `${number(Math.round(seconds * 10) / 10)} s`;
  if (size < 7200) return `${number(Math.round(seconds / 6) / 10)} min`;
  if (size < 172800) return `${number(Math.round(seconds / 360) / 10)} h`;
  return `${number(Math.round(seconds / 8640) / 10)} d`;
}

function bytes(value) {
  const steps = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (Math.abs(value) >= 1000 && step < steps.length - 1) { value /= 1024; step += 1; }
  return `${number(Math.round(value * 10) / 10)} ${steps[step]}`;
}

/** Event time is UTC, as the jobs see it. */
export function utc(millis) {
  return new Date(millis).toISOString().slice(11, 19);
}

export function local(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

export function elapsed(seconds) {
  const total = Math.max(0, Math.floor(seconds));
  return `${Math.floor(total / 60)}:${String(total % 60).padStart(2, "0")}`;
}
