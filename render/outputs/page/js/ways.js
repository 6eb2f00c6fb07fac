// The first screen: the four ways to work as small replays, and the bet: which of them finishes first?

/** @typedef {{question: string, runs: number[], right: number[], times: string[], answer: string, end: number}} Bet */

const BET = 14; // seconds that the replay of a bet should take

class Ways {
  /** @param {Run[]} runs @param {Controls} controls @param {Bet | null} bet */
  constructor(runs, controls, bet) {
    this.controls = controls;
    this.bet = bet;
    this.runs = runs;
    /** @type {{root: HTMLElement, canvas: HTMLCanvasElement, run: number, scenery: Scenery, button: HTMLElement}[]} */
    this.cells = [...document.querySelectorAll('.ways [data-run]')].map(cell => {
      const root = /** @type {HTMLElement} */ (cell), run = Number(root.dataset.run);
      const canvas = /** @type {HTMLCanvasElement} */ (element('canvas', { class: 'scenery', role: 'img', 'aria-label': `${runs[run].title} as a kitchen or a theatre, at this instant` }));
      root.querySelector('.live')?.append(canvas);
      root.classList.add('playing');
      return { root, canvas, run, scenery: sceneryOf('kitchen', canvas, runs[run], false), button: element('button', { type: 'button', class: 'guess' }, 'This one') };
    });
    if (bet && this.cells.length) this.ask(bet);
  }

  /** @param {Bet} bet */
  ask(bet) {
    const place = /** @type {HTMLElement} */ (document.getElementById('bet'));
    this.answer = element('div', { role: 'status' });
    place.append(element('p', { class: 'ask' }, bet.question), this.answer);
    for (const cell of this.cells) {
      cell.button.setAttribute('aria-label', `${this.runs[cell.run].title} finishes first`);
      cell.button.addEventListener('click', () => this.reveal(bet, cell.run));
      cell.root.append(cell.button);
    }
  }

  /** Say who was first, and replay it to the end. @param {Bet} bet @param {number} guess */
  reveal(bet, guess) {
    for (const { root, run, button } of this.cells) {
      const place = bet.runs.indexOf(run), right = bet.right.includes(run);
      root.classList.toggle('first', right);
      button.replaceWith(element('p', { class: 'finish' }, element('b', {}, bet.times[place]), right ? ' first' : '', run === guess ? ' · your guess' : ''));
    }
    const again = element('button', { type: 'button' }, 'Replay it');
    again.addEventListener('click', () => this.replay(bet));
    this.answer?.replaceChildren(element('p', {}, element('b', {}, bet.right.includes(guess) ? 'Right.' : 'Not quite.'), ` ${bet.answer}`), again);
    again.focus({ preventScroll: true });
    this.replay(bet);
  }

  /** @param {Bet} bet */
  replay(bet) {
    const { clock } = this.controls;
    clock.pace = PACES.find(pace => bet.end / 1e9 * pace >= BET) ?? clock.pace;
    clock.now = 0;
    this.controls.moved = true;
    clock.play(bet.end);
  }

  /** @param {string} image */
  picturedAs(image) { for (const cell of this.cells) cell.scenery = sceneryOf(image, cell.canvas, this.runs[cell.run], false); }

  /** Sizes are taken here and never while drawing. @param {Look} look */
  fit(look) {
    const widths = this.cells.map(({ canvas }) => canvas.clientWidth); // before any changes
    this.cells.forEach(({ scenery }, i) => { if (widths[i]) scenery.fit(widths[i], look); });
  }

  /** @param {number} t */
  draw(t) { for (const { scenery } of this.cells) scenery.draw(t); }
}
