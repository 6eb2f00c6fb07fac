// The kitchen: a chef for each worker, a dish for each tile in hand. The one that is being painted stands on the fire, as
// high as its worker has a CPU; those put aside are hatched; one that waits has a clock.

class Kitchen extends Scenery {
  /** @param {CanvasRenderingContext2D} g @param {Station} station @param {number} x @param {number} wide @param {number} t */
  station(g, station, x, wide, t) {
    const u = this.unit, hands = station.hands(t), slot = Math.min(wide / hands.length, 74 * u);
    const left = x + (wide - slot * hands.length) / 2, top = 70 * u, colour = colourOf(station.worker);
    const at = (/** @type {number} */ place) => left + (place + 0.5) * slot;
    this.counter(g, x + 4 * u, top, wide - 8 * u, station);
    this.chef(g, at(station.stands(t)), top, colour, hands.find(hand => hand.state === 'running'));
    hands.forEach((hand, i) => this.dish(g, at(i), top, Math.min(slot * 0.66, 36 * u), colour, hand));
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} wide @param {Station} station */
  counter(g, x, y, wide, station) {
    const u = this.unit;
    g.fillStyle = this.look.lane;
    g.fillRect(x, y, wide, 20 * u);
    g.fillStyle = this.look.quiet;
    g.fillRect(x, y, wide, 1.5 * u);
    if (this.named) this.text(g, this.run.names[station.worker], x + wide / 2, y + 11 * u, this.look.quiet);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} floor @param {string} colour @param {Hand | undefined} busy */
  chef(g, x, floor, colour, busy) {
    const u = this.unit, given = busy ? busy.given : 0;
    g.globalAlpha = busy ? 0.5 + 0.5 * given : 0.4;
    g.fillStyle = colour;
    g.beginPath(); // shoulders and apron
    g.moveTo(x - 15 * u, floor);
    g.quadraticCurveTo(x - 15 * u, floor - 34 * u, x, floor - 35 * u);
    g.quadraticCurveTo(x + 15 * u, floor - 34 * u, x + 15 * u, floor);
    g.fill();
    g.beginPath();
    g.arc(x, floor - 41 * u, 7.5 * u, 0, 2 * Math.PI);
    g.fill();
    g.fillStyle = '#fff';
    g.strokeStyle = this.look.quiet;
    g.lineWidth = 1 * u;
    g.beginPath(); // the hat
    g.roundRect(x - 7 * u, floor - 54 * u, 14 * u, 8 * u, 1.5 * u);
    g.fill();
    g.stroke();
    g.beginPath();
    for (const [dx, dy, r] of [[-5, -58, 5], [5, -58, 5], [0, -61, 6]]) {
      g.moveTo(x + (dx + r) * u, floor + dy * u);
      g.arc(x + dx * u, floor + dy * u, r * u, 0, 2 * Math.PI);
    }
    g.stroke();
    g.fill();
    g.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} floor @param {number} wide @param {string} colour @param {Hand} hand */
  dish(g, x, floor, wide, colour, hand) {
    const u = this.unit, high = 19 * u, bottom = floor - 9 * u, left = x - wide / 2, top = bottom - high;
    g.fillStyle = this.look.quiet;
    g.fillRect(x - wide * 0.4, floor - 2 * u, wide * 0.8, 2 * u); // the burner
    if (hand.state === 'empty') return;
    const waiting = hand.state === 'waiting', running = hand.state === 'running';
    if (running) this.fire(g, x, floor - 2 * u, wide, hand.given);
    g.beginPath();
    g.roundRect(left, top, wide, high, [2 * u, 2 * u, 6 * u, 6 * u]);
    g.fillStyle = this.look.paper;
    g.fill();
    g.save();
    g.clip();
    if (!waiting) {
      const filled = Math.max(high * hand.progress, 2 * u);
      g.fillStyle = running ? colour : hatch(g, colour);
      g.fillRect(left, bottom - filled, wide, filled);
    }
    g.restore();
    g.strokeStyle = waiting ? this.look.quiet : running ? this.look.ink : colour;
    g.lineWidth = (running ? 2 : 1.3) * u;
    g.setLineDash(waiting ? [2.5 * u, 2.5 * u] : []);
    g.stroke();
    g.setLineDash([]);
    g.beginPath(); // its handles
    for (const side of [-1, 1]) { g.moveTo(x + side * wide / 2, top + 5 * u); g.lineTo(x + side * (wide / 2 + 4 * u), top + 5 * u); }
    g.stroke();
    if (waiting) this.pie(g, x, top + high / 2, 5 * u, hand.progress);
    else if (this.named) this.label(g, x, top + high / 2, hand, running);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {Hand} hand @param {boolean} running */
  label(g, x, y, hand, running) {
    const u = this.unit, text = String(hand.tile);
    g.font = `600 ${11 * u}px ${this.look.font}`;
    const wide = g.measureText(text).width + 5 * u;
    g.fillStyle = this.look.paper;
    g.globalAlpha = 0.85;
    g.fillRect(x - wide / 2, y - 6.5 * u, wide, 13 * u);
    g.globalAlpha = 1;
    this.text(g, text, x, y + 0.5 * u, running ? this.look.ink : this.look.quiet);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} floor @param {number} wide @param {number} given */
  fire(g, x, floor, wide, given) {
    const u = this.unit, high = 8 * u * Math.max(given, 0.15);
    for (const [place, colour] of /** @type {[number, string][]} */ ([[-0.26, '#e8710a'], [0, '#d93025'], [0.26, '#e8710a']])) {
      const middle = x + place * wide;
      g.fillStyle = colour;
      g.beginPath();
      g.moveTo(middle - 4 * u, floor);
      g.quadraticCurveTo(middle - 3 * u, floor - high * 0.7, middle, floor - high);
      g.quadraticCurveTo(middle + 3 * u, floor - high * 0.7, middle + 4 * u, floor);
      g.fill();
    }
  }
}
