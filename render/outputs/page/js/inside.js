// Inside the GPU: its streams above its multiprocessors, on a scale of their own. One clock for this and the stage.
// Colours tell tiles here, and not workers: so it is seen which multiprocessors paint what a stream has handed over.

const FIELD = 264, THICKEST = 6, STREAM = 15, TITLE = 78; // units of the look; the last is the room for names
const WATCH = 12; // seconds that watching the GPU should take

/** The colour of a tile; neighbours differ. @param {number} tile */
const tileColour = tile => tile < 0 ? '#888888' : theRecord.colours[tile % theRecord.colours.length];

class Inside extends Overview {
  /** @param {Run} run @param {HTMLElement} root @param {Controls} controls */
  constructor(run, root, controls) {
    const canvas = /** @type {HTMLCanvasElement} */ (element('canvas', { class: 'overview', role: 'img', 'aria-label': `${run.title}, inside the graphics card: ${run.workers.length} streams above ${run.inside.lanes} multiprocessors` }));
    super(canvas, run, run.length, 1);
    this.root = root;
    this.canvas = canvas;
    this.row = 0;
    this.shown = -1;
    /** @type {number | undefined} the pace before it was watched */
    this.usual = undefined;
    this.busy = element('b');
    this.pace = PACES.find(pace => run.length / 1e9 * pace >= WATCH) ?? PACES[PACES.length - 1];
    const watch = element('button', { type: 'button' }, `Watch these ${formatTime(run.length)}: ${formatPace(this.pace)}`);
    watch.addEventListener('click', () => this.watch(controls));
    this.follow(controls);
    /** @type {HTMLElement} */ (root.querySelector('.live')).append(
      element('p', { class: 'now' }, this.busy, ` of ${run.inside.lanes} multiprocessors are painting at this instant `, watch), canvas);
    root.classList.add('playing');
  }

  /** The one clock goes to these lanes too: press and draw. @param {Controls} controls */
  follow(controls) {
    const to = (/** @type {PointerEvent} */ e) => controls.go(this.time(e.offsetX));
    this.canvas.addEventListener('pointerdown', e => { this.canvas.setPointerCapture(e.pointerId); to(e); });
    this.canvas.addEventListener('pointermove', e => { if (e.buttons & 1) to(e); });
  }

  /** Play this run so slowly that it can be seen; at its end the pace is what it was. @param {Controls} controls */
  watch(controls) {
    const { clock } = controls;
    this.usual ??= clock.pace;
    controls.moved = true;
    clock.pace = this.pace;
    clock.now = 0;
    this.canvas.scrollIntoView({ block: 'center', behavior: calm.matches ? 'auto' : 'smooth' });
    clock.play(this.run.length);
  }

  /** Where it was watched to its end, give the pace back. @param {Clock} clock */
  over(clock) {
    if (this.usual === undefined || clock.playing || clock.now < this.run.length) return;
    const pace = this.usual;
    this.usual = undefined;
    clock.slow(pace);
  }

  /** @param {Look} look */
  measure(look) {
    const streams = this.run.workers.length, { lanes } = this.run.inside;
    this.look = look;
    this.unit = look.unit;
    this.gutter = TITLE * this.unit;
    this.lane = Math.max(3, Math.min(STREAM, Math.floor(150 / Math.max(streams, 1)))) * this.unit;
    this.space = this.lane > 6 ? 2 : 0;
    const ratio = Math.min(devicePixelRatio || 1, 3);
    this.curves = Math.round((streams * (this.lane + this.space) + GAP * this.unit) * ratio) / ratio;
    const thick = Math.min(FIELD / lanes, THICKEST) * this.unit;
    this.row = Math.max(Math.floor(thick * ratio), 1) / ratio; // whole pixels of the screen: rows of one thickness
    if (this.row * lanes > 2 * FIELD * this.unit) this.row = thick;
    this.curve = this.row * lanes;
    this.height = this.curves + this.curve + AXIS * this.unit;
  }

  /** @param {Span} span */
  colour(span) { return tileColour(span.tile); }

  /** @param {CanvasRenderingContext2D} g */
  paint(g) {
    this.run.lanes.forEach((lane, worker) => this.strip(g, lane, worker));
    g.fillStyle = this.look.lane;
    g.fillRect(this.gutter, this.curves, this.sheet.width - this.gutter, this.curve);
    const { lane, number, t0, t1 } = this.run.inside;
    lane.forEach((row, i) => {
      const x = this.x(t0[i]);
      g.fillStyle = tileColour(number[i]);
      g.fillRect(x, this.curves + row * this.row, Math.max(this.x(t1[i]) - x, 0.4), this.row);
    });
  }

  /** @param {CanvasRenderingContext2D} g */
  label(g) {
    const { look, unit } = this, { lanes } = this.run.inside;
    g.textBaseline = 'middle';
    g.textAlign = 'left';
    g.fillStyle = look.quiet;
    g.font = `${12 * unit}px ${look.font}`;
    this.names(g);
    g.fillStyle = look.ink;
    g.font = `600 ${12 * unit}px ${look.font}`;
    if (this.curve < 24 * unit) g.fillText(`${lanes} inside`, 0, this.curves + this.curve / 2);
    else { g.fillText(`${lanes} multi-`, 0, this.curves + 8 * unit); g.fillText('processors', 0, this.curves + 23 * unit); }
    this.axis(g, this.curves + this.curve);
    this.numbers(g);
  }

  /** Numbers of the tiles in their streams, where there is room; not where tiles painted at once would cover each other's.
   * @param {CanvasRenderingContext2D} g */
  numbers(g) {
    if (this.lane < 10) return;
    const taken = this.run.workers.map(() => 0);
    g.font = `600 ${11 * this.unit}px ${this.look.font}`;
    g.textAlign = 'center';
    for (const { kind, tile, worker, t0, t1 } of this.run.spans) {
      const left = this.x(t0), right = this.x(t1);
      const wide = g.measureText(`${tile}`).width + 6;
      if (kind !== 'p' || right - left < wide || left < taken[worker]) continue;
      taken[worker] = right;
      g.fillStyle = g === this.faint.g ? this.look.ink : readableOn(tileColour(tile));
      g.fillText(`${tile}`, (left + right) / 2, worker * (this.lane + this.space) + this.lane / 2 + 0.5);
    }
  }

  /** @param {number} t */
  draw(t) {
    super.draw(t);
    const busy = valueAt(this.run.busy, t);
    if (busy === this.shown) return;
    this.shown = busy;
    this.busy.textContent = String(busy);
  }
}
