'use strict';
// The player: it loads the next part of a film while it plays this one, and shows when each part was painted, loaded and
// played. Without overlap a part is asked for, and so painted, only when the part before it is over.
(() => {
const $ = id => document.getElementById(id);
const AHEAD = 5, POLL = 15, EMPTY = 0.06; // seconds that are loaded at most; ms; seconds that count as nothing left
const GUTTER = 74, LANE = 26, GAP = 8;
const video = $('video'), canvas = $('lanes'), g = canvas.getContext('2d');
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const COLOURS = { painting: css('--w0'), loading: css('--w1'), playing: css('--w2') };
const sleep = ms => new Promise(done => setTimeout(done, ms));
const format = ms => (ms >= 995 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`);
const told = [];                                 // the runs so far, the last of each kind
let run = null;

class Run {
  constructor(overlap) {
    this.overlap = overlap;
    this.began = performance.now();
    this.lanes = { painting: [], loading: [], playing: [] };
    this.stalls = [];
    this.started = this.ready = this.ended = 0;   // ms since it began; 0: not yet
    this.parts = this.painted = 0;
    this.name = '';                               // of its film
    this.asked = 0;                               // when the server was asked for it
  }
  get now() { return performance.now() - this.began; }

  /** Playing starts, or goes on. */
  play() {
    if (!this.started) this.started = this.now;
    const stall = this.stalls.at(-1);
    if (stall && !stall[1]) stall[1] = this.now;
    this.lanes.playing.push([this.now, 0]);
  }

  /** Playing stops: as `stalled`, for there is nothing left to play, or because the film is over. */
  halt(stalled) {
    const last = this.lanes.playing.at(-1);
    if (!last || last[1]) return;
    last[1] = this.now;
    if (stalled) this.stalls.push([this.now, 0]);
  }
}

async function ask(path) {
  const answer = await fetch(path, { cache: 'no-store' });
  if (!answer.ok) {
    const why = await answer.json().catch(() => ({ error: answer.statusText }));
    throw Object.assign(new Error(why.error), { remedy: why.remedy ?? '', status: answer.status });
  }
  return answer;
}

function append(buffer, data) {
  return new Promise((done, fail) => {
    buffer.addEventListener('updateend', done, { once: true });
    buffer.addEventListener('error', () => fail(new Error('the browser refused a part')), { once: true });
    buffer.appendBuffer(data);
  });
}

const ahead = () => (video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0);

/** Nothing is left to play: the browser says so a moment before the very end. */
const isEmpty = () => video.readyState < video.HAVE_FUTURE_DATA || ahead() <= EMPTY;

async function load(mine, film, source) {
  const first = await ask(`/play/${film.name}/head`), type = first.headers.get('content-type');
  if (!MediaSource.isTypeSupported(type)) throw Object.assign(new Error(`this browser plays no ${type}`), { codec: true });
  const buffer = source.addSourceBuffer(type);
  await append(buffer, await first.arrayBuffer());
  for (let frames = 0; frames < film.frames && mine === run; mine.parts += 1) {
    while (mine === run && (film.overlap ? ahead() > AHEAD : frames && !isEmpty())) await sleep(POLL);
    const t0 = mine.now, answer = await ask(`/play/${film.name}/${mine.parts}`), data = await answer.arrayBuffer(), t1 = mine.now;
    const [began, ended] = ['x-painting-began', 'x-painting-ended'].map(name => t1 - Number(answer.headers.get(name)));
    mine.lanes.painting.push([began, ended]);
    mine.lanes.loading.push([Math.max(t0, ended), t1]); // before, it waited for the painting
    frames += Number(answer.headers.get('x-frames'));
    mine.painted = Math.max(mine.painted, ended);
    await append(buffer, data);
    if (mine.parts === 0) await video.play();
  }
  if (mine === run) source.endOfStream();
}

async function playWebp(mine, why) {
  say(`${why}. Here is the same film as WebP, when all of it is painted.`);
  const query = new URLSearchParams({ scene: $('scene').value, view: $('view').value, mp4: '0' });
  const film = await (await ask(`/play/start?${query}`)).json();
  $('image').src = `/play/${film.name}/film.webp`;
  await $('image').decode();
  video.hidden = true;
  $('image').hidden = false;
  mine.ready = mine.now;
}

async function play() {
  const mine = run = new Run($('overlap').checked);
  video.hidden = false;
  $('image').hidden = true;
  say('painting the first part');
  try {
    if (!globalThis.MediaSource) throw Object.assign(new Error('this browser takes no films in parts'), { codec: true });
    const query = new URLSearchParams({ scene: $('scene').value, view: $('view').value, overlap: mine.overlap ? '1' : '0' });
    const film = await (await ask(`/play/start?${query}`)).json(), source = new MediaSource();
    mine.name = film.name;
    mine.asked = mine.now - film.age;
    video.src = URL.createObjectURL(source);
    await new Promise(done => source.addEventListener('sourceopen', done, { once: true }));
    await load(mine, film, source);
  } catch (error) {
    if (mine !== run) return;
    if (error.codec || error.status === 501) await playWebp(mine, error.message).catch(other => say(`${other.message}. ${other.remedy ?? ''}`));
    else say(`${error.message}. ${error.remedy ?? ''}`);
  }
}

function say(text) { $('state').textContent = text; }

video.addEventListener('playing', () => { run?.play(); say('playing'); });
video.addEventListener('waiting', () => { if (run?.started) { run.halt(true); say('stalled: the next part is not there yet'); } });
video.addEventListener('ended', () => {
  if (!run) return;
  run.halt(false);
  run.ended = run.now;
  say('the film is over');
  const same = told.findIndex(one => one.overlap === run.overlap);
  if (same >= 0) told.splice(same, 1);
  told.push(run);
  conclude();
});

/** Where the server has the record of a run: it is told when this browser loaded and played. */
function buildAddress(one, file) {
  const since = t => (t - one.asked).toFixed(1);
  const times = spans => spans.filter(([, t1]) => t1).map(span => span.map(since).join('~')).join();
  return `/play/${one.name}/${file}?${new URLSearchParams({ began: since(0), loaded: times(one.lanes.loading), played: times(one.lanes.playing) })}`;
}

/** An item of the list: what a run shows, and the links to its record. */
function makeItem(text, one) {
  const entry = Object.assign(document.createElement('li'), { textContent: text });
  if (!one) return entry;
  const link = (name, file, more) => Object.assign(document.createElement('a'), { textContent: name, href: buildAddress(one, file), className: 'button', ...more });
  const links = Object.assign(document.createElement('p'), { className: 'take' });
  links.append(link('Open in the theatre', 'theatre.html', { target: '_blank', rel: 'noopener' }), ' ', link('Save the trace', 'film.trace.json', { download: '' }));
  entry.append(links);
  return entry;
}

/** What the runs so far show, in sentences. */
function conclude() {
  const count = stalls => `${stalls.length} ${stalls.length === 1 ? 'stall' : 'stalls'}`;
  const items = told.map(one => {
    const stood = one.stalls.reduce((all, [t0, t1]) => all + (t1 || one.ended) - t0, 0);
    const early = one.started < one.painted ? `, ${format(one.painted - one.started)} before the last part was painted` : '';
    return makeItem(`${one.overlap ? 'With' : 'Without'} overlap: it started after ${format(one.started)}${early}; ${count(one.stalls)}${one.stalls.length ? ` of ${format(stood)} together` : ''}; all of it was painted after ${format(one.painted)} and seen after ${format(one.ended)}.`, one);
  });
  const ahead = told.find(one => one.overlap), after = told.find(one => !one.overlap);
  if (ahead && after) {
    const won = after.painted - ahead.painted;
    items.push(makeItem(`With overlap ${count(ahead.stalls)}, without ${after.stalls.length}${won > 0 ? `; the film was ready ${format(won)} earlier` : ''}.`));
  } else if (told.length) items.push(makeItem(`Play it once more ${ahead ? 'without' : 'with'} overlap to compare.`));
  $('sentences').replaceChildren(...items);
}

function draw() {
  requestAnimationFrame(draw);
  const names = Object.keys(COLOURS), height = names.length * (LANE + GAP) + 22, width = canvas.clientWidth, ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) { canvas.height = Math.round(height * ratio); canvas.style.height = `${height}px`; }
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  const now = run ? run.ended || run.now : 0, span = Math.max(now, 12000), x = t => GUTTER + (width - GUTTER - 4) * Math.max(t, 0) / span;
  g.font = '12px system-ui, sans-serif';
  g.textBaseline = 'middle';
  g.textAlign = 'left';
  names.forEach((name, i) => {
    const y = i * (LANE + GAP);
    g.fillStyle = css('--quiet');
    g.fillText(name, 0, y + LANE / 2);
    g.fillStyle = css('--lane');
    g.fillRect(GUTTER, y, width - GUTTER, LANE);
    if (!run) return;
    run.lanes[name].forEach(([t0, t1], part) => {
      g.fillStyle = COLOURS[name];
      g.globalAlpha = part % 2 ? 0.75 : 1;
      g.fillRect(x(t0), y, Math.max(x(t1 || now) - x(t0), 1.5), LANE);
    });
    g.globalAlpha = 1;
    if (name === 'playing') for (const [t0, t1] of run.stalls) {
      g.strokeStyle = css('--alarm');
      g.setLineDash([3, 3]);
      g.strokeRect(x(t0) + 0.5, y + 0.5, Math.max(x(t1 || now) - x(t0) - 1, 1), LANE - 1);
      g.setLineDash([]);
    }
  });
  g.fillStyle = css('--quiet');
  g.textAlign = 'center';
  for (let t = 0; t <= span; t += span > 40000 ? 10000 : 2000) g.fillText(`${t / 1000} s`, Math.min(x(t), width - 16), height - 9);
}

async function choose() {
  const scenes = (await (await ask('/scenes.json')).json()).scenes.filter(one => !one.own_file);
  const views = () => {
    const one = scenes.find(({ scene }) => scene === $('scene').value), names = Object.keys(one.views);
    $('view').replaceChildren(...names.map(name => new Option(name)));
    if (names.includes('seahorses')) $('view').value = 'seahorses';
  };
  $('scene').replaceChildren(...scenes.map(({ scene }) => new Option(scene)));
  if (scenes.some(({ scene }) => scene === 'mandelbrot')) $('scene').value = 'mandelbrot';
  $('scene').addEventListener('change', views);
  views();
}

$('choices').addEventListener('submit', event => { event.preventDefault(); play(); });
choose().catch(error => say(error.message));
draw();
globalThis.player = { get run() { return run; }, told, video };
})();
