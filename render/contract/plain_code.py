"""Rules for the code of a scene's functions, read from its bytecode: what no vector and no GPU thread could do as well.

Compiled, it would end as an error of the compiler's, in its words. Here it is reported as a rule, with the line. What
only reaches outside (modules, files, `try`) is left to target `python`, where a scene may be given a fault on purpose.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from opcode import opmap
from types import CodeType, ModuleType
from typing import Any

from render.errors import SceneError

TOP = "do it at the top of the file, or in prepare"
ANEW = "lanes and tuples do not change: make new ones, and return them"
WORDS = "use the words of render.lanes, and range, len and tuples"
RULES = {  # instruction: what it does, and what to do instead
    "STORE_GLOBAL": ("changes the global {}", ANEW),
    "DELETE_GLOBAL": ("deletes the global {}", ANEW),
    "IMPORT_NAME": ("imports {}", TOP),
    "STORE_ATTR": ("sets the attribute {}", ANEW),
    "DELETE_ATTR": ("deletes the attribute {}", ANEW),
    "STORE_SUBSCR": ("writes into something", ANEW),
    "STORE_SLICE": ("writes into something", ANEW),
    "DELETE_SUBSCR": ("deletes from something", ANEW),
    "BEFORE_WITH": ("uses with", TOP),
    "PUSH_EXC_INFO": ("uses try or with", "nothing that lanes do raises an error"),
    "RETURN_GENERATOR": ("uses yield or await", "return all at once, as a tuple"),
}
SAID = "print at the top of the file, or in prepare: it goes to standard error"
NOT_FOR_LANES = {  # built-in functions: what speaks, asks what a lane is, makes lists or text
    **dict.fromkeys(("print", "input", "breakpoint"), SAID),
    **dict.fromkeys(("open", "exec", "eval", "compile", "__import__", "exit", "quit"), TOP),
    **dict.fromkeys(("type", "isinstance", "issubclass", "callable", "id", "hash", "dir", "vars"), WORDS),
    **dict.fromkeys(("getattr", "hasattr", "setattr", "delattr", "globals", "locals", "object", "super"), WORDS),
    **dict.fromkeys(("list", "dict", "set", "sum", "sorted", "map", "filter", "iter", "next", "any", "all"), WORDS),
    **dict.fromkeys(("str", "repr", "format", "ascii", "hex", "oct", "bin", "chr", "ord"), WORDS),
}
OUTSIDE = {"IMPORT_NAME", "BEFORE_WITH", "PUSH_EXC_INFO", *(name for name, do in NOT_FOR_LANES.items() if do == TOP)}
_FORBIDDEN = frozenset(opmap[name] for name in RULES if name in opmap)


def check_code(function: Callable[..., Any], *, interpreted: bool = False) -> Callable[..., Any]:
    """Return the function, if its code keeps the rules. Raises SceneError with the rule and the line.

    interpreted: whether Python runs it, so that it may reach outside.
    """
    code, space = function.__code__, function.__globals__
    allowed = OUTSIDE if interpreted else frozenset()
    modules = {name: value for name, value in space.items() if isinstance(value, ModuleType)}
    for name, module in modules.items():
        package = module.__name__.partition(".")[0]
        if package == "render":
            remedy = "import its words by name: from render.lanes import fma, where"
            raise _rule_error(code, f"uses the module {module.__name__}", remedy, name)
        if package in sys.stdlib_module_names and package != "math" and not interpreted:
            raise _rule_error(code, f"uses the module {module.__name__}", WORDS, name)
    if _FORBIDDEN & set(code.co_code[::2]):
        for operation, name, line in _read_instructions(code):
            if operation in RULES and operation not in allowed:
                rule, remedy = RULES[operation]
                raise SceneError(_format_place(code, line) + rule.format(name), remedy)
    for name in NOT_FOR_LANES.keys() & set(code.co_names) - space.keys() - allowed:
        if _line_of(code, name):
            raise _rule_error(code, f"uses {name}, which lanes cannot", NOT_FOR_LANES[name], name)
    return function


def _rule_error(code: CodeType, rule: str, remedy: str, name: str) -> SceneError:
    return SceneError(_format_place(code, _line_of(code, name)) + rule, remedy)


def _format_place(code: CodeType, line: int | None) -> str:
    return f"{code.co_filename}, line {line or code.co_firstlineno}: {code.co_name} "


def _line_of(code: CodeType, name: str) -> int | None:
    """Find the first line where a global of this name is read; None where the name means something else."""
    lines = (line for *read, line in _read_instructions(code) if read == ["LOAD_GLOBAL", name])
    return next(lines, None)


def _read_instructions(code: CodeType) -> Iterator[tuple[str, Any, int | None]]:
    """Yield each instruction's name, its argument, and its line."""
    import dis  # only when something is wrong

    for instruction in dis.get_instructions(code):
        yield instruction.opname, instruction.argval, instruction.positions.lineno if instruction.positions else None
