"""The theatre: one page that replays all runs on one clock, so that who worked when can be seen.

One file that asks nothing of any server: style, script, picture and spans stand in it, and its content security policy
forbids everything else. It opens from disk, from a mail, in a notebook. Without its script it still shows the picture,
the lanes, the figures and what they mean.

    runs      one run on the page's clock; what its captions need
    words     the sentences beneath a run
    lesson    the questions, and the tour that asks them first
    inside    the streams and multiprocessors of a graphics card
    still     picture and lanes as SVG, for paper and for pages without a script
    record    what the script is given
    page.html, page.css, js/*    the frame; its look; the replay
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template

from render.findings import sentences
from render.frame import Frames
from render.outputs.page import inside, still
from render.outputs.page.lesson import Step, questions, tour
from render.outputs.page.record import packed, record
from render.outputs.page.runs import Run, raced
from render.outputs.page.words import image
from render.wording import count, escape, in_words, listed, time

SUFFIXES = (".html",)
ABOUT = "the theatre: all runs replayed on one clock, in one page"
LARGEST_SIDE = None
MOST_TILES = 200_000  # some 10 MB, which a browser still replays
SCRIPT = "run look picture overview closeup act clock tip controls inside tour main".split()  # noqa: SIM905  (an order)

WAITING = (
    '<div><dt>Waiting</dt><dd>A tile\'s data is <i class="key waiting"></i>not there yet. Nobody can paint it; '
    "somebody can paint another one meanwhile.</dd></div>"
)


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """The page. There is nothing to leave out, so a plain page is the same. The same frames give the same bytes."""
    runs = raced(frames)
    hashes = list(dict.fromkeys(run.frame.sha256 for run in runs))
    pictures = {run.frame.sha256: run.frame.rgb for run in runs}
    images = [hashes.index(run.frame.sha256) for run in runs]
    steps = tour(runs)
    style, script = _part("page.css"), "\n".join(_part(f"js/{name}.js") for name in SCRIPT)
    script = f"(() => {{\n'use strict';\n{script}\n}})();\n"
    return (
        Template(_part("page.html"))
        .substitute(
            title=escape(_title(frames)),
            lead=_lead(frames, runs),
            pictures="".join(_stored(number, packed(pictures[key]), runs[0]) for number, key in enumerate(hashes)),
            waiting=WAITING if any(run.waited_seconds for run in runs) else "",
            many="solo" if len(runs) == 1 else "several",
            acts="\n".join(_acts(runs, images)),
            inside="\n".join(inside.section(run, number) for number, run in enumerate(runs)),
            not_run="".join(_not_run(frames)),
            conclusions="".join(f"<p>{escape(told)}</p>" for told in sentences.conclusions(runs)),
            questions="\n".join(f"<dt>{escape(ask)}</dt><dd>{escape(told)}</dd>" for ask, told in questions(runs)),
            tour="\n".join(_step(number, step) for number, step in enumerate(steps)),
            figures="\n".join(_figures(run) for run in runs),
            facts=_pairs(_facts(runs[0])),
            record=record(runs, images, steps),
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
        .encode()
    )


@cache
def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8").strip().replace("\r\n", "\n")


def _hash(text: str) -> str:
    """As a content security policy names what may be used."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """What is asked and what is told, as a description list has them."""
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>" for name, told in pairs)


def _title(frames: Frames) -> str:
    ways = in_words(len(frames))
    return f"One picture, painted {ways} ways" if len(frames) > 1 else "One picture, and who painted it"


def _lead(frames: Frames, runs: Sequence[Run]) -> str:
    request = frames[0].request
    what = f"{request.scene}, view {request.view}, {request.width} × {request.height} pixels"
    tiles = _cut(runs)
    if len(frames) == 1:
        return f"{escape(what)}, {tiles}. See who painted which of them, and when."
    if frames.identical:
        digest = f"(sha256 <code>{frames[0].sha256[:12]}</code>)"
        same = f"<strong>It is the same picture each time, to the last bit</strong> {digest}."
    else:
        same = "<strong class='alarm'>The pictures differ, which they must not.</strong>"
    return f"{escape(what)}, {escape(tiles)}. {same} What differs is who worked on what, and when."


def _cut(runs: Sequence[Run]) -> str:
    """Into how many tiles; all alike, or for some runs into others."""
    most = max(run.stats.tiles for run in runs)
    others = [run for run in runs if run.stats.tiles and run.frame.request.tile != runs[0].frame.request.tile]
    if len(runs) == 1:
        return f"cut into {count(most, 'tile')}"
    if not others:
        return f"cut into the same {count(most, 'tile')} each time"
    told = listed([f"{run.frame.title} into {run.stats.tiles}" for run in others])
    return f"cut into {count(runs[0].stats.tiles, 'tile')}, for {told}"


def _stored(number: int, source: str, run: Run) -> str:
    wide, high = run.frame.request.width, run.frame.request.height
    return f'<image id="picture-{number}" href="{source}" width="{wide}" height="{high}" preserveAspectRatio="none"/>'


def _acts(runs: Sequence[Run], images: Sequence[int]) -> Iterator[str]:
    """Each run: its name, its picture and lanes, what it shows."""
    end = max((run.length for run in runs), default=0)
    most = max((run.stats.in_flight.max for run in runs), default=1)
    for number, (run, picture) in enumerate(zip(runs, images, strict=True)):
        kitchen, theatre = image(run)
        told = "".join(f"<p>{_marked(escape(sentence))}</p>" for sentence in sentences.of(run))
        yield (
            f'<article class="act" id="run-{number}" aria-labelledby="name-{number}">\n'
            f'<header><h2 id="name-{number}">{escape(run.frame.title)}</h2><p class="took">{time(run.seconds)}</p>'
            f'<p class="image">{escape(kitchen)} <span>{escape(theatre)}</span></p></header>\n'
            f'<div class="live"></div>\n{still.picture(run, picture)}\n{still.timeline(run, end, most)}\n'
            f'<div class="caption">{told}</div>\n</article>'
        )


def _marked(sentence: str) -> str:
    """The two words of the lesson stand out where a trace has shown them."""
    for words in ("This is concurrency.", "This is parallelism."):
        sentence = sentence.replace(words, f"<strong>{words}</strong>")
    return sentence


def _not_run(frames: Frames) -> Iterator[str]:
    for mode, reason in frames.not_run:
        told = reason.removeprefix(f"mode {mode} cannot run here: ")
        yield f'<p class="notrun"><b>{escape(mode)}</b> did not run: {escape(told)}.</p>'


def _step(number: int, step: Step) -> str:
    """A step of the tour as it reads without a script: the question, and the answer to open."""
    options = "".join(f"<li>{escape(option)}</li>" for option in step.options)
    return (
        f'<li class="step"><p class="ask">{escape(step.question)}</p><ul>{options}</ul>'
        f"<details><summary>Answer {number + 1}</summary><p>{escape(step.answer)}</p></details></li>"
    )


def _figures(run: Run) -> str:
    """A row of the table, each figure with its exact value."""
    found = run.stats
    busy = sum(found.busy.values())
    speed_up, mean, first = run.gain.speed_up if run.gain else None, found.on_cpu.mean, found.first_tile_seconds
    spread = run.repeats.spread_percent
    cells: tuple[tuple[str, float | None, str], ...] = (
        ("workers", run.workers, str(run.workers)),
        ("tiles", found.tiles, str(found.tiles)),
        ("seconds", run.seconds, time(run.seconds)),
        ("spread", spread, "–" if spread is None else f"{spread:.0f} %"),
        ("speed-up", speed_up, "–" if speed_up is None else f"{speed_up:.2f}"),
        ("running.max", found.running.max, str(found.running.max)),
        ("running.mean", found.running.mean, f"{found.running.mean:.2f}"),
        ("on_cpu.mean", mean, "–" if mean is None else f"{mean:.2f}"),
        ("in_flight.max", found.in_flight.max, str(found.in_flight.max)),
        ("switches", found.switches, str(found.switches)),
        ("first", first, "–" if first is None else time(first)),
        ("painting", busy, time(busy)),
        ("waiting", run.waited_seconds, time(run.waited_seconds)),
        ("before", run.before / 1e9, time(max(run.before, 0) / 1e9)),
    )
    row = "".join(
        f'<td><data data-figure="{name}" value="{"" if value is None else value}">{told}</data></td>'
        for name, value, told in cells
    )
    return f'<tr><th scope="row">{escape(run.frame.title)}</th>{row}</tr>'


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    """Where and with what it was made."""
    request, facts = run.frame.request, run.frame.trace.facts
    yield (
        "picture",
        f"{request.scene}, view {request.view}, {count(request.samples, 'sample')} a pixel, limit {request.limit}",
    )
    yield "tiles", f"{request.tile[0]} × {request.tile[1]} pixels, in order {request.order}"
    for name in ("cpu", "cpus", "device", "kernel", "system", "python"):
        if name in facts:
            yield name, str(facts[name])
    yield "sha256", run.frame.sha256
