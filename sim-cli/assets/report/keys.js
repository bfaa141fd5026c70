// The keyboard.
add(Plot, class {
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
});
