"""Scenes are files: found, loaded, checked rule by rule, and given what they ask for in the request's precision."""

from __future__ import annotations

import importlib
import signal
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine, lanes, scene
from render.contract import rules as scene_rules
from render.errors import SceneError, UnknownName, UsageError
from render.frontend import signals
from render.request import HIGHEST_LIMIT, Request

DISC = '''\
"""A disc that grows.

More about it.
"""
from render.lanes import fma, where

LIMIT = 20
PRECISION = "f32"
ABSORBING = True
PARAMETERS = {
    "zoom": (1.0, 1e-3, 1e6, "Magnification."),
    "size": (2.0, 0.0, 9.0, "Radius."),
    "colour": ("red", ("red", "blue"), "Of the disc."),
}
VIEWS = {
    "near": {"zoom": 4.0},
    "far": {"zoom": 0.5, "limit": 40},
}


def prepare(parameters, size):
    return {"reach": parameters.size * parameters.size, "ramp": [0.0, 0.5, 1.0], "wide": size[0]}


def start(x, y, p):
    return 0.0, x, y


def step(state, p):
    n, x, y = state
    return n + 1.0, x, y


def alive(state, p):
    n, x, y = state
    return fma(x, x, y * y) + n < p.reach


def shade(state, steps, p):
    return where(alive(state, p), 0.0, 0.5), 0.25, steps * 0.01
'''
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a scene file, the disc with changes: `write(("LIMIT = 20", "LIMIT = 0"))`; gives its path."""

    def written(*changes: tuple[str, str], name: str = "disc.py") -> str:
        text = DISC
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


def line_of(path: str, text: str) -> int:
    """The number of the first line that starts so."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


def refused(path: str) -> SceneError:
    with pytest.raises(SceneError) as caught:
        scene.load(path)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value


def asked(path: str, ask: Callable[..., Request], **changes: Any) -> tuple[Any, ...]:
    return scene.load(path).prepared(ask(scene=path, **changes))


def test_our_own_scenes_are_found_by_name() -> None:
    assert {"mandelbrot", "still_life"} <= set(scene.names())
    assert scene.load("mandelbrot").name == "mandelbrot"


def test_a_name_and_the_path_of_its_file_are_the_same_scene() -> None:
    by_name = scene.load("mandelbrot")
    assert scene.load(str(scene.scene_folder() / "mandelbrot.py")) is by_name


def test_a_file_tells_all_about_its_scene(write: Write) -> None:
    disc = scene.load(write())
    assert (disc.name, disc.about, disc.limit, disc.precision) == ("disc", "A disc that grows.", 20, "f32")
    assert (disc.absorbing, disc.inside_flat) == (True, False)
    assert set(disc.functions) == {"start", "step", "alive", "shade", "prepare"}
    assert list(disc.views) == ["near", "far"]


def test_every_scene_has_the_parameters_that_frame_it(write: Write) -> None:
    assert set(scene.load(write()).parameters) == {"x", "y", "zoom", "shortcuts", "size", "colour"}


def test_a_file_needs_functions_only(tmp_path: Path) -> None:
    path = tmp_path / "least.py"
    path.write_text(DISC[DISC.index("def start") :].replace("p.reach", "4.0"), encoding="utf-8")
    least = scene.load(str(path))
    assert (least.limit, least.precision, least.absorbing, least.views) == (1000, "f64", False, {"default": {}})


def test_a_path_may_begin_at_home(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write()
    assert scene.load("~/disc.py").name == "disc"


def test_a_file_that_changed_is_loaded_anew(write: Write) -> None:
    assert scene.load(write()).limit == 20
    assert scene.load(write(("LIMIT = 20", "LIMIT = 30"))).limit == 30


def test_the_example_of_the_contract_keeps_it(tmp_path: Path, ask: Callable[..., Request]) -> None:
    """As it stands in the docstring: loaded, and equal on two targets."""
    written = str(scene.__doc__).split("A whole scene, the burning ship:")[1].split("The four functions")[0]
    path = tmp_path / "ship.py"
    path.write_text(textwrap.dedent(written), encoding="utf-8")
    request = ask(scene=str(path), width=24, height=16, tile=(24, 16), view="ship")

    assert engine.draw(request).sha256 == engine.draw(replace(request, target="scalar")).sha256
    assert len(np.unique(engine.draw(request).rgb.reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize("name", [*scene_rules.ARGUMENTS, "PARAMETERS", "VIEWS", "LIMIT", "ABSORBING", "INSIDE_FLAT"])
def test_the_contract_says_what_each_name_means(name: str) -> None:
    assert f"\n    {name}" in str(scene.__doc__)


def test_a_word_that_is_not_there_is_told_all_that_are(write: Write) -> None:
    error = refused(write(("import fma, where", "import fma, sine, where")))

    assert "did you mean 'sin'?" in error.remedy
    assert all(word in error.remedy for word in lanes.__all__)


def test_what_a_scene_prints_goes_to_standard_error(
    write: Write, ask: Callable[..., Request], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(("LIMIT = 20", 'LIMIT = 20\nprint("loaded")'), ("    return {", '    print("prepared")\n    return {'))
    asked(path, ask)

    assert capsys.readouterr() == ("", "loaded\nprepared\n")


@pytest.mark.parametrize("raised", ["raise SystemExit(0)", "import sys; sys.exit()", "raise GeneratorExit"])
def test_no_prepare_ends_the_program(raised: str, write: Write, ask: Callable[..., Request]) -> None:
    path = write(("    return {", f"    {raised}\n    return {{"))

    with pytest.raises(SceneError, match=rf"line {line_of(path, '    ' + raised)}: prepare: (System|Generator)Exit"):
        asked(path, ask)


def test_a_signal_to_end_is_no_error_of_the_scene_that_runs(
    write: Write, ask: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(("    return {", "    import os, signal; os.kill(os.getpid(), signal.SIGTERM)\n    return {"))
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        signals.exit_on_signals()  # what the program does when it begins
        with pytest.raises(SystemExit) as caught:
            asked(path, ask)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert caught.value.code == 128 + signal.SIGTERM


@pytest.mark.parametrize("way", ["from shades import LIGHT", "import shades", "from shades_by_way import LIGHT"])
def test_a_module_loaded_again_is_seen(way: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a notebook does it: `importlib.reload`, and the scene's file unchanged."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "shades.py").write_text("LIGHT = 0.25\n", encoding="utf-8")
    (tmp_path / "shades_by_way.py").write_text("from shades import LIGHT\n", encoding="utf-8")
    path = write(("import fma, where", f"import fma, where\n{way}"), ("LIMIT = 20", "LIMIT = int(100 * LIGHT)"))
    if way == "import shades":
        Path(path).write_text(Path(path).read_text().replace("* LIGHT", "* shades.LIGHT"))
    try:
        assert scene.load(path).limit == 25
        assert scene.load(path) is scene.load(path)
        (tmp_path / "shades.py").write_text("LIGHT = 0.5  # brighter\n", encoding="utf-8")
        for name in ("shades", "shades_by_way"):
            if name in sys.modules:
                importlib.reload(sys.modules[name])
        assert scene.load(path).limit == 50
    finally:
        for name in ("shades", "shades_by_way"):
            sys.modules.pop(name, None)


def test_a_helper_loaded_again_paints_with_its_new_colours(
    write: Write, tmp_path: Path, ask: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    helper = tmp_path / "tint.py"
    helper.write_text("def tinted(light):\n    return light * 0.5\n", encoding="utf-8")
    path = write(
        ("import fma, where", "import fma, where\nfrom tint import tinted"), ("0.25, steps", "tinted(0.25), steps")
    )
    request = ask(scene=path, width=4, height=4, tile=(4, 4))
    try:
        before = engine.draw(request).rgb
        helper.write_text("def tinted(light):\n    return light * 2.0  # brighter\n", encoding="utf-8")
        importlib.reload(sys.modules["tint"])
        after = engine.draw(request).rgb
    finally:
        sys.modules.pop("tint", None)

    assert (after[..., 1] > before[..., 1]).all()
    assert (after[..., 0] == before[..., 0]).all()


def test_nothing_is_left_beside_a_scene(write: Write, tmp_path: Path) -> None:
    scene.load(write())
    assert [path.name for path in tmp_path.iterdir()] == ["disc.py"]


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        scene.load("mandelbrod")
    assert "'mandelbrot'" in caught.value.remedy


@pytest.mark.parametrize(
    "name", ["nix.py", "./nix", "/", ".", "a/b", "~nobody-of-this-name/x.py", "\0.py", "x" * 5000 + ".py"]
)
def test_a_file_that_is_not_there_is_wrong_use(name: str) -> None:
    with pytest.raises(UsageError, match="scene"):
        scene.load(name)


@given(st.text(max_size=30).map(lambda text: f"{text}.py"))
def test_no_path_whatever_makes_another_error(name: str) -> None:
    with pytest.raises(UsageError):
        scene.load(name)


BROKEN = {  # what is changed: what is said, and the line it is said of
    ("def start(x, y, p)", "def begin(x, y, p)"): ("a scene needs a function start", ""),
    ("def step(state, p)", "def step(state)"): ("step must take 2 arguments", "def step"),
    ("def shade(state, steps, p)", "def shade(state, *steps)"): ("shade must take 3 arguments", "def shade"),
    ("def prepare(parameters, size)", "def prepare(parameters)"): ("prepare must take 2 arguments", "def prepare"),
    ("def start(x, y, p)", "never_ends = 3\n\n\ndef start(x, y, p)"): ("never_ends must be a function", "never_ends"),
    ("def alive(state, p):", "alive = min\n\n\ndef living(state, p):"): ("alive must be a function", "alive"),
    ("LIMIT = 20", "LIMIT = 0"): ("LIMIT is no whole number from 1 to", "LIMIT"),
    ("LIMIT = 20", "LIMIT = 1e3"): ("LIMIT is no whole number from 1 to", "LIMIT"),
    ("LIMIT = 20", f"LIMIT = {HIGHEST_LIMIT + 1}"): ("LIMIT is no whole number from 1 to", "LIMIT"),
    ('PRECISION = "f32"', 'PRECISION = "f16"'): ("PRECISION is 'f16'", "PRECISION"),
    ('PRECISION = "f32"', "PRECISION = []"): ("PRECISION is []", "PRECISION"),
    ("PARAMETERS = {", "PARAMETERS = 3, {"): ("PARAMETERS must be a dict", "PARAMETERS"),
    ('(2.0, 0.0, 9.0, "Radius.")', "2.0"): ("PARAMETERS: size: 2.0 is not a parameter", '    "size"'),
    ('(2.0, 0.0, 9.0, "Radius.")', "(2.0, 0.0, 9.0)"): (
        "PARAMETERS: size: (2.0, 0.0, 9.0) is not a parameter",
        '    "size"',
    ),
    ("(2.0, 0.0, 9.0", "(10.0, 0.0, 9.0"): ("PARAMETERS: size: default is 10.0, out of range", '    "size"'),
    ("(2.0, 0.0, 9.0", "(2.0, 9.0, 0.0"): ("PARAMETERS: size: ", '    "size"'),
    ('("red", ("red"', '("green", ("red"'): ("PARAMETERS: colour: there is no default 'green'", '    "colour"'),
    ('"size": (', '"si ze": ('): ("PARAMETERS: si ze: 'si ze' cannot be a name", '    "si ze"'),
    ('"size": (', '"class": ('): ("PARAMETERS: class: 'class' cannot be a name", '    "class"'),
    ("(1.0, 1e-3, 1e6", "(1.0, 0.0, 1e6"): ("PARAMETERS: zoom must be a number above 0", '    "zoom"'),
    ('"colour": (', '"x": ('): ("PARAMETERS: x must be a number", '    "x"'),
    ("VIEWS = {", "VIEWS = 3, {"): ("VIEWS must be a dict of dicts", "VIEWS"),
    ('"near": {"zoom": 4.0}', '"near": 4.0'): ("VIEWS must be a dict of dicts", "VIEWS"),
    ('"near": {"zoom": 4.0}', '"near": {"zom": 4.0}'): ("view 'near': there is no parameter", '    "near"'),
    ('"near": {"zoom": 4.0}', '"near": {"zoom": 1e9}'): ("view 'near': zoom is 1000000000.0, out of", '    "near"'),
    ('"limit": 40', '"limit": 0'): ("view 'far': its limit is 0", '    "far"'),
    ('"limit": 40', '"limit": "many"'): ("view 'far': its limit is 'many'", '    "far"'),
    ("def start(x, y, p):", "def start(x, y, p)"): ("expected ':'", "def start"),
    ("LIMIT = 20", "LIMIT = 20 // 0"): ("ZeroDivisionError", "LIMIT"),
    ("LIMIT = 20", "import nothing_of_this_name"): ("ModuleNotFoundError", "import"),
    ("LIMIT = 20", "raise SystemExit(0)"): ("SystemExit: 0", "raise"),
    ("LIMIT = 20", "raise BaseException('no')"): ("BaseException: no", "raise"),
    ("LIMIT = 20", "LIMIT = True"): ("LIMIT is no whole number from 1 to", "LIMIT"),
    ("import fma, where", "import fma, tan, where"): ("render.lanes has no word 'tan'", "from render.lanes"),
    ("ABSORBING = True", 'ABSORBING = "no"'): ("ABSORBING is 'no'", "ABSORBING"),
    ("ABSORBING = True", "INSIDE_FLAT = None"): ("INSIDE_FLAT is None", "INSIDE_FLAT"),
    ('"near": {"zoom": 4.0}', '3: {"zoom": 4.0}'): ("view 3: 3 is no name", "    3"),
    ('"near": {"zoom": 4.0}', '"near": {4: 4.0}'): ("view 'near': 4 is no name", '    "near"'),
    ('"Radius."', "3"): ("PARAMETERS: size: 3 is no sentence", '    "size"'),
    ('"size": (', '"limit": ('): ("PARAMETERS: limit: a view means LIMIT", '    "limit"'),
    ("def step(state, p):", "async def step(state, p):"): ("step must be a plain function", "async def step"),
    ("def step(state, p)", "def step(state, p, *, k)"): ("step must take 2 arguments", "def step"),
    ("def step(state, p):", "class step:\n    n = x = y = 0.0; state = 1, 2, 3\n\n\ndef other(state, p):"): (
        "step must be a function written with def, not type",
        "class step",
    ),
}


@pytest.mark.parametrize("change", BROKEN, ids=" ".join)
def test_each_rule_that_is_broken_is_told_with_its_line(change: tuple[str, str], write: Write) -> None:
    rule, place = BROKEN[change]
    path = write(change)
    line = line_of(path, place) if place else 1
    assert refused(path).cause.startswith(f"{path}, line {line}: {rule}")


MAKER = """\
def maker(k):
    def step(state, p):
        return state[0] + k, *state[1:]

    return step


step = maker(1.0)
"""


def test_a_function_that_needs_another_around_it_is_refused(write: Write) -> None:
    path = write(("def step(state, p):", f"{MAKER}\n\ndef unused(state, p):"))
    told = f"{path}, line {line_of(path, 'step =')}: step uses k of a function around it"
    assert refused(path).cause.startswith(told)


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff\xfe", b"(" * 5000, b"LIMIT = 20\n\0"])
def test_a_file_that_is_no_python_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "strange.py"
    path.write_bytes(content)
    assert f"{path}, line " in refused(str(path)).cause


def test_a_scene_in_another_encoding_that_says_so_is_read(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"# coding: latin-1\n" + DISC.replace("grows", "gr\u00f6ws").encode("latin-1"))
    assert scene.load(str(path)).about == "A disc that gröws."


def test_a_setting_goes_over_the_view_and_the_view_over_the_default(write: Write) -> None:
    disc = scene.load(write())
    values, limit = disc.settle("far", {"size": "3"})
    assert (limit, values["zoom"], values["size"], values["x"], values["colour"]) == (40, 0.5, 3.0, 0.0, "red")
    assert disc.settle("near", {"zoom": 2})[0]["zoom"] == 2.0


@pytest.mark.parametrize(("view", "given"), [("nix", {}), ("near", {"nix": 1}), ("near", {"colour": "green"})])
def test_what_a_scene_does_not_know_is_told_the_nearest(view: str, given: dict[str, Any], write: Write) -> None:
    with pytest.raises(UnknownName):
        scene.load(write()).settle(view, given)


def test_single_precision_reaches_prepare_rounded(write: Write, ask: Callable[..., Request]) -> None:
    path = write(
        ("import fma, where", "import fma, where\nimport numpy"),
        ('"wide": ', '"float32": isinstance(parameters.size, numpy.float32), "wide": '),
    )
    p: Any = asked(path, ask, parameters={"size": 1.1}, precision="f32")
    assert p.float32
    assert p.reach == np.float32(1.1) * np.float32(1.1)
    assert type(p.reach) is np.float32


@pytest.mark.parametrize(("precision", "real"), [("f32", np.float32), ("f64", np.float64)])
def test_what_prepare_gives_is_numbers_of_the_requests_precision(
    precision: str, real: type, write: Write, ask: Callable[..., Request]
) -> None:
    p: Any = asked(write(), ask, precision=precision)
    assert type(p.reach) is real
    assert p.ramp.dtype == real
    assert not p.ramp.flags.writeable
    assert p.wide == 48


def test_without_prepare_the_parameters_themselves_are_there_but_for_words(
    write: Write, ask: Callable[..., Request]
) -> None:
    path = write(("def prepare(", "def unused("), ("p.reach", "p.size"))
    p: Any = asked(path, ask, precision="f64")
    assert set(p._fields) == {"x", "y", "zoom", "shortcuts", "size"}
    assert type(p.size) is np.float64


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("None", "must give a dict"),
        ("3.0", "must give a dict"),
        ('{"a": None}', "neither a number nor an array"),
        ('{"a": {}}', "neither a number nor an array"),
        ('{"a": 1j}', "neither a number nor an array"),
        ('{"a": []}', "an array without members"),
        ('{"a": ["x"]}', "ValueError"),
        ('{"a": 1 << 64}', "OverflowError"),
        ('{"class": 1.0}', "cannot be a name"),
        ("{3: 1.0}", "cannot be a name"),
    ],
)
def test_a_prepare_that_fails_is_told_with_its_line(
    given: str, why: str, write: Write, ask: Callable[..., Request]
) -> None:
    path = write(('return {"reach"', f'return {given}\n    return {{"reach"'))
    with pytest.raises(SceneError, match=why) as caught:
        asked(path, ask)
    line = line_of(path, "def prepare")
    assert caught.value.cause.startswith((f"{path}, line {line}: prepare: ", f"{path}, line {line + 1}: prepare: "))


def test_a_value_beyond_single_precision_becomes_infinite_without_a_warning(
    write: Write, ask: Callable[..., Request]
) -> None:
    path = write(('"size": (2.0, 0.0, 9.0', '"size": (2.0, 0.0, 1e300'))
    assert asked(path, ask, precision="f32", parameters={"size": 1e300})[0] == np.inf


def test_what_is_told_of_a_scene_names_all_its_parameters(write: Write) -> None:
    disc = scene.load(write())
    assert disc.as_dict()["parameters"]["colour"]["choices"] == ["red", "blue"]
    told = "\n".join(disc.format_lines(parameters=True))
    assert all(f" {name} " in told for name in disc.parameters)
    assert "0 to 9" in told


def test_two_requests_share_nothing_that_one_could_change(write: Write, ask: Callable[..., Request]) -> None:
    path = write()
    disc, request = scene.load(path), ask(scene=path)
    one: Any = disc.prepared(request)
    other: Any = disc.prepared(replace(request, width=9))
    assert (one.wide, other.wide) == (48, 9)
