// The legend, and what the cursor is at.

/** Lines about one thing are stressed, shown and hidden together, in whatever picture. */
const subject = (line) => line.about || line.name;

add(Plot, class {
  drawLegend() {
    this.values = [];
    this.legend.replaceChildren(...this.lines.map((line, n) => {
      const dash = dashOf(line);
      const ink = `s-${line.ink[0] % INKS}`;
      const swatch = MARKS[line.style] ? svg("svg", { class: "swatch", viewBox: "-13 -5 26 10", "aria-hidden": "true" },
        svg("path", { class: OPEN.includes(line.style) ? `${ink} open` : `${ink} dot`, d: MARKS[line.style] }))
      : svg("svg", { class: "swatch", viewBox: "0 0 26 8", "aria-hidden": "true" },
        svg("line", { class: ink, x1: 1, x2: 25, y1: 4, y2: 4, "stroke-dasharray": dash.join(" ") || "none" }),
        ...(isDrawn(line) && this.isSeveral() ? [svg("path", { class: OPEN.includes(shapeOf(line)) ? `${ink} open` : `${ink} dot`, d: MARKS[shapeOf(line)], transform: "translate(13 4) scale(0.85)" })]
          : line.style === "points" ? [svg("circle", { class: `${ink} dot`, cx: 13, cy: 4, r: 3 })] : []));
      const value = el("span", "value");
      this.values[n] = value;
      const button = el("button", "key", swatch, el("span", "", line.name), value);
      button.type = "button";
      button.dataset.line = n;
      button.setAttribute("aria-pressed", String(!this.link.hidden.has(subject(line))));
      const point = (on) => () => {
        for (const plot of this.link.plots) plot.stress(on ? subject(line) : null);
      };
      button.addEventListener("pointerenter", point(true));
      button.addEventListener("pointerleave", point(false));
      button.addEventListener("click", () => {
        const { hidden } = this.link;
        if (!hidden.delete(subject(line))) hidden.add(subject(line));
        for (const plot of this.link.plots) plot.showLines();
      });
      return button;
    }));
    if (this.view.heat) this.legend.append(scaleOf(this.view.heat));
  }

  /** One line stands out, the others step back. */
  stress(about) {
    const n = this.lines.findIndex((line) => subject(line) === about);
    this.u.setSeries(n < 0 ? null : n + 1, { focus: n >= 0 });
  }

  showLines() {
    this.lines.forEach((line, n) => {
      const on = !this.link.hidden.has(subject(line));
      this.legend.querySelector(`[data-line="${n}"]`).setAttribute("aria-pressed", String(on));
      if (this.u.series[n + 1].show !== on) this.u.setSeries(n + 1, { show: on });
    });
  }

  /** The nearest value of a line: those with places of their own have gaps between. */
  valueAt(n, idx) {
    const values = this.u.data[n + 1];
    for (let off = 0; off < values.length; off++) {
      if (finite(values[idx - off])) return values[idx - off];
      if (!this.u.series[n + 1].spanGaps) return null;
    }
    return null;
  }

  read() {
    const { u } = this;
    if (!u || !this.values) return;
    const idx = u.cursor.left >= 0 ? u.cursor.idx : null;
    this.idx = idx;
    // Without a cursor the end is told: so the legend never moves the plot that one points at.
    const { max } = u.scales.x;
    const told = finite(idx) ? idx : u.data[0].findLastIndex((at) => at <= max);
    if (told < 0) return;
    this.lines.forEach((line, n) => {
      this.values[n].textContent = show(this.valueAt(n, told), this.view.y.unit);
    });
    this.readout.textContent = this.place(told);
    this.legend.classList.toggle("idle", !finite(idx));
  }

  /** Where the cursor is, in words; over a histogram also how many calls are there. */
  place(idx) {
    const { x, heat } = this.view;
    const at = this.u.data[0][idx];
    const where = x.names?.length ? x.names[Math.round(at)] : show(x.unit === "s" && this.spec.link ? this.windowAt(at) : at, x.unit);
    if (!heat || this.u.cursor.top < 0) return `at ${where}`;
    const value = this.u.posToVal(this.u.cursor.top, "y");
    const per = heat.per_octave;
    const cell = heat.cells[idx].find(([bucket]) => edgeOf(bucket, per) <= value && value < edgeOf(bucket + 1, per));
    if (!cell) return `at ${where}: no call took ${duration(value)}`;
    return `at ${where}: ${group(String(cell[1]))} of ${group(String(heat.ok[idx] ?? 0))} calls took ${duration(edgeOf(cell[0], per))} to ${duration(edgeOf(cell[0] + 1, per))}`;
  }

  /** A value stands in the middle of its window, and is named by where that begins. */
  windowAt(at) {
    const line = this.lines[0];
    const step = this.view.heat ? this.view.heat.step : line?.at?.step;
    return step ? Number((Math.floor(at / step + 1e-9) * step).toPrecision(12)) : at;
  }
});
