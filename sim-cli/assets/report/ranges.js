// Boxes and shares of what is in view.
function watchRanges(box, views) {
  const [low, high] = [Number(box.dataset.low), Number(box.dataset.high)];
  return (range) => {
    for (const row of box.querySelectorAll(".in-view")) {
      const { name, heat } = views[Number(row.dataset.view)];
      row.hidden = !range;
      if (!range) continue;
      heat.cells ||= unpack(heat);
      const [from, to] = [clamp(Math.floor(range[0] / heat.step), 0, heat.cells.length), clamp(Math.ceil(range[1] / heat.step), 0, heat.cells.length)];
      const sum = (counts) => counts.slice(from, to).reduce((all, n) => all + n, 0);
      const [ok, failed] = [sum(heat.ok), sum(heat.failed)];
      const q = quantiles(heat.cells.slice(from, to), heat.per_octave, [0.05, 0.25, 0.5, 0.75, 0.9, 0.99]);
      const [head, what, ended, share, bar, p50, p90, p99, picture] = row.cells;
      head.textContent = name;
      what.textContent = `in view, ${clock(from * heat.step)} to ${clock(to * heat.step)}`;
      ended.textContent = group(String(ok + failed));
      share.textContent = ok + failed ? percent(ok / (ok + failed)) : "-";
      bar.replaceChildren(shares(ok, failed));
      [p50, p90, p99].forEach((cell, n) => (cell.textContent = show(q[[2, 4, 5][n]], "ns")));
      picture.replaceChildren(...(finite(q[0]) ? [boxPlot(q, low, high)] : []));
    }
  };
}

function shares(ok, failed) {
  const all = Math.max(ok + failed, 1);
  const rect = (name, from, to) => svg("rect", { class: name, x: (from / all) * 1000, width: ((to - from) / all) * 1000, height: 10 });
  return svg("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", width: 1000, height: 10 }), rect("c-ok", 0, ok), rect("c-bad", ok, ok + failed));
}

function boxPlot(q, low, high) {
  const x = (ns) => clamp(Math.log(ns / low) / Math.max(Math.log(high / low), 1e-9), 0, 1) * 1000;
  const line = (x1, x2, y1, y2, name = "") => svg("line", { class: name, x1, x2, y1, y2 });
  const [p5, p25, p50, p75, , p99] = q.map(x);
  return svg("svg", { class: "box", viewBox: "-4 0 1008 100", preserveAspectRatio: "none", "aria-hidden": "true" },
    line(p5, p99, 50, 50), line(p5, p5, 35, 65), line(p99, p99, 35, 65),
    svg("rect", { x: p25, y: 20, width: Math.max(p75 - p25, 2), height: 60 }), line(p50, p50, 20, 80, "median"));
}
