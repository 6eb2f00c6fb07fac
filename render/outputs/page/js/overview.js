// A whole run on one strip: a lane for each worker, and under them two curves: tiles in flight, workers at a tile.
// It is drawn once for a size and a look, bright and faint; a frame only lays the two together at the line that is now.

const GUTTER = 64, AXIS = 20, CURVE = 58, LANES = 150, GAP = 10; // units of the look

class Overview {
  /** @param {HTMLCanvasElement} canvas @param {Run} run @param {number} end @param {number} most */
  constructor(canvas, run, end, most) {
    this.run = run;
    this.all = end || 1; // where the page's clock ends
    this.stretched = false; // whether this run is drawn on a scale of its own
    this.most = Math.max(most, 1);
    this.sheet = new Sheet(canvas);
    this.bright = new Sheet();
    this.faint = new Sheet();
    this.look = /** @type {Look} */ ({}); // and all lengths: set by measure, before anything is drawn
    this.unit = this.gutter = this.curve = this.lane = this.space = this.curves = this.height = 0;
  }

  /** @param {Look} look */
  measure(look) {
    this.look = look;
    this.unit = look.unit;
    const workers = Math.max(this.run.workers.length, 1);
    this.gutter = GUTTER * this.unit;
    this.curve = CURVE * this.unit;
    this.lane = Math.max(2, Math.min(20, Math.floor(LANES / workers)) * this.unit);
    this.space = this.lane > 6 ? 3 : this.lane > 3 ? 1 : 0;
    this.curves = workers * (this.lane + this.space) + GAP * this.unit;
    this.height = this.curves + this.curve + AXIS * this.unit;
  }

  /** The end of the scale. */
  get end() { return this.stretched && this.run.length ? this.run.length : this.all; }

  /** @param {number} t */
  x(t) { return this.gutter + t / this.end * (this.sheet.width - this.gutter - 1); }

  /** @param {number} x CSS pixels */
  time(x) { return Math.min(Math.max((x - this.gutter) / (this.sheet.width - this.gutter - 1), 0), 1) * this.end; }

  /** @param {number} width @param {Look} look */
  fit(width, look) {
    this.measure(look);
    for (const sheet of [this.sheet, this.bright, this.faint]) sheet.fit(width, this.height);
    this.paint(this.bright.g);
    this.faint.g.globalAlpha = 0.32;
    this.faint.lay(this.bright);
    this.faint.g.globalAlpha = 1;
    for (const sheet of [this.bright, this.faint]) this.label(sheet.g);
  }

  /** @param {number} t */
  draw(t) {
    const x = this.x(Math.min(t, this.end)), { sheet } = this;
    sheet.clear();
    sheet.lay(this.faint, x, sheet.width);
    sheet.lay(this.bright, 0, x);
    sheet.g.fillStyle = this.look.ink;
    sheet.g.fillRect(x - 1, 0, 2, this.height - AXIS * this.unit + 3);
  }

  /** @param {CanvasRenderingContext2D} g */
  paint(g) {
    this.run.lanes.forEach((lane, worker) => this.strip(g, lane, worker));
    const floor = this.curves + this.curve;
    this.area(g, this.run.inFlight, floor, hatch(g, this.look.quiet), this.look.quiet);
    this.area(g, this.run.running, floor, this.look.ink, '');
  }

  /** @param {Span} span */
  colour(span) { return colourOf(span.worker); }

  /** One worker: what it waits for as hollow bars, what it paints as filled ones. @param {CanvasRenderingContext2D} g @param {Span[]} lane @param {number} worker */
  strip(g, lane, worker) {
    const y = worker * (this.lane + this.space);
    g.fillStyle = this.look.lane;
    g.fillRect(this.gutter, y, this.sheet.width - this.gutter, this.lane);
    for (const kind of ['w', 'l', 't', 'e', 'p']) {
      for (const span of lane) {
        if (span.kind !== kind) continue;
        g.fillStyle = 'pe'.includes(kind) ? this.colour(span) : this.look.quiet;
        const x = this.x(span.t0), width = Math.max(this.x(span.t1) - x, 0.4);
        if (kind === 'p') fillByShare(g, span, x, y, width > 4 ? width - 0.6 : width, this.lane);
        else if (kind === 'e') g.fillRect(x, y + this.lane / 4, width, this.lane / 2);
        else g.fillRect(x, y + this.lane / 2 - 0.75, width, 1.5);
      }
    }
  }

  /** A curve as the area under it.
   * @param {CanvasRenderingContext2D} g @param {Curve} curve @param {number} floor @param {string | CanvasPattern} fill @param {string} line */
  area(g, curve, floor, fill, line) {
    const tall = this.curve / this.most;
    g.beginPath();
    g.moveTo(this.x(0), floor);
    let level = floor;
    curve.times.forEach((t, i) => {
      const x = this.x(t);
      g.lineTo(x, level);
      level = floor - curve.counts[i] * tall;
      g.lineTo(x, level);
    });
    g.lineTo(this.x(this.end), level);
    g.lineTo(this.x(this.end), floor);
    g.fillStyle = fill;
    g.fill();
    if (line) { g.strokeStyle = line; g.lineWidth = 1; g.stroke(); }
  }

  /** Write what stands beside lanes and curves, and the axis. @param {CanvasRenderingContext2D} g */
  label(g) {
    const { look } = this, floor = this.curves + this.curve;
    g.textBaseline = 'middle';
    g.textAlign = 'left';
    g.fillStyle = look.quiet;
    g.font = `${12 * this.unit}px ${look.font}`;
    this.names(g);
    const level = floor - this.run.inFlight.most * this.curve / this.most + 8 * this.unit;
    g.fillText('in flight', 0, Math.min(Math.max(level, this.curves + 6 * this.unit), floor - 24 * this.unit));
    g.fillStyle = look.ink;
    g.font = `600 ${12 * this.unit}px ${look.font}`;
    g.fillText('at a tile', 0, floor - 8 * this.unit);
    this.axis(g, floor);
  }

  /** Of all workers, or how many they are. @param {CanvasRenderingContext2D} g */
  names(g) {
    const { workers } = this.run;
    workers.forEach(([, , , host], worker) => { // those of one host stand together
      if (worker && host !== workers[worker - 1][3]) g.fillRect(0, worker * (this.lane + this.space) - this.space, this.sheet.width, Math.max(this.space, 1));
    });
    if (this.lane >= 10) workers.forEach((_, worker) => g.fillText(this.run.names[worker], 0, worker * (this.lane + this.space) + this.lane / 2));
    else { g.fillText(`${workers.length}`, 0, 10 * this.unit); g.fillText('workers', 0, 25 * this.unit); }
  }

  /** @param {CanvasRenderingContext2D} g @param {number} floor */
  axis(g, floor) {
    g.fillStyle = this.look.quiet;
    g.font = `${12 * this.unit}px ${this.look.font}`;
    g.fillRect(this.gutter, floor, this.sheet.width - this.gutter, 1);
    let free = -Infinity;
    for (const t of ticks(this.end)) {
      const text = formatTick(t), wide = g.measureText(text).width, x = this.x(t);
      const left = Math.min(Math.max(x - wide / 2, this.gutter), this.sheet.width - wide);
      g.fillRect(x - 0.5, floor, 1, 4);
      if (left < free) continue;
      g.fillText(text, left, floor + 13 * this.unit);
      free = left + wide + 8 * this.unit;
    }
  }
}
