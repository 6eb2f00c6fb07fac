"""PTX read into a kernel: its parameters, registers, variables and instructions, with the lines they stand on.

Only what one entry needs is read. What says nothing about a result (debug lines, pragmas) is left out; all that is not
understood is an error, here or when its meaning is looked up. Source: NVIDIA, Parallel Thread Execution ISA 9.
"""

from __future__ import annotations

import re
from bisect import bisect
from typing import NamedTuple

SILENT = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*\.(?:loc|file)\b[^\n]*", re.DOTALL | re.MULTILINE)
VARIABLE = re.compile(
    r"(?:\.(?:visible|extern|weak|common)\s+)*\.(?P<space>global|const|shared|local|param)\s+"
    r"(?:\.align\s+(?P<align>\d+)\s+)?\.(?P<type>[a-z]+\d+)\s+(?:\.ptr\b[^;]*?\s)?(?P<name>[\w$%]+)\s*"
    r"(?P<array>\[\s*\d*\s*\])?\s*(?:=\s*(?P<data>[^;]*))?"
)
STATEMENT = re.compile(
    r"\s*(?:(?P<label>[\w$%.]+)\s*:(?!:)|(?P<open>\{)|(?P<close>\})|(?P<words>[^;{}]*(?:\{[^{}]*\}[^;{}]*)*);)"
)
GUARDED = re.compile(r"(?:@(?P<negated>!?)\s*(?P<guard>[\w$%]+)\s+)?(?P<opcode>[a-z][\w.:]*)\s*(?P<rest>.*)", re.DOTALL)
COMMA = re.compile(r",(?![^\[{]*[\]}])")
NAME = re.compile(r"[\w$%]+")


class PtxError(Exception):
    """What is wrong with a PTX text, or with what its threads do."""


class Variable(NamedTuple):
    """A named place in one state space: so many values of one type, with what lies there at first (empty: nothing)."""

    name: str
    space: str
    align: int
    type: str
    length: int
    data: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.length * int(self.type[1:]) // 8


class Instruction(NamedTuple):
    """One instruction; `guard` is the predicate that it asks, and the answer with which it is carried out."""

    line: int
    guard: tuple[str, bool] | None
    opcode: str
    operands: tuple[str, ...]

    def __str__(self) -> str:
        """As it stands in the text."""
        guard = f"@{'' if self.guard[1] else '!'}{self.guard[0]} " if self.guard else ""
        return f"line {self.line}: {guard}{self.opcode} {', '.join(self.operands)}".rstrip()


class Kernel(NamedTuple):
    """One entry of a PTX text. `labels` are numbers of instructions; `most` is the number of threads that it allows."""

    name: str
    parameters: tuple[Variable, ...]
    registers: dict[str, str]
    variables: dict[str, Variable]
    instructions: tuple[Instruction, ...]
    labels: dict[str, int]
    most: int


def parse(text: str, entry: str) -> Kernel:
    """The kernel of this name. Raises PtxError where the text holds none, or what it says is not understood."""
    text = SILENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    head = re.search(rf"\.entry\s+{re.escape(entry)}\s*\((?P<parameters>[^)]*)\)(?P<bounds>[^{{]*)\{{", text)
    if head is None:
        raise PtxError(f"no entry {entry}")
    most = re.search(r"\.maxntid\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?", head["bounds"])
    body = Body(text, head.end())
    around = text[: head.start()] + text[body.end :]
    outside = [
        variable(found) for found in VARIABLE.finditer(around) if found["space"] in {"global", "const", "shared"}
    ]
    wanted = [words.strip() for words in head["parameters"].split(",") if words.strip()]
    return Kernel(
        name=entry,
        parameters=tuple(variable(VARIABLE.fullmatch(words), words) for words in wanted),
        registers=body.registers,
        variables={one.name: one for one in outside} | body.variables,
        instructions=tuple(body.instructions),
        labels=body.labels,
        most=_product(most.groups()) if most else 1024,
    )


def _product(numbers: tuple[str | None, ...]) -> int:
    product = 1
    for number in numbers:
        product *= int(number or 1)
    return product


def variable(found: re.Match[str] | None, words: str = "") -> Variable:
    """What a declaration says. Raises PtxError where it is not understood."""
    if found is None:
        raise PtxError(f"not understood: {words}")
    size = int(found["type"][1:]) // 8
    data = tuple(value.strip() for value in (found["data"] or "").strip("{} \n\t").split(",") if value.strip())
    count = int((found["array"] or "[1]").strip("[] ") or 0)
    return Variable(found["name"], found["space"], int(found["align"] or size), found["type"], count, data)


class Body:
    """The statements between the braces of an entry, from just behind the first of them to `end`.

    Registers that an inner pair of braces declares are known only there; they are told apart by a number.
    """

    def __init__(self, text: str, start: int) -> None:
        self.registers: dict[str, str] = {}
        self.variables: dict[str, Variable] = {}
        self.instructions: list[Instruction] = []
        self.labels: dict[str, int] = {}
        self._lines = [found.start() for found in re.finditer("\n", text)]
        self._scopes: list[dict[str, str]] = [{}]
        self._hidden = 0
        self.end = start
        while self._scopes:
            self._read(text)

    def _read(self, text: str) -> None:
        """One statement more."""
        found = STATEMENT.match(text, self.end)
        if found is None:
            raise PtxError(f"line {self._line(self.end)}: not understood, or the end is missing")
        self.end = found.end()
        if found["open"]:
            self._scopes.append({})
        elif found["close"]:
            self._scopes.pop()
        elif found["label"]:
            if found["label"] in self.labels:
                raise PtxError(f"line {self._line(found.start('label'))}: a second label {found['label']}")
            self.labels[found["label"]] = len(self.instructions)
        else:
            self._statement(found["words"].strip(), self._line(found.start("words")))

    def _line(self, place: int) -> int:
        return bisect(self._lines, place - 1) + 1

    def _statement(self, words: str, line: int) -> None:
        if words.startswith(".reg"):
            self._declare(words, line)
        elif words.startswith((".local", ".shared", ".global", ".const")):
            told = variable(VARIABLE.fullmatch(words), f"line {line}: {words}")
            self.variables[told.name] = told
        elif words and not words.startswith(".pragma"):
            self._instruct(words, line)

    def _declare(self, words: str, line: int) -> None:
        found = re.fullmatch(r"\.reg\s+\.(\w+)\s+(.*)", words, re.DOTALL)
        if found is None:
            raise PtxError(f"line {line}: not understood: {words}")
        for name in found[2].split(","):
            series = re.fullmatch(r"\s*([\w$%]+)<(\d+)>\s*", name)
            for single in [f"{series[1]}{i}" for i in range(int(series[2]))] if series else [name.strip()]:
                if len(self._scopes) > 1:
                    self._hidden += 1
                    self._scopes[-1][single] = f"{single}#{self._hidden}"
                self.registers[self._resolved(single)] = found[1]

    def _instruct(self, words: str, line: int) -> None:
        found = GUARDED.fullmatch(words)
        if found is None:
            raise PtxError(f"line {line}: not understood: {words}")
        guard = (self._resolved(found["guard"]), not found["negated"]) if found["guard"] else None
        operands = tuple(self._resolved(part.strip()) for part in COMMA.split(found["rest"]) if part.strip())
        self.instructions.append(Instruction(line, guard, found["opcode"], operands))

    def _resolved(self, words: str) -> str:
        """An operand with the names of the innermost scope that knows them."""
        known: dict[str, str] = {}
        for scope in self._scopes:
            known |= scope
        return NAME.sub(lambda found: known.get(found[0], found[0]), words) if known else words
