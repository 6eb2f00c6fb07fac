// What is under the pointer, or chosen with the arrow keys: a tile, who painted it, and when.

class Tip {
  /** @param {Act[]} acts @param {Clock} clock @param {() => void} redraw */
  constructor(acts, clock, redraw) {
    this.box = /** @type {HTMLElement} */ (document.getElementById('tip'));
    this.clock = clock;
    this.redraw = redraw;
    this.watched = -1;
    /** @type {(() => [number, number]) | undefined} */
    this.corner = undefined; // where a tile is that was chosen with the keys: its tip stays with it
    for (const act of acts) this.follow(act);
    addEventListener('scroll', () => this.scrolled(), { passive: true });
  }

  /** @param {Act} act */
  follow(act) {
    const { picture, closeup } = act.canvases;
    picture.addEventListener('pointermove', e => this.show(act, act.parts.picture.tileAt(e.offsetX, e.offsetY), e.clientX, e.clientY));
    picture.addEventListener('pointerdown', e => this.show(act, act.parts.picture.tileAt(e.offsetX, e.offsetY), e.clientX, e.clientY));
    closeup.addEventListener('pointermove', e => {
      const { row, time } = act.parts.closeup.under(e.offsetX, e.offsetY, this.clock.now);
      const stay = row && stayAt(row, time);
      if (stay) this.show(act, stay.tile, e.clientX, e.clientY); else this.hide();
    });
    for (const canvas of [picture, closeup]) canvas.addEventListener('pointerleave', () => this.hide());
    picture.addEventListener('keydown', e => this.walk(act, e));
    picture.addEventListener('blur', () => this.hide());
  }

  /** From tile to tile. @param {Act} act @param {KeyboardEvent} e */
  walk(act, e) {
    const { columns } = act.parts.picture, count = columns * Math.ceil(theRecord.height / act.run.tile[1]);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[e.key];
    if (e.key === 'Escape') this.hide();
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    const tile = this.watched < 0 ? 0 : Math.min(Math.max(this.watched + step, 0), count - 1);
    /** @returns {[number, number]} */
    const corner = () => {
      const box = act.canvases.picture.getBoundingClientRect(), place = act.parts.picture.place(tile);
      return [box.left + place.x + place.width, box.top + place.y + place.height];
    };
    this.show(act, tile, ...corner());
    this.corner = corner;
    say(this.box.innerText);
  }

  /** Hide what the pointer showed and is no longer under it; focus may scroll the page after a key was pressed already. */
  scrolled() {
    if (this.corner) this.move(...this.corner()); else this.hide();
  }

  /** @param {Act} act @param {number} tile @param {number} x @param {number} y */
  show(act, tile, x, y) {
    const spans = act.run.byTile.get(tile);
    if (!spans) return this.hide();
    if (this.watched !== tile) this.redraw();
    this.watched = tile;
    this.box.replaceChildren(...this.lines(act.run, tile, spans));
    this.box.hidden = false;
    this.corner = undefined;
    this.move(x, y);
    return undefined;
  }

  /** Beside a point of the window, and within it. @param {number} x @param {number} y */
  move(x, y) {
    const left = Math.min(x + 14, innerWidth - this.box.offsetWidth - 8), top = Math.min(y + 16, innerHeight - this.box.offsetHeight - 8);
    this.box.style.transform = `translate(${Math.max(left, 8)}px, ${Math.max(top, 8)}px)`;
  }

  /** @param {Run} run @param {number} tile @param {Span[]} spans */
  lines(run, tile, spans) {
    const paint = spans.filter(span => span.kind === 'p'), waits = spans.filter(span => span.kind === 'w');
    const sum = (/** @type {Span[]} */ list) => formatTime(list.reduce((all, span) => all + span.t1 - span.t0, 0));
    const line = (/** @type {string} */ text) => element('p', {}, text);
    const lines = [element('p', {}, element('b', {}, `Tile ${tile}`), `, ${run.title}`)];
    for (const worker of new Set(paint.map(span => span.worker))) {
      const [process, thread, device, host] = run.workers[worker];
      const alone = run.workers.every(other => other[0] !== process || other[3] !== host || other === run.workers[worker]);
      const who = device === 'cpu' ? (alone ? 'a process' : 'a thread') : device.includes('stream') ? device : `${device}, stream ${thread}`;
      lines.push(line(run.workers.length > 1 || device !== 'cpu' ? `${run.names[worker]}, ${who}${host && ` on ${host}`}` : run.names[worker]));
    }
    if (waits.length) lines.push(line(`waited ${sum(waits)} for ${run.awaits}`));
    if (!paint.length) return [...lines, line('never painted')];
    const end = paint.reduce((most, span) => Math.max(most, span.t1), 0);
    lines.push(line(`painted from ${formatTime(paint[0].t0)} to ${formatTime(end)}`));
    if (run.onCpu) lines.push(line(`on a CPU for ${formatTime(paint.reduce((all, span) => all + span.cpu, 0))} of that`));
    lines.push(line(paint.length > 1 ? `in ${paint.length} pieces, ${sum(paint)} in all` : `in one piece, ${sum(paint)}`));
    return lines;
  }

  hide() {
    if (this.box.hidden) return;
    this.box.hidden = true;
    this.corner = undefined;
    this.watched = -1;
    this.redraw();
  }
}

/** Say something to those who listen. @param {string} text */
function say(text) {
  /** @type {HTMLElement} */ (document.getElementById('say')).textContent = text;
}
