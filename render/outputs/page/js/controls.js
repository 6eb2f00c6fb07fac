// Play, pause, scrub, pace, keys, touch, light and dark, and the address: #t=0.5 is half a second.

class Controls {
  /** @param {Clock} clock @param {Act[]} acts @param {() => void} refit */
  constructor(clock, acts, refit) {
    this.clock = clock;
    this.acts = acts;
    this.moved = false;
    this.play = element('button', { type: 'button', class: 'play', 'aria-keyshortcuts': 'Space' });
    this.scrub = /** @type {HTMLInputElement} */ (element('input', { type: 'range', min: '0', max: '10000', step: '1', 'aria-label': 'Instant' }));
    this.time = element('output', { class: 'time', 'aria-live': 'off' });
    this.pace = /** @type {HTMLSelectElement} */ (element('select', { 'aria-label': 'Pace' }));
    /** @type {Set<number>} */
    this.listed = new Set();
    for (const pace of clock.paces) this.list(pace);
    this.owners = element('button', { type: 'button', class: 'less', 'aria-pressed': 'true', title: 'Outlines and numbers of the workers on the picture' }, 'Outlines');
    this.scales = element('button', { type: 'button', class: 'less', 'aria-pressed': 'false', title: 'Each whole run on a scale of its own' }, 'Own scales');
    this.scales.hidden = acts.length < 2;
    this.theme = element('button', { type: 'button', class: 'less', title: 'Light or dark' }, 'Light / dark');
    this.letters = element('button', { type: 'button', 'aria-pressed': 'true' }, 'Letters and signs are keys');
    const keys = element('details', { class: 'keys' }, element('summary', {}, 'Keys'), element('div', {}, element('p', {},
      'Space: play or pause. ← →: the finished tile before or after. , and .: a small step. Home, End: start, end. ',
      '+ and −: faster, slower. O: outlines. S: own scales. On a picture, arrow keys go from tile to tile. ',
      'A pause writes its instant into the address, as a link.'), this.letters));
    /** @type {HTMLElement} */ (document.getElementById('bar')).append(this.play, this.time, this.scrub, this.pace, this.owners, this.scales, this.theme, keys);
    this.listen(refit);
    clock.heard.push(() => this.show());
    this.show();
  }

  /** @param {() => void} refit */
  listen(refit) {
    const { clock, acts } = this;
    this.play.addEventListener('click', () => this.toggle());
    this.scrub.addEventListener('input', () => this.go(Number(this.scrub.value) / 10000 * clock.end));
    this.pace.addEventListener('change', () => clock.slow(Number(this.pace.value)));
    this.owners.addEventListener('click', () => this.outline(refit));
    this.letters.addEventListener('click', () => this.press(this.letters));
    this.scales.addEventListener('click', () => this.rescale(refit));
    if (acts.some(({ run }) => tooShort(run, clock.end))) this.rescale(refit);
    this.theme.addEventListener('click', () => {
      const { dataset } = document.documentElement;
      const dark = (dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
      dataset.theme = dark ? 'light' : 'dark';
      refit();
    });
    addEventListener('keydown', e => this.key(e, refit));
    addEventListener('hashchange', () => this.address());
    for (const act of this.acts) this.drag(act);
  }

  /** Offer a pace. @param {number} pace */
  list(pace) {
    this.listed.add(pace);
    this.pace.append(element('option', { value: String(pace) }, paceInWords(pace)));
  }

  /** The lanes are a slider too: press and draw. @param {Act} act */
  drag(act) {
    const { overview, closeup } = act.canvases;
    const to = (/** @type {PointerEvent} */ e) => this.go(act.parts.overview.time(e.offsetX));
    overview.addEventListener('pointerdown', e => { overview.setPointerCapture(e.pointerId); to(e); });
    overview.addEventListener('pointermove', e => { if (e.buttons & 1) to(e); });
    closeup.addEventListener('click', e => this.go(act.parts.closeup.under(e.offsetX, e.offsetY, this.clock.now).time));
  }

  toggle() {
    if (this.clock.playing) return this.halt();
    if (!this.moved) this.clock.seek(0);
    this.moved = true;
    this.clock.play();
    return undefined;
  }

  /** Pause, tell where, and make a link of it. */
  halt() {
    this.clock.pause();
    this.link();
  }

  link() {
    say(this.acts.map(({ run, state }) => `${run.title}: ${state.running} at a tile, ${state.flying} in flight, ${state.done} done`).join('. '));
    const place = `#t=${(this.clock.now / 1e9).toPrecision(6)}`;
    if (location.protocol !== 'about:') history.replaceState(null, '', place); // a page inside a notebook has no address
  }

  /** To an instant, where it stays. @param {number} t */
  go(t) {
    this.moved = true;
    this.clock.playing = false;
    this.clock.seek(t);
  }

  /** Press or release a button that stays down; whether it is down now. @param {HTMLElement} button */
  press(button) {
    const on = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(on));
    return on;
  }

  /** @param {() => void} refit */
  rescale(refit) {
    const own = this.press(this.scales);
    for (const act of this.acts) act.rescale(own);
    refit();
  }

  /** @param {() => void} refit */
  outline(refit) {
    const on = this.press(this.owners);
    for (const act of this.acts) act.parts.picture.owners = on;
    refit();
  }

  /** @param {KeyboardEvent} e @param {() => void} refit */
  key(e, refit) {
    const target = /** @type {HTMLElement} */ (e.target);
    if (e.ctrlKey || e.altKey || e.metaKey || target.closest('select, summary, .step')) return;
    if (e.key === ' ' && target.closest('button, a')) return;
    if (target === this.scrub && /^(Arrow|Home|End|Page)/.test(e.key)) return;
    if (/^[^ ]$/.test(e.key) && this.letters.getAttribute('aria-pressed') !== 'true') return; // they may be dictation
    const { clock } = this, ends = this.acts.flatMap(act => [...act.run.ends]);
    const small = this.acts[0].parts.closeup.reach / 60;
    /** @type {Record<string, () => void>} */
    const keys = {
      ' ': () => this.toggle(),
      ArrowRight: () => this.go(Math.min(...ends.filter(t => t > clock.now), clock.end)),
      ArrowLeft: () => this.go(Math.max(...ends.filter(t => t < clock.now), 0)),
      '.': () => this.go(clock.now + small), ',': () => this.go(clock.now - small),
      Home: () => this.go(0), End: () => this.go(clock.end),
      '+': () => this.faster(-1), '=': () => this.faster(-1), '-': () => this.faster(1),
      o: () => this.outline(refit), s: () => this.rescale(refit),
    };
    if (!keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  }

  /** @param {number} step */
  faster(step) {
    const { paces, pace } = this.clock, next = step > 0 ? paces.find(other => other > pace) : paces.findLast(other => other < pace);
    if (next) this.clock.slow(next);
  }

  /** Go where the address says. Whether it said anything. */
  address() {
    const found = /[#&]t=([\d.e+-]+)/.exec(location.hash);
    if (!found || !Number.isFinite(Number(found[1]))) return false;
    this.go(Number(found[1]) * 1e9);
    return true;
  }

  show() {
    const { clock } = this, label = clock.playing ? 'Pause' : 'Play';
    if (this.play.textContent !== label) this.play.textContent = label;
    this.time.textContent = `${onClock(clock.now, clock.end)} of ${told(clock.end)}`;
    this.scrub.value = String(clock.end ? Math.round(clock.now / clock.end * 10000) : 0);
    this.scrub.setAttribute('aria-valuetext', this.time.textContent);
    if (!this.listed.has(clock.pace)) this.list(clock.pace);
    this.pace.value = String(clock.pace);
  }
}
