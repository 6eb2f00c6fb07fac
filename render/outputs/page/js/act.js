// One run on the stage: its picture, what is running and in flight, the close-up, the whole run.

class Act {
  /** @param {Run} run @param {number} index @param {HTMLImageElement} image @param {{end: number, most: number, reach: number}} scale */
  constructor(run, index, image, scale) {
    this.run = run;
    const reach = tooShort(run, scale.end) ? reachOf([run], run.length) : scale.reach;
    this.root = /** @type {HTMLElement} */ (document.getElementById(`run-${index}`));
    const live = /** @type {HTMLElement} */ (this.root.querySelector('.live'));
    const canvas = (/** @type {string} */ name, /** @type {Record<string, string>} */ more) =>
      /** @type {HTMLCanvasElement} */ (element('canvas', { class: name, ...more }));
    const help = 'Arrow keys go from tile to tile.';
    this.canvases = {
      picture: canvas('picture', { role: 'application', 'aria-label': `The picture as ${run.title} paints it. ${help}`, tabindex: '0' }),
      closeup: canvas('closeup', { role: 'img', 'aria-label': `${run.title}, close-up around now` }),
      overview: canvas('overview', { role: 'img', 'aria-label': `${run.title}, the whole run: lanes of ${run.workers.length} workers, tiles in flight, workers at a tile` }),
    };
    this.scale = element('span');
    this.numbers = { running: element('b'), given: element('b'), flying: element('b'), done: element('b') };
    const number = (/** @type {HTMLElement} */ value, /** @type {string} */ key, /** @type {string} */ label) =>
      element('p', { class: `number ${key}` }, value, element('span', {}, ...(key ? [element('i', { class: `key ${key}` })] : []), label));
    this.parts = {
      picture: new Picture(this.canvases.picture, run, image),
      closeup: new Closeup(this.canvases.closeup, run, reach),
      overview: new Overview(this.canvases.overview, run, scale.end, scale.most),
    };
    live.append(
      this.canvases.picture,
      element('div', { class: 'numbers' },
        number(this.numbers.running, 'running', 'at a tile'),
        ...(run.onCpu ? [number(this.numbers.given, 'given', 'on a CPU')] : []), number(this.numbers.flying, 'flying', 'in flight'),
        number(this.numbers.done, '', `of ${run.done.length} done`)),
      element('div', { class: 'strips' },
        element('p', { class: 'strip' }, element('b', {}, 'Close-up'), ` ${told(reach)} around this instant`), this.canvases.closeup,
        element('p', { class: 'strip' }, element('b', {}, 'The whole run'), this.scale), this.canvases.overview),
    );
    live.append(this.table());
    this.root.classList.add('playing');
    this.state = { running: -1, given: -1, flying: -1, done: -1 };
  }

  /** Sizes are taken here and never while drawing. @param {Look} look */
  fit(look) {
    const { picture, closeup, overview } = this.canvases;
    const [wide, near, whole] = [picture, closeup, overview].map(canvas => canvas.clientWidth); // all before any changes
    this.parts.picture.fit(wide, look);
    this.parts.closeup.fit(near, look);
    if (whole) this.parts.overview.fit(whole, look); // the tour hides it where there is little room
  }

  /** Draw the whole run on a scale of its own, or on that of all runs. @param {boolean} own */
  rescale(own) {
    this.parts.overview.own = own;
    this.scale.textContent = own ? ' on a scale of its own' : '';
  }

  /** @param {number} t @param {number} watched */
  draw(t, watched) {
    const { run } = this;
    this.parts.picture.draw(t, watched);
    this.parts.closeup.draw(t, watched);
    this.parts.overview.draw(t);
    this.tell('running', valueAt(run.running, t));
    if (run.onCpu) this.tell('given', valueAt(run.onCpu, t), 1);
    this.tell('flying', valueAt(run.flying, t));
    this.tell('done', upTo(run.ends, t));
    this.root.classList.toggle('over', this.state.done === run.done.length && run.done.length > 0);
  }

  /** @param {'running' | 'given' | 'flying' | 'done'} name @param {number} value @param {number} digits */
  tell(name, value, digits = 0) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.numbers[name].textContent = value.toFixed(digits);
  }

  /** Every tile as a table, built when it is opened. */
  table() {
    const box = element('details', { class: 'tiles' }, element('summary', {}, 'Every tile as a table'));
    box.addEventListener('toggle', () => {
      if (box.querySelector('table')) return;
      const body = element('tbody'), most = 2000;
      for (const { tile, worker, t } of this.run.done.slice(0, most)) {
        const spans = (this.run.byTile.get(tile) ?? []).filter(span => span.kind === 'p');
        const painted = spans.reduce((sum, span) => sum + span.t1 - span.t0, 0);
        const cells = [String(tile), String(worker), told(spans[0].t0), told(t), told(painted), String(spans.length)];
        body.append(element('tr', {}, ...cells.map(cell => element('td', {}, cell))));
      }
      const heads = ['tile', 'worker', 'begun', 'done', 'painted for', 'in pieces'];
      const head = element('thead', {}, element('tr', {}, ...heads.map(text => element('th', { scope: 'col' }, text))));
      const label = `Tiles of ${this.run.title}`;
      box.append(element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, element('table', {}, head, body)));
      if (this.run.done.length > most) box.append(element('p', { class: 'note' }, `The first ${most}; the saved trace has all.`));
    });
    return box;
  }
}
