// What is drawn below and above the lines.
add(Plot, class {
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

  /** The marks of a line that is not drawn as one, of points that are not alone, and here and there along one of several lines. */
  marks(n) {
    const { u, lines: { [n - 1]: line } } = this;
    if (!line || !u.series[n].show) return;
    const several = isDrawn(line) && this.isSeveral();
    if (!MARKS[line.style] && !several) return;
    const [shape, { ctx, bbox }] = [MARKS[line.style] ? line.style : shapeOf(line), u];
    const sparse = several && line.style !== "points" ? APART * devicePixelRatio : 0;
    // Each line a little later than the one before: lines that lie upon each other show all their marks.
    let next = bbox.left + (sparse * ((n - 1) % this.lines.length + 0.5)) / this.lines.length;
    ctx.save();
    this.clip();
    ctx.strokeStyle = ctx.fillStyle = inkOf(line);
    ctx.setLineDash([]);
    u.data[n].forEach((y, at) => {
      const x = u.valToPos(u.data[0][at], "x", true);
      if (!finite(y) || x < bbox.left || x > bbox.left + bbox.width || (sparse && x < next)) return;
      while (sparse && next <= x) next += sparse;
      this.mark(shape, x, Math.max(u.valToPos(y, "y", true), bbox.top));
    });
    ctx.restore();
  }

  mark(shape, x, y) {
    const { ctx } = this.u;
    const mark = new Path2D(MARKS[shape]);
    ctx.save();
    ctx.translate(x, y);
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.lineWidth = 1.5;
    if (OPEN.includes(shape)) ctx.stroke(mark);
    else ctx.fill(mark);
    ctx.restore();
  }

  isSeveral() {
    return this.lines.filter(isDrawn).length >= SEVERAL;
  }

  /** The names of lines beside their ends, kept apart. */
  namesAtEnds() {
    if (!this.hasNames()) return;
    const { u } = this;
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const { max } = u.scales.x;
    const last = u.data[0].findLastIndex((at) => at <= max);
    const shown = this.lines.map((line, n) => ({ line, n, y: this.valueAt(n, last) })).filter(({ line, n, y }) => isDrawn(line) && u.series[n + 1].show && finite(y));
    const clear = 12 * ratio;
    const names = (this.ends = ends(this.lines.map((line) => line.name)));
    const at = shown.map((one) => ({ ...one, y: clamp(u.valToPos(one.y, "y", true), bbox.top, bbox.top + bbox.height) })).sort((a, b) => a.y - b.y);
    for (let n = 1; n < at.length; n++) at[n].y = Math.max(at[n].y, at[n - 1].y + clear);
    let floor = bbox.top + bbox.height;
    for (let n = at.length - 1; n >= 0; n--, floor -= clear) at[n].y = Math.min(at[n].y, floor);
    ctx.save();
    ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    Object.assign(ctx, { textBaseline: "middle", textAlign: "left" });
    ctx.setLineDash([]);
    for (const { line, n, y } of at) {
      const x = bbox.left + bbox.width + 9 * ratio;
      ctx.strokeStyle = ctx.fillStyle = inkOf(line);
      this.mark(shapeOf(line), x, y);
      ctx.fillStyle = colour("ink");
      ctx.fillText(names[n], x + 8 * ratio, y);
    }
    ctx.restore();
  }

  /** Where a line goes on above the picture. */
  cuts() {
    const { u } = this;
    if (!this.isCut()) return;
    const { ctx, bbox } = u;
    this.lines.forEach((line, n) => {
      if (!u.series[n + 1].show) return;
      let above = false;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = inkOf(line);
      u.data[n + 1].forEach((y, at) => {
        const now = finite(y) && y > u.scales.y.max;
        if (now && !above) this.mark("triangles", clamp(u.valToPos(u.data[0][at], "x", true), bbox.left, bbox.left + bbox.width), bbox.top + 6 * devicePixelRatio);
        above = now;
      });
      ctx.restore();
    });
  }
});
