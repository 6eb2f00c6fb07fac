// The theatre: a stage for each worker, a play for each tile in hand. The one that is being painted is played in the
// light, as bright as its worker has a CPU; the others wait in the wings as flats; an idle stage has its curtain drawn.

class Playhouse extends Scenery {
  /** @param {CanvasRenderingContext2D} g @param {Station} station @param {number} x @param {number} wide @param {number} t */
  station(g, station, x, wide, t) {
    const u = this.unit, hands = station.hands(t), colour = colourOf(station.worker), gap = 4 * u;
    const wings = hands.length > 1 ? Math.min(24 * u, (wide * 0.5) / hands.length) * hands.length : 0;
    const room = Math.min(wide - 2 * gap - wings - (wings ? gap : 0), 150 * u), left = x + (wide - room - wings) / 2 - (wings ? gap / 2 : 0);
    const playing = hands.find(hand => hand.state === 'running');
    this.stage(g, left, room, colour, playing);
    hands.forEach((hand, i) => this.flat(g, left + room + gap + (i * wings) / hands.length, wings / hands.length - 3 * u, colour, hand));
    if (this.named) this.text(g, this.run.names[station.worker], left + room / 2, 90 * u, this.look.quiet);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} wide @param {string} colour @param {Hand | undefined} playing */
  stage(g, x, wide, colour, playing) {
    const u = this.unit, top = 6 * u, high = 72 * u, middle = x + wide / 2;
    g.fillStyle = '#15181e';
    g.fillRect(x, top, wide, high);
    if (playing) {
      g.fillStyle = '#ffe9a8';
      g.globalAlpha = 0.15 + 0.6 * playing.given;
      g.beginPath();
      g.moveTo(middle - 5 * u, top);
      g.lineTo(middle + 5 * u, top);
      g.lineTo(middle + wide * 0.3, top + high);
      g.lineTo(middle - wide * 0.3, top + high);
      g.fill();
      g.globalAlpha = 1;
      const size = Math.min(u, wide * 0.72 / 44); // both between the curtains, 44 units wide
      for (const side of [-1, 1]) this.actor(g, middle + side * 13 * size, top + high - 4 * u, size);
      g.fillStyle = colour;
      g.fillRect(x, top + high, wide * playing.progress, 3 * u);
      if (this.named) this.text(g, `${playing.tile}`, middle, top + 20 * u, '#15181e');
    }
    const drawn = playing ? wide * 0.14 : wide / 2;
    g.fillStyle = colour;
    g.fillRect(x, top, drawn, high);
    g.fillRect(x + wide - drawn, top, drawn, high);
    g.fillStyle = 'rgba(0,0,0,.22)'; // folds
    for (let fold = 4 * u; fold < drawn; fold += 8 * u) { g.fillRect(x + fold, top, 2 * u, high); g.fillRect(x + wide - fold - 2 * u, top, 2 * u, high); }
    g.strokeStyle = this.look.quiet;
    g.lineWidth = 1.5 * u;
    g.strokeRect(x, top, wide, high);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} x @param {number} floor @param {number} u pixels of a unit */
  actor(g, x, floor, u) {
    g.fillStyle = '#15181e';
    g.beginPath();
    g.arc(x, floor - 25 * u, 5 * u, 0, 2 * Math.PI);
    g.fill();
    g.beginPath();
    g.moveTo(x - 8 * u, floor);
    g.quadraticCurveTo(x - 6 * u, floor - 19 * u, x, floor - 19 * u);
    g.quadraticCurveTo(x + 6 * u, floor - 19 * u, x + 8 * u, floor);
    g.fill();
  }

  /** A play that is not on the stage. @param {CanvasRenderingContext2D} g @param {number} x @param {number} wide @param {string} colour @param {Hand} hand */
  flat(g, x, wide, colour, hand) {
    if (wide <= 0 || hand.state === 'empty' || hand.state === 'running') return;
    const u = this.unit, top = 30 * u, high = 48 * u, waiting = hand.state === 'waiting';
    if (!waiting) {
      g.fillStyle = hatch(g, colour);
      g.fillRect(x, top + high * (1 - hand.progress), wide, high * hand.progress);
    }
    g.strokeStyle = waiting ? this.look.quiet : colour;
    g.lineWidth = 1.3 * u;
    g.setLineDash(waiting ? [2.5 * u, 2.5 * u] : []);
    g.strokeRect(x, top, wide, high);
    g.setLineDash([]);
    if (waiting) this.pie(g, x + wide / 2, top + high / 2, Math.min(5 * u, wide / 3), hand.progress);
    else if (this.named) this.text(g, `${hand.tile}`, x + wide / 2, top - 7 * u, this.look.quiet);
  }
}
