// Numbers, as the rest of the page writes them.
const group = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, "\u00a0");
const number = (x) => {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size < 1e-4 || size >= 1e12) return x.toExponential(2);
  if (size < 1e6 && Number.isInteger(x)) return group(String(x));
  const digits = Math.floor(Math.log10(Number(size.toPrecision(3))));
  if (digits > 2) return group(Number(x.toPrecision(3)).toFixed(0));
  return String(Number(x.toFixed(2 - digits)));
};
const duration = (ns) => {
  const size = Math.abs(ns);
  for (const [below, unit, name] of [[999.5, 1, "ns"], [999.5e3, 1e3, "us"], [999.5e6, 1e6, "ms"], [119.95e9, 1e9, "s"], [7197e9, 60e9, "min"]]) {
    if (size < below) return size === 0 ? "0 s" : `${number(Number((ns / unit).toPrecision(3)))}\u00a0${name}`;
  }
  return `${number(Number((ns / 3600e9).toPrecision(3)))}\u00a0h`;
};
/** A place on a time axis, exact: `3 min 20 s`. */
const clock = (seconds) => {
  if (seconds < 120 || !Number.isInteger(seconds)) return duration(seconds * 1e9);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return [[h, "h"], [m, "min"], [s, "s"]].filter(([n]) => n > 0).map(([n, name]) => `${n}\u00a0${name}`).join(" ");
};
const percent = (share) => {
  const text = number(Number((share * 100).toPrecision(share < 1 && share > 0.99 ? 5 : 3)));
  return `${share < 1 && text === "100" ? "over 99.99" : text}\u00a0%`;
};
const show = (x, unit) => {
  if (!finite(x)) return "-";
  switch (unit) {
    case "ns": return duration(x);
    case "s": return clock(x);
    case "/s": return `${number(Number(x.toPrecision(4)))}/s`;
    case "share": return percent(x);
    case "tail": return `${String(Number((100 * (1 - 1 / x)).toFixed(6)))}\u00a0%`;
    default: return number(x);
  }
};
