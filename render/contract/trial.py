"""Does a scene keep the scene contract? Asked before anything is painted, and answered with the rule and the line.

Each function is called once with lanes that have no value (`Trial`), only a kind: real, whole or mask. They know what
the vocabulary allows and refuse the rest where it is written: a branch on lanes, a function of `math` or numpy, an
operator that no target has. The real members
of `p` are lanes too; what a scene does with whole numbers and constants is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, NoReturn

import numpy as np

from render import targets
from render.codegen.retarget import retarget
from render.contract.foreign_code import contain_exits, error_line
from render.contract.plain_code import check_code
from render.contract.rules import CONTRACT
from render.errors import SceneError, UnknownName
from render.language import primitives
from render.request import Request
from render.scene import Scene

REAL, WHOLE, MASK = "real", "whole", "mask"
BRANCH = "a branch on lanes (if, while, and, or, not, min, max)"
USE_WHERE = "write where(mask, a, b), & | ~, minimum, maximum; real members of p count as lanes, whole ones may branch"
USE_WORDS = "use the words of render.lanes; math and numpy give other bits on other machines"
OPERATORS = "write it with + - * /, fma and the words of render.lanes, such as x * x or power(x, y)"


class BrokenRule(Exception):
    """A rule that is broken here, and what to write in its place."""


class Trial:
    """A lane without a value. It gives trials of the right kind, and refuses what no target could do."""

    __slots__ = ("kind",)
    __array_ufunc__ = None  # numpy's scalars leave operators to the trial; numpy's functions refuse it
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __bool__(self) -> bool:
        raise BrokenRule(BRANCH, USE_WHERE)

    def _refuse(self, *_: object) -> NoReturn:
        raise BrokenRule("lanes used as plain numbers (by math, range, an index or a loop)", USE_WORDS)

    def _refuse_text(self, *_: object) -> NoReturn:
        raise BrokenRule(
            "lanes turned into text", "print at the top of the file, or in prepare; lanes have values only later"
        )

    def _refuse_operator(self, *_: object) -> NoReturn:
        raise BrokenRule("an operator that is not in the vocabulary (** % // divmod round)", OPERATORS)

    __float__ = __int__ = __index__ = __complex__ = __iter__ = __len__ = __getitem__ = _refuse
    __str__ = __repr__ = __format__ = _refuse_text
    __pow__ = __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __divmod__ = __round__ = _refuse_operator
    __ipow__ = __imod__ = __ifloordiv__ = _refuse_operator


def kind_of(value: Any) -> str:
    """Return the kind of a trial, or of a plain number as a lane. Raises BrokenRule for anything else."""
    if isinstance(value, Trial):
        return value.kind
    if isinstance(value, (bool, np.bool_)):
        return MASK
    if isinstance(value, (int, np.integer)):
        if not -(1 << 63) <= value < 1 << 63:
            raise BrokenRule("a whole number of more than 64 bits among lanes", "write it as a real: 1e20")
        return WHOLE
    if isinstance(value, (float, np.floating)):
        return REAL
    raise BrokenRule(f"{type(value).__name__} among lanes", "lanes and plain numbers only")


def _number_kind(word: str, *operands: Any) -> str:
    """Find the kind that numbers have together: whole constants are real among reals."""
    kinds = {kind_of(operand) for operand in operands}
    if MASK in kinds:
        raise BrokenRule(f"a mask as an operand of {word}", "a mask is no number: write where(mask, 1.0, 0.0)")
    lanes = {operand.kind for operand in operands if isinstance(operand, Trial)}
    if len(lanes) > 1 or (lanes == {WHOLE} and REAL in kinds):
        raise BrokenRule(f"reals and whole numbers mixed by {word}", "convert one of them: to_real(i) or to_int(a)")
    return lanes.pop() if lanes else REAL if REAL in kinds else WHOLE


def _real_result(word: str, *operands: Any) -> Trial:
    if any(isinstance(operand, Trial) and operand.kind != REAL for operand in operands):
        raise BrokenRule(f"{word} of something that is not real", "see render.lanes")
    _number_kind(word, *operands)
    return Trial(REAL)


def _binary_operator(symbol: str, result: str | None, allowed: frozenset[str]) -> Callable[[Trial, Any], Trial]:
    def method(self: Trial, other: Any) -> Trial:
        kinds = {self.kind, kind_of(other)}
        if kinds == {MASK} and MASK in allowed:
            return Trial(MASK)
        kind = _number_kind(symbol, self, other)
        if kind not in allowed:
            raise BrokenRule(f"{symbol} of {kind} numbers", "see render.lanes")
        return Trial(result or kind)

    return method


def _unary_operator(symbol: str, allowed: frozenset[str]) -> Callable[[Trial], Trial]:
    def method(self: Trial) -> Trial:
        if self.kind not in allowed:
            raise BrokenRule(f"{symbol} of a {self.kind}", USE_WHERE)
        return Trial(self.kind)

    return method


MOST_YES = 100
NUMBERS, WHOLES, SETS = frozenset({REAL, WHOLE}), frozenset({WHOLE}), frozenset({WHOLE, MASK})
for _name, _symbol, _allowed in (
    ("add", "+", NUMBERS),
    ("sub", "-", NUMBERS),
    ("mul", "*", frozenset({REAL})),
    ("truediv", "/", frozenset({REAL})),
    ("and", "&", SETS),
    ("or", "|", SETS),
    ("xor", "^", SETS),
    ("lshift", "<<", WHOLES),
    ("rshift", ">>", WHOLES),
):
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(Trial, _form, _binary_operator(_symbol, None, _allowed))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Trial, f"__{_name}__", _binary_operator("a comparison", MASK, NUMBERS))
for _name, _symbol, _allowed in (
    ("neg", "a sign", NUMBERS),
    ("pos", "a sign", NUMBERS),
    ("abs", "abs", NUMBERS),
    ("invert", "~", SETS),
):
    setattr(Trial, f"__{_name}__", _unary_operator(_symbol, _allowed))


def _trial_words(*, any_lane: bool) -> dict[str, Callable[..., Any]]:
    """Make the primitive words for trials; `any_lane` answers with its argument, so that both ways are tried.

    It says yes only so often: `while any_lane(going)` must come to its end.
    """
    yes = count()

    def reals(name: str) -> Callable[..., Trial]:
        return lambda *operands: _real_result(name, *operands)

    def where(mask: Any, a: Any, b: Any) -> Trial:
        if kind_of(mask) != MASK:
            raise BrokenRule("where without a mask", "its first operand is a comparison, such as x < 0.0")
        kinds = {kind_of(a), kind_of(b)}
        return Trial(MASK) if kinds == {MASK} else Trial(_selected_kind(a, b))

    def convert(name: str, source: str, result: str) -> Callable[[Any], Trial]:
        def word(a: Any) -> Trial:
            if kind_of(a) != source:
                raise BrokenRule(f"{name} of a {kind_of(a)}", "see render.lanes")
            return Trial(result)

        return word

    def take(array: Any, index: Any) -> Trial:
        if not isinstance(array, np.ndarray):
            raise BrokenRule(f"take from a {type(array).__name__}", "an array comes from prepare, as a member of p")
        _number_kind("take", index)
        return Trial(REAL)

    def some(mask: Any) -> bool:
        if kind_of(mask) != MASK:
            raise BrokenRule("any_lane of something that is no mask", "its operand is a comparison, such as x < 0.0")
        return any_lane and next(yes) < MOST_YES

    words: dict[str, Callable[..., Any]] = {
        **{name: reals(name) for name in ("fma", "sqrt", "abs", "floor", "minimum", "maximum")},
        "where": where,
        "any_lane": some,
        "take": take,
        "to_int": convert("to_int", REAL, WHOLE),
        "to_real": convert("to_real", WHOLE, REAL),
        "bits": convert("bits", REAL, WHOLE),
        "from_bits": convert("from_bits", WHOLE, REAL),
    }
    return {name: _check_operand_count(name, word) for name, word in words.items()}


def _check_operand_count(name: str, word: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a word so that it checks the number of its operands."""
    code = getattr(primitives, name).__code__
    wanted = code.co_varnames[: code.co_argcount]

    def called(*operands: Any, **named: Any) -> Any:
        if named or len(operands) != len(wanted):
            raise BrokenRule(
                f"{name} with {len(operands) + len(named)} operands, or by name", f"{name}({', '.join(wanted)})"
            )
        return word(*operands)

    return called


def _selected_kind(a: Any, b: Any) -> str:
    """Find the kind that `where` gives: constants alone are real; beside lanes they take their kind."""
    return _number_kind("where", a, b) if isinstance(a, Trial) or isinstance(b, Trial) else REAL


def check_scene(scene: Scene, request: Request) -> None:
    """Try every function of the scene. Raises SceneError with the rule and the line.

    What the scene raises of its own accord comes through as it is.
    """
    p: Any = scene.prepared(request)
    p = p._replace(**{name: Trial(REAL) for name, value in p._asdict().items() if isinstance(value, np.floating)})
    _check_symmetric(scene, request)
    wrap = partial(check_code, interpreted=not targets.load(request.target).DROPS_GIL)
    for way in (True, False):
        bound = {getattr(primitives, name): word for name, word in _trial_words(any_lane=way).items()}
        plain = {name: function for name, function in scene.functions.items() if name != "prepare"}
        _try_functions(scene, {name: retarget(one, words=bound, wrap=wrap) for name, one in plain.items()}, p)


def _try_functions(scene: Scene, functions: dict[str, Callable[..., Any]], p: Any) -> None:
    real = Trial(REAL)

    def called(name: str, *arguments: Any) -> Any:
        try:
            with contain_exits():
                return functions[name](*arguments)
        except BrokenRule as broken:
            raise _scene_error(scene, broken, *broken.args) from broken
        except (AttributeError, NameError) as error:
            raise _scene_error(scene, error, *_explain_name(error)) from error
        except TypeError as error:
            if "does not support ufuncs" not in str(error):
                raise
            raise _scene_error(scene, error, "a function of numpy on lanes", USE_WORDS) from error

    state = tuple(Trial(REAL) for _ in _check_lanes(scene, "start", called("start", real, real, p)))
    _check_mask(scene, "alive", called("alive", state, p))
    _check_lanes(scene, "step", called("step", state, p), len(state))
    _check_lanes(scene, "shade", called("shade", state, real, p), 3)
    if "never_ends" in functions:
        _check_mask(scene, "never_ends", called("never_ends", real, real, p))


def _explain_name(error: AttributeError | NameError) -> tuple[str, str]:
    """Explain a name that is not there; of p, its members are named."""
    members = getattr(getattr(error, "obj", None), "_fields", None)
    if members is not None:
        unknown = UnknownName("member of p", str(error.name), members)
        return unknown.cause, unknown.remedy
    return str(error).replace("'Trial' object", "a lane"), CONTRACT


def _check_lanes(scene: Scene, name: str, values: Any, count: int | None = None) -> Sequence[Any]:
    """Return the lanes that a function gave, so many of them. Raises SceneError where they are none."""
    begins = f"{scene.path}, line {scene.functions[name].__code__.co_firstlineno}: {name}"
    what = f"{count} lanes" if count else "lanes"
    if not isinstance(values, tuple) or (count and len(values) != count) or not values:
        raise SceneError(f"{begins} must give a tuple of {what}", CONTRACT)
    if any(isinstance(value, Trial) and value.kind == WHOLE for value in values):
        raise SceneError(f"{begins} gives whole lanes", "make them real: to_real(i)")
    if any(not isinstance(value, (Trial, int, float, np.number)) or kind_of(value) == MASK for value in values):
        raise SceneError(f"{begins} must give lanes or numbers, and no mask", CONTRACT)
    return values


def _check_mask(scene: Scene, name: str, value: Any) -> None:
    """Raise SceneError where a function did not give a mask."""
    if not (isinstance(value, Trial) and value.kind == MASK):
        line = scene.functions[name].__code__.co_firstlineno
        raise SceneError(f"{scene.path}, line {line}: {name} must give a mask", "a comparison, such as x < 4.0")


def _check_symmetric(scene: Scene, request: Request) -> None:
    """Call `symmetric` with plain numbers, as once for a request. Raises SceneError where it gives no truth value."""
    function = scene.functions.get("symmetric")
    if function and not isinstance(function(scene.prepared(request)), (bool, np.bool_)):
        cause = f"{scene.path}, line {function.__code__.co_firstlineno}: symmetric must give True or False"
        raise SceneError(cause, "a comparison, such as p.light == 0.0")


def _scene_error(scene: Scene, error: Exception, rule: str, remedy: str) -> SceneError:
    """Make the error for a broken rule, with the line."""
    return SceneError(f"{scene.path}, line {error_line(scene.path, error)}: {rule}", remedy)
