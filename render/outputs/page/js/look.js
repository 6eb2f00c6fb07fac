// How things look: colours of the page, hatching, times as text, canvases that are sharp on every screen.

/** @typedef {{ink: string, paper: string, quiet: string, rule: string, lane: string, stage: string, accent: string, font: string, unit: number}} Look */

/** The page's colours as they are now, light or dark, and its unit: 1 where letters are 15 pixels. @returns {Look} */
function currentLook() {
  const style = getComputedStyle(document.documentElement);
  const value = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: value('ink'), paper: value('paper'), quiet: value('quiet'), rule: value('rule'), lane: value('lane'),
    stage: value('stage'), accent: value('accent'), font: getComputedStyle(document.body).fontFamily, unit: parseFloat(style.fontSize) / 15,
  };
}

/** Black or white, whichever can be read on a colour. @param {string} colour "#rrggbb" */
function readableOn(colour) {
  const [r, g, b] = [1, 3, 5].map(i => (parseInt(colour.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.19 ? '#000' : '#fff';
}

/** A canvas in device pixels, drawn on in CSS pixels. Its size changes only in `fit`. */
class Sheet {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas = document.createElement('canvas')) {
    this.canvas = canvas;
    this.g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.width = this.height = 0;
    this.ratio = 1;
  }

  /** @param {number} width @param {number} height CSS pixels */
  fit(width, height) {
    this.ratio = Math.min(devicePixelRatio || 1, 3);
    this.width = width;
    this.height = height;
    this.canvas.width = Math.max(Math.round(width * this.ratio), 1);
    this.canvas.height = Math.max(Math.round(height * this.ratio), 1);
    this.g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
  }

  clear() { this.g.clearRect(0, 0, this.width, this.height); }

  /** Lay part of another sheet of the same size on this one, in device pixels: nothing is scaled. @param {Sheet} other */
  lay(other, left = 0, right = this.width) {
    const x = Math.round(left * this.ratio), width = Math.round(right * this.ratio) - x, { height } = this.canvas;
    if (width <= 0) return;
    this.g.setTransform(1, 0, 0, 1, 0, 0);
    this.g.drawImage(other.canvas, x, 0, width, height, x, 0, width, height);
    this.g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
  }
}

/** @type {Map<string, CanvasPattern>} */
const hatches = new Map();

/** Diagonal lines of a colour: started, and put aside. @param {CanvasRenderingContext2D} g @param {string} colour */
function hatch(g, colour) {
  let pattern = hatches.get(colour);
  if (!pattern) {
    const size = 6, piece = document.createElement('canvas');
    piece.width = piece.height = size;
    const p = /** @type {CanvasRenderingContext2D} */ (piece.getContext('2d'));
    p.strokeStyle = colour;
    p.lineWidth = 1.3;
    p.beginPath();
    for (const d of [-size, 0, size]) { p.moveTo(d, size); p.lineTo(d + size, 0); }
    p.stroke();
    pattern = /** @type {CanvasPattern} */ (g.createPattern(piece, 'repeat'));
    hatches.set(colour, pattern);
  }
  return pattern;
}

/** A bar as high as the share of its time for which its worker had a CPU; the rest of it, at a tile without one, pale.
 * @param {CanvasRenderingContext2D} g @param {{given: number}} span @param {number} x @param {number} y @param {number} width @param {number} height */
function fillByShare(g, { given }, x, y, width, height) {
  if (given < 1) {
    const { globalAlpha } = g;
    g.globalAlpha = globalAlpha * 0.35;
    g.fillRect(x, y, width, height);
    g.globalAlpha = globalAlpha;
  }
  g.fillRect(x, y + height * (1 - given), width, height * given);
}

const UNITS = /** @type {[number, string][]} */ ([[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']]);

/** A time to three digits, as the captions say it. @param {number} ns */
function formatTime(ns) {
  const [size, unit] = UNITS.find(([size]) => ns >= size) ?? [1e9, 's'];
  if (!ns) return '0 s';
  return unit === 'ns' ? `${ns} ns` : `${(ns / size).toFixed(ns < 10 * size ? 2 : ns < 100 * size ? 1 : 0)} ${unit}`;
}

/** A round time, without the digits that say nothing. @param {number} ns */
function formatTick(ns) {
  const [number, unit] = formatTime(ns).split(' ');
  return `${Number(number)} ${unit}`;
}

/** A time on a clock that ends at `end`: one unit, digits that do not jump. @param {number} ns @param {number} end */
function formatClock(ns, end) {
  const [size, unit] = UNITS.find(([size]) => end >= size) ?? [1, 'ns'];
  return `${(ns / size).toFixed(end < 10 * size ? 3 : 2)} ${unit}`;
}

/** Round times from 0 to the end, three to six of them. @param {number} end */
function ticks(end) {
  if (end <= 0) return [0];
  const step = 10 ** Math.floor(Math.log10(end));
  const size = [0.2, 0.5, 1, 2].map(share => share * step).find(size => end / size <= 5) ?? end;
  return Array.from({ length: Math.floor(end / size) + 1 }, (_, i) => Math.round(i * size));
}

/** @param {string} name @param {Record<string, string>} [attributes] @param {(Node | string)[]} inside */
function element(name, attributes = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...inside);
  return node;
}
