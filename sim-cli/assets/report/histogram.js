// Histograms over time: what is in them, and their shades.
/** From the compact form: for each column its buckets that hold anything, as [bucket, count]. */
const unpack = (heat) => heat.columns.map(([first, ...counts]) => {
  const cells = [];
  let bucket = first;
  for (const n of counts) {
    if (n < 0) bucket -= n;
    else cells.push([bucket++, n]);
  }
  return cells;
});
const edgeOf = (bucket, per) => 2 ** Math.floor(bucket / per) * (1 + (bucket % per) / per);
const middle = (bucket, per) => 2 ** Math.floor(bucket / per) * (1 + ((bucket % per) + 0.5) / per);
/** By the nearest-rank rule over some columns, for each of these shares. */
const quantiles = (columns, per, shares) => {
  const all = new Map();
  for (const column of columns) for (const [bucket, n] of column) all.set(bucket, (all.get(bucket) || 0) + n);
  const sorted = [...all].sort((a, b) => a[0] - b[0]);
  const total = sorted.reduce((sum, [, n]) => sum + n, 0);
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    let seen = 0;
    for (const [bucket, n] of sorted) if ((seen += n) >= rank) return middle(bucket, per);
    return null;
  });
};

/** Shades from the fewest to the most, between the stops of the style sheet. */
function ramp() {
  const stops = [0, 1, 2, 3, 4].map((n) => colour(`heat-${n}`).match(/[\d.]+/g).map(Number));
  return Array.from({ length: 65 }, (_, n) => {
    const at = (n / 64) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    const mix = [0, 1, 2].map((c) => Math.round(stops[k][c] + (stops[k + 1][c] - stops[k][c]) * (at - k)));
    return `rgb(${mix.join(" ")})`;
  });
}

/** The legend of the shades. */
function scaleOf(heat) {
  const canvas = Object.assign(el("canvas", "ramp"), { width: 130, height: 10 });
  const ctx = canvas.getContext("2d");
  ramp().forEach((shade, n) => {
    ctx.fillStyle = shade;
    ctx.fillRect(n * 2, 0, 2, 10);
  });
  canvas.setAttribute("aria-hidden", "true");
  return el("span", "ramp-row", "calls: 1 ", canvas, ` ${group(String(heat.most))}`);
}
