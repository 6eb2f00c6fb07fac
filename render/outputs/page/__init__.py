"""The theatre: one page that replays all runs on one clock, so that who worked when can be seen.

One file that asks nothing of any server: style, script, picture and spans stand in it, and its content security policy
forbids everything else. It opens from disk, from a mail, in a notebook. Without its script it still shows the picture,
the lanes, the figures and what they mean.

    runs           one run on the page's clock; which runs belong together
    words          images, instants and times in words
    first_screen   the two words, the four ways to work, one question to guess
    acts, still    the stage: each run; picture and lanes as SVG, for paper and for pages without a script
    inside         the streams and multiprocessors of a GPU
    lesson         what a lesson has of its own
    questions      the questions that the page answers; tour: those that it asks first
    systems        which real systems work alike; mistakes: what is often believed, and what the runs show of it
    figures        all figures as a table
    record         what the script is given; recorded: a run of a GPU elsewhere, for pages without one
    parts          the files that the page is made of, and the head that it shares with the server's pages
    head.html, page.html, css/*, js/*    the frame; its look; the replay
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from string import Template

from render.findings import conclusions
from render.findings.sheets import describe_sheet
from render.frame import Frames
from render.outputs.page import figures, inside
from render.outputs.page.acts import build_stage
from render.outputs.page.first_screen import ask_bet, build_table, choose_cells
from render.outputs.page.lesson import build_lesson, mark_tiles
from render.outputs.page.mistakes import answer_beliefs
from render.outputs.page.parts import build_head, read_part
from render.outputs.page.questions import answer_questions
from render.outputs.page.record import encode_picture, encode_record
from render.outputs.page.recorded import choose_recorded, stamp
from render.outputs.page.runs import Run, build_runs, group_runs
from render.outputs.page.systems import describe_systems
from render.outputs.page.tour import Step, build_tour
from render.wording import count, escape_html, in_words, join_words

SUFFIXES = (".html",)
ABOUT = "the theatre: all runs replayed on one clock, in one page"
LARGEST_SIDE = None
MOST_TILES = 200_000  # some 10 MB, which a browser still replays
KEEPS_PIXELS = False
open_sink = None
STYLE = ("tokens", "page", "ways", "stage", "lesson", "tour", "print")  # an order
SCRIPT = (  # an order
    *("run", "look", "picture", "overview", "closeup", "station", "kitchen", "playhouse", "crowd"),
    *("act", "clock", "tip", "controls", "inside", "ways", "tour", "main"),
)


def write(frames: Frames, *, plain: bool = False) -> bytes:
    """Write the page. There is nothing to leave out of a plain one. The same frames give the same bytes."""
    runs, lesson = build_runs(frames), frames.explanation
    groups = group_runs(runs)
    cells = {} if lesson else choose_cells(groups)
    hashes = list(dict.fromkeys(run.frame.sha256 for run in runs))
    pictures = {run.frame.sha256: run.frame.rgb for run in runs}
    images = [hashes.index(run.frame.sha256) for run in runs]
    title = escape_html(lesson.question if lesson else _title(frames))
    steps, elsewhere = build_tour(runs), choose_recorded(frames)
    style = "\n".join(read_part(f"css/{name}.css") for name in STYLE)
    script = "\n".join(read_part(f"js/{name}.js") for name in SCRIPT)
    script = f"(() => {{\n'use strict';\n{script}\n}})();\n"
    return (
        Template(read_part("page.html"))
        .substitute(
            head=_build_head(title, style, script),
            title=title,
            lead=_write_lead(frames, runs),
            pictures="".join(
                _store_picture(number, encode_picture(pictures[key]), runs[0]) for number, key in enumerate(hashes)
            ),
            waiting=_define_waiting(runs),
            ways=build_table(cells, runs),
            lesson=build_lesson(lesson, runs, images),
            stage=build_stage(groups, runs, images, lesson),
            inside="\n".join(_build_insides(runs, elsewhere)),
            not_run="".join(_list_not_run(frames)),
            conclusions="".join(f"<p>{escape_html(text)}</p>" for text in conclusions.of_race(runs)),
            questions=_build_pairs(answer_questions(runs, frames.not_run)),
            tour="\n".join(_build_step(number, step) for number, step in enumerate(steps)),
            answers="".join(f"<li>{escape_html(f'{step.options[step.right]}. {step.answer}')}</li>" for step in steps),
            systems=_build_pairs(describe_systems(runs)),
            beliefs=_build_beliefs(runs),
            figures=figures.build_rows(runs),
            facts=figures.build_facts(runs),
            record=encode_record(runs, images, steps, elsewhere, marks=mark_tiles(lesson), bet=ask_bet(cells, runs)),
            script=script,
        )
        .encode()
    )


def _build_insides(runs: Sequence[Run], elsewhere: Run | None) -> Iterator[str]:
    """Build the part about each GPU, that of the recorded one last."""
    yield from (inside.build_section(run, number) for number, run in enumerate(runs))
    if elsewhere is not None:
        yield inside.build_section(elsewhere, len(runs), stamp(elsewhere))


def _build_head(title: str, style: str, script: str) -> str:
    """Build the page's head; its policy allows this style and this script, and nothing else."""
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return build_head(title, meta, f"<style>{style}</style>")


def _hash(text: str) -> str:
    """Name what may be used as a content security policy does."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _build_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Build the HTML of questions and answers, as a description list has them."""
    return "\n".join(f"<dt>{escape_html(name)}</dt><dd>{escape_html(text)}</dd>" for name, text in pairs)


def _title(frames: Frames) -> str:
    ways = in_words(len(frames))
    sheet = describe_sheet(frames[0])
    if sheet is not None:
        return sheet.title
    return f"One picture, painted {ways} ways" if len(frames) > 1 else "One picture, and who painted it"


def _write_lead(frames: Frames, runs: Sequence[Run]) -> str:
    """Write as HTML what is painted, that it is the same each time, and what differs."""
    sheet = describe_sheet(frames[0])
    if sheet is not None:
        shown = f"<bdi>{escape_html(sheet.shows)}</bdi>"
        return f"{shown}. Each tile is {sheet.tile}, small. See who did what, and when."
    request = frames[0].request
    scene, view = (f"<bdi>{escape_html(name)}</bdi>" for name in (request.scene, request.view))  # written either way
    what = f"{scene}, view {view}, {request.width} × {request.height} pixels"
    tiles = _describe_cut(runs)
    if len(frames) == 1:
        return f"{what}, {tiles}. See who painted which of them, and when."
    if frames.identical:
        same = "<strong>It is the same picture each time, to the last bit.</strong>"
    elif frames.explanation:
        same = "<strong>The pictures are not all the same: that is what this lesson is about.</strong>"
    else:
        same = "<strong class='alarm'>The pictures differ, which they must not.</strong>"
    return f"{what}, {escape_html(tiles)}. {same} What differs is who worked on what, and when."


def _describe_cut(runs: Sequence[Run]) -> str:
    """Say into how many tiles; all alike, or for some runs into others."""
    most = max(run.tiles_in_all for run in runs)
    others = [run for run in runs if run.stats.tiles and run.frame.request.tile != runs[0].frame.request.tile]
    if len(runs) == 1:
        only = runs[0].frame.request.only_tile
        return f"cut into {count(most, 'tile')}{'' if only is None else f', of which tile {only} alone was asked for'}"
    if not others:
        return f"cut into the same {count(most, 'tile')} each time"
    cut = join_words([f"{run.frame.title} into {run.tiles_in_all}" for run in others])
    return f"cut into {count(runs[0].tiles_in_all, 'tile')}, for {cut}"


def _store_picture(number: int, source: str, run: Run) -> str:
    wide, high = run.frame.request.width, run.frame.request.height
    return f'<image id="picture-{number}" href="{source}" width="{wide}" height="{high}" preserveAspectRatio="none"/>'


def _define_waiting(runs: Sequence[Run]) -> str:
    """Write as HTML what waiting means, where tiles waited for something."""
    awaited = dict.fromkeys(run.waits_for for run in runs if run.waited_seconds)
    if not awaited:
        return ""
    return (
        '<div><dt>Waiting</dt><dd>A tile <i class="key waiting"></i><b>waits</b> for '
        f"{escape_html(' or '.join(awaited))}. Nobody can paint it yet; somebody can paint another one meanwhile."
        "</dd></div>"
    )


def _list_not_run(frames: Frames) -> Iterator[str]:
    for mode, reason in frames.not_run:
        why = reason.removeprefix(f"mode {mode} cannot run here: ")
        yield f'<p class="notrun"><b>{escape_html(mode)}</b> did not run: {escape_html(why)}.</p>'


def _build_step(number: int, step: Step) -> str:
    """Build a step of the tour as it reads without a script: the question, and the answer to open."""
    options = "".join(f"<li>{escape_html(option)}</li>" for option in step.options)
    return (
        f'<li class="step"><p class="ask">{escape_html(step.question)}</p><ul>{options}</ul>'
        f"<details><summary>Answer {number + 1}</summary><p>{escape_html(step.answer)}</p></details></li>"
    )


def _build_beliefs(runs: Sequence[Run]) -> str:
    """Build the HTML of what is often believed; nothing where the runs show nothing of it."""
    pairs = _build_pairs(answer_beliefs(runs))
    if not pairs:
        return ""
    return (
        '<section class="beliefs" aria-labelledby="believed"><h2 id="believed">Often believed, and what these runs show'
        f"</h2><dl>{pairs}</dl></section>"
    )
