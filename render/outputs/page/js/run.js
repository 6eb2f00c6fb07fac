// A run as the replay needs it: spans decoded once, and every question about an instant answered by binary search.

/**
 * @typedef {{worker: number, tile: number, kind: string, t0: number, t1: number, cpu: number, given: number}} Span
 *   Times: ns of the page's clock; cpu: CPU time in ns; given: the share of its time with a CPU (0..1) as it is drawn.
 * @typedef {{tile: number, worker: number, t0: number, t1: number, p0: number, p1: number, pieces: number, spans: Span[]}} Stay
 *   A tile in a worker's hands, from its first span there to its last; painted from p0 to p1, in so many pieces.
 * @typedef {{worker: number, stays: Stay[], starts: Float64Array}} Row  Stays that never overlap, by time.
 * @typedef {{times: Float64Array, counts: Float64Array, most: number}} Curve  How many, from each of these times on.
 * @typedef {{tile: number, worker: number, t: number}} Finished  A tile, who painted last on it, and when it was finished.
 * @typedef {{title: string, mode: string, tile: number[], image: number, length: number, resumed: boolean, awaits: string,
 *   workers: [number, number, string, string][], names: string[], worker: number[], number: number[], kind: string, after: number[],
 *   long: number[], cpu: number[] | null, inside: {lanes: number, lane: number[], number: number[], unit: number, after: number[], long: number[]}}} Stored
 * @typedef {{lanes: number, lane: number[], number: number[], t0: number[], t1: number[]}} Field  What multiprocessors paint.
 * @typedef {Omit<Stored, 'inside'> & {inside: Field, busy: Curve, spans: Span[], byTile: Map<number, Span[]>, rows: Row[], lanes: Span[][], finished: Finished[],
 *   ends: Float64Array, running: Curve, onCpu: Curve | null, waiting: Curve, inFlight: Curve}} Run
 */

const WHOLE = 0.95; // as render.cpu_time has it: more of its time on a CPU is drawn as all of it
const TOO_SMALL = 25; // a run so many times shorter than the longest is too short to be seen on one scale with it

/** @param {{length: number}} run @param {number} end ns, where the longest run ends */
function isTooShort(run, end) { return run.length > 0 && run.length * TOO_SMALL < end; }

/** Test whether a worker put tiles aside and went on with others. @param {Run} run */
function isJuggled(run) { return run.rows.some(row => row.stays.some(stay => stay.pieces > 1)); }

/** Count the ascending numbers that are not above t. @param {Float64Array} list @param {number} t */
function countUpTo(list, t) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= t) low = middle + 1; else high = middle;
  }
  return low;
}

/** The value of a curve at t. @param {Curve} curve @param {number} t */
function valueAt(curve, t) {
  const passed = countUpTo(curve.times, t);
  return passed ? curve.counts[passed - 1] : 0;
}

/** Count the half-open intervals that hold each instant, each as often as it weighs.
 * @param {([number, number] | [number, number, number])[]} intervals @returns {Curve} */
function countCurve(intervals) {
  const changes = new Map();
  for (const [t0, t1, weight = 1] of intervals) {
    if (t0 >= t1) continue;
    const many = Math.round(weight * 1e6); // whole numbers come back to 0
    changes.set(t0, (changes.get(t0) ?? 0) + many);
    changes.set(t1, (changes.get(t1) ?? 0) - many);
  }
  const times = Float64Array.from(changes.keys()).sort();
  const counts = new Float64Array(times.length);
  let count = 0, most = 0;
  times.forEach((t, i) => { counts[i] = (count += changes.get(t)) / 1e6; most = Math.max(most, counts[i]); });
  return { times, counts, most };
}

/** Intervals of one worker, those that touch or overlap joined: a worker counts once. @param {Span[]} spans */
function mergeTurns(spans) {
  /** @type {[number, number][]} */
  const parts = [];
  for (const { t0, t1 } of spans) {
    const last = parts[parts.length - 1];
    if (last && t0 <= last[1]) last[1] = Math.max(last[1], t1); else parts.push([t0, t1]);
  }
  return parts;
}

/** @template K @param {Span[]} spans @param {(span: Span) => K} key @returns {Map<K, Span[]>} */
function groupBy(spans, key) {
  const groups = new Map();
  for (const span of spans) {
    const group = groups.get(key(span));
    if (group) group.push(span); else groups.set(key(span), [span]);
  }
  return groups;
}

/** @param {Stored} stored @returns {Run} */
function decodeRun(stored) {
  let t = 0;
  const spans = stored.worker.map((worker, i) => {
    t += stored.after[i];
    const kind = stored.kind[i], long = stored.long[i], cpu = stored.cpu && kind === 'p' ? stored.cpu[i] : long;
    return { worker, tile: stored.number[i], kind, t0: t, t1: t + long, cpu, given: cpu >= WHOLE * long ? 1 : cpu / long };
  });
  const paint = spans.filter(span => span.kind === 'p');
  const byTile = groupBy(spans, span => span.tile);
  const lanes = stored.workers.map(() => /** @type {Span[]} */ ([]));
  for (const span of spans) lanes[span.worker].push(span);
  const turns = lanes.flatMap(lane => mergeTurns(lane.filter(span => span.kind === 'p')));
  /** @type {Finished[]} */
  const finished = [];
  /** @type {[number, number][]} */
  const flights = [];
  for (const [tile, mine] of groupBy(paint, span => span.tile)) {
    const last = mine.reduce((a, b) => b.t1 >= a.t1 ? b : a);
    finished.push({ tile, worker: last.worker, t: last.t1 });
    flights.push([(byTile.get(tile) ?? mine)[0].t0, last.t1]);
  }
  finished.sort((a, b) => a.t - b.t || a.tile - b.tile);
  const ends = Float64Array.from(finished, one => one.t);
  const inside = decodeField(stored.inside);
  const onCpu = stored.cpu && countCurve(paint.map(({ t0, t1, cpu }) => [t0, t1, cpu / (t1 - t0)]));
  const waiting = countCurve(spans.filter(span => span.kind === 'w').map(({ t0, t1 }) => [t0, t1]));
  const busy = countCurve(inside.t0.map((t0, i) => [t0, inside.t1[i]]));
  return { ...stored, inside, busy, spans, byTile, lanes, finished, ends, rows: lanes.flatMap(packRows), running: countCurve(turns), onCpu, waiting, inFlight: countCurve(flights) };
}

/** The pieces of the multiprocessors at their times. @param {Stored['inside']} stored @returns {Field} */
function decodeField({ lanes, lane, number, unit, after, long }) {
  let t = 0;
  const t0 = after.map(passed => t += passed * unit);
  return { lanes, lane, number, t0, t1: t0.map((start, i) => start + long[i] * unit) };
}

/** The fewest rows in which no two tiles of a worker overlap: as many as it had in its hands. @param {Span[]} lane */
function packRows(lane, worker = 0) {
  const stays = [...groupBy(lane, span => span.tile)].map(([tile, spans]) => {
    const paint = spans.filter(span => span.kind === 'p');
    const ends = (/** @type {Span[]} */ list) => list.reduce((most, span) => Math.max(most, span.t1), -Infinity);
    return { tile, worker, spans, t0: spans[0].t0, t1: ends(spans), p0: paint.length ? paint[0].t0 : Infinity, p1: ends(paint), pieces: paint.length };
  });
  /** @type {{worker: number, stays: Stay[], starts: Float64Array}[]} */
  const rows = [];
  for (const stay of stays) {
    let row = rows.find(({ stays: before }) => before[before.length - 1].t1 <= stay.t0);
    if (!row) rows.push(row = { worker, stays: [], starts: new Float64Array() });
    row.stays.push(stay);
  }
  if (!rows.length) rows.push({ worker, stays: [], starts: new Float64Array() });
  for (const row of rows) row.starts = Float64Array.from(row.stays, stay => stay.t0);
  return rows;
}

/** The tile in a row at t, or undefined. @param {Row} row @param {number} t */
function stayAt(row, t) {
  const stay = row.stays[countUpTo(row.starts, t) - 1];
  return stay && t < stay.t1 ? stay : undefined;
}

/** The span of a stay that holds t, or undefined: then the tile is put aside. @param {Stay} stay @param {number} t */
function spanAt(stay, t) {
  return stay.spans.find(span => span.t0 <= t && t < span.t1);
}
