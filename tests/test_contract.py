"""A scene that breaks the contract is told which rule, and at which line, before anything is painted."""

from __future__ import annotations

from pathlib import Path

import pytest

from render import engine, scene
from render.contract import trial
from render.errors import SceneError, TileError
from render.options import complete

WHOLE = '''"""A scene for trying the rules."""
from render.lanes import any_lane, fma, sin, take, to_int, to_real, where
import math
import numpy as np
import random
import sys
import render.lanes as words

LIMIT = 20

def start(x, y, p):
    {start}

def step(state, p):
    {step}

def alive(state, p):
    {alive}

def shade(state, steps, p):
    x, y = state
    {shade}
'''
GOOD = {
    "start": "return x, y",
    "step": "return state[0] * 1.1, state[1]",
    "alive": "return fma(state[0], state[0], 0.0) < 4.0",
    "shade": "return where(x > 0.0, 1.0, 0.5), 0.0, 0.5",
}
RULES = {
    "a branch": ("shade", "if x > 0.0:\n        x = y\n    return x, 0.0, 0.0", "branch on lanes"),
    "and": ("alive", "return state[0] < 4.0 and state[1] < 4.0", "branch on lanes"),
    "a while": ("step", "while state[0] < 1.0:\n        pass\n    return state", "branch on lanes"),
    "min": ("shade", "return min(x, y), 0.0, 0.0", "branch on lanes"),
    "math": ("shade", "return math.sin(x), 0.0, 0.0", "plain numbers"),
    "numpy": ("shade", "return np.sin(x), 0.0, 0.0", "function of numpy"),
    "a power": ("shade", "return x**2, 0.0, 0.0", "operator"),
    "a module": ("shade", "return words.sin(x), 0.0, 0.0", "uses the module render.lanes"),
    "a name": ("shade", "return nowhere(x), 0.0, 0.0", "nowhere"),
    "a member of p": ("shade", "return p.nothing, 0.0, 0.0", "nothing"),
    "two colours": ("shade", "return 0.5, 0.5", "tuple of 3"),
    "nothing": ("shade", "pass", "tuple of 3"),
    "another state": ("start", "return x, y, 0.0", "tuple of 3"),
    "no mask": ("alive", "return state[0]", "must give a mask"),
    "a mask as light": ("shade", "return x > 0.0, 0.0, 0.0", "no mask"),
    "a mask in a sum": ("shade", "return (x > 0.0) + 1.0, 0.0, 0.0", "a mask is no number|mask as an operand"),
    "mixed numbers": ("shade", "return to_int(x) + 0.5, 0.0, 0.0", "mixed"),
    "where without a mask": ("shade", "return where(x, 1.0, 0.0), 0.0, 0.0", "where without a mask"),
    "a branch on a real member of p": (
        "shade",
        "return (x, y, 0.5) if p.zoom > 1.0 else (y, x, 0.5)",
        "branch on lanes",
    ),
    "a global": ("step", "global LIMIT\n    LIMIT = LIMIT + 1\n    return state", "step changes the global LIMIT"),
    "an attribute": ("shade", "p.zoom = 2.0\n    return x, y, 0.0", "shade sets the attribute zoom"),
    "an item": ("step", "state[0] = 2.0\n    return state", "step writes into something"),
    "print": ("step", "print('here')\n    return state", "step uses print"),
    "text": ("step", "f'{state[0]}'\n    return state", "lanes turned into text"),
    "an import": ("shade", "import math\n    return math.pi, x, y", "shade imports math"),
    "with": ("shade", "with p:\n        return x, x, y", "shade uses with"),
    "try": ("shade", "try:\n        return x, x, y\n    except ValueError:\n        return y, y, y", "shade uses try"),
    "what a lane is": ("shade", "return float(isinstance(x, float)), x, y", "shade uses isinstance"),
    "a list": ("shade", "return sum(state), x, y", "shade uses sum"),
    "chance": ("shade", "return random.random(), x, y", "shade uses the module random"),
    "an end": ("shade", "sys.exit(0)", "shade uses the module sys"),
    "operands": ("shade", "return fma(x, y), x, y", "fma with 2 operands"),
    "operands by name": ("shade", "return fma(a=x, b=y, c=1.0), x, y", "by name"),
    "whole lanes": ("start", "return to_int(x), y", "start gives whole lanes"),
    "a huge number": ("step", "return state[0] + (1 << 80), state[1]", "more than 64 bits"),
    "an attribute of lanes": ("shade", "return x.real, x, y", "a lane has no attribute 'real'"),
    "a member that p lacks": ("shade", "return p.bailut, x, y", "there is no member 'bailut' of p"),
    "recursion": ("shade", "return shade(state, steps, p)", "calls itself"),
}


OUTSIDE = ("an import", "with", "try", "chance", "an end")  # what only reaches outside: target python may


def written(folder: Path, **changes: str) -> Path:
    path = folder / "mine.py"
    path.write_text(WHOLE.format(**GOOD | changes))
    return path


@pytest.mark.parametrize(
    ("where", "code", "told", "target"),
    [
        pytest.param(*rule, target, id=f"{name}-{target}")
        for name, rule in RULES.items()
        for target in ("python", "simd")
        if target == "simd" or name not in OUTSIDE
    ],
)
def test_a_broken_rule_is_named_with_its_line(where: str, code: str, told: str, target: str, tmp_path: Path) -> None:
    path = written(tmp_path, **{where: code})
    begins = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if line.startswith(f"def {where}("))

    with pytest.raises(SceneError, match=told) as caught:
        engine.draw(complete(scene=str(path), size=(8, 8), mode="sequential", target=target))

    assert f"{path}, line " in caught.value.cause
    assert int(caught.value.cause.split(", line ")[1].split(":")[0]) >= begins
    assert caught.value.remedy


def test_in_target_python_a_scene_may_reach_outside(tmp_path: Path) -> None:
    path = written(tmp_path, shade="import time\n    time.sleep(0)\n    return x, x, y")

    assert engine.draw(complete(scene=str(path), size=(2, 2), mode="sequential", target="python")).rgb.shape == (
        2,
        2,
        3,
    )


def test_symmetric_must_be_a_truth_value(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() + "\n\ndef symmetric(p):\n    return p.zoom\n")

    with pytest.raises(SceneError, match=r"line \d+: symmetric must give True or False"):
        engine.draw(complete(scene=str(path), size=(8, 8), mode="sequential", target="python"))


@pytest.mark.parametrize("raised", ["SystemExit", "GeneratorExit", "BaseException"])
def test_no_scene_ends_the_program(raised: str, tmp_path: Path) -> None:
    path = written(tmp_path, shade=f"raise {raised}")

    with pytest.raises(TileError, match=rf"failed: {raised}.*\(line \d+\)"):
        engine.draw(complete(scene=str(path), size=(8, 8), mode="sequential", target="python"))


@pytest.mark.parametrize("target", ["python", "simd"])
def test_a_colour_that_is_no_number_is_told_with_pixel_and_line(target: str, tmp_path: Path) -> None:
    path = written(tmp_path, shade="hole = where((x > 3.0) & (y > 1.0), x - x, 1.0)\n    return hole / hole, x, y")
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "hole / hole" in text)

    with pytest.raises(TileError, match=rf"1 sample with .* at pixel 7, 0 .* line {line}\)"):
        engine.draw(complete(scene=str(path), size=(8, 4), samples=1, mode="sequential", target=target))


@pytest.mark.parametrize("target", ["python", "simd"])
def test_what_a_scene_raises_itself_is_a_failed_tile(target: str, tmp_path: Path) -> None:
    path = written(tmp_path, shade="raise ValueError('not today')")

    with pytest.raises(TileError, match="not today") as caught:
        engine.draw(complete(scene=str(path), size=(8, 8), mode="sequential", target=target))

    assert "--only-tile 0" in caught.value.remedy


@pytest.mark.parametrize(
    "shade",
    [
        "return (x, y, sin(x)) if p.shortcuts else (y, x, 0.0)",
        "return to_real(to_int(x) + 1), -x, abs(y) / 2",
        "for _ in range(3):\n        x = fma(x, 0.5, y)\n    return x, y, steps",
        "while any_lane(x > 0.0):\n        x = x - 1.0\n    return x, y, steps",
        "if any_lane(x > 0.0):\n        y = y * 0.5\n    return x, y, 0",
    ],
)
def test_what_the_contract_allows_is_let_through(shade: str, tmp_path: Path) -> None:
    path = written(tmp_path, shade=shade)

    trial.check_scene(scene.load(str(path)), complete(scene=str(path), size=(8, 8)))


@pytest.mark.parametrize("name", scene.names())
def test_our_own_scenes_keep_it(name: str) -> None:
    trial.check_scene(scene.load(name), complete(scene=name))
