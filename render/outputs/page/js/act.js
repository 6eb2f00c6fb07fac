// One run on the stage: its image, its picture, what is running and in flight, the close-up, the whole run.

/** @typedef {'running' | 'onCpu' | 'waiting' | 'inFlight' | 'finished'} Figure */

class Act {
  /** @param {Run} run @param {number} index @param {HTMLImageElement} image @param {{end: number, most: number, reach: number}} scale */
  constructor(run, index, image, scale) {
    this.run = run;
    const reach = isTooShort(run, scale.end) ? chooseReach([run], run.length) : scale.reach;
    this.root = /** @type {HTMLElement} */ (document.getElementById(`run-${index}`));
    const canvas = (/** @type {string} */ name, /** @type {Record<string, string>} */ more) =>
      /** @type {HTMLCanvasElement} */ (element('canvas', { class: name, ...more }));
    const help = 'Arrow keys go from tile to tile.';
    this.canvases = {
      scenery: canvas('scenery', { role: 'img', 'aria-label': `${run.title} as a kitchen or a theatre, at this instant` }),
      picture: canvas('picture', { role: 'application', 'aria-label': `The picture as ${run.title} paints it. ${help}`, tabindex: '0' }),
      closeup: canvas('closeup', { role: 'img', 'aria-label': `${run.title}, close-up around now` }),
      overview: canvas('overview', { role: 'img', 'aria-label': `${run.title}, the whole run: lanes of ${run.workers.length} workers, tiles in flight, workers at a tile` }),
    };
    this.scale = element('span');
    this.parts = {
      scenery: sceneryOf('kitchen', this.canvases.scenery, run, true),
      picture: new Picture(this.canvases.picture, run, image),
      closeup: new Closeup(this.canvases.closeup, run, reach),
      overview: new Overview(this.canvases.overview, run, scale.end, scale.most),
    };
    /** @type {Partial<Record<Figure, HTMLElement>>} */
    this.numbers = {};
    /** @type {Record<Figure, number>} */
    this.state = { running: -1, onCpu: -1, waiting: -1, inFlight: -1, finished: -1 };
    this.build(/** @type {HTMLElement} */ (this.root.querySelector('.live')), reach);
    this.root.classList.add('playing');
  }

  /** @param {HTMLElement} live @param {number} reach */
  build(live, reach) {
    const { run, canvases } = this;
    live.append(
      canvases.scenery, canvases.picture,
      element('div', { class: 'numbers' },
        this.number('running', 'at a tile'), ...(run.onCpu ? [this.number('onCpu', 'on a CPU')] : []),
        ...(run.waiting.most ? [this.number('waiting', 'waiting')] : []), this.number('inFlight', 'in flight'),
        this.number('finished', `of ${run.finished.length} finished`)),
      element('div', { class: 'strips' },
        element('p', { class: 'strip' }, element('b', {}, 'Close-up'), ` ${formatTime(reach)} around this instant`), canvases.closeup,
        element('p', { class: 'strip' }, element('b', {}, 'The whole run'), this.scale), canvases.overview),
      this.table(),
    );
  }

  /** A figure of the instant, with its name. @param {Figure} name @param {string} label */
  number(name, label) {
    const value = element('b'), key = name === 'finished' ? [] : [element('i', { class: `key ${name}` })];
    this.numbers[name] = value;
    return element('p', { class: `number ${name}` }, value, element('span', {}, ...key, label));
  }

  /** Sizes are taken here and never while drawing. @param {Look} look */
  fit(look) {
    const { scenery, picture, closeup, overview } = this.canvases;
    const [image, wide, near, whole] = [scenery, picture, closeup, overview].map(canvas => canvas.clientWidth); // all before any changes
    if (image) this.parts.scenery.fit(image, look);
    if (wide) this.parts.picture.fit(wide, look);
    if (near) this.parts.closeup.fit(near, look); // the tour hides what it does not ask about where there is little room
    if (whole) this.parts.overview.fit(whole, look);
  }

  /** Draw it as a kitchen, or as a theatre. @param {string} image */
  picturedAs(image) { this.parts.scenery = sceneryOf(image, this.canvases.scenery, this.run, true); }

  /** Draw the whole run on a scale of its own, or on that of all runs. @param {boolean} stretched */
  rescale(stretched) {
    this.parts.overview.stretched = stretched;
    this.scale.textContent = stretched ? ' on a scale of its own' : '';
  }

  /** @param {number} t @param {number} watched */
  draw(t, watched) {
    const { run } = this;
    this.parts.scenery.draw(t);
    this.parts.picture.draw(t, watched);
    this.parts.closeup.draw(t, watched);
    this.parts.overview.draw(t);
    this.show('running', valueAt(run.running, t));
    if (run.onCpu) this.show('onCpu', valueAt(run.onCpu, t), 1);
    this.show('waiting', valueAt(run.waiting, t));
    this.show('inFlight', valueAt(run.inFlight, t));
    this.show('finished', countUpTo(run.ends, t));
    this.root.classList.toggle('over', this.state.finished === run.finished.length && run.finished.length > 0);
  }

  /** @param {Figure} name @param {number} value @param {number} digits */
  show(name, value, digits = 0) {
    const place = this.numbers[name];
    if (this.state[name] === value) return;
    this.state[name] = value;
    if (place) place.textContent = value.toFixed(digits);
  }

  /** Every tile as a table, built when it is opened. */
  table() {
    const box = element('details', { class: 'tiles' }, element('summary', {}, 'Every tile as a table'));
    box.addEventListener('toggle', () => {
      if (box.querySelector('table')) return;
      const body = element('tbody'), most = 2000;
      for (const { tile, worker, t } of this.run.finished.slice(0, most)) {
        const spans = (this.run.byTile.get(tile) ?? []).filter(span => span.kind === 'p');
        const painted = spans.reduce((sum, span) => sum + span.t1 - span.t0, 0);
        const cells = [String(tile), String(worker), formatTime(spans[0].t0), formatTime(t), formatTime(painted), String(spans.length)];
        body.append(element('tr', {}, ...cells.map(cell => element('td', {}, cell))));
      }
      const heads = ['tile', 'worker', 'started', 'finished', 'painted for', 'in pieces'];
      const head = element('thead', {}, element('tr', {}, ...heads.map(text => element('th', { scope: 'col' }, text))));
      const label = `Tiles of ${this.run.title}`;
      box.append(element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, element('table', {}, head, body)));
      if (this.run.finished.length > most) box.append(element('p', { class: 'note' }, `The first ${most}; the saved trace has all.`));
    });
    return box;
  }
}
