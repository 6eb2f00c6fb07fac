// The picture as a run fills it: tiles appear when they are finished, outlined in the colour of their worker.

const TAG = 30, FINE = 12; // CSS pixels: a smaller tile has no name on it; many so small are a fine grid

class Picture {
  /** @param {HTMLCanvasElement} canvas @param {Run} run @param {HTMLImageElement} image */
  constructor(canvas, run, image) {
    this.run = run;
    this.image = image;
    this.sheet = new Sheet(canvas);
    this.whole = new Sheet(); // the picture at this size
    this.board = new Sheet(); // the tiles that are finished
    this.shown = -1; // how many of run.finished are on the board
    this.owners = true;
    /** @type {Set<number>} */
    this.marked = new Set(); // tiles that a lesson frames
    this.look = /** @type {Look} */ ({}); // set by fit, before anything is drawn
    this.columns = Math.ceil(theRecord.width / run.tile[0]);
  }

  /** @param {number} width CSS pixels @param {Look} look */
  fit(width, look) {
    this.look = look;
    const height = width * theRecord.height / theRecord.width;
    for (const sheet of [this.sheet, this.whole, this.board]) sheet.fit(width, height);
    this.whole.g.imageSmoothingQuality = 'high';
    this.whole.g.drawImage(this.image, 0, 0, width, height);
    this.shown = -1;
  }

  /** Place a tile, in CSS pixels, edges on whole device pixels so that neighbours leave no seam. @param {number} tile */
  place(tile) {
    const [wide, high] = this.run.tile, { ratio, width, height } = this.sheet;
    const x = tile % this.columns * wide, y = Math.floor(tile / this.columns) * high;
    const snap = (/** @type {number} */ pixels, /** @type {number} */ scale) => Math.round(pixels * scale * ratio) / ratio;
    const across = width / theRecord.width, down = height / theRecord.height;
    const left = snap(x, across), top = snap(y, down);
    return {
      x: left, y: top,
      width: snap(Math.min(x + wide, theRecord.width), across) - left,
      height: snap(Math.min(y + high, theRecord.height), down) - top,
    };
  }

  /** The tile under a point in CSS pixels. @param {number} x @param {number} y */
  tileAt(x, y) {
    const column = Math.floor(x / this.sheet.width * theRecord.width / this.run.tile[0]);
    const row = Math.floor(y / this.sheet.height * theRecord.height / this.run.tile[1]);
    return row * this.columns + column;
  }

  /** @param {number} t @param {number} watched a tile to point out, or -1 */
  draw(t, watched) {
    this.fill(countUpTo(this.run.ends, t));
    this.sheet.lay(this.board);
    const { g } = this.sheet;
    for (const row of this.run.rows) {
      const stay = stayAt(row, t);
      if (stay && (stay.p1 < 0 || t < stay.p1)) this.hold(g, stay, t);
    }
    if (watched >= 0) this.point(g, watched);
  }

  /** Bring the board to so many finished tiles: only what is new is drawn, unless time went back. @param {number} count */
  fill(count) {
    if (this.shown < 0 || count < this.shown) {
      this.empty();
      this.shown = 0;
    }
    for (; this.shown < count; this.shown++) {
      const { tile, worker } = this.run.finished[this.shown];
      const { x, y, width, height } = this.place(tile), k = this.board.ratio, { g } = this.board;
      if (width <= 0 || height <= 0) continue;
      g.drawImage(this.whole.canvas, x * k, y * k, width * k, height * k, x, y, width, height);
      if (this.owners) this.own(g, x, y, width, height, worker);
      if (this.marked.has(tile)) this.mark(g, x, y, width, height);
    }
  }

  /** An empty stage: where tiles will be; those that an interrupted run had painted are there from the start. */
  empty() {
    const { g, width, height } = this.board;
    g.fillStyle = this.look.stage;
    if (this.run.resumed) {
      g.drawImage(this.whole.canvas, 0, 0, width, height);
      for (const { tile } of this.run.finished) {
        const { x, y, width: wide, height: high } = this.place(tile);
        g.fillRect(x, y, wide, high);
      }
    } else g.fillRect(0, 0, width, height);
    const [wide, high] = this.run.tile, across = width / theRecord.width, down = height / theRecord.height;
    if (wide * across < 4 || high * down < 4) return;
    g.strokeStyle = 'rgba(255,255,255,.09)';
    g.lineWidth = 1 / this.board.ratio;
    g.beginPath();
    for (let x = wide; x < theRecord.width; x += wide) { g.moveTo(x * across, 0); g.lineTo(x * across, height); }
    for (let y = high; y < theRecord.height; y += high) { g.moveTo(0, y * down); g.lineTo(width, y * down); }
    g.stroke();
  }

  /** Outline and number: whose tile it is.
   * @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} width @param {number} height @param {number} worker */
  own(g, x, y, width, height, worker) {
    const colour = colourOf(worker), small = Math.min(width, height);
    if (small < 5) {
      g.globalAlpha = 0.45;
      g.fillStyle = colour;
      g.fillRect(x, y, 1, 1);
      g.globalAlpha = 1;
      return;
    }
    g.strokeStyle = colour;
    g.lineWidth = small < TAG ? 1 : 1.5;
    g.globalAlpha = small < FINE ? 0.4 : small < TAG ? 0.7 : 1; // so that the picture is seen through the grid
    g.setLineDash(small < FINE ? [] : dashOf(worker));
    g.strokeRect(x + g.lineWidth / 2, y + g.lineWidth / 2, width - g.lineWidth, height - g.lineWidth);
    g.setLineDash([]);
    g.globalAlpha = 1;
    if (small >= TAG && this.run.workers.length > 1) this.tag(g, x, y, worker, small);
  }

  /** The worker's name in the corner: w1.
   * @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} worker @param {number} small */
  tag(g, x, y, worker, small) {
    const size = Math.max(9, Math.min(small * 0.34, 15)), text = `w${worker}`, colour = colourOf(worker);
    g.font = `600 ${size}px ${this.look.font}`;
    const wide = Math.max(g.measureText(text).width + size * 0.5, size * 1.05);
    g.fillStyle = colour;
    g.fillRect(x, y, wide, size * 1.15);
    g.fillStyle = readableOn(colour);
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    g.fillText(text, x + wide / 2, y + size * 0.63);
  }

  /** A tile in somebody's hands: running (thick outline), waiting for data (dotted), or put aside (hatched).
   * @param {CanvasRenderingContext2D} g @param {Stay} stay @param {number} t */
  hold(g, stay, t) {
    const { x, y, width, height } = this.place(stay.tile), colour = colourOf(stay.worker);
    const span = spanAt(stay, t), running = span?.kind === 'p';
    const line = Math.min(running ? 3.5 : 1.5, width / 4);
    g.fillStyle = running ? colour : hatch(g, colour);
    g.globalAlpha = running ? 0.5 : 0.9;
    if (running || t >= stay.p0) g.fillRect(x, y, width, height);
    g.globalAlpha = 1;
    g.strokeStyle = colour;
    g.lineWidth = line;
    g.setLineDash(running || t >= stay.p0 ? dashOf(stay.worker) : [1.5, 3]);
    g.strokeRect(x + line / 2, y + line / 2, width - line, height - line);
    g.setLineDash([]);
    if (Math.min(width, height) >= TAG && t >= stay.p0 && this.run.workers.length > 1) this.tag(g, x, y, stay.worker, Math.min(width, height));
  }

  /** Frame a tile that a lesson is about: two lines, seen on any picture.
   * @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} width @param {number} height */
  mark(g, x, y, width, height) {
    for (const [line, colour] of /** @type {[number, string][]} */ ([[5, '#fff'], [3, '#c5221f']])) {
      g.lineWidth = Math.min(line, width / 4);
      g.strokeStyle = colour;
      g.strokeRect(x + 2.5, y + 2.5, Math.max(width - 5, 1), Math.max(height - 5, 1));
    }
  }

  /** Point out a tile. @param {CanvasRenderingContext2D} g @param {number} tile */
  point(g, tile) {
    const { x, y, width, height } = this.place(tile);
    g.lineWidth = 4;
    g.strokeStyle = '#000';
    g.strokeRect(x, y, width, height);
    g.lineWidth = 2;
    g.strokeStyle = '#fff';
    g.strokeRect(x, y, width, height);
  }
}
