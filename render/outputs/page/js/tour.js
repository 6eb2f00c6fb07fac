// The tour: a question, a guess, then the replay that shows the answer. It asks before it tells.

class Tour {
  /** @param {{question: string, options: string[], right: number, answer: string, start: number, end: number, run: number}[]} steps @param {Clock} clock @param {Controls} controls */
  constructor(steps, clock, controls) {
    this.steps = steps;
    this.clock = clock;
    this.controls = controls;
    this.section = /** @type {HTMLElement} */ (document.getElementById('tour'));
    /** @type {number | undefined} the pace before the tour */
    this.usual = undefined;
    this.panel = element('div', { class: 'panel step', role: 'region', 'aria-label': 'Guided tour', tabindex: '-1' });
    this.panel.hidden = true;
    const start = element('button', { type: 'button', class: 'start less' }, `Guided tour: ${steps.length} questions`);
    this.start = start;
    this.section.hidden = !steps.length;
    if (!steps.length) return;
    document.body.append(this.panel);
    start.addEventListener('click', () => this.open(0));
    /** @type {HTMLElement} */ (document.getElementById('bar')).append(start);
    const again = element('button', { type: 'button' }, 'Ask me one by one');
    again.addEventListener('click', () => this.open(0));
    this.section.append(again);
    addEventListener('keydown', e => { if (e.key === 'Escape' && !this.panel.hidden) this.close(); });
  }

  /** While it asks, nothing on the stage may tell. @param {boolean} drawn */
  curtain(drawn) { document.body.classList.toggle('asking', drawn); }

  /** @param {number} number */
  open(number) {
    const step = this.steps[number];
    this.usual ??= this.clock.pace;
    this.controls.go(0);
    this.curtain(true);
    const heading = element('p', { class: 'count' }, `Predict: ${number + 1} of ${this.steps.length}`);
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
    this.panel.focus({ preventScroll: true });
    const where = document.getElementById(`run-${Math.max(step.run, 0)}`);
    where?.scrollIntoView({ block: 'start', behavior: calm.matches ? 'auto' : 'smooth' });
  }

  /** @param {number} number @param {number} chosen @param {HTMLElement} options @param {HTMLElement} answer */
  reveal(number, chosen, options, answer) {
    const step = this.steps[number], last = number + 1 === this.steps.length;
    this.curtain(false);
    [...options.children].forEach((button, i) => {
      button.toggleAttribute('disabled', true);
      if (i === step.right) button.classList.add('right');
      if (i === chosen) button.classList.add('chosen');
    });
    const again = element('button', { type: 'button' }, 'Show again'), next = element('button', { type: 'button', class: 'next' }, last ? 'Done' : 'Next question');
    again.addEventListener('click', () => this.replay(step));
    next.addEventListener('click', () => last ? this.close() : this.open(number + 1));
    const verdict = chosen === step.right ? 'As you said.' : `No: ${step.options[step.right]}.`;
    answer.replaceChildren(element('p', {}, element('b', {}, verdict), ` ${step.answer}`), element('div', { class: 'options' }, again, next));
    next.focus({ preventScroll: true });
    this.replay(step);
  }

  /** The moment that the step is about, slow enough to be seen. @param {{start: number, end: number}} step */
  replay(step) {
    const { clock } = this;
    clock.pace = PACES.find(pace => (step.end - step.start) / 1e9 * pace >= 4) ?? clock.pace;
    clock.now = step.start;
    this.controls.moved = true;
    clock.play(step.end);
  }

  close() {
    this.panel.hidden = true;
    this.curtain(false);
    document.body.classList.remove('touring');
    this.clock.pace = this.usual ?? this.clock.pace;
    this.usual = undefined;
    this.clock.pause();
    this.start.focus({ preventScroll: true });
  }
}
