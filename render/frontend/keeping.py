"""Keep a picture while it is painted: choose the journal that a draw goes on with, or starts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from render import scene
from render.errors import UsageError
from render.request import Request
from render.storage.journal import Journal
from render.storage.journal_file import JournalFile, identify, open_journals
from render.version import VERSION
from render.wording import join_words


def open_journal(
    request: Request,
    outputs: Sequence[Path],
    say: Callable[[str], None],
    *,
    resume: bool = False,
    fresh: bool = False,
    own_tile: bool = False,
) -> tuple[Request, Journal]:
    """Open the journal of a draw; return it and the request, cut as the journal is where that goes on.

    It lies beside one of the `outputs`, the files that are made: the first, unless an earlier run has kept it beside
    another. resume: go on with the tiles that are kept. fresh: throw away what is kept. With neither, all is painted
    anew, and what is kept stays until the picture is saved. own_tile: the tile's size was asked for, and is not the
    journal's to say. Raises UsageError for a journal of another request, OutputError where another run draws the same
    file.
    """
    found = open_journals(outputs)
    if fresh:
        for journal in found:
            journal.remove()
        found = []
    scene_hash = hashlib.sha256(scene.load(request.scene).path.read_bytes()).hexdigest()
    identity = identify(request, scene_hash, VERSION)
    fitting = [journal for journal in found if _fits(journal, identity, own_tile=own_tile)]
    kept = fitting if resume else []
    if kept:
        assert kept[0].identity is not None
        wide, high = kept[0].identity["tile"]
        request = replace(request, tile=(wide, high))
        identity = identity | {"tile": [wide, high]}
        kept = [journal for journal in kept if journal.identity == identity]
        say(f"going on with {join_words([str(journal.path) for journal in kept])}")
    elif resume:
        _explain_misfit(found, identity, outputs, say)
    elif fitting:
        say(f"{fitting[0].path} keeps tiles of an earlier run: --resume would go on with them; all is painted anew")
    elif found:
        what = "is damaged, or of another version" if found[0].identity is None else "keeps tiles of another picture"
        say(f"{found[0].path} {what}; it goes when this one is saved")
    others = [journal for journal in found if journal not in kept]
    return request, Journal(outputs, identity, say, kept, others)


def _fits(journal: JournalFile, identity: dict[str, object], *, own_tile: bool) -> bool:
    """Tell whether a journal's tiles are those of a request."""
    if journal.identity is None:
        return False
    cut = journal.identity.get("tile")
    if not (isinstance(cut, list) and len(cut) == 2 and all(type(edge) is int and edge > 0 for edge in cut)):
        return False
    return journal.identity == (identity if own_tile else identity | {"tile": cut})


def _explain_misfit(
    found: list[JournalFile], identity: dict[str, object], outputs: Sequence[Path], say: Callable[[str], None]
) -> None:
    """Say that there is nothing to go on with. Raises UsageError where what there is belongs to another request."""
    readable = [journal for journal in found if journal.identity is not None]
    if not readable:
        named = join_words([str(output) for output in outputs])
        why = f"{found[0].path} is damaged, or of another version" if found else f"there is no journal of {named}"
        say(f"{why}: the whole picture is painted anew")
        return
    journal = readable[0]
    for one in found:
        one.close()
    why = _difference(journal.identity or {}, identity)
    cause = f"{journal.path} keeps tiles of another picture: {why}"
    raise UsageError(cause, "draw that one, or add --fresh to throw them away")


def _difference(kept: dict[str, object], asked: dict[str, object]) -> str:
    """Name the first thing in which two identities differ; of parameters the one that differs."""
    drawn, wanted = (_list_drawn(identity.get("drawn")) for identity in (kept, asked))
    for name, value in wanted.items():
        if drawn and drawn.get(name) != value:
            return f"its {name} is {drawn.get(name)!r:.60}, not {value!r:.60}"
    if kept.get("tile") != asked["tile"]:
        return f"its tiles are {kept.get('tile')!r:.60} pixels, not {asked['tile']}"
    if kept.get("scene_sha256") != asked["scene_sha256"]:
        return "its scene's file was another"
    return f"render {kept.get('version')!s:.20} painted them"


def _list_drawn(drawn: object) -> dict[str, object]:
    """List what is drawn, each parameter by its own name; nothing for what is no list of it."""
    if not isinstance(drawn, dict):
        return {}
    parameters = drawn.get("parameters")
    flat = {name: value for name, value in drawn.items() if name != "parameters"}
    return flat | parameters if isinstance(parameters, dict) else drawn
