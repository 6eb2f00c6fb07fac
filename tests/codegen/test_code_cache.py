"""Compiled code is kept: a second run compiles nothing, a changed scene is compiled anew, damage costs only time."""

from __future__ import annotations

import errno
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render import engine, scene, stats
from render.codegen import code_cache, cpu_compiler
from render.codegen import program as programs
from render.codegen.program import RENDER, SOURCES, Width, vector_program
from render.request import Request
from render.runtime.cpu import native
from tests.conftest import HANGING

ROOT = Path(__file__).parent.parent.parent
KEY = "0123456789abcdef"
WIDTH = Width(lanes=4, groups=1, first=4, batch=8, removal_cost=4, move_cost=2)
HOST = ("cpu", "features")
FILES = [
    str(path.relative_to(RENDER).with_suffix(""))
    for folder in ("kernels", "codegen", "runtime")
    for path in sorted((RENDER / folder).rglob("*.py"))
]
RING = """\
from render.lanes import where
import beside

SCALE = 2.0
TABLE = (1.0, 2.0)


def inside(x, y, far=3.0):
    return (x * x < SCALE + far) & (y < TABLE[0])


def larger(n, by=1.0):
    return n + by * beside.FACTOR


def start(x, y, p):
    return 0.0, x, y


def step(state, p):
    n, x, y = state
    return larger(n), x, y


def alive(state, p):
    return inside(state[1], state[2]) & (state[0] < 9.0)


def shade(state, steps, p):
    light = where(alive(state, p), 0.0, 0.5)
    return light, light, steps * 0.01
"""
BESIDE = "FACTOR = 1.0\nUNUSED = 5.0\n"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for compiled code, not made yet."""
    place = tmp_path / "code"
    monkeypatch.setenv("RENDER_CACHE_DIR", str(place))
    return place


@pytest.fixture
def made(ask: Callable[..., Request]) -> Any:
    """A program to compile."""
    return vector_program(scene.load("mandelbrot"), ask(), WIDTH)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was compiled, by the scene's file; the compiler only pretends to."""
    found: list[str] = []

    def pretend(asked: Any) -> bytes:
        found.append(asked.source)
        return b"machine code"

    monkeypatch.setattr(cpu_compiler, "compile_program", pretend)
    return found


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Request]) -> Callable[..., str]:
    """The key of the ring with changes to its text, and to that of the module that it imports."""
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "ring.py"

    def keyed(
        old: str = "", new: str = "", *, beside: str = BESIDE, lanes: int = 4, block: int = 8, **asked: Any
    ) -> str:
        assert not old or RING.count(old) == 1
        path.write_text(RING.replace(old, new) if old else RING, encoding="utf-8")
        (tmp_path / "beside.py").write_text(beside, encoding="utf-8")
        monkeypatch.delitem(sys.modules, "beside", raising=False)
        width = WIDTH._replace(lanes=lanes, batch=block)
        return vector_program(scene.load(str(path)), ask(scene=str(path), **asked), width).cache_key("cpu", HOST)

    return keyed


@given(code=st.binary(max_size=200))
def test_what_is_kept_comes_back(code: bytes) -> None:
    assert code_cache.write(KEY, code)
    assert code_cache.read(KEY) == code


def test_what_was_never_kept_is_not_there(empty: Path) -> None:
    assert code_cache.read(KEY) is None
    assert not empty.exists()


def test_nothing_else_is_left_in_the_folder(empty: Path) -> None:
    assert code_cache.write(KEY, b"1")
    assert code_cache.write(KEY, b"2")
    assert [path.name for path in empty.iterdir()] == [f"{KEY}.code"]
    assert code_cache.read(KEY) == b"2"


@given(st.binary(max_size=40), st.data())
def test_a_flipped_bit_anywhere_is_noticed(code: bytes, data: Any) -> None:
    code_cache.write(KEY, code)
    path = code_cache.cache_folder() / f"{KEY}.code"
    stored = bytearray(path.read_bytes())
    stored[data.draw(st.integers(0, len(stored) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(stored)
    assert code_cache.read(KEY) is None


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_file_that_ends_early_or_late_is_noticed(code: bytes, data: Any) -> None:
    code_cache.write(KEY, code)
    path = code_cache.cache_folder() / f"{KEY}.code"
    stored = path.read_bytes()
    path.write_bytes(data.draw(st.sampled_from([stored[:-1], stored[: len(stored) // 2], b"", stored + b"\0", code])))
    assert code_cache.read(KEY) is None


def test_a_folder_that_cannot_be_made_keeps_nothing(empty: Path) -> None:
    empty.write_text("a file is in the way", encoding="utf-8")
    assert not code_cache.write(KEY, b"1")
    assert code_cache.read(KEY) is None


def test_without_a_choice_the_users_cache_folder_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RENDER_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert code_cache.cache_folder() == tmp_path / "render"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert code_cache.cache_folder() == tmp_path / ".cache" / "render"


def test_the_second_time_nothing_is_compiled_or_announced(made: Any, compiled: list[str], empty: Path) -> None:
    said: list[int] = []
    codes = [native.obtain_object_code(made, lambda: said.append(1)) for _ in range(2)]
    assert codes == [b"machine code"] * 2
    assert (len(compiled), len(said), len(list(empty.iterdir()))) == (1, 1, 1)


@pytest.mark.parametrize("damage", [b"", b"garbage", code_cache.MAGIC, code_cache.MAGIC + b"\0" * 40])
def test_a_damaged_file_is_compiled_again_and_repaired(
    damage: bytes, made: Any, compiled: list[str], empty: Path
) -> None:
    native.obtain_object_code(made, lambda: None)
    [path] = empty.iterdir()
    path.write_bytes(damage)
    for _ in range(2):
        assert native.obtain_object_code(made, lambda: None) == b"machine code"
    assert len(compiled) == 2


def test_where_nothing_can_be_kept_each_run_compiles(made: Any, compiled: list[str], empty: Path) -> None:
    empty.write_text("a file is in the way", encoding="utf-8")
    for _ in range(2):
        assert native.obtain_object_code(made, lambda: None) == b"machine code"
    assert len(compiled) == 2


def test_what_becomes_of_the_code_is_told_before_it_is_compiled(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_cache.describe_caching() == "once; cached for later runs"
    assert list(empty.iterdir()) == []
    empty.rmdir()
    empty.write_text("a file is in the way", encoding="utf-8")
    assert code_cache.describe_caching().startswith(f"not cached for later runs: cannot write to {empty}: ")
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setenv("RENDER_CACHE_DIR", str(empty.parent / "full"))
    monkeypatch.setattr("tempfile.TemporaryFile", Mock(side_effect=full))
    assert code_cache.describe_caching().endswith("No space left on device")


def test_loading_machine_code_is_not_called_compiling(ask: Callable[..., Request], empty: Path) -> None:
    first, again = (stats.of(engine.draw(ask(target="scalar", limit=7)).trace).seconds for _ in range(2))
    assert first["compile"] > first["import"] == 0
    assert again["import"] > again["compile"] == 0


def test_the_same_scene_has_the_same_key(key: Callable[..., str]) -> None:
    assert key() == key()


CHANGES = [
    ("n + by * beside", "n - by * beside"),
    ("by=1.0", "by=1.5"),
    ("far=3.0", "far=3.5"),
    ("SCALE = 2.0", "SCALE = 2.5"),
    ("TABLE = (1.0, 2.0)", "TABLE = (1.5, 2.0)"),
    ("TABLE = (1.0, 2.0)", "TABLE = [1.0, 2.0]"),
    ("import beside", "import beside\nABSORBING = True"),
    ("steps * 0.01", "steps * 0.02"),
    ("state[0] < 9.0", "state[0] <= 9.0"),
    ("SCALE = 2.0", "import numpy\nSCALE = numpy.float32(2.0)"),
]


@pytest.mark.parametrize("change", CHANGES, ids=" ".join)
def test_whatever_changes_the_code_changes_the_key(change: tuple[str, str], key: Callable[..., str]) -> None:
    assert key(*change) != key()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("from render.lanes import minimum as pick", "from render.lanes import maximum as pick"),
        ("from render.lanes import sin as pick", "from render.lanes import cos as pick"),
        ("import enum\nclass pick(enum.IntEnum):\n    A = 1", "import enum\nclass pick(enum.IntEnum):\n    A = 3"),
        (
            "from collections import namedtuple\npick = namedtuple('q', 'a b')(1, 2)",
            "from collections import namedtuple\npick = namedtuple('q', 'b a')(1, 2)",
        ),
    ],
    ids=["word", "function", "enumeration", "named tuple"],
)
def test_what_a_name_stands_for_counts(one: str, other: str, key: Callable[..., str]) -> None:
    whole = "def larger(n, by=1.0):\n    return n + by * beside.FACTOR"

    def with_pick(meaning: str) -> str:
        return key(whole, f"{meaning}\n\n\n{whole.replace('return', 'return pick and')}")

    assert with_pick(one) != with_pick(other)


def test_an_array_among_the_constants_counts_number_by_number(key: Callable[..., str]) -> None:
    many = "import numpy\nTABLE = numpy.ones(5000)\nTABLE[2500] = {}"  # too many to be printed
    assert key("TABLE = (1.0, 2.0)", many.format(1)) != key("TABLE = (1.0, 2.0)", many.format(2))


def test_a_constant_of_an_imported_module_changes_the_key(key: Callable[..., str]) -> None:
    assert key(beside=BESIDE.replace("FACTOR = 1.0", "FACTOR = 2.0")) != key()


def test_an_imported_helper_changes_the_key(key: Callable[..., str]) -> None:
    change = ("import beside", "import beside\nfrom beside import grown")
    helper = "def grown(n):\n    return n + {}\n"
    use = ("return larger(n), x, y", "return grown(n), x, y")
    keys = set()
    for number in (1.0, 2.0):
        text = RING.replace(*change).replace(*use)
        keys.add(key(RING, text, beside=BESIDE + helper.format(number)))
    assert len(keys) == 2


def test_a_helper_made_by_another_function_counts_with_what_it_holds(key: Callable[..., str]) -> None:
    made = "def maker(k):\n    return lambda n: n + k\n\n\nlarger = maker({})\n\n\ndef unused("
    assert key("def larger(", made.format(1.0)) != key("def larger(", made.format(2.0))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SCALE = 2.0", "# a comment\n\n\nSCALE = 2.0  # and another"),
        ("import beside", "import beside\nUNUSED = 7.0"),
        ("import beside", "import beside\nVIEWS = {'near': {'zoom': 4.0}}\nLIMIT = 7"),
    ],
)
def test_what_the_code_does_not_use_keeps_the_key(old: str, new: str, key: Callable[..., str]) -> None:
    assert key(old, new) == key()


def test_what_another_module_has_besides_keeps_the_key(key: Callable[..., str]) -> None:
    assert key(beside=BESIDE.replace("UNUSED = 5.0", "UNUSED = 6.0")) == key()


def test_another_frame_needs_no_other_code(key: Callable[..., str]) -> None:
    assert key(width=9, limit=3, samples=4, parameters={"zoom": 7.0, "shortcuts": 0}) == key()


def test_other_lanes_blocks_and_precisions_need_other_code(key: Callable[..., str]) -> None:
    absorbing = "import beside", "import beside\nABSORBING = True"
    keys = {key(*absorbing), key(*absorbing, lanes=8), key(*absorbing, block=4), key(*absorbing, precision="f32")}
    assert len(keys) == 4


def test_another_cpu_needs_other_code(made: Any) -> None:
    assert made.cache_key("cpu", ("cpu", "features")) != made.cache_key("cpu", ("cpu", "other features"))


@pytest.fixture
def keys_after(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """The key for each compiler after a comment was added to one of our files."""
    place = tmp_path / "render"
    for name in FILES:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RENDER / f"{name}.py", place / f"{name}.py")
    monkeypatch.setattr(programs, "RENDER", place)
    monkeypatch.setattr(programs, "_compiler", programs._compiler.__wrapped__)  # noqa: SLF001  (else it would be kept)

    def keys(commented: str) -> dict[str, str]:
        with (place / f"{commented}.py").open("a", encoding="utf-8") as file:
            file.write("# something else\n")
        return {compiler: made.cache_key(compiler, HOST) for compiler in SOURCES}

    return keys


def test_a_comment_in_a_file_changes_the_keys_of_the_code_that_it_shapes_and_no_others(
    keys_after: Callable[[str], dict[str, str]],
) -> None:
    before = keys_after("runtime/cuda/idle")
    for name in FILES:
        after = keys_after(name)
        assert {compiler for compiler in SOURCES if after[compiler] != before[compiler]} == {
            compiler for compiler, shaping in SOURCES.items() if name in shaping
        }
        before = after


@pytest.mark.parametrize("compiler", SOURCES)
def test_all_that_a_compiler_imports_of_ours_is_in_its_key(compiler: str) -> None:
    """But for what is told part by part: the program, the loops and the slots in them."""
    told = re.compile(r"codegen/program|kernels/(?!launch)|runtime/|codegen/__init__")
    reached, left = set[str](), {f"codegen/{compiler}_compiler"}
    while left:
        name = left.pop()
        reached.add(name)
        words = re.findall(
            r"^\s*from (render\S*) import (\([^)]*\)|.+?)$", (RENDER / f"{name}.py").read_text("utf-8"), re.MULTILINE
        )
        places = {f"{module}.{word.strip()}" for module, names in words for word in names.strip("()").split(",")}
        places |= {module for module, _ in words}
        found = {place.removeprefix("render.").replace(".", "/") for place in places} & set(FILES)
        left |= {place for place in found if not told.match(place)} - reached

    assert reached == set(SOURCES[compiler])


def test_a_precision_that_no_parameter_tells_needs_other_code_too(made: Any) -> None:
    assert made.cache_key("cpu", HOST) != made._replace(precision="f32").cache_key("cpu", HOST)


def test_parameters_of_another_kind_need_other_code(made: Any) -> None:
    assert made.cache_key("cpu", HOST) != made._replace(p=made.p._replace(relief=1.0)).cache_key("cpu", HOST)


@pytest.mark.parametrize("written", ["version_json = '1'", None], ids=["by its builders", "by its installer"])
def test_another_release_of_a_package_is_noticed(
    written: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for release in ("1.0", "2.0"):
        package, record = tmp_path / "parcel", tmp_path / f"parcel-{release}.dist-info"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        if written:
            (package / "_version.py").write_text(written.replace("1", release), encoding="utf-8")
        record.mkdir()
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: parcel\nVersion: {release}\n", encoding="utf-8")
        importlib.invalidate_caches()
        found.append(programs._package_version("parcel"))  # noqa: SLF001
        shutil.rmtree(record)

    assert all(release in told for release, told in zip(("1.0", "2.0"), found, strict=True))


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert programs._package_version("no_such_package") == ""  # noqa: SLF001


def run(folder: Path, *arguments: str) -> tuple[str, str]:
    """Draw in a process of its own: (hash of the picture and whether numba was loaded, what was announced)."""
    program_text = (
        "import sys, json, io, contextlib\n"
        "from render.frontend.cli import main\n"
        "said = io.StringIO()\n"
        "with contextlib.redirect_stdout(said):\n"
        "    code = main(sys.argv[1:])\n"
        "print(code, json.loads(said.getvalue())['sha256'], 'numba' in sys.modules)\n"
    )
    alone = RING.replace("beside.FACTOR", "SCALE").replace("import beside\n", "")
    (folder / "ring.py").write_text(alone, encoding="utf-8")
    drawn = [
        *("--scene", "ring.py", "--size", "32x24", "--samples", "1"),
        *("--mode", "sequential", "--target", "scalar", "--json"),
    ]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program_text, *drawn, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "RENDER_CACHE_DIR": str(folder / "code")},
        capture_output=True,
        text=True,
        timeout=HANGING,
        check=True,
    )
    return done.stdout.strip(), done.stderr


def test_a_second_process_compiles_nothing_and_loads_no_compiler(tmp_path: Path) -> None:
    first, announced = run(tmp_path)
    assert first.startswith("0 ")
    assert first.endswith("True")
    assert announced.startswith("render: compiling ring")

    second, announced = run(tmp_path, "--set", "zoom=2", "--set", "zoom=1")
    assert second == first.replace("True", "False")
    assert announced == ""


@pytest.mark.slow
def test_a_process_compiles_anew_what_is_damaged_or_cannot_be_kept(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    [path] = (tmp_path / "code").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    third, announced = run(tmp_path)
    assert third == first
    assert announced.startswith("render: compiling ring")
    assert path.read_bytes()[: len(code_cache.MAGIC)] == code_cache.MAGIC
    assert len(path.read_bytes()) == len(whole)

    path.unlink()
    path.parent.rmdir()
    path.parent.touch()
    _, announced = run(tmp_path)
    assert "cached for later" not in announced.replace("not cached for later", "")
    assert "not cached for later runs: cannot write to" in announced
