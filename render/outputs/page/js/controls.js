// Play, pause, scrub, pace, keys, touch, light and dark, kitchen or theatre, and the address: #t=0.5 is half a second.

class Controls {
  /** @param {Clock} clock @param {Act[]} acts @param {() => void} refit */
  constructor(clock, acts, refit) {
    this.clock = clock;
    this.acts = acts;
    this.refit = refit;
    this.moved = false;
    /** @type {((image: string) => void)[]} */
    this.imagined = [];
    const button = (/** @type {string} */ text, /** @type {Record<string, string>} */ more) => element('button', { type: 'button', ...more }, text);
    this.play = button('', { class: 'play', 'aria-keyshortcuts': 'Space' });
    this.scrub = /** @type {HTMLInputElement} */ (element('input', { type: 'range', min: '0', max: '10000', step: '1', 'aria-label': 'Instant' }));
    this.time = element('output', { class: 'time', 'aria-live': 'off' });
    this.pace = /** @type {HTMLSelectElement} */ (element('select', { 'aria-label': 'Pace' }));
    /** @type {Set<number>} */
    this.listed = new Set();
    for (const pace of clock.paces) this.list(pace);
    this.image = button('Theatre', { class: 'less', 'aria-pressed': 'false', title: 'Draw stages in place of kitchens' });
    this.owners = button('Outlines', { 'aria-pressed': 'true', title: 'Outlines and names of the workers on the picture' });
    this.scales = button('Stretch each timeline', { 'aria-pressed': 'false', title: 'Each whole run on a scale of its own' });
    this.scales.hidden = acts.length < 2;
    this.theme = button('Light / dark', { title: 'Light or dark' });
    this.letters = button('Single-key shortcuts', { 'aria-pressed': 'true' });
    const keys = element('details', { class: 'keys' }, element('summary', {}, 'More'), element('div', {}, element('div', { class: 'options' }, this.owners, this.scales, this.theme), element('p', {},
      'Keys. Space: play or pause. ← →: the finished tile before or after. , and .: a small step. Home, End: start, end. ',
      '+ and −: faster, slower. K: kitchen or theatre. O: outlines. S: stretch each timeline. On a picture, arrow keys go from tile to ',
      'tile. A pause writes its instant into the address, as a link.'), this.letters));
    /** @type {HTMLElement} */ (document.getElementById('bar')).append(this.play, this.time, this.scrub, this.pace, this.image, keys);
    this.listen();
    clock.listeners.push(() => this.show());
    this.show();
  }

  listen() {
    const { clock, acts } = this;
    this.play.addEventListener('click', () => this.toggle());
    this.scrub.addEventListener('input', () => this.go(Number(this.scrub.value) / 10000 * clock.end));
    this.pace.addEventListener('change', () => clock.slow(Number(this.pace.value)));
    this.image.addEventListener('click', () => this.changeImage());
    this.owners.addEventListener('click', () => this.outline());
    this.letters.addEventListener('click', () => this.press(this.letters));
    this.scales.addEventListener('click', () => this.rescale());
    if (acts.some(({ run }) => isTooShort(run, clock.end))) this.rescale();
    this.theme.addEventListener('click', () => {
      const { dataset } = document.documentElement;
      const dark = (dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
      dataset.theme = dark ? 'light' : 'dark';
      this.refit();
    });
    addEventListener('keydown', e => this.key(e));
    addEventListener('hashchange', () => this.address());
    for (const act of this.acts) this.drag(act);
    for (const event of document.querySelectorAll('.events li')) this.lead(/** @type {HTMLElement} */ (event));
  }

  /** Offer a pace. @param {number} pace */
  list(pace) {
    this.listed.add(pace);
    this.pace.append(element('option', { value: String(pace) }, formatPace(pace)));
  }

  /** The lanes are a slider too: press and draw. @param {Act} act */
  drag(act) {
    const { overview, closeup } = act.canvases;
    const to = (/** @type {PointerEvent} */ e) => this.go(act.parts.overview.time(e.offsetX));
    overview.addEventListener('pointerdown', e => { overview.setPointerCapture(e.pointerId); to(e); });
    overview.addEventListener('pointermove', e => { if (e.buttons & 1) to(e); });
    closeup.addEventListener('click', e => this.go(act.parts.closeup.under(e.offsetX, e.offsetY, this.clock.now).time));
  }

  /** An event of a lesson leads to its instant. @param {HTMLElement} event */
  lead(event) {
    const show = element('button', { type: 'button', class: 'lead-to' }, 'Show');
    show.addEventListener('click', () => {
      for (const other of document.querySelectorAll('.events .now')) other.classList.remove('now');
      event.classList.add('now');
      this.go(Number(event.dataset.at));
      const run = Number(/** @type {HTMLElement} */ (event.parentElement).dataset.run);
      this.acts[run].root.scrollIntoView({ block: 'nearest', behavior: calm.matches ? 'auto' : 'smooth' });
    });
    event.append(' ', show);
  }

  toggle() {
    if (this.clock.playing) return this.halt();
    if (!this.moved) this.clock.seek(0);
    this.moved = true;
    this.clock.play();
    return undefined;
  }

  /** Pause, say where, and make a link of it. */
  halt() {
    this.clock.pause();
    this.link();
  }

  link() {
    say(this.acts.map(({ run, state }) => `${run.title}: ${state.running} at a tile, ${state.inFlight} in flight, ${state.finished} finished`).join('. '));
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

  /** Draw kitchens, or theatres. */
  changeImage() {
    const image = this.press(this.image) ? 'theatre' : 'kitchen';
    document.body.dataset.image = image;
    for (const change of this.imagined) change(image);
    this.refit();
  }

  rescale() {
    const stretched = this.press(this.scales);
    for (const act of this.acts) act.rescale(stretched);
    this.refit();
  }

  outline() {
    const on = this.press(this.owners);
    for (const act of this.acts) act.parts.picture.owners = on;
    this.refit();
  }

  /** @param {KeyboardEvent} e */
  key(e) {
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
      k: () => this.changeImage(), o: () => this.outline(), s: () => this.rescale(),
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

  /** Go where the address says; true if it says anything. */
  address() {
    const found = /[#&]t=([\d.e+-]+)/.exec(location.hash);
    if (!found || !Number.isFinite(Number(found[1]))) return false;
    this.go(Number(found[1]) * 1e9);
    return true;
  }

  show() {
    const { clock } = this, label = clock.playing ? 'Pause' : 'Play';
    if (this.play.textContent !== label) this.play.textContent = label;
    this.time.textContent = `${formatClock(clock.now, clock.end)} of ${formatTick(clock.end)}`;
    this.scrub.value = String(clock.end ? Math.round(clock.now / clock.end * 10000) : 0);
    this.scrub.setAttribute('aria-valuetext', this.time.textContent);
    if (!this.listed.has(clock.pace)) this.list(clock.pace);
    this.pace.value = String(clock.pace);
  }
}
