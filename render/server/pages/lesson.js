'use strict';
// The lesson: a lane for each user and each worker, over the last seconds, as the server's record has them.
(() => {
const $ = id => document.getElementById(id);
const POLL = 500, ROWS = 6, ROW = 5, GAP = 6, GUTTER = 74, MOST_USERS = 12;
const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
const canvas = $('lanes'), g = canvas.getContext('2d');
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const COLOURS = Array.from({ length: 7 }, (_, i) => css(`--w${i}`)); // of the workers
let told = null, at = 0, width = 0;

const seconds = ms => (ms >= 995 ? `${(ms / 1000).toPrecision(3)} s` : `${Math.round(ms)} ms`);
const name = user => (user === told.you ? 'you' : `user ${user}`);

function users() {                            // who asked lately: you first, then by number
  const found = [...new Set([told.you, ...told.requests.map(request => request.user)])];
  return found.sort((a, b) => (b === told.you) - (a === told.you) || a - b);
}

function hatch(colour) {
  const tile = document.createElement('canvas'), h = tile.getContext('2d');
  tile.width = tile.height = 5;
  h.strokeStyle = colour; h.lineWidth = 1.2;
  h.beginPath(); h.moveTo(-1, 6); h.lineTo(6, -1); h.stroke();
  return g.createPattern(tile, 'repeat');
}

function draw() {
  if (!told) return;
  const shown = users().slice(0, MOST_USERS), lane = ROWS * ROW;
  const height = (shown.length || 1) * (lane + GAP) + told.workers * 20 + 26;
  const ratio = devicePixelRatio || 1;
  width = canvas.clientWidth;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  const since = still ? 0 : performance.now() - at, span = told.shown_ms;
  const x = ago => GUTTER + (width - GUTTER) * (1 - (ago + since) / span);
  const ink = css('--ink'), quiet = css('--quiet'), paper = css('--lane'), dashed = hatch(quiet);
  g.font = '12px system-ui, sans-serif'; g.textBaseline = 'middle';
  const bar = (from, to, y, h, fill, line) => {
    const left = Math.max(x(from), GUTTER), right = Math.min(Math.max(x(to), left + 1), width);
    if (right <= GUTTER) return 0;
    if (fill) { g.fillStyle = fill; g.fillRect(left, y, right - left, h); }
    if (line) { g.strokeStyle = line; g.lineWidth = 1; g.strokeRect(left + .5, y + .5, Math.max(right - left - 1, 0), h - 1); }
    return right - left;
  };
  let y = 0;
  for (const user of shown) {
    g.fillStyle = paper; g.fillRect(GUTTER, y, width - GUTTER, lane);
    g.fillStyle = user === told.you ? ink : quiet; g.textAlign = 'right';
    g.fillText(name(user), GUTTER - 8, y + lane / 2);
    const free = Array(ROWS).fill(Infinity);  // ms before now until which a row is taken
    for (const request of told.requests.filter(one => one.user === user)) {
      const end = request.done ?? -since;
      const row = Math.max(free.findIndex(until => until >= request.arrived), 0), top = y + row * ROW;
      free[row] = end;
      const open = request.done === null, state = open ? request.state : '';
      bar(request.arrived, end, top, ROW - 1, state === 'data' ? dashed : null, quiet);
      for (const [from, to] of request.waits) bar(from, to, top, ROW - 1, dashed, quiet);
      for (const [worker, from, to] of request.paints) bar(from, to, top, ROW - 1, COLOURS[worker % 7]);
    }
    y += lane + GAP;
  }
  for (let worker = 0; worker < told.workers; worker++, y += 20) {
    g.fillStyle = paper; g.fillRect(GUTTER, y, width - GUTTER, 16);
    g.fillStyle = quiet; g.textAlign = 'right'; g.fillText(`worker ${worker}`, GUTTER - 8, y + 8);
    for (const request of told.requests) for (const [by, from, to] of request.paints) {
      if (by !== worker) continue;
      const wide = bar(from, to, y, 16, COLOURS[worker % 7]);
      if (wide > 12) { g.fillStyle = '#000'; g.textAlign = 'center'; g.fillText(request.user, Math.max(x(from), GUTTER) + wide / 2, y + 8); }
    }
  }
  g.fillStyle = quiet; g.textAlign = 'left';
  g.fillText(`${span / 1000} s ago`, GUTTER, y + 10);
  g.textAlign = 'right'; g.fillText('now', width, y + 10);
}

function count(requests, state) { return requests.filter(request => request.done === null && request.state === state).length; }

function show() {
  const open = told.requests.filter(request => request.done === null);
  $('n-users').textContent = users().length;
  $('n-users').nextElementSibling.textContent = users().length === 1 ? 'user' : 'users';
  $('n-data').textContent = count(open, 'data');
  $('n-worker').textContent = count(open, 'worker');
  $('n-painted').textContent = count(open, 'painted');
  const data = told.slow_data_ms ? ` Every request waits ${seconds(told.slow_data_ms)} for its data.` : '';
  const one = told.workers === 1, who = one ? 'One worker' : `${told.workers} workers`;
  $('how').textContent = `${who}, ${told.switching ? 'switching between all users: while one waits, another is served' : `${one ? '' : 'each '}doing one request from its start to its end`}.${data}`;
  $('sentences').replaceChildren(...told.sentences.map(text => Object.assign(document.createElement('li'), { textContent: text })));
  $('users').replaceChildren(...users().map(user => {
    const mine = told.requests.filter(request => request.user === user), done = mine.filter(one => one.done !== null && !['gone', 'refused', 'failed'].includes(one.outcome));
    const at = mine.filter(request => request.state === 'painted').map(request => request.on);
    const mean = done.length ? seconds(done.reduce((sum, one) => sum + one.arrived - one.done, 0) / done.length) : '–';
    const cells = [name(user), count(mine, 'data'), count(mine, 'worker'), [...new Set(at)].join(', ') || '–', done.length, mean];
    const row = document.createElement('tr');
    row.append(...cells.map(text => Object.assign(document.createElement('td'), { textContent: text })));
    return row;
  }));
  draw();
}

async function poll() {
  if (!document.hidden) {
    try { told = await (await fetch('/lesson.json')).json(); at = performance.now(); show(); }
    catch { $('how').textContent = 'The server does not answer.'; told = null; }
  }
  setTimeout(poll, POLL);
}
const move = () => { if (told?.requests.length && !document.hidden) draw(); requestAnimationFrame(move); };
addEventListener('resize', draw);
poll();
if (!still) move();
globalThis.lesson = { get told() { return told; } };
})();
