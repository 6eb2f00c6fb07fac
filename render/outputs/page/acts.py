"""The stage: each run with its picture, its lanes and what it shows; runs that belong together stand together."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence

from render.findings import sentences, stories
from render.findings.explanation import Explanation
from render.findings.speed_up import build_curve
from render.outputs import speed_up
from render.outputs.page import still
from render.outputs.page.runs import Group, Run
from render.outputs.page.words import describe_image
from render.wording import as_sentence, count, escape_html, format_time

CONCURRENCY, PARALLELISM = "This is concurrency.", "This is parallelism."


def build_stage(groups: Sequence[Group], runs: Sequence[Run], images: Sequence[int], lesson: Explanation | None) -> str:
    """Build the HTML of all runs. `images`: the picture of each; a lesson may frame tiles of one of them."""
    acts = list(_build_acts(runs, images, lesson))
    many = "solo" if len(runs) == 1 else "several"
    sections = []
    for group in groups:
        title, about = _describe_group(group, alone=len(groups) == 1)
        inside = "\n".join(acts[runs.index(run)] for run in group.runs)
        lead = f'<p class="note">{escape_html(about)}</p>' if about else ""
        lead += _draw_curve(runs) if group.story == stories.CURVE else ""
        sections.append(
            f'<section class="group"><h2>{escape_html(title)}</h2>{lead}\n'
            f'<div class="stage {many}">\n{inside}\n</div></section>'
        )
    return "\n".join(sections)


def _describe_group(group: Group, *, alone: bool) -> tuple[str, str]:
    wait = format_time(group.wait_ns / 1e9)
    if group.story == stories.CURVE:
        return "More workers", "How much faster do more workers make it? The dashed line is Amdahl's law."
    if group.story:
        story = stories.STORIES.get(group.story)
        about = f"{as_sentence(story.about)} Here that takes {wait} for each tile." if story else ""
        return f"The story of the {group.story}", about
    if alone:
        return "The replay", f"Each tile first waits {wait} for its data." if group.wait_ns else ""
    if group.wait_ns:
        return "With waiting", f"Each tile first waits {wait} for its data, as a web server waits for its database."
    return "With nothing to wait for", "Every tile can be painted as soon as a worker takes it."


def _draw_curve(runs: Sequence[Run]) -> str:
    """HTML of the speed-up curve, as a picture, which brings its own style and its own dark side."""
    curve = build_curve(runs)
    if curve is None:
        return ""
    points = ", ".join(f"{count(point.workers, 'worker')}: {point.speed_up:.2f}" for point in curve.points)
    source = b64encode(speed_up.draw_curve(curve)).decode()
    return (
        f'<p><img class="curve" width="{speed_up.WIDTH}" height="{speed_up.HEIGHT}" '
        f'alt="Times as fast as one worker, by workers. {points}" src="data:image/svg+xml;base64,{source}"></p>'
    )


def _build_acts(runs: Sequence[Run], images: Sequence[int], lesson: Explanation | None) -> Iterator[str]:
    """Build each run: its name, its picture and lanes, what it shows."""
    end = max((run.length for run in runs), default=0)
    most = max((run.stats.in_flight.max for run in runs), default=1)
    close_up = lesson.close_up if lesson else None
    for number, (run, picture) in enumerate(zip(runs, images, strict=True)):
        kitchen, theatre = describe_image(run)
        caption = "".join(f"<p>{_mark_words(escape_html(sentence))}</p>" for sentence in sentences.of(run))
        marked = close_up.tiles if close_up and close_up.run == number else ()
        key = f'<p class="marked">{escape_html(close_up.mark)}</p>' if close_up and marked else ""
        yield (
            f'<article class="act" id="run-{number}" aria-labelledby="name-{number}">\n'
            f'<header><h3 id="name-{number}">{escape_html(run.frame.title)}</h3>'
            f"{_build_time(run)}"
            f'<p class="image"><span class="kitchen">{escape_html(kitchen)}</span> '
            f'<span class="theatre">{escape_html(theatre)}</span></p></header>\n'
            f'<div class="live"></div>\n{still.draw_picture(run, picture, marked)}\n'
            f'{still.draw_timeline(run, end, most)}\n<div class="caption">{key}{caption}</div>\n</article>'
        )


def _build_time(run: Run) -> str:
    """Build the HTML of how long a run took; a simulator's times mean nothing."""
    return "" if run.frame.simulated else f'<p class="took">{format_time(run.seconds)}</p>'


def _mark_words(sentence: str) -> str:
    """Make the two words of the lesson stand out where a trace has shown them."""
    for words in (CONCURRENCY, PARALLELISM):
        sentence = sentence.replace(words, f"<strong>{words}</strong>")
    return sentence
