"""The shape of the program, read from its source without importing it: layers, cycles, sizes, who may name what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

# From the bottom up. A module imports from lower layers; inside its own layer only where that makes no cycle.
# "targets" stands for the whole folder.
LAYERS = (
    "version errors machine processes wording swatches comparison contract findings frontend",
    "language painting pictures storage",
    "lock temporary_folder",
    "speech signals",
    "registry shared_file whole_file",
    "growing_file",
    "parameters",
    "request",
    "primitives polynomials elementary palettes plan pace trace cpu_time packing bands provenance png_writer",
    "lanes",
    "escape_time vectors",
    "foreign_code plain_code rules",
    "scene",
    "explanation hints sampling prepared pillow",
    "tiff",
    "reading",
    "picture",
    "source",
    "frame",
    "journal_file",
    "journal preview",
    "slabs",
    "drawing",
    "kernels",
    "codegen",
    "runtime",
    "targets trial",
    "not_numbers",
    "liveness retries",
    "painter",
    "costs course",
    "juggling",
    "handfuls",
    "backends preparation",
    "stories foremost",
    "modes stats schedule claims incidents evidence films sentences chart compare attribution difference inspection",
    "speed_up sheets",
    "conclusions",
    "outputs document",
    "repeats",
    "options results engine devices",
    "like",
    "lessons terminal progress files thumbnail band_files saved_pictures",
    "render sessions races keeping saving library parsers notebook",  # `render`: the library's front
    "film",
    "server",
    "commands cli __main__",
)

BY_IDEA = (
    "comparison",
    "contract",
    "findings",
    "frontend",
    "language",
    "painting",
    "pictures",
    "storage",
)  # of several layers

# These stand side by side and never import each other, except what is listed.
SIDE_BY_SIDE = {
    "modes": "modes",
    "outputs": "outputs stats schedule claims incidents evidence films sentences conclusions speed_up chart document "
    "picture",
    "stats": "",
    "schedule": "stats",
    "chart": "stats",
    "claims": "",
    "evidence": "stats schedule claims",
    "incidents": "",
    "films": "stats evidence",
    "sentences": "schedule claims incidents evidence films",
    "conclusions": "films evidence sentences speed_up",
    "document": "stats schedule claims incidents evidence sentences conclusions speed_up",
    "compare": "",
    "attribution": "compare",
    "difference": "compare attribution",
}

COMPILING = ("render.codegen", "render.frontend.devices", "render.runtime", "render.targets")
HOMES = {  # who may import these packages
    "numba": COMPILING,
    "llvmlite": COMPILING,
    "joblib": ("render.backends",),
    "dask": ("render.backends",),
    "distributed": ("render.backends",),
}

VOCABULARY = {
    "numpy",
    "render.language.elementary",
    "render.escape_time",
    "render.lanes",
    "render.palettes",
    "render.vectors",
}
ANNOTATIONS = {"__future__", "collections.abc", "typing"}  # which nothing runs
LANE_FUNCTIONS = {"start", "step", "alive", "shade", "never_ends"}

LONGEST_MODULE = 350
MOST_MODULES, MOST_FLAT = 20, 30
LONGEST_FUNCTION = 60
VAGUE = {"utils", "util", "helpers", "helper", "core", "common", "manager", "misc"}


class Source(NamedTuple):
    """One file, parsed when it is first asked for."""

    name: str
    path: Path

    @property
    def tree(self) -> ast.Module:
        """What it says."""
        return parsed(self.path)

    @property
    def here(self) -> str:
        """The path as a message says it."""
        return str(self.path.relative_to(ROOT))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def sources(folder: str) -> list[Source]:
    return [Source(dotted(path), path) for path in sorted((ROOT / folder).rglob("*.py"))]


MODULES = {source.name: source for source in sources("render")}
SCENES = sources("scenes")
REGISTRIES = ("backends", "lessons", "modes", "outputs", "targets")  # folders of which each file is a choice


def choices(folder: str) -> set[str]:
    """The names of a registry's files and folders."""
    place = ROOT / "render" / folder
    return {path.stem for path in place.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {
        "__init__"
    }


def imported(source: Source) -> Iterator[tuple[str, int]]:
    """All that a file imports, wherever it does so, as far as our own modules can be told apart; with the line."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(source, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if inner in MODULES else base), node.lineno
        elif isinstance(node, ast.Call) and name_of(node.func) in {"import_module", "__import__"}:
            yield from ((name, node.lineno) for name in words_in(*node.args[:1]))


def absolute(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.name.split(".")
    if source.path.name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def name_of(node: ast.expr) -> str:
    """The last word of `a.b.c` or `c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def words_in(*nodes: ast.AST) -> list[str]:
    """The string constants in these nodes."""
    return [
        part.value
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


@cache
def ours(name: str) -> tuple[tuple[str, int], ...]:
    """The modules of render that one of them imports, with the lines."""
    return tuple((found, line) for found, line in imported(MODULES[name]) if found in MODULES and found != name)


def part(name: str) -> str:
    """The word that stands for a module in LAYERS: `render.modes.parallel` is in `modes`; those of BY_IDEA differ."""
    _, *words = name.split(".") if "." in name else ("", name)
    return words[1] if words[0] in BY_IDEA and len(words) > 1 else words[0]


def level(name: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if part(name) in layer.split()), None)


def inside(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_module_has_a_layer() -> None:
    nowhere = [name for name in MODULES if level(name) is None]
    assert not nowhere, f"give these a layer in LAYERS: {nowhere}"


def test_imports_go_only_downwards() -> None:
    above = [
        f"{source.here}:{line} {found}"
        for name, source in MODULES.items()
        for found, line in ours(name)
        if (level(found) or 0) > (level(name) or 0)
    ]
    assert not above, f"imports from above: {above}"


def test_what_stands_side_by_side_does_not_import_each_other() -> None:
    beside = [
        f"{source.here}:{line} {found}"
        for name, source in MODULES.items()
        if part(name) in SIDE_BY_SIDE
        for found, line in ours(name)
        if part(found) in SIDE_BY_SIDE and part(found) not in SIDE_BY_SIDE[part(name)].split()
    ]
    assert not beside, f"imports of what stands beside it: {beside}"


def test_there_are_no_import_cycles() -> None:
    graph = {name: {found for found, _ in ours(name)} for name in MODULES}
    cycle: list[str] = []
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]
    assert not cycle, " imports ".join(cycle)


@pytest.mark.parametrize("package", HOMES)
def test_heavy_packages_are_named_only_in_their_homes(package: str) -> None:
    strangers = [
        f"{source.here}:{line}"
        for name, source in MODULES.items()
        if not inside(name, HOMES[package])
        for found, line in imported(source)
        if inside(found, (package,))
    ]
    assert not strangers, f"{package} is for {HOMES[package]}, but is imported at {strangers}"


def branches_on_a_name(tree: ast.AST, names: set[str]) -> Iterator[int]:
    """Lines of comparisons and cases that hold one of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            words = words_in(node)
        else:
            words = words_in(*(case.pattern for case in node.cases)) if isinstance(node, ast.Match) else []
        if names & set(words):
            yield node.lineno  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "folder", ["backends", "modes", "outputs", "targets"]
)  # a lesson has the name of a kind of time
def test_nothing_outside_a_folder_of_choices_asks_which_choice_it_is(folder: str) -> None:
    ladders = [
        f"{source.here}:{line}"
        for name, source in MODULES.items()
        if not inside(name, (f"render.{folder}",))
        for line in branches_on_a_name(source.tree, choices(folder))
    ]
    assert not ladders, f"let the file in {folder} say it, as an attribute: {ladders}"


@pytest.mark.parametrize("code", ['mode == "cuda"', 'r.mode in ("loky", "parallel")', '"sequential" != chosen'])
def test_a_branch_on_a_mode_is_noticed(code: str) -> None:
    assert list(branches_on_a_name(ast.parse(code), choices("modes")))


@pytest.mark.parametrize("code", ['kind == "cpu"', 'word == "paint"', 'modes = ["parallel"]'])
def test_other_comparisons_are_left_alone(code: str) -> None:
    assert not list(branches_on_a_name(ast.parse(code), choices("modes")))


def contracts() -> Iterator[str]:
    """The names that members of our contracts have: those of protocols and abstract classes, and of every choice."""
    for source in MODULES.values():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and {"ABC", "Protocol"} & set(map(name_of, node.bases)):
                yield from defined(node.body)
    for folder in REGISTRIES:
        for name in choices(folder):
            yield from defined(MODULES[f"render.{folder}.{name}"].tree.body)


def defined(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield name_of(node.target)
        elif isinstance(node, ast.Assign):
            yield from map(name_of, node.targets)


def test_what_a_contract_declares_is_never_looked_for_by_name() -> None:
    """`getattr` is for what others may leave out: scene files, Pillow's images, the platform."""
    members = set(contracts())
    looked_for = [
        f"{source.here}:{node.lineno} {word}"
        for source in MODULES.values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and name_of(node.func) in {"getattr", "hasattr"}
        for word in words_in(*node.args[1:2])
        if word in members
    ]
    assert {"run", "compile", "KIND", "correct_spans", "write"} <= members
    assert not looked_for, f"declare the member and ask for it plainly: {looked_for}"


SPOKEN = {"render.runtime.kernel"}  # what painter, modes and backends know of code that paints


def test_who_decides_when_knows_kernels_by_their_contract_only() -> None:
    machinery = [
        f"{source.here}:{line} {found}"
        for name, source in MODULES.items()
        if part(name) in {"painter", "modes", "backends", "engine"}
        for found, line in ours(name)
        if part(found) in {"kernels", "codegen", "runtime"} and found not in SPOKEN
    ]
    assert not machinery, f"machinery is imported: {machinery}"


LANES_ONLY = {"__future__", "typing", "render.language.primitives", "render.sampling"}


def test_what_lanes_do_is_written_in_their_vocabulary() -> None:
    others = [
        f"{source.here}:{line} {found}"
        for name, source in MODULES.items()
        if part(name) == "kernels"
        for found, line in imported(source)
        if found not in LANES_ONLY and not inside(found, ("render.kernels",))
    ]
    assert not others, f"imports besides the vocabulary: {others}"


FOLDERS = sorted({source.path.parent for source in MODULES.values()} - {ROOT / "render"})
MAPPED = [folder for folder in FOLDERS if part(dotted(folder)) in {"kernels", "codegen", "runtime", *BY_IDEA}]


@pytest.mark.parametrize("folder", MAPPED, ids=dotted)
def test_a_folder_has_a_map_that_names_every_module(folder: Path) -> None:
    told = ast.get_docstring(MODULES[dotted(folder)].tree) or ""
    there = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    unnamed = {name for name in there - {"__init__"} if not re.search(rf"\b{name}\b", told)}
    assert not unnamed, f"say in {dotted(folder)} what these are: {sorted(unnamed)}"


def test_a_folder_is_taken_in_at_a_glance() -> None:
    crowded = [dotted(folder) for folder in FOLDERS if len(list(folder.glob("[!_]*.py"))) > MOST_MODULES]
    assert not crowded, f"more than {MOST_MODULES} modules in {crowded}"
    assert len(list((ROOT / "render").glob("*.py"))) <= MOST_FLAT


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_scene_imports_only_the_lane_vocabulary(scene: Source) -> None:
    others = [f"line {line}: {found}" for found, line in imported(scene) if found not in VOCABULARY | ANNOTATIONS]
    assert not others, f"{scene.here} imports {others}"


def called_from(scene: Source, roots: set[str]) -> set[str]:
    """The scene's own functions that these reach by bare name, these included."""
    own = {function.name: function for function in scene.tree.body if isinstance(function, ast.FunctionDef)}
    reached, open_ends = set[str](), roots & own.keys()
    while open_ends:
        reached |= open_ends
        named = {name_of(node) for name in open_ends for node in ast.walk(own[name]) if isinstance(node, ast.Name)}
        open_ends = (named & own.keys()) - reached
    return reached


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_scene_uses_numpy_only_to_prepare(scene: Source) -> None:
    arrays = {
        alias.asname or alias.name
        for node in ast.walk(scene.tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "numpy"
    }
    preparing = called_from(scene, {"prepare"}) - called_from(scene, LANE_FUNCTIONS)
    elsewhere = [
        f"{scene.here}:{node.lineno}"
        for statement in scene.tree.body
        if not (isinstance(statement, ast.FunctionDef) and statement.name in preparing)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id in arrays
    ]
    assert not elsewhere, f"numpy outside prepare: {elsewhere}"


def test_no_module_has_a_vague_name() -> None:
    vague = [source.here for name, source in MODULES.items() if VAGUE & set(name.lower().split("."))]
    assert not vague, f"say what is in them: {vague}"


def test_modules_stay_short() -> None:
    lines = {source.here: len(source.path.read_text(encoding="utf-8").splitlines()) for source in all_sources()}
    long = [f"{here} ({count} lines)" for here, count in lines.items() if count > LONGEST_MODULE]
    assert not long, f"longer than {LONGEST_MODULE} lines: {long}"


def test_functions_stay_short() -> None:
    long = [
        f"{source.here}:{function.lineno} {function.name} ({count} lines)"
        for source in all_sources()
        for function in functions(source)
        if (count := (function.end_lineno or function.lineno) - function.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long, f"longer than {LONGEST_FUNCTION} lines: {long}"


def all_sources() -> list[Source]:
    return [*MODULES.values(), *SCENES]
