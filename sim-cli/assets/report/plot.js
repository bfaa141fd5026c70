// One figure: its frame, its lines, its scales.
class Plot {
  constructor(figure, spec) {
    Object.assign(this, { figure, spec, id: figure.id, chosen: 0, idx: null });
    // Whoever looks from outside finds it at its figure.
    figure.plot = this;
    this.link = linkOf(spec.link || this.id);
    this.title = figure.querySelector("h3").textContent;
    this.legend = el("div", "legend");
    this.readout = el("span", "readout");
    this.holder = el("div", "holder");
    Object.assign(this.holder, { tabIndex: 0, role: "group" });
    this.holder.setAttribute("aria-roledescription", "plot");
    this.holder.setAttribute("aria-label", `${this.title}. Arrow keys move the cursor, plus and minus zoom, Escape shows all.`);
    this.holder.setAttribute("aria-describedby", `${this.id}-alt`);
    this.data = el("details", "data", el("summary", "", "Data"));
    this.data.append(el("div", "scroll"));
    this.data.addEventListener("toggle", () => this.fillTable());
    const bar = el("div", "bar-row");
    if (spec.views.length > 1) bar.append(this.chooser());
    bar.append(this.legend, this.readout, this.cutButton(), this.logButton());
    figure.querySelector("figcaption").after(bar, this.holder, this.data);
    this.holder.addEventListener("keydown", (event) => this.key(event));
    this.holder.addEventListener("blur", () => this.leave());
    this.link.plots.push(this);
    this.build();
    new ResizeObserver(() => this.resize()).observe(this.holder);
  }

  get view() {
    return this.spec.views[this.chosen];
  }

  chooser() {
    const select = el("select");
    this.spec.views.forEach((view, n) => select.append(Object.assign(el("option", "", view.name), { value: n })));
    select.addEventListener("change", () => {
      this.chosen = Number(select.value);
      this.build();
      this.fillTable();
    });
    const label = el("label", "choose", "show ", select);
    return label;
  }

  /** For values that are all above zero and far apart. */
  logButton() {
    this.log = Object.assign(el("button", "log", "log scale"), { type: "button", hidden: true });
    this.log.addEventListener("click", () => {
      this.view.y.log = !this.view.y.log;
      this.build();
    });
    return this.log;
  }

  /** For a burst that would press all else to the floor: it is cut until somebody wants to see all of it. */
  cutButton() {
    this.cut = Object.assign(el("button", "cut"), { type: "button", hidden: true });
    this.cut.addEventListener("click", () => {
      this.all = !this.all;
      this.build();
    });
    return this.cut;
  }

  isCut() {
    return finite(this.view.y.cut) && !this.all && !this.view.y.log && !this.link.range;
  }

  offerCut() {
    const { y, lines = [] } = this.view;
    this.cut.hidden = !finite(y.cut);
    if (this.cut.hidden) return;
    const peak = lines.flatMap((line) => line.values).filter(finite).reduce((most, value) => Math.max(most, value), 0);
    this.cut.textContent = this.all ? `up to ${show(peak, y.unit)}: cut the peak` : `▲ peak of ${show(peak, y.unit)} is cut: show it`;
    this.cut.setAttribute("aria-pressed", String(Boolean(this.all)));
  }

  offerLog() {
    const { y, heat, lines = [] } = this.view;
    const values = lines.flatMap((line) => line.values).filter(finite);
    const [low, high] = [Math.min(...values.slice(0, 50000)), Math.max(...values.slice(0, 50000))];
    this.log.hidden = Boolean(heat) || this.spec.link === "time" || !(low > 0 && high > 20 * low);
    this.log.setAttribute("aria-pressed", String(Boolean(y.log)));
  }

  /** Lines on one horizontal axis; of a histogram its median and 99th percentile. */
  table() {
    const { lines = [], heat } = this.view;
    if (heat) {
      heat.cells ||= unpack(heat);
      heat.most ||= Math.max(1, ...heat.cells.map((column) => column.reduce((most, [, n]) => Math.max(most, n), 0)));
      const ink = [1, 0];
      heat.lines ||= [["p50", 0.5, [1, 0]], ["p99", 0.99, [1, 1]]].map(([name, share, ink]) => ({
        name, ink, style: "line", halo: true, values: heat.cells.map((column) => quantiles([column], heat.per_octave, [share])[0]),
      }));
      return { lines: heat.lines, data: [heat.cells.map((_, n) => (n + 0.5) * heat.step), ...heat.lines.map((line) => line.values)] };
    }
    const places = (line) => {
      if (Array.isArray(line.at)) return MARKS[line.style] ? apart(line.at) : line.at;
      const { step, pair } = line.at;
      return line.values.map((_, n) => (pair ? (Math.floor(n / 2) + (n % 2 ? 0.75 : 0.25)) * step : (n + 0.5) * step));
    };
    // Marks may stand above each other: a hair aside, as a line has one value at a place.
    const reach = Math.max(...lines.map((line) => (Array.isArray(line.at) && line.at.length ? line.at.at(-1) - line.at[0] : 0)), 1e-9);
    const apart = (at) => {
      for (let n = 1; n < at.length; n++) if (at[n] <= at[n - 1]) at[n] = at[n - 1] + reach * 1e-9;
      return at;
    };
    const all = lines.map((line) => [places(line), line.values]);
    const alike = all.every(([x]) => x.length === all[0][0].length && x.every((at, n) => at === all[0][0][n]));
    const data = alike && all.length ? [all[0][0], ...all.map(([, y]) => y)] : uPlot.join(all);
    return { lines, data, gaps: !alike };
  }

  build() {
    const height = this.u ? this.u.height : this.spec.height;
    this.u?.destroy();
    const { lines, data, gaps } = this.table();
    this.lines = lines;
    const { x, y, heat } = this.view;
    const [muted, grid] = [colour("muted"), colour("grid")];
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const axis = (of, more) => ({
      stroke: muted, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, size: 4 }, gap: 4, filter: (u, splits) => splits, ...more,
      values: (u, splits) => splits.map((at) => (at === null ? "" : of.names?.length ? of.names[at] ?? "" : show(at, of.unit))),
    });
    const time = x.unit === "s" && this.spec.link;
    const incrs = [1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800];
    const xAxis = axis(x, { size: 30, space: x.unit === "tail" ? 60 : 70, ...(time ? { incrs } : {}), ...(x.names?.length ? { incrs: [1, 2, 5, 10, 20, 50] } : {}) });
    if (x.label) Object.assign(xAxis, { label: x.label, labelSize: 24, labelGap: 2, labelFont: font, size: 28 });
    if (x.log && x.unit !== "tail") xAxis.splits = (u, i, low, high) => (data[0].length <= 12 ? data[0].filter((at) => at >= low && at <= high) : decades(low, high, u.bbox.width / devicePixelRatio / 3));
    if (x.unit === "tail") xAxis.splits = (u, i, low, high) => [1, 2, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].filter((at) => at >= low && at <= high);
    const yAxis = axis(y, { size: 72, space: 22 });
    if (y.log) yAxis.splits = (u, i, low, high) => decades(low, high, u.bbox.height / devicePixelRatio);
    if (heat) yAxis.grid = xAxis.grid = { show: false };
    const drawn = (line) => ({
      label: line.name, stroke: inkOf(line), width: line.style === "exact" ? 1.5 : 1.75, dash: dashOf(line), spanGaps: Boolean(gaps),
      points: line.style === "points" && !this.isSeveral() ? { show: true, size: 7, fill: inkOf(line), stroke: inkOf(line) } : { show: false },
      show: !this.link.hidden.has(subject(line)),
      ...(line.style === "steps" ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      ...(MARKS[line.style] ? { paths: () => null } : {}),
    });
    this.u = new uPlot({
      width: this.width(), height, padding: [this.names() ? 20 : 10, this.right(), 0, 0],
      focus: { alpha: 0.2 },
      legend: { show: false },
      cursor: {
        y: Boolean(heat), points: { size: 7 },
        sync: { key: this.link.name, scales: ["x", null] },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => zoom(this.link, null) },
      },
      scales: {
        x: { time: false, distr: x.log ? 3 : 1, range: () => this.wholeX(data[0]) },
        y: { distr: y.log ? 3 : 1, range: (u, low, high) => this.wholeY(low, high) },
      },
      axes: [xAxis, yAxis],
      series: [{}, ...lines.map(drawn)],
      hooks: {
        drawClear: [() => this.backdrop()],
        drawSeries: [(u, n) => (this.intervals(n), this.marks(n))],
        draw: [() => (this.u && (this.cuts(), this.namesAtEnds()))],
        setCursor: [() => this.read()],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const [from, to] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          u.setSelect({ width: 0, height: 0 }, false);
          zoom(this.link, [from, to]);
        }],
      },
    }, data, this.holder);
    // Pictures are described beside: a canvas has nothing to say of its own.
    this.holder.firstChild.setAttribute("aria-hidden", "true");
    this.drawLegend();
    this.offerLog();
    this.offerCut();
    this.showRange();
    this.read();
  }

  wholeX(at) {
    if (this.link.range) return this.link.range;
    if (this.view.x.unit === "s" && this.spec.link && backdrop.end > 0) return [0, backdrop.end];
    if (this.view.x.unit === "tail") return [1, Math.max(10, at[at.length - 1] || 10)];
    if (this.view.x.log) return [at[0] / 1.1, at[at.length - 1] * 1.1];
    const [low, high] = [at[0] ?? 0, at[at.length - 1] ?? 1];
    const margin = (high - low) * 0.03 || 0.5;
    return [low - margin, high + margin];
  }

  wholeY(low, high) {
    const { y, heat, lines = [] } = this.view;
    if (heat) {
      const ends = heat.cells.filter((column) => column.length).flatMap((column) => [column[0][0], column[column.length - 1][0] + 1]);
      [low, high] = [edgeOf(Math.min(...ends), heat.per_octave), edgeOf(Math.max(...ends), heat.per_octave)];
    }
    for (const line of lines) {
      line.half?.forEach((half, n) => {
        if (this.link.range || !finite(half) || !finite(line.values[n])) return;
        high = Math.max(high, line.values[n] + half);
        if (y.tight || (y.log && line.values[n] > half)) low = Math.min(low, line.values[n] - half);
      });
    }
    if (y.log) return finite(low) && low > 0 ? [low / 1.15, Math.max(high, low) * 1.15] : [1, 10];
    if (this.isCut()) return [0, y.cut];
    // A share that does not begin at zero looks like more than it is.
    if (y.tight && y.unit !== "share" && finite(low) && finite(high)) {
      const [least, most] = [Math.min(low, y.to ?? low), Math.max(high, y.to ?? high)];
      const margin = (most - least) * 0.06 || Math.abs(most) * 0.06 || 1;
      return [least - margin, most + margin];
    }
    const top = Math.max(finite(high) ? high : 0, finite(y.to) ? y.to : 0);
    return [finite(low) && low < 0 ? low * 1.06 : 0, (top || 1) * 1.06];
  }

  showRange() {
    const [min, max] = this.wholeX(this.u.data[0]);
    this.u.setScale("x", { min, max });
    this.holder.classList.toggle("zoomed", Boolean(this.link.range));
    if (this.data.open) this.fillTable();
    queueMicrotask(() => this.read());
  }

  /** As wide as its place; on paper as wide as the sheet. */
  width() {
    return root.classList.contains("paper") ? 690 : Math.max(this.holder.clientWidth, 240);
  }

  resize() {
    const width = this.width();
    if (width === this.u.width) return;
    // Names at the ends come and go with the room for them.
    if (width >= WIDE === this.u.width >= WIDE) this.u.setSize({ width, height: this.u.height });
    else this.build();
  }

  hasNames() {
    const drawn = this.lines.filter(isDrawn).length;
    return drawn > 1 && drawn <= NAMED && this.width() >= WIDE;
  }

  /** The margin at the right: of linked figures the same, so that one moment stands at one place in all of them. */
  right() {
    if (this.width() < WIDE) return 30;
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const longest = ({ lines = [] }) => {
      const drawn = lines.filter(isDrawn);
      if (drawn.length < 2 || drawn.length > NAMED) return 0;
      return Math.max(...ends(lines.map((line) => line.name)).filter((_, n) => isDrawn(lines[n])).map((name) => pen.measureText(name).width));
    };
    this.link.right ??= {};
    const known = (this.link.right[pen.font] ??= Math.max(0, ...Object.entries(figures).filter(([id, it]) => (it.link || id) === this.link.name).flatMap(([, it]) => it.views.map(longest))));
    return known > 0 ? Math.ceil(known) + 24 : 30;
  }
}

/** Ticks of a logarithmic axis: every decade, and 2 and 5 where there is room. */
function decades(low, high, pixels) {
  const all = [];
  const span = Math.log10(high / low);
  const steps = pixels / span > 110 ? [1, 2, 5] : pixels / span > 24 ? [1] : [];
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  for (let e = from; e <= to; e++) for (const m of steps.length ? steps : e % 3 ? [] : [1]) all.push(m * 10 ** e);
  return all.filter((at) => at >= low && at <= high);
}
