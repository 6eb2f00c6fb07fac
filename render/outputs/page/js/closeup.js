// The close-up: a few slices around the line that is now, one row for each tile in hand. Here juggling and painting at
// the same instant look different at a glance: of a juggler's rows one is filled where the line stands, and only one.

const HANDS = 132; // CSS pixels for all rows

class Closeup {
  /** @param {HTMLCanvasElement} canvas @param {Run} run @param {number} reach ns that are seen */
  constructor(canvas, run, reach) {
    this.run = run;
    this.reach = reach;
    this.sheet = new Sheet(canvas);
    this.row = Math.max(2, Math.min(22, Math.floor(HANDS / Math.max(run.rows.length, 1))));
    this.space = this.row > 6 ? 2 : this.row > 3 ? 1 : 0;
    let y = 0;
    this.tops = run.rows.map((row, i) => {
      if (i && row.worker !== run.rows[i - 1].worker) y += this.row > 6 ? 5 : 0;
      const top = y;
      y += this.row + this.space;
      return top;
    });
    this.height = Math.max(y, 14);
  }

  /** @param {number} width @param {Look} look */
  fit(width, look) {
    this.look = look;
    this.sheet.fit(width, this.height);
  }

  /** Where the window starts: around now; with less motion wanted, in pages. @param {number} t */
  from(t) { return calm.matches ? Math.floor(t / this.reach) * this.reach : t - this.reach / 2; }

  /** The row and the time under a point. @param {number} x @param {number} y @param {number} t */
  under(x, y, t) {
    const row = this.run.rows[this.tops.findLastIndex(top => top <= y)];
    return { row, time: this.from(t) + (x - GUTTER) / (this.sheet.width - GUTTER) * this.reach };
  }

  /** @param {number} t @param {number} watched */
  draw(t, watched) {
    const { sheet, look, run } = this, { g } = sheet, from = this.from(t);
    this.scale = (sheet.width - GUTTER) / this.reach;
    sheet.clear();
    g.save();
    g.beginPath();
    g.rect(GUTTER, 0, sheet.width - GUTTER, this.height);
    g.clip();
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    run.rows.forEach((row, i) => {
      g.fillStyle = look.lane;
      g.fillRect(GUTTER, this.tops[i], sheet.width - GUTTER, this.row);
      const { stays } = row;
      for (let k = Math.max(upTo(row.starts, from) - 1, 0); k < stays.length && stays[k].t0 <= from + this.reach; k++) {
        if (stays[k].t1 >= from) this.stay(g, stays[k], this.tops[i], from, t, watched);
      }
    });
    g.fillStyle = look.ink;
    g.fillRect(GUTTER + (t - from) * this.scale - 1, 0, 2, this.height);
    g.restore();
    this.label(g);
  }

  /** A tile in hand: hatched from its first stroke to its last, filled where it is painted. */
  stay(g, stay, y, from, t, watched) {
    const x = (/** @type {number} */ time) => GUTTER + (time - from) * this.scale;
    const colour = colourOf(stay.worker), edge = this.sheet.width;
    if (stay.p0 < stay.p1) {
      const left = Math.max(x(stay.p0), GUTTER - 9), right = Math.min(x(stay.p1), edge + 9);
      g.globalAlpha = stay.p0 > t ? 0.3 : 0.75;
      g.fillStyle = hatching(g, colour);
      g.fillRect(left, y, right - left, this.row);
    }
    for (const span of stay.spans) {
      if (span.t0 > from + this.reach) break;
      if (span.t1 < from) continue;
      const left = Math.max(x(span.t0), GUTTER - 2), right = Math.min(x(span.t1), edge + 2), now = span.t0 <= t && t < span.t1;
      g.globalAlpha = now ? 1 : span.t0 > t ? 0.4 : 0.8;
      this.bar(g, span, left, Math.max(right - left, 1), y, colour, now);
      if (span.tile === watched) { g.strokeStyle = this.look.ink; g.lineWidth = 2; g.strokeRect(left + 1, y + 1, right - left - 2, this.row - 2); }
    }
    g.globalAlpha = 1;
  }

  bar(g, span, left, width, y, colour, now) {
    if (span.kind !== 'p') {
      g.fillStyle = this.look.paper;
      g.fillRect(left, y, width, this.row);
      g.strokeStyle = this.look.quiet;
      g.lineWidth = 1;
      g.setLineDash([2, 2]);
      if (this.row > 4) g.strokeRect(left + 0.5, y + 0.5, Math.max(width - 1, 0), this.row - 1);
      else { g.fillStyle = this.look.quiet; g.fillRect(left, y + this.row / 2 - 0.5, width, 1); }
      g.setLineDash([]);
      if (this.row > 12 && width > 52) this.text(g, span.kind === 'w' ? 'waits' : 'copies', left, width, y, this.look.quiet, '');
      return;
    }
    g.fillStyle = colour;
    g.fillRect(left, y, width > 3 ? width - 0.8 : width, this.row);
    if (now && this.row > 6) { g.strokeStyle = this.look.ink; g.lineWidth = 1.5; g.strokeRect(left + 0.75, y + 0.75, width - 2.2, this.row - 1.5); }
    if (this.row > 10 && width > 9 * String(span.tile).length + 4) this.text(g, String(span.tile), left, width, y, textOn(colour), now ? '700' : '');
  }

  text(g, text, left, width, y, colour, weight) {
    g.fillStyle = colour;
    g.font = `${weight} 12px ${this.look.font}`;
    const x0 = Math.max(left, GUTTER), x1 = Math.min(left + width, this.sheet.width);
    g.fillText(text, (x0 + x1) / 2, y + this.row / 2 + 0.5);
  }

  label(g) {
    g.fillStyle = this.look.quiet;
    g.font = `12px ${this.look.font}`;
    g.textAlign = 'left';
    g.textBaseline = 'middle';
    if (this.row < 10) return;
    this.run.rows.forEach((row, i) => {
      if (!i || row.worker !== this.run.rows[i - 1].worker) g.fillText(`worker ${row.worker}`, 0, this.tops[i] + this.row / 2);
    });
  }
}

/** How much the close-up shows, the same for all runs: some dozens of slices, or some tiles. @param {Run[]} runs */
function reachOf(runs, end) {
  const middle = (/** @type {Run} */ run) => {
    const lengths = run.spans.filter(span => span.kind === 'p' && span.t1 > span.t0).map(span => span.t1 - span.t0).sort((a, b) => a - b);
    return lengths[lengths.length >> 1] ?? 1000;
  };
  const juggler = runs.find(run => run.flying.most > run.running.most);
  const wanted = juggler ? 30 * middle(juggler) : 6 * Math.max(...runs.map(middle));
  return Math.min(Math.max(wanted, 1000), Math.max(end, 1000));
}
