"""The speed-up curve: measured points over the number of workers, Amdahl's line, and what could not be passed.

Drawn for the runs of `race --workers 1,2,4`; of any other race, and of a draw, for its plain runs on CPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from render.findings.evidence import Run, build_runs
from render.findings.speed_up import Curve, amdahl, build_curve, measure_curve
from render.frame import Frame
from render.swatches import COLOURS
from render.wording import count, escape_html, format_time

SUFFIXES = (".speed-up.svg",)
ABOUT = "the speed-up over the number of workers, with Amdahl's law"
LARGEST_SIDE = None
MOST_TILES = None
KEEPS_PIXELS = False
open_sink = None

WIDTH, HEIGHT = 640, 400  # pixels
LEFT, RIGHT, TOP, FOOT = 56, 150, 24, 48
STYLE = """\
text{font:12px system-ui,sans-serif;fill:#24292f}.q{fill:#57606a}.t{text-anchor:middle}.e{text-anchor:end}\
.g{stroke:#8c959f55}.i{stroke:#8c959f;stroke-dasharray:2 4;fill:none}.a{fill:none;stroke-width:2;stroke-dasharray:7 4}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.q{fill:#9198a1}}"""


def write(frames: Sequence[Frame], *, plain: bool = False) -> bytes:
    """Draw the curve as SVG, for light and dark."""
    entered = build_runs(frames)
    return draw_curve(build_curve(entered) or measure_curve([run for run in entered if _counts(run)]))


def draw_curve(curve: Curve | None) -> bytes:
    """Draw a curve, or say that there is none, as SVG for light and dark."""
    body = _draw(curve) if curve else [f'<text x="{LEFT}" y="{TOP + 20}">no run to draw a curve from</text>']
    title = "Speed-up over the number of workers"
    points = curve.points if curve else ()
    said = "; ".join(f"{count(point.workers, 'worker')}: {point.speed_up:.2f}" for point in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img"><title>{title}: {escape_html(said)}</title>\n<style>{STYLE}</style>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    ).encode()


def _counts(run: Run) -> bool:
    """Tell if a run can be a point: it took its workers one tile at a time, and its baseline is known."""
    own = run.frame.request.in_flight == 1 and run.story is None
    return own and bool(run.stats.tiles) and not run.stats.on_gpu and not run.frame.simulated and run.seconds > 0


def _draw(curve: Curve) -> list[str]:
    most = max(*(point.workers for point in curve.points), 2)
    high = max(ceil(max(point.speed_up for point in curve.points)), min(most, curve.cpus or most), 2)
    colour = COLOURS[0]

    def place(workers: float, gain: float) -> tuple[float, float]:
        x = LEFT + (workers - 1) / (most - 1) * (WIDTH - LEFT - RIGHT)
        return round(x, 1), round(HEIGHT - FOOT - gain / high * (HEIGHT - FOOT - TOP), 1)

    def line(gains: Sequence[tuple[float, float]], name: str, style: str = "") -> str:
        points = " ".join(f"{x},{y}" for x, y in (place(workers, gain) for workers, gain in gains))
        return f'<polyline class="{name}" points="{points}"{style}/>'

    numbers = range(1, most + 1) if most <= 16 else sorted({1, *(point.workers for point in curve.points)})
    body = [f'<path class="g" d="M{LEFT} {place(1, gain)[1]}H{WIDTH - RIGHT}"/>' for gain in range(high + 1)]
    body += [f'<text class="e q" x="{LEFT - 8}" y="{place(1, g)[1] + 4}">{g}</text>' for g in _ticks(high)]
    body += [f'<text class="t q" x="{place(n, 0)[0]}" y="{HEIGHT - FOOT + 18}">{n}</text>' for n in numbers]
    body.append(f'<text class="t" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}">workers</text>')
    doubt = f"; {curve.doubt}: run it again" if curve.doubt else ""
    head = f"times as fast as {curve.base}, {format_time(curve.base_seconds)}{doubt}"
    body.append(f'<text x="8" y="14">{escape_html(head)}</text>')
    reach = min(most, curve.cpus or most)
    ideal = [(1.0, 1.0), (float(reach), float(reach)), (float(most), float(reach))]
    body.append(line(ideal, "i"))
    body.append(_label(place(most, reach), "a CPU for each" if reach == most else f"all {reach} CPUs busy", "q"))
    if curve.serial is not None:
        steps = [1 + (most - 1) * step / 48 for step in range(49)]
        body.append(line([(n, amdahl(curve.serial, min(n, reach))) for n in steps], "a", f' style="stroke:{colour}"'))
        end = place(most, amdahl(curve.serial, reach))
        if abs(end[1] - place(most, reach)[1]) > 14:
            body.append(_label(end, f"Amdahl, {100 * curve.serial:.1f} % serial", ""))
    for point in curve.points:
        x, y = place(point.workers, point.speed_up)
        body.append(
            f'<circle cx="{x}" cy="{y}" r="5" style="fill:{colour}"><title>{point.speed_up:.2f}</title></circle>'
        )
        body.append(f'<text class="t" x="{x}" y="{y + 20}">{point.speed_up:.2f}</text>')
    return body


def _ticks(high: int) -> range:
    return range(0, high + 1, max(high // 8, 1))


def _label(at: tuple[float, float], text: str, name: str) -> str:
    return f'<text class="{name}" x="{at[0] + 10}" y="{at[1] + 4}">{text}</text>'
