// The one clock of all runs. A pace of 10 means: ten times slower than it was.

const PACES = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 1000000];
const SHOW = 25; // seconds that a replay of the longest run should take

class Clock {
  /** @param {number} end ns */
  constructor(end) {
    this.end = end;
    this.now = 0;
    this.playing = false;
    this.stop = end; // where playing ends by itself
    /** @type {(() => void)[]} */
    this.listeners = [];
    const takes = (/** @type {number} */ pace) => end / 1e9 * pace;
    /** Those worth choosing. */
    this.paces = PACES.filter(pace => pace === 1 || (takes(pace) >= 3 && takes(pace) <= 1800));
    const far = (/** @type {number} */ pace) => Math.abs(Math.log((takes(pace) || 1) / SHOW));
    this.pace = this.paces.reduce((best, pace) => far(pace) < far(best) ? pace : best);
  }

  /** @param {number} t */
  seek(t) {
    this.now = Math.min(Math.max(t, 0), this.end);
    this.notify();
  }

  /** Play, from the start where the end was reached, up to `stop`. */
  play(stop = this.end) {
    if (this.now >= stop) this.now = 0;
    this.stop = stop;
    this.playing = true;
    this.notify();
  }

  pause() {
    this.playing = false;
    this.notify();
  }

  /** So many milliseconds have passed before the screen. @param {number} ms */
  advance(ms) {
    this.now = Math.min(this.now + ms * 1e6 / this.pace, this.stop);
    if (this.now >= this.stop) this.pause(); else this.notify();
  }

  /** @param {number} pace */
  slow(pace) {
    this.pace = pace;
    this.notify();
  }

  notify() { for (const listener of this.listeners) listener(); }
}

/** Say how fast it goes. @param {number} pace */
function formatPace(pace) {
  if (pace === 1) return 'real time';
  return pace > 1 ? `${pace.toLocaleString('en')} × slower` : `${Math.round(1 / pace)} × faster`;
}
