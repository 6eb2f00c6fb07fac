"""What an import loads: asking for help costs nothing, and every module stands on its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HANGING

ROOT = Path(__file__).parent.parent
HEAVY = {
    *("numpy", "numba", "llvmlite", "joblib", "PIL", "asyncio"),
    *("dask", "distributed", "rich", "starlette", "tifffile", "uvicorn"),
}
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "render").rglob("*.py")
    if path.name != "__main__.py"
)


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in which the source tree is `render` and warnings are errors."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGING,
        check=False,
    )


def loaded(*arguments: str) -> set[str]:
    """The packages that a run imports, by their first names."""
    run = python("-X", "importtime", *arguments)
    assert run.returncode == 0, run.stderr[-2000:]
    times = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in times}


@pytest.mark.parametrize("arguments", [("-c", "import render"), ("-m", "render", "--help")], ids=" ".join)
def test_nothing_heavy_is_loaded(arguments: tuple[str, ...]) -> None:
    before = loaded("-c", "pass")  # what the environment's own start-up files load is not ours
    assert not (loaded(*arguments) - before) & HEAVY


def test_a_heavy_import_would_be_noticed() -> None:
    assert "numpy" in loaded("-c", "import render.sampling")


@pytest.mark.parametrize("command", ["draw", "race", "compare", "show", "film", "devices", "scenes", "serve"])
def test_help_for_a_command_loads_nothing_heavy(command: str) -> None:
    assert not loaded("-m", "render", command, "--help") & HEAVY


def test_a_mode_loads_nothing_for_another(tmp_path: Path) -> None:
    drawn = ["--size", "8x8", "--mode", "sequential", "--target", "python", "--limit", "9"]
    before = loaded("-c", "pass")
    assert not (loaded("-m", "render", *drawn, "--out", str(tmp_path / "a.png")) - before) & (HEAVY - {"numpy"})


def test_only_backend_dask_loads_dask(tmp_path: Path) -> None:
    drawn = ["--size", "8x8", "--backend", "loky", "--workers", "1", "--target", "python", "--limit", "9"]
    assert not loaded("-m", "render", *drawn, "--out", str(tmp_path / "a.png")) & {"dask", "distributed", "tornado"}


def test_saving_a_picture_loads_no_other_output() -> None:
    told = "import sys; from render import outputs; outputs.by_suffix('a.png'); print(*sys.modules)"
    run = python("-c", told)
    assert {name for name in run.stdout.split() if name.startswith("render.outputs.")} == {"render.outputs.png"}


EACH = """
import importlib, sys
for module in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "render"]:
        del sys.modules[name]
    try:
        importlib.import_module(module)
    except BaseException as error:
        print(f"{module}: {error!r}")
"""


@pytest.mark.slow  # test_architecture finds most of what could be wrong in the source: imports upwards and in cycles
def test_each_module_imports_cleanly_on_its_own() -> None:
    """Before any other of the package, and without a word; what they import of others is loaded only once."""
    run = python("-c", EACH, *MODULES)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
