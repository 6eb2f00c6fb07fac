// The close-up: a few slices around the line that is now, one row for each tile in hand. Here juggling and painting at
// the same instant look different at a glance: of a juggler's rows one is filled where the line stands, and only one.

/** @type {Record<string, string>} */
const NAMED = { w: 'waits', l: 'queues', t: 'copies' };
const HANDS = 132; // units of the look, for all rows

class Closeup {
  /** @param {HTMLCanvasElement} canvas @param {Run} run @param {number} reach ns that are seen */
  constructor(canvas, run, reach) {
    this.run = run;
    this.reach = reach;
    this.sheet = new Sheet(canvas);
    this.look = /** @type {Look} */ ({}); // and all lengths: set by measure, before anything is drawn
    this.unit = this.gutter = this.row = this.space = this.height = this.scale = this.line = 0;
    /** @type {number[]} */
    this.tops = [];
  }

  /** @param {Look} look */
  measure(look) {
    const { rows } = this.run;
    this.look = look;
    this.unit = look.unit;
    this.gutter = GUTTER * this.unit;
    this.row = Math.max(2, Math.min(22, Math.floor(HANDS / Math.max(rows.length, 1))) * this.unit);
    this.space = this.row > 6 ? 2 : this.row > 3 ? 1 : 0;
    let y = 0;
    this.tops = rows.map((row, i) => {
      if (i && row.worker !== rows[i - 1].worker) y += this.row > 6 ? 5 : 0;
      const top = y;
      y += this.row + this.space;
      return top;
    });
    this.height = Math.max(y, 14);
  }

  /** @param {number} width @param {Look} look */
  fit(width, look) {
    this.measure(look);
    this.sheet.fit(width, this.height);
  }

  /** Find where the window starts: around now; with less motion wanted, in pages. @param {number} t */
  from(t) { return calm.matches ? Math.floor(t / this.reach) * this.reach : t - this.reach / 2; }

  /** The row and the time under a point. @param {number} x @param {number} y @param {number} t */
  under(x, y, t) {
    const row = this.run.rows[this.tops.findLastIndex(top => top <= y)];
    return { row, time: this.from(t) + (x - this.gutter) / (this.sheet.width - this.gutter) * this.reach };
  }

  /** @param {number} t @param {number} watched */
  draw(t, watched) {
    const { sheet, look, run } = this, { g } = sheet, from = this.from(t);
    this.scale = (sheet.width - this.gutter) / this.reach;
    this.line = this.gutter + (t - from) * this.scale;
    sheet.clear();
    g.save();
    g.beginPath();
    g.rect(this.gutter, 0, sheet.width - this.gutter, this.height);
    g.clip();
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    run.rows.forEach((row, i) => {
      g.fillStyle = look.lane;
      g.fillRect(this.gutter, this.tops[i], sheet.width - this.gutter, this.row);
      if (this.row <= 6) this.thin(g, row, this.tops[i], from, t);
      else for (const stay of this.seen(row, from)) this.stay(g, stay, this.tops[i], from, t, watched);
    });
    g.fillStyle = look.ink;
    g.fillRect(this.line - 1, 0, 2, this.height);
    g.restore();
    this.label(g);
  }

  /** The stays of a row inside the window. @param {Row} row @param {number} from */
  seen(row, from) {
    const first = Math.max(countUpTo(row.starts, from) - 1, 0);
    return row.stays.slice(first, countUpTo(row.starts, from + this.reach)).filter(stay => stay.t1 >= from);
  }

  /** A row too thin for letters: what is past and now as one shape, what comes as another.
   * @param {CanvasRenderingContext2D} g @param {Row} row @param {number} y @param {number} from @param {number} t */
  thin(g, row, y, from, t) {
    const past = new Path2D(), later = new Path2D();
    for (const stay of this.seen(row, from)) {
      for (const span of stay.spans) {
        if (span.kind !== 'p' || span.t1 < from || span.t0 > from + this.reach) continue;
        const left = this.gutter + Math.max(span.t0 - from, 0) * this.scale, right = this.gutter + (span.t1 - from) * this.scale;
        (span.t0 > t ? later : past).rect(left, y, Math.max(right - left - 0.6, 0.6), this.row);
      }
    }
    g.fillStyle = colourOf(row.worker);
    g.fill(past);
    g.globalAlpha = 0.35;
    g.fill(later);
    g.globalAlpha = 1;
  }

  /** A tile in hand: hatched from its first piece to its last, filled where it is painted.
   * @param {CanvasRenderingContext2D} g @param {Stay} stay @param {number} y @param {number} from @param {number} t @param {number} watched */
  stay(g, stay, y, from, t, watched) {
    const x = (/** @type {number} */ time) => this.gutter + (time - from) * this.scale;
    const colour = colourOf(stay.worker), edge = this.sheet.width;
    if (stay.pieces > 1 && stay.p0 < stay.p1) {
      const left = Math.max(x(stay.p0), this.gutter - 9), right = Math.min(x(stay.p1), edge + 9);
      g.globalAlpha = stay.p0 > t ? 0.3 : 0.75;
      g.fillStyle = hatch(g, colour);
      g.fillRect(left, y, right - left, this.row);
    }
    for (const span of stay.spans) {
      if (span.t0 > from + this.reach) break;
      if (span.t1 < from) continue;
      const left = Math.max(x(span.t0), this.gutter - 2), right = Math.min(x(span.t1), edge + 2), now = span.t0 <= t && t < span.t1;
      g.globalAlpha = now ? 1 : span.t0 > t ? 0.35 : 0.85;
      this.bar(g, span, left, Math.max(right - left, 1), y, colour, now, span.t0 > t);
      if (span.tile === watched) { g.strokeStyle = this.look.ink; g.lineWidth = 2; g.strokeRect(left + 1, y + 1, right - left - 2, this.row - 2); }
    }
    g.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} g @param {Span} span @param {number} left @param {number} width @param {number} y
   * @param {string} colour @param {boolean} now @param {boolean} later */
  bar(g, span, left, width, y, colour, now, later) {
    if (span.kind === 'e') {
      g.fillStyle = colour;
      g.fillRect(left, y + this.row / 4, width, this.row / 2);
      return;
    }
    if (span.kind !== 'p') {
      g.fillStyle = this.look.paper;
      g.fillRect(left, y, width, this.row);
      g.strokeStyle = this.look.quiet;
      g.lineWidth = 1;
      g.setLineDash([2, 2]);
      if (this.row > 4) g.strokeRect(left + 0.5, y + 0.5, Math.max(width - 1, 0), this.row - 1);
      else { g.fillStyle = this.look.quiet; g.fillRect(left, y + this.row / 2 - 0.5, width, 1); }
      g.setLineDash([]);
      if (this.row > 12 && width > 52 * this.unit) this.text(g, NAMED[span.kind] ?? '', left, width, y, this.look.quiet, '');
      return;
    }
    g.fillStyle = colour;
    fillByShare(g, span, left, y, width > 3 ? width - 0.8 : width, this.row);
    if (now && this.row > 6) { g.strokeStyle = this.look.ink; g.lineWidth = 1.5; g.strokeRect(left + 0.75, y + 0.75, width - 2.2, this.row - 1.5); }
    if (this.row > 10 && width > 9 * this.unit * String(span.tile).length + 4) {
      const weight = now && !later ? '700' : '', ink = later || span.given < 0.6 ? this.look.ink : readableOn(colour);
      g.globalAlpha = later ? 0.7 : 1;
      this.text(g, String(span.tile), left, width, y, ink, weight);
    }
  }

  /** @param {CanvasRenderingContext2D} g @param {string} text @param {number} left @param {number} width @param {number} y
   * @param {string} colour @param {string} weight */
  text(g, text, left, width, y, colour, weight) {
    g.fillStyle = colour;
    g.font = `${weight} ${12 * this.unit}px ${this.look.font}`;
    const x0 = Math.max(left, this.gutter), x1 = Math.min(left + width, this.sheet.width);
    const half = g.measureText(text).width / 2, away = half + 4 * this.unit;
    let x = (x0 + x1) / 2;
    if (Math.abs(x - this.line) < away) { // not under the line that is now
      if (this.line + away + half < x1) x = this.line + away;
      else if (this.line - away - half > x0) x = this.line - away;
      else return;
    }
    g.fillText(text, x, y + this.row / 2 + 0.5);
  }

  /** @param {CanvasRenderingContext2D} g */
  label(g) {
    g.fillStyle = this.look.quiet;
    g.font = `${12 * this.unit}px ${this.look.font}`;
    g.textAlign = 'left';
    g.textBaseline = 'middle';
    if (this.row < 10) return;
    this.run.rows.forEach((row, i) => {
      if (!i || row.worker !== this.run.rows[i - 1].worker) g.fillText(this.run.names[row.worker], 0, this.tops[i] + this.row / 2);
    });
  }
}

/** Choose how much the close-up shows, the same for all runs: some dozens of slices, or some tiles. @param {Run[]} runs @param {number} end */
function chooseReach(runs, end) {
  const middle = (/** @type {Run} */ run) => {
    const lengths = run.spans.filter(span => span.kind === 'p' && span.t1 > span.t0).map(span => span.t1 - span.t0).sort((a, b) => a - b);
    return lengths[lengths.length >> 1] ?? 1000;
  };
  const juggler = runs.find(isJuggled);
  const wanted = juggler ? 30 * middle(juggler) : 6 * Math.max(...runs.map(middle));
  return Math.min(Math.max(wanted, 1000), Math.max(end, 1000));
}
