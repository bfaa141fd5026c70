// The page's one script: turns the data block into linked plots that work with mouse, finger and keyboard, and
// says in words what they show. Everything from the data reaches the page through textContent.
"use strict";
(() => {
  const { figures, backdrop } = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const live = document.getElementById("live");
  root.classList.add("js");

  // ---- small helpers -------------------------------------------------------------------------------------------

  /** An element with a class and children; strings become text. */
  const el = (tag, className, ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const name in attributes) node.setAttribute(name, attributes[name]);
    node.append(...children);
    return node;
  };
  const finite = (x) => x !== null && x !== undefined && Number.isFinite(x);
  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  /** What a colour of the style sheet comes to now, dark or light. */
  const probe = el("i", "sr");
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const INKS = 8;
  const DASHES = [[], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 4], [1, 3], [6, 2, 2, 2, 2, 2]];
  const inkOf = (line) => colour(`ink-${line.ink[0] % INKS}`);
  // A second round of colours meets other dashes.
  const dashOf = ({ style, ink: [, n] }) => (style === "exact" ? [2, 4] : style === "points" && n < INKS ? [] : DASHES[(n + 3 * Math.floor(n / INKS)) % DASHES.length]);

  /** Marks without a line between them, each another shape, drawn around its middle; those in OPEN are outlines. */
  const MARKS = {
    discs: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    rings: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    squares: "M-4-4h8v8h-8z",
    diamonds: "M0-5l5 5l-5 5l-5-5z",
    triangles: "M0-5l5 8.5h-10z",
    crosses: "M-2.5-2.5l5 5M-2.5 2.5l5-5",
  };
  const OPEN = ["rings", "crosses"];

  // ---- numbers, as the rest of the page writes them -----------------------------------------------------------

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

  // ---- histograms over time -----------------------------------------------------------------------------------

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

  // ---- what linked figures share ------------------------------------------------------------------------------

  const links = new Map();
  /** Figures of one name: one cursor, one range, one choice of lines. */
  const linkOf = (name) => {
    if (!links.has(name)) links.set(name, { name, plots: [], range: null, hidden: new Set(), watchers: [] });
    return links.get(name);
  };
  const zoom = (link, range) => {
    link.range = range;
    for (const plot of link.plots) plot.showRange();
    for (const watch of link.watchers) watch(range);
  };

  // ---- one figure ---------------------------------------------------------------------------------------------

  class Plot {
    constructor(figure, spec) {
      Object.assign(this, { figure, spec, id: figure.id, chosen: 0, idx: null });
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
      bar.append(this.legend, this.readout, this.logButton());
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
      if (x.unit === "tail") xAxis.splits = (u, i, low, high) => [1, 2, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].filter((at) => at >= low && at <= high);
      const yAxis = axis(y, { size: 72, space: 22 });
      if (y.log) yAxis.splits = (u, i, low, high) => decades(low, high, u.bbox.height / devicePixelRatio);
      if (heat) yAxis.grid = xAxis.grid = { show: false };
      const drawn = (line) => ({
        label: line.name, stroke: inkOf(line), width: line.style === "exact" ? 1.5 : 1.75, dash: dashOf(line), spanGaps: Boolean(gaps),
        points: line.style === "points" ? { show: true, size: 7, fill: inkOf(line), stroke: inkOf(line) } : { show: false },
        show: !this.link.hidden.has(line.name),
        ...(line.style === "steps" ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
        ...(MARKS[line.style] ? { paths: () => null } : {}),
      });
      this.u = new uPlot({
        width: this.width(), height, padding: [this.names() ? 20 : 10, 30, 0, 0],
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
      this.showRange();
      this.read();
    }

    wholeX(at) {
      if (this.link.range) return this.link.range;
      if (this.view.x.unit === "s" && this.spec.link && backdrop.end > 0) return [0, backdrop.end];
      if (this.view.x.log) return [1, Math.max(10, at[at.length - 1] || 10)];
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
      if (y.tight && finite(low) && finite(high)) {
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
      if (width !== this.u.width) this.u.setSize({ width, height: this.u.height });
    }

    // -- drawing

    /** Below the lines: the warm-up, faults, the bound, the histogram. */
    backdrop() {
      const { u } = this;
      const { ctx, bbox } = u;
      const ratio = devicePixelRatio;
      ctx.save();
      this.clip();
      if (this.view.heat) this.cells();
      if (this.view.x.unit === "s" && this.spec.link) {
        let free = 0;
        const shade = (from, to, fill, name) => {
          const [left, right] = [u.valToPos(from, "x", true), u.valToPos(to, "x", true)];
          if (!this.view.heat) {
            ctx.fillStyle = fill;
            ctx.fillRect(left, bbox.top, right - left, bbox.height);
          }
          ctx.strokeStyle = colour("fault-edge");
          ctx.lineWidth = ratio;
          ctx.setLineDash([]);
          ctx.beginPath();
          for (const at of [left, right]) ctx.moveTo(at, bbox.top), ctx.lineTo(at, bbox.top + bbox.height);
          if (name !== "warm-up") ctx.stroke();
          if (!this.names()) return;
          ctx.restore();
          ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
          Object.assign(ctx, { fillStyle: colour("muted"), textBaseline: "bottom", textAlign: "left" });
          // Above the plot; what would run into the one before is told by the screen reader's text only.
          const at = Math.max(left, bbox.left);
          if (right > bbox.left && left < bbox.left + bbox.width && at >= free) {
            ctx.fillText(name, at, bbox.top - 4 * ratio);
            free = at + ctx.measureText(name).width + 10 * ratio;
          }
          ctx.save();
          this.clip();
        };
        if (backdrop.warm_up > 0) shade(0, backdrop.warm_up, colour("warm-up"), "warm-up");
        for (const band of backdrop.bands) shade(band.from, band.to, colour("fault"), band.name);
      }
      if (finite(this.view.y.to)) {
        const at = u.valToPos(this.view.y.to, "y", true);
        Object.assign(ctx, { strokeStyle: colour("muted"), lineWidth: ratio });
        ctx.setLineDash([2 * ratio, 3 * ratio]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, at);
        ctx.lineTo(bbox.left + bbox.width, at);
        ctx.stroke();
      }
      ctx.restore();
    }

    clip() {
      const { ctx, bbox } = this.u;
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
    }

    /** The first of linked figures names what is shaded in all of them. */
    names() {
      return this.view.x.unit === "s" && this.spec.link && this.link.plots[0] === this;
    }

    cells() {
      const { u, view: { heat } } = this;
      const per = heat.per_octave;
      const shades = ramp();
      const scale = (shades.length - 1) / Math.log1p(heat.most);
      const { min, max } = u.scales.x;
      heat.cells.forEach((column, n) => {
        if ((n + 1) * heat.step < min || n * heat.step > max) return;
        const [left, right] = [u.valToPos(n * heat.step, "x", true), u.valToPos((n + 1) * heat.step, "x", true)];
        for (const [bucket, count] of column) {
          const [top, bottom] = [u.valToPos(edgeOf(bucket + 1, per), "y", true), u.valToPos(edgeOf(bucket, per), "y", true)];
          u.ctx.fillStyle = shades[Math.round(Math.log1p(count) * scale)];
          u.ctx.fillRect(Math.floor(left), Math.floor(top), Math.ceil(right) - Math.floor(left), Math.ceil(bottom) - Math.floor(top));
        }
      });
    }

    /** The interval around each point of a line. */
    intervals(n) {
      const { u } = this;
      const line = this.lines[n - 1];
      if (!line?.half?.length || !u.series[n].show || !Array.isArray(line.at)) return;
      const ratio = devicePixelRatio;
      u.ctx.save();
      this.clip();
      Object.assign(u.ctx, { strokeStyle: inkOf(line), lineWidth: 1.5 * ratio });
      u.ctx.setLineDash([]);
      u.ctx.beginPath();
      line.half.forEach((half, at) => {
        if (!finite(half) || !finite(line.values[at])) return;
        const x = u.valToPos(line.at[at], "x", true);
        const [top, bottom] = [line.values[at] + half, line.values[at] - half].map((y) => u.valToPos(y, "y", true));
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
        u.ctx.moveTo(x, top), u.ctx.lineTo(x, bottom);
        for (const y of [top, bottom]) u.ctx.moveTo(x - 4 * ratio, y), u.ctx.lineTo(x + 4 * ratio, y);
      });
      u.ctx.stroke();
      u.ctx.restore();
    }

    /** The marks of a line that is not drawn as one. */
    marks(n) {
      const { u, lines: { [n - 1]: line } } = this;
      if (!MARKS[line?.style] || !u.series[n].show) return;
      const [mark, { ctx, bbox }] = [new Path2D(MARKS[line.style]), u];
      ctx.save();
      this.clip();
      ctx.strokeStyle = ctx.fillStyle = inkOf(line);
      ctx.setLineDash([]);
      u.data[n].forEach((y, at) => {
        const x = u.valToPos(u.data[0][at], "x", true);
        if (!finite(y) || x < bbox.left || x > bbox.left + bbox.width) return;
        ctx.save();
        ctx.translate(x, u.valToPos(y, "y", true));
        ctx.scale(devicePixelRatio, devicePixelRatio);
        ctx.lineWidth = 1.5;
        if (OPEN.includes(line.style)) ctx.stroke(mark);
        else ctx.fill(mark);
        ctx.restore();
      });
      ctx.restore();
    }

    // -- the legend, and what the cursor is at

    drawLegend() {
      this.values = [];
      this.legend.replaceChildren(...this.lines.map((line, n) => {
        const dash = dashOf(line);
        const ink = `s-${line.ink[0] % INKS}`;
        const swatch = MARKS[line.style] ? svg("svg", { class: "swatch", viewBox: "-13 -5 26 10", "aria-hidden": "true" },
          svg("path", { class: OPEN.includes(line.style) ? `${ink} open` : `${ink} dot`, d: MARKS[line.style] }))
        : svg("svg", { class: "swatch", viewBox: "0 0 26 8", "aria-hidden": "true" },
          svg("line", { class: ink, x1: 1, x2: 25, y1: 4, y2: 4, "stroke-dasharray": dash.join(" ") || "none" }),
          ...(line.style === "points" ? [svg("circle", { class: `${ink} dot`, cx: 13, cy: 4, r: 3 })] : []));
        const value = el("span", "value");
        this.values[n] = value;
        const button = el("button", "key", swatch, el("span", "", line.name), value);
        button.type = "button";
        button.dataset.line = n;
        button.setAttribute("aria-pressed", String(!this.link.hidden.has(line.name)));
        const point = (on) => () => {
          for (const plot of this.link.plots) plot.stress(on ? line.name : null);
        };
        button.addEventListener("pointerenter", point(true));
        button.addEventListener("pointerleave", point(false));
        button.addEventListener("click", () => {
          const { hidden } = this.link;
          if (!hidden.delete(line.name)) hidden.add(line.name);
          for (const plot of this.link.plots) plot.showLines();
        });
        return button;
      }));
      if (this.view.heat) this.legend.append(scaleOf(this.view.heat));
    }

    /** One line stands out, the others step back. */
    stress(name) {
      const n = this.lines.findIndex((line) => line.name === name);
      this.u.setSeries(n < 0 ? null : n + 1, { focus: n >= 0 });
    }

    showLines() {
      this.lines.forEach((line, n) => {
        const on = !this.link.hidden.has(line.name);
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

    // -- keys

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { u, link } = this;
      const at = u.data[0];
      const { min, max } = u.scales.x;
      const inView = (x) => x >= min && x <= max;
      const ends = [at.findIndex(inView), at.findLastIndex(inView)];
      const far = event.shiftKey ? 10 : 1;
      const around = (factor) => {
        const log = this.view.x.log;
        const [f, g] = log ? [Math.log, Math.exp] : [(x) => x, (x) => x];
        const centre = f(finite(this.idx) ? at[this.idx] : log ? Math.sqrt(min * max) : (min + max) / 2);
        const whole = (() => { const held = link.range; link.range = null; const all = this.wholeX(at); link.range = held; return all; })();
        const range = [g(centre - (centre - f(min)) * factor), g(centre + (f(max) - centre) * factor)];
        const fits = [Math.max(range[0], whole[0]), Math.min(range[1], whole[1])];
        zoom(link, fits[0] <= whole[0] && fits[1] >= whole[1] ? null : fits);
        this.say(`from ${show(fits[0], this.view.x.unit)} to ${show(fits[1], this.view.x.unit)}`);
      };
      const move = (idx) => this.moveTo(clamp(idx, ...ends));
      const start = finite(this.idx) && inView(at[this.idx]) ? this.idx : null;
      const keys = {
        ArrowLeft: () => move(start === null ? ends[1] : start - far),
        ArrowRight: () => move(start === null ? ends[0] : start + far),
        ArrowUp: () => this.moveRow(far),
        ArrowDown: () => this.moveRow(-far),
        Home: () => move(ends[0]),
        End: () => move(ends[1]),
        "+": () => around(0.5), "=": () => around(0.5), "]": () => around(0.5),
        "-": () => around(2), "[": () => around(2),
        Escape: () => { zoom(link, null); this.leave(); this.say("all of it"); },
      };
      const act = keys[event.key];
      if (!act || ends[0] < 0 || (event.key.startsWith("Arrow") && event.key.length > 8 && !this.view.heat && /Up|Down/.test(event.key))) return;
      if (/Up|Down/.test(event.key) && !this.view.heat) return;
      event.preventDefault();
      act();
    }

    moveTo(idx) {
      const { u } = this;
      const left = u.valToPos(u.data[0][idx], "x");
      const top = this.view.heat && u.cursor.top >= 0 ? u.cursor.top : -10;
      u.setCursor({ left, top: this.view.heat ? top : 0 }, true, true);
      this.tell();
    }

    /** Up and down through a histogram, bucket by bucket. */
    moveRow(by) {
      const { u, view: { heat } } = this;
      if (!finite(this.idx)) this.moveTo(u.data[0].length - 1);
      const column = heat.cells[this.idx] || [];
      if (!column.length) return;
      const value = u.cursor.top >= 0 ? u.posToVal(u.cursor.top, "y") : 0;
      const row = column.findIndex(([bucket]) => edgeOf(bucket + 1, heat.per_octave) > value);
      const [bucket] = column[clamp((row < 0 ? column.length - 1 : row) + by, 0, column.length - 1)];
      u.setCursor({ left: u.cursor.left, top: u.valToPos(middle(bucket, heat.per_octave), "y") }, true, true);
      this.tell();
    }

    tell() {
      const shown = this.lines.map((line, n) => [line.name, this.values[n].textContent, this.u.series[n + 1].show]).filter(([, , on]) => on);
      this.say(`${this.readout.textContent}: ${shown.map(([name, value]) => `${name} ${value}`).join(", ")}`);
    }

    say(words) {
      live.textContent = words;
    }

    leave() {
      this.u.setCursor({ left: -10, top: -10 }, true, true);
    }

    // -- the same as a table

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

  // ---- boxes and shares of what is in view --------------------------------------------------------------------

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

  // ---- the page -----------------------------------------------------------------------------------------------

  const plots = [...document.querySelectorAll("[data-figure]")].map((figure) => new Plot(figure, figures[figure.id]));
  const rebuild = () => plots.forEach((plot) => plot.build());

  for (const box of document.querySelectorAll(".ranges")) {
    const link = linkOf("time");
    link.watchers.push(watchRanges(box, figures.heat.views));
  }
  if (links.has("time")) {
    const status = el("p", "zoom-row");
    const all = Object.assign(el("button", "", "Show all of it"), { type: "button" });
    all.addEventListener("click", () => zoom(links.get("time"), null));
    const words = el("span", "", "");
    status.append(words, all);
    const tell = (range) => {
      words.textContent = range ? `In view: ${duration(range[0] * 1e9)} to ${duration(range[1] * 1e9)}. ` : "Drag over a plot to zoom into all of them; the names switch lines on and off.";
      all.hidden = !range;
    };
    tell(null);
    links.get("time").watchers.push(tell);
    links.get("time").plots[0].figure.before(status);
  }

  // Dark and light: the system's choice, until the button is pressed.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const toggle = Object.assign(el("button", "theme"), { type: "button" });
  const name = () => (toggle.textContent = isDark() ? "Light" : "Dark");
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
    rebuild();
  });
  dark.addEventListener("change", () => (name(), rebuild()));
  name();
  document.querySelector("nav").append(toggle);

  // On paper: black on white, every section open, plots as wide as the sheet.
  let before = null;
  addEventListener("beforeprint", () => {
    if (before) return;
    before = { theme: root.dataset.theme, opened: [...document.querySelectorAll("details:not(.data):not([open])")] };
    for (const details of before.opened) details.open = true;
    root.dataset.theme = "light";
    root.classList.add("paper");
    rebuild();
  });
  addEventListener("afterprint", () => {
    if (!before) return;
    for (const details of before.opened) details.open = false;
    if (before.theme) root.dataset.theme = before.theme;
    else delete root.dataset.theme;
    root.classList.remove("paper");
    before = null;
    rebuild();
  });
})();
