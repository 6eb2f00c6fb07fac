// A canteen kitchen, or a stadium: where there are too many workers for a place each, each is a figure in a crowd, lit
// while it paints. Of a GPU these are its multiprocessors; how many are lit is what its trace says of the instant.

const MOST_STATIONS = 8; // workers that are drawn one by one

class Crowd extends Scenery {
  /** @param {number} t */
  draw(t) {
    const { sheet, run, unit: u } = this, { g } = sheet, many = run.inside.lanes || run.workers.length;
    const lit = this.lit(t), columns = Math.ceil(Math.sqrt(many * sheet.width / sheet.height)), rows = Math.ceil(many / columns);
    const wide = sheet.width / columns, high = sheet.height / rows, r = Math.max(Math.min(wide, high * 0.7) * 0.32, 0.8);
    sheet.clear();
    for (let i = 0; i < many; i++) {
      const x = (i % columns + 0.5) * wide, y = (Math.floor(i / columns) + 0.62) * high;
      g.globalAlpha = lit(i) ? 1 : 0.22;
      g.fillStyle = run.inside.lanes ? this.look.ink : colourOf(i);
      g.beginPath();
      g.arc(x, y, r, 0, 2 * Math.PI);
      g.fill();
      if (r > 3 * u) g.fillRect(x - r * 0.8, y - r * 1.9, r * 1.6, r * 0.9); // a hat
    }
    g.globalAlpha = 1;
  }

  /** Tell which of them are lit: those workers that paint, or as many multiprocessors as are busy. @param {number} t @returns {(i: number) => boolean} */
  lit(t) {
    const { run, stations } = this;
    if (run.inside.lanes) {
      const busy = valueAt(run.busy, t);
      return i => i < busy;
    }
    return i => stations[i].hands(t).some(hand => hand.state === 'running');
  }
}
