// A worker's place in the images of kitchen and theatre, drawn from the trace at an instant: what is in its hands, which
// of it is being painted, and how far that has come. Kitchen and Playhouse give it a look.

const SCENERY = 96; // units of the look: the height of a drawing
const MOVE = 0.3; // of a turn, in which a worker turns from one tile to the next

/** @typedef {{tile: number, state: 'empty' | 'running' | 'aside' | 'waiting', progress: number, given: number}} Hand
 *   progress: of painting, or of waiting, 0..1; given: the share of its time with a CPU. */

class Station {
  /** @param {Run} run @param {number} worker */
  constructor(run, worker) {
    this.worker = worker;
    this.rows = run.rows.filter(row => row.worker === worker);
    const turns = this.rows.flatMap((row, slot) => row.stays.flatMap(stay => stay.spans.filter(span => span.kind === 'p').map(span => ({ ...span, slot }))));
    turns.sort((a, b) => a.t0 - b.t0);
    this.turns = turns;
    this.starts = Float64Array.from(turns, turn => turn.t0);
  }

  /** List what is in each of its hands. @param {number} t @returns {Hand[]} */
  hands(t) { return this.rows.map(row => this.hand(stayAt(row, t), t)); }

  /** @param {Stay | undefined} stay @param {number} t @returns {Hand} */
  hand(stay, t) {
    if (!stay || t >= stay.p1) return { tile: -1, state: 'empty', progress: 0, given: 0 };
    const span = spanAt(stay, t), { tile } = stay;
    if (span && span.kind !== 'p') return { tile, state: 'waiting', progress: (t - span.t0) / (span.t1 - span.t0 || 1), given: 0 };
    let all = 0, painted = 0;
    for (const { kind, t0, t1 } of stay.spans) {
      if (kind !== 'p') continue;
      all += t1 - t0;
      painted += Math.min(Math.max(t - t0, 0), t1 - t0);
    }
    return { tile, state: span ? 'running' : 'aside', progress: painted / (all || 1), given: span ? span.given : 0 };
  }

  /** Between which of its hands it stands: a number of hands, with a fraction while it turns. @param {number} t */
  stands(t) {
    const last = countUpTo(this.starts, t) - 1;
    if (last < 0) return this.turns.length ? this.turns[0].slot : 0;
    const { slot, t0, t1 } = this.turns[last], from = last ? this.turns[last - 1].slot : slot;
    const passed = Math.min((t - t0) / ((t1 - t0) * MOVE || 1), 1);
    return calm.matches ? slot : from + (slot - from) * (passed * passed * (3 - 2 * passed));
  }
}

class Scenery {
  /** @param {HTMLCanvasElement} canvas @param {Run} run @param {boolean} named whether workers and tiles are named */
  constructor(canvas, run, named) {
    this.run = run;
    this.named = named;
    this.sheet = new Sheet(canvas);
    this.look = /** @type {Look} */ ({}); // and the unit: set by fit, before anything is drawn
    this.unit = 1;
    this.stations = run.workers.map((_, worker) => new Station(run, worker)).filter(({ worker }) => run.names[worker].startsWith('worker')); // no encoder, no event loop
  }

  /** @param {number} width CSS pixels @param {Look} look */
  fit(width, look) {
    this.look = look;
    this.unit = look.unit;
    this.sheet.fit(width, SCENERY * this.unit);
  }

  /** @param {number} t */
  draw(t) {
    const { sheet, stations } = this, wide = sheet.width / Math.max(stations.length, 1);
    sheet.clear();
    stations.forEach((station, i) => this.station(sheet.g, station, i * wide, wide, t));
  }

  /** @param {CanvasRenderingContext2D} _g @param {Station} _station @param {number} _x @param {number} _wide @param {number} _t */
  station(_g, _station, _x, _wide, _t) {}

  /** Draw how much of a wait has passed, as a pie. @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} r @param {number} progress */
  pie(g, x, y, r, progress) {
    g.strokeStyle = g.fillStyle = this.look.quiet;
    g.lineWidth = 1;
    g.beginPath();
    g.arc(x, y, r, 0, 2 * Math.PI);
    g.stroke();
    g.beginPath();
    g.moveTo(x, y);
    g.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * progress);
    g.fill();
  }

  /** @param {CanvasRenderingContext2D} g @param {string} text @param {number} x @param {number} y @param {string} colour */
  text(g, text, x, y, colour) {
    g.fillStyle = colour;
    g.font = `600 ${11 * this.unit}px ${this.look.font}`;
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    g.fillText(text, x, y);
  }
}

/** The drawing of a run: a crowd where there are many workers, else a kitchen or a theatre.
 * @param {string} image @param {HTMLCanvasElement} canvas @param {Run} run @param {boolean} named @returns {Scenery} */
function sceneryOf(image, canvas, run, named) {
  if (run.inside.lanes || run.workers.length > MOST_STATIONS) return new Crowd(canvas, run, named);
  return image === 'theatre' ? new Playhouse(canvas, run, named) : new Kitchen(canvas, run, named);
}
