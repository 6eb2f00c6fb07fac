"""What people set for their own programs with numba changes nothing of ours, and stays set for theirs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core import config

from render.codegen import host, plain_numba
from render.errors import UsageError
from tests.conftest import HANGING

ROOT = Path(__file__).parents[2]
NAMES = sorted(set(re.findall(r'"(NUMBA_\w+)"', Path(config.__file__).read_text(encoding="utf-8"))))
STRANGE = {name: "0" if name == "NUMBA_NUM_THREADS" else "1" for name in NAMES}
SETTINGS = """\
import json
from render.codegen import host, plain_numba
with plain_numba.import_plainly():
    import numba
from numba.core import config
told = lambda: {name: repr(value) for name, value in vars(config).items() if name.isupper()}
before = told()
with plain_numba.compile_plainly():
    inside = told()
print(json.dumps([inside, before, told()]))
"""
DRAW = [
    *("--target", "scalar", "--mode", "sequential", "--size", "8", "--samples", "1"),
    *("--limit", "9", "--json", "--out", "a.png"),
]


def python(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process with none of numba's variables but these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(ROOT), "RENDER_CACHE_DIR": str(folder / "code")} | variables,
        capture_output=True,
        text=True,
        timeout=HANGING,
        check=False,
    )


def settings(folder: Path, **variables: str) -> Any:
    """numba's settings while it compiles for us, before, and afterwards."""
    run = python(["-c", SETTINGS], folder, **variables)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_whatever_is_set_numba_compiles_as_if_nothing_were(tmp_path: Path) -> None:
    plain, *_ = settings(tmp_path)
    ours = {name: value for name, value in STRANGE.items() if not plain_numba.select_variables({name: value})}
    assert len(ours) > 50, "the names are read from numba's source"
    inside, before, after = settings(tmp_path, **ours)

    del inside["NUMBA_NUM_THREADS"], plain["NUMBA_NUM_THREADS"]  # of a pool that is never used
    assert inside == plain
    assert before == after
    assert (after["BOUNDSCHECK"], after["DEBUGINFO_DEFAULT"], after["DISABLE_JIT"]) == ("1", "1", "1")


def test_a_picture_is_drawn_and_its_code_kept_for_everybody(tmp_path: Path) -> None:
    """The variables that others have met, and one that fills the terminal."""
    met = ("BOUNDSCHECK", "DEBUGINFO", "ENABLE_PROFILING", "DUMP_LLVM", "DEBUG_CACHE", "DISABLE_INTEL_SVML")
    variables = {f"NUMBA_{name}": "1" for name in met} | {"NUMBA_NUM_THREADS": "0", "NUMBA_OPT": "0"}
    first = python(["-m", "render", *DRAW], tmp_path, **variables)
    second = python(["-m", "render", *DRAW], tmp_path)

    assert first.returncode == second.returncode == 0, first.stderr
    assert json.loads(first.stdout)["sha256"] == json.loads(second.stdout)["sha256"]
    assert "compiling mandelbrot" in first.stderr
    assert all(line.startswith("render: ") for line in first.stderr.splitlines()), "nothing is dumped"
    assert "compiling" not in second.stderr, "it found the code of the first"


@pytest.mark.parametrize("features", ["nope", "+nope", "+sse2,-avx,x", "+"])
def test_features_that_this_cpu_has_not_are_refused_by_the_variables_name(
    features: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CPU_FEATURES", features)
    host.cpu_target.cache_clear()
    try:
        with pytest.raises(UsageError, match="NUMBA_CPU_FEATURES is "):
            host.cpu_features()
        monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
        assert host.cpu_features() == frozenset()
    finally:
        host.cpu_target.cache_clear()


def test_settings_are_as_they_were_although_compiling_fails() -> None:
    before = dict(vars(config))
    with pytest.raises(ZeroDivisionError), plain_numba.compile_plainly():
        _ = 1 / 0

    assert dict(vars(config)) == before
    assert numba.njit(lambda x: x + 1)(1) == 2
