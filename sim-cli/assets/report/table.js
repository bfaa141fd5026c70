// The same as a table.
add(Plot, class {
  fillTable() {
    const box = this.data.lastChild;
    if (!this.data.open) return box.replaceChildren();
    const MOST = 1000;
    const { x, y, heat } = this.view;
    const at = this.u.data[0];
    const { min, max } = this.u.scales.x;
    const rows = at.map((_, n) => n).filter((n) => at[n] >= min && at[n] <= max);
    const heads = [x.label || (x.unit === "tail" ? "percentile" : x.unit === "s" ? "time" : "at")].concat(heat ? ["ended well", "others", "p50", "p90", "p99"] : this.lines.map((line) => line.name));
    const cellsOf = (n) => {
      const place = x.names?.length ? x.names[Math.round(at[n])] : show(x.unit === "s" && this.spec.link ? this.windowAt(at[n]) : at[n], x.unit);
      if (heat) return [place, number(heat.ok[n] ?? 0), number(heat.failed[n] ?? 0), ...quantiles([heat.cells[n]], heat.per_octave, [0.5, 0.9, 0.99]).map((ns) => show(ns, "ns"))];
      return [place, ...this.lines.map((line, k) => {
        const half = Array.isArray(line.at) && line.half?.length ? line.half[line.at.indexOf(at[n])] : null;
        return show(this.u.data[k + 1][n], y.unit) + (finite(half) ? ` ± ${show(half, y.unit)}` : "");
      })];
    };
    const body = el("tbody", "", ...rows.slice(0, MOST).map((n) => {
      const [first, ...rest] = cellsOf(n);
      const head = Object.assign(el("th", "", first), { scope: "row" });
      return el("tr", "", head, ...rest.map((text) => el("td", "n", text)));
    }));
    const head = el("tr", "", ...heads.map((text, n) => Object.assign(el("th", n ? "n" : "", text), { scope: "col" })));
    const more = rows.length > MOST ? `, the first ${MOST} of ${rows.length} rows: zoom in for the others` : "";
    Object.assign(box, { tabIndex: 0, role: "region" });
    box.setAttribute("aria-label", `Data of ${this.title}`);
    box.replaceChildren(el("table", "", el("caption", "", `${this.title}${this.spec.views.length > 1 ? `, ${this.view.name}` : ""}${more}`), el("thead", "", head), body));
  }
});
