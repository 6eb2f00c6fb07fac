// Everything together: decode, build, and draw when something changed.

const theRecord = JSON.parse(/** @type {HTMLElement} */ (document.getElementById('record')).textContent ?? '');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const CALM = 250; // ms between two pictures where less motion is wanted

/** The colour of a worker; from the eighth on they repeat, dashed. @param {number} worker */
const colourOf = worker => theRecord.colours[worker % theRecord.colours.length];
/** @param {number} worker */
const dashOf = worker => worker < theRecord.colours.length ? [] : [4, 3];

/** @type {Run[]} */
const runs = theRecord.runs.map(decodeRun);
const end = Math.max(...runs.map(run => run.length));
const scale = { end, most: Math.max(...runs.map(run => Math.max(run.inFlight.most, run.running.most))), reach: chooseReach(runs, end) };
const images = [...document.querySelectorAll('svg.store image')].map(stored => {
  const image = new Image();
  image.onload = refit;
  image.src = stored.getAttribute('href') ?? '';
  return image;
});
const acts = runs.map((run, i) => new Act(run, i, images[run.image], scale));
const clock = new Clock(end);
let dirty = true, fitted = false, before = 0;
/** @type {string | undefined} */
let themeBefore;
const tip = new Tip(acts, clock, () => { dirty = true; });
const controls = new Controls(clock, acts, refit);
/** @type {Run[]} runs of GPUs elsewhere, of which only the inside is shown */
const recorded = theRecord.recorded.map(decodeRun);
const insides = [...runs, ...recorded].flatMap((run, i) => {
  const root = document.getElementById(`inside-${i}`);
  return root && run.inside.lanes ? [new Inside(run, root, controls)] : [];
});
const ways = new Ways(runs, controls, theRecord.bet);
new Tour(theRecord.tour, clock, controls, acts);
for (const { run, tiles } of theRecord.marks) acts[run].parts.picture.marked = new Set(tiles);
controls.imagined.push(image => { for (const act of acts) act.picturedAs(image); }, image => ways.picturedAs(image));

/** Take sizes and colours anew before the next drawing. */
function refit() {
  fitted = false;
  dirty = true;
}

/** An instant in the midst of things at which as many modes as possible do what they are there to show. */
function findInstant() {
  const middle = 0.6 * Math.min(...runs.filter(run => run.length && !isTooShort(run, end)).map(run => run.length), end);
  const shown = (/** @type {number} */ t) => runs.filter(run =>
    valueAt(run.running, t) === run.running.most && valueAt(run.inFlight, t) === run.inFlight.most).length;
  const near = Array.from({ length: 400 }, (_, i) => middle * (1 + (i % 2 ? i : -i) / 1000)); // ever further away
  const best = near.reduce((best, t) => shown(t) > shown(best) ? t : best, middle);
  const juggler = runs.find(isJuggled), turn = juggler?.spans.find(span => span.kind === 'p' && span.t0 <= best && best < span.t1);
  return turn ? (turn.t0 + turn.t1) / 2 : best; // nobody on the way from one tile to the next
}

/** @param {number} time ms, as the screen counts */
function frame(time) {
  requestAnimationFrame(frame);
  if (clock.playing) {
    const passed = time - before;
    if (!calm.matches || passed >= CALM) {
      clock.advance(Math.min(passed, 2 * CALM));
      before = time;
      if (!clock.playing) controls.link();
    }
  } else before = time;
  if (!dirty) return;
  dirty = false;
  if (!fitted) fit();
  draw();
}

/** Take all sizes, and the colours of the page as they are now. */
function fit() {
  fitted = true;
  hatches.clear();
  const look = currentLook();
  const widths = insides.map(({ canvas }) => canvas.clientWidth); // before any changes
  for (const act of acts) act.fit(look);
  ways.fit(look);
  insides.forEach((inside, i) => { if (widths[i]) inside.fit(widths[i], look); });
}

/** On paper the page is light, whatever it is on the screen. @param {string} theme '' for what it was */
function printAs(theme) {
  const { dataset } = document.documentElement;
  if (theme) { themeBefore = dataset.theme; dataset.theme = theme; } else if (themeBefore) dataset.theme = themeBefore; else delete dataset.theme;
  fit();
  draw();
}

/** Draw for the instant on the clock. */
function draw() {
  for (const act of acts) act.draw(clock.now, tip.watched);
  for (const inside of insides) inside.draw(clock.now);
  ways.draw(clock.now);
}

clock.listeners.push(() => { dirty = true; });
clock.listeners.push(() => { for (const inside of insides) inside.over(clock); });
if (!controls.address()) clock.seek(findInstant());
for (const [when, theme] of [['beforeprint', 'light'], ['afterprint', '']]) addEventListener(when, () => printAs(theme));
const watcher = new ResizeObserver(refit);
for (const { root } of [...acts, ...insides]) watcher.observe(root);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refit);
requestAnimationFrame(frame);

// For the console, and for tests.
Object.assign(globalThis, { theatre: {
  runs, clock, controls,
  /** Draw at once, for the instant on the clock. */
  draw,
  /** The figures that are seen now, run by run. */
  get states() { return acts.map(act => ({ title: act.run.title, ...act.state })); },
} });
