"""From what was typed to a request: everything becomes one, or is refused with a word on what to do."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from render import machine, modes, options, scene
from render.errors import RenderError, UnknownName, UsageError
from render.options import complete, parse_duration, parse_pair, parse_whole
from render.plan import choose_tile
from render.request import LARGEST_SIDE, Request

CPU_MODES = ["sequential", "concurrent", "parallel"]
digits = st.text("0123456789", min_size=1, max_size=4)
scribbles = st.one_of(
    st.text(max_size=12), st.text("0123456789.xe-+ms ×,", max_size=10), st.sampled_from(["nan", "inf", "-1", ""])
)
sensible = {
    "view": st.sampled_from(["whole", "seahorses"]),
    "size": st.tuples(digits, digits).map("x".join),
    "samples": digits,
    "limit": digits,
    "precision": st.sampled_from(["auto", "f32", "f64"]),
    "mode": st.sampled_from(CPU_MODES),
    "target": st.sampled_from(["python", "scalar", "simd"]),
    "workers": digits,
    "backend": st.sampled_from(["threading", "loky"]),
    "in_flight": digits,
    "wait": st.tuples(digits, st.sampled_from(["", "ms", "us", "s"])).map("".join),
    "tile": digits,
    "order": st.sampled_from(["rows", "spiral", "hilbert", "costly"]),
    "only_tile": digits,
}


def tried(**asked: Any) -> Request | UsageError:
    """What becomes of these options. No other error may."""
    try:
        return complete(**asked)
    except UsageError as error:
        return error


def test_the_defaults_are_those_of_the_manual() -> None:
    request = complete()
    assert (request.scene, request.width, request.height, request.samples) == ("mandelbrot", 1280, 720, 4)
    assert (request.mode, request.target, request.backend) == ("parallel", "simd", "threading")
    assert (request.in_flight, request.order, request.wait_ns, request.only_tile) == (1, "rows", 0, None)
    assert request.workers == machine.default_workers()
    assert request.tile == choose_tile(1280, 720, request.workers)
    assert not request.simulate


def test_limit_and_precision_are_the_scenes() -> None:
    request = complete()
    loaded = scene.load("mandelbrot")
    assert (request.view, request.limit, request.precision) == (
        next(iter(loaded.views)),
        loaded.limit,
        loaded.precision,
    )


@pytest.mark.parametrize("name", sorted(set(options.DEFAULTS) - {"parameters"}))
def test_none_stands_for_the_default(name: str) -> None:
    assert complete(**{name: None}) == complete()


def deep_view() -> tuple[str, dict[str, Any]]:
    """A view of the Mandelbrot set that says more than its name."""
    views = scene.load("mandelbrot").views
    return next((name, view) for name, view in views.items() if {"limit", "zoom", "x"} <= view.keys())


def test_a_view_sets_the_limit_and_the_parameters() -> None:
    name, view = deep_view()
    request = complete(view=name)
    assert (request.view, request.limit, request.values["zoom"]) == (name, view["limit"], view["zoom"])


def test_limit_and_set_override_the_view() -> None:
    name, view = deep_view()
    request = complete(view=name, limit=7, parameters={"zoom": "3"})
    assert (request.limit, request.values["zoom"], request.values["x"]) == (7, 3.0, view["x"])


def test_parameters_without_names_are_refused() -> None:
    with pytest.raises(UsageError, match="parameters is 3"):
        complete(parameters=3)


def test_parameters_are_ordered_by_name_so_that_equal_requests_are_equal() -> None:
    one = complete(parameters={"zoom": 2, "x": 0})
    assert one == complete(parameters={"x": 0.0, "zoom": 2.0})
    assert [name for name, _ in one.parameters] == sorted(one.values)


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={name: scribbles | usual for name, usual in sensible.items()}))
@example({"wait": "9" * 400})
@example({"limit": ""})
@example({"size": "1x1", "tile": "0"})
@example({"workers": "0"})
@example({"mode": "sequential", "workers": "0"})
def test_whatever_is_typed_is_a_request_or_wrong_use(typed: dict[str, str]) -> None:
    outcome = tried(**typed)
    assert isinstance(outcome, Request) or (outcome.remedy and "\n" not in outcome.remedy)


@given(st.dictionaries(st.sampled_from(["x", "y", "zoom", "bailout", "shortcuts", "nix"]), scribbles | st.floats()))
def test_whatever_is_set_is_within_bounds_or_wrong_use(parameters: dict[str, Any]) -> None:
    outcome = tried(parameters=parameters)
    if isinstance(outcome, Request):
        assert all(math.isfinite(value) for value in outcome.values.values() if isinstance(value, (int, float)))
    else:
        assert outcome.remedy


@given(st.text(max_size=12))
def test_any_scene_that_is_not_there_is_wrong_use(name: str) -> None:
    with pytest.raises(UsageError):
        complete(scene=f"not there{name}")


@given(st.integers(1, LARGEST_SIDE), st.integers(1, LARGEST_SIDE))
def test_a_size_reads_as_it_is_written(width: int, height: int) -> None:
    assert parse_pair(f"{width}x{height}", "size") == parse_pair((width, height), "size") == (width, height)
    assert parse_pair(f" {width} × {height}", "size") == parse_pair(f"{width}X{height}", "size") == (width, height)
    assert parse_pair(str(width), "tile") == parse_pair(width, "tile") == (width, width)


@pytest.mark.parametrize(
    "written", ["", "x", "1x", "x1", "1x2x3", "0x5", "5x-1", "1.5x2", "axb", (1, 2, 3), (), (1.5, 2), (math.inf, 1), {}]
)
def test_what_is_no_size_is_refused_with_an_example(written: Any) -> None:
    with pytest.raises(UsageError) as caught:
        parse_pair(written, "size")
    assert caught.value.cause.startswith("size is ")
    assert "1280x720" in caught.value.remedy or "one pixel" in caught.value.remedy


@given(st.integers(0, 10**6), st.sampled_from(["ms", "us", "s"]))
def test_a_duration_reads_as_it_is_written(number: int, unit: str) -> None:
    ns = Fraction(number) * {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}[unit]
    if ns <= 3_600 * 10**9:
        assert parse_duration(f"{number}{unit}") == parse_duration(f" {number} {unit} ") == ns
    else:
        with pytest.raises(UsageError, match="wait is"):
            parse_duration(f"{number}{unit}")


@pytest.mark.parametrize(
    ("written", "ns"), [("50", 50_000_000), (50, 50_000_000), (0.5, 500_000), (".5ms", 500_000), ("2.", 2_000_000)]
)
def test_a_number_alone_is_milliseconds(written: Any, ns: int) -> None:
    assert parse_duration(written) == ns


@pytest.mark.parametrize("written", ["", "ms", "-5ms", "5 m", "1e3", "nan", math.inf, "5ms5", "9" * 400, "2h"])
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(UsageError, match="wait is"):
        parse_duration(written)


@given(st.integers(-(10**30), 10**30))
def test_a_whole_number_reads_as_it_is_written(number: int) -> None:
    assert parse_whole(str(number), "n") == parse_whole(number, "n") == number


@pytest.mark.parametrize("written", ["", "1.5", "1e3", 1.5, math.nan, math.inf, [], "9" * 5000])
def test_what_is_no_whole_number_is_refused(written: Any) -> None:
    with pytest.raises(UsageError, match="not a whole number"):
        parse_whole(written, "samples")


@pytest.mark.parametrize("name", ["workers", "in_flight", "samples", "limit", "size", "tile"])
def test_nothing_that_is_counted_may_be_zero(name: str) -> None:
    mode = {"workers": "parallel", "in_flight": "concurrent"}.get(name, "sequential")
    for zero in (0, "0"):
        with pytest.raises(UsageError, match=name.replace("_", " ")):
            complete(mode=mode, **{name: zero})


def test_workers_below_zero_count_from_all_cpus_as_joblib_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cpus", lambda: 3)
    assert [complete(workers=asked).workers for asked in (-1, "-2", -3, 7)] == [3, 2, 1, 7]
    for asked in (-4, "-4"):
        with pytest.raises(UsageError, match="may use 3 CPUs, and that leaves none"):
            complete(workers=asked)


def test_a_parameter_passed_as_an_option_is_told_where_it_goes() -> None:
    with pytest.raises(UnknownName) as told:
        complete(scene="still_life", turn=40)
    assert told.value.remedy == 'it is a parameter of scene still_life: pass parameters={"turn": ...}'


@pytest.mark.parametrize("name", modes.names())
def test_an_option_of_another_mode_is_wrong_use(name: str) -> None:
    values = {"workers": 2, "backend": "loky", "in_flight": 2}
    for option, value in values.items():
        if option not in modes.load(name).OPTIONS:
            with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} does not apply to mode {name}"):
                complete(mode=name, **{option: value})


@pytest.mark.parametrize("mode", CPU_MODES)
@pytest.mark.parametrize("target", ["python", "scalar", "simd"])
def test_any_processor_mode_goes_with_any_processor_target(mode: str, target: str) -> None:
    request = complete(mode=mode, target=target)
    assert (request.mode, request.target) == (mode, target)


@pytest.mark.parametrize("mode", CPU_MODES)
def test_target_cuda_goes_with_mode_cuda_only(mode: str) -> None:
    with pytest.raises(UsageError, match="target"):
        complete(mode=mode, target="cuda")


def test_only_mode_parallel_has_a_backend() -> None:
    assert {mode: complete(mode=mode).backend for mode in CPU_MODES} == {
        "sequential": None,
        "concurrent": None,
        "parallel": "threading",
    }


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ({"scene": "mandlebrot"}, "mandelbrot"),
        ({"view": "seahorse"}, "seahorses"),
        ({"mode": "paralel"}, "parallel"),
        ({"target": "smid"}, "simd"),
        ({"backend": "threads"}, "threading"),
        ({"order": "hilberts"}, "hilbert"),
        ({"precision": "f46"}, "f64"),
        ({"parameters": {"zom": 1}}, "zoom"),
        ({"parameters": {"palette": "dsk"}}, "dusk"),
        ({"sizes": "1x1"}, "size"),
    ],
)
def test_an_unknown_name_is_told_the_nearest_that_is_known(asked: dict[str, Any], nearest: str) -> None:
    with pytest.raises(UnknownName) as caught:
        complete(**asked)
    assert caught.value.remedy.startswith(f"did you mean {nearest!r}?")


@pytest.mark.parametrize(
    ("precision", "parameters"),
    [
        ("f64", {"zoom": 1e15}),
        ("f32", {"zoom": 1e6}),
        ("f64", {"zoom": 1e15, "x": 0.0, "y": 4.0}),
    ],
)
def test_a_zoom_beyond_the_precision_is_refused(precision: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"too deep for {precision}"):
        complete(precision=precision, parameters=parameters)


def test_a_deep_zoom_at_the_origin_is_allowed() -> None:
    assert complete(parameters={"zoom": 1e15, "x": 0, "y": 0}).values["zoom"] == 1e15


@pytest.mark.parametrize("parameters", [{"zoom": 1e-44}, {"zoom": 1e-30, "x": 1e39}, {"zoom": 1e-30, "y": -1e39}])
def test_a_frame_beyond_single_precision_is_refused(parameters: dict[str, float], tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    functions = ("start(x, y, p): return x,", "step(s, p): return s", "alive(s, p): return s[0] < 2.0")
    lines = [*functions, "shade(s, steps, p): return s[0], s[0], s[0]"]
    bounds = 'PARAMETERS = {"zoom": (1.0, 1e-300, 1e300, "How near.")}\n'
    path.write_text(bounds + "\n".join(f"def {line}" for line in lines), encoding="utf-8")
    assert complete(scene=str(path), parameters=parameters).precision == "f64"
    with pytest.raises(UsageError, match="cannot represent positions"):
        complete(scene=str(path), parameters=parameters, precision="f32")


def test_words_become_parameters() -> None:
    assert options.parse_settings(["x=-1", " zoom = 1e5 ", "palette=a=b"]) == {
        "x": "-1",
        "zoom": "1e5",
        "palette": "a=b",
    }


@pytest.mark.parametrize("word", ["x", "=1", "", " =2"])
def test_a_setting_without_name_or_value_is_wrong_use(word: str) -> None:
    with pytest.raises(UsageError, match="has no value"):
        options.parse_settings([word])


@pytest.mark.parametrize("order", [[], {}, 3])
def test_a_caller_of_the_library_who_passes_nonsense_is_told_too(order: Any) -> None:
    for name in ("order", "mode", "precision", "scene", "view", "target"):
        with pytest.raises(RenderError):
            complete(**{name: order})
