// The tour: a question about an instant at which the replay stands, a guess, then the replay up to what was asked. It
// asks before it shows, hides only what gives the answer away, and leaves what the answer names in view.

/** @typedef {{question: string, options: string[], right: number, answer: string, at: number, start: number, end: number, runs: number[], hides: string}} Step */

class Tour {
  /** @param {Step[]} steps @param {Clock} clock @param {Controls} controls @param {Act[]} acts */
  constructor(steps, clock, controls, acts) {
    this.steps = steps;
    this.clock = clock;
    this.controls = controls;
    this.acts = acts;
    this.section = /** @type {HTMLElement} */ (document.getElementById('tour'));
    /** @type {number | undefined} the pace before the tour */
    this.usual = undefined;
    this.panel = element('div', { class: 'panel step', role: 'region', 'aria-label': 'Guided tour', tabindex: '-1' });
    this.panel.hidden = true;
    this.start = element('button', { type: 'button', class: 'start' }, `Tour: ${steps.length} ${steps.length === 1 ? 'question' : 'questions'}`);
    this.section.hidden = !steps.length;
    if (!steps.length) return;
    document.body.append(this.panel);
    this.start.addEventListener('click', () => this.open(0));
    /** @type {HTMLElement} */ (document.querySelector('#bar .play')).after(this.start);
    const again = element('button', { type: 'button' }, 'Ask me one by one');
    again.addEventListener('click', () => this.open(0));
    this.section.append(again);
    addEventListener('keydown', e => { if (e.key === 'Escape' && !this.panel.hidden) this.close(); });
  }

  /** Hide what must not be seen while it asks: 'now', 'after', or nothing. @param {string} hides */
  hide(hides) {
    document.body.classList.toggle('hides-now', hides === 'now');
    document.body.classList.toggle('hides-after', hides === 'after');
  }

  /** Only the runs that a question names stay on the stage. @param {number[]} runs */
  focus(runs) {
    this.acts.forEach((act, i) => act.root.classList.toggle('elsewhere', runs.length > 0 && !runs.includes(i)));
    for (const group of document.querySelectorAll('.group')) group.classList.toggle('elsewhere', !group.querySelector('.act:not(.elsewhere)'));
    document.body.dataset.asks = runs.length === 1 ? 'one' : 'several';
    this.controls.refit();
  }

  /** @param {number} number */
  open(number) {
    const step = this.steps[number];
    this.usual ??= this.clock.pace;
    this.controls.go(step.at);
    this.hide(step.hides);
    const heading = element('p', { class: 'count' }, `Question ${number + 1} of ${this.steps.length}`);
    const close = element('button', { type: 'button', class: 'close', 'aria-label': 'End the tour' }, '×');
    close.addEventListener('click', () => this.close());
    const options = element('div', { class: 'options' });
    const answer = element('div', { class: 'answer', role: 'status' });
    step.options.forEach((option, i) => {
      const button = element('button', { type: 'button' }, option);
      button.addEventListener('click', () => this.reveal(number, i, options, answer));
      options.append(button);
    });
    this.panel.replaceChildren(heading, close, element('p', { class: 'ask' }, step.question), options, answer);
    this.panel.hidden = false;
    document.body.classList.add('touring');
    this.focus(step.runs);
    this.panel.focus({ preventScroll: true });
    this.view(step);
  }

  /** @param {number} number @param {number} chosen @param {HTMLElement} options @param {HTMLElement} answer */
  reveal(number, chosen, options, answer) {
    const step = this.steps[number], last = number + 1 === this.steps.length;
    this.hide('');
    this.controls.refit();
    [...options.children].forEach((button, i) => {
      button.toggleAttribute('disabled', true);
      if (i === step.right) button.classList.add('right');
      if (i === chosen) button.classList.add('chosen');
    });
    const again = element('button', { type: 'button' }, 'Show again'), next = element('button', { type: 'button', class: 'next' }, last ? 'End the tour' : 'Next question');
    again.addEventListener('click', () => this.replay(step));
    next.addEventListener('click', () => last ? this.close() : this.open(number + 1));
    const verdict = chosen === step.right ? 'Right.' : `Not quite: ${step.options[step.right]}.`;
    answer.replaceChildren(element('p', {}, element('b', {}, verdict), ` ${step.answer}`), element('div', { class: 'options' }, again, next));
    next.focus({ preventScroll: true });
    this.view(step);
    this.replay(step);
  }

  /** Bring what is asked about above the panel. @param {Step} step */
  view(step) {
    const [first] = step.runs.length ? step.runs : [0];
    const room = innerHeight - this.panel.offsetHeight;
    document.documentElement.style.setProperty('--room', `${Math.round(room)}px`);
    this.acts[first].root.scrollIntoView({ block: 'start', behavior: calm.matches ? 'auto' : 'smooth' });
  }

  /** The time that leads to what was asked, slow enough to be seen. @param {Step} step */
  replay(step) {
    const { clock } = this;
    clock.pace = PACES.find(pace => (step.end - step.start) / 1e9 * pace >= 5) ?? clock.pace;
    clock.now = step.start;
    this.controls.moved = true;
    clock.play(step.end);
  }

  close() {
    this.panel.hidden = true;
    this.hide('');
    this.focus([]);
    document.body.classList.remove('touring');
    this.clock.pace = this.usual ?? this.clock.pace;
    this.usual = undefined;
    this.clock.pause();
    this.controls.refit();
    this.start.focus({ preventScroll: true });
  }
}
