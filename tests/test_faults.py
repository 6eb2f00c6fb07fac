"""Everything goes wrong in real runs, each in a process of its own: the short form of `benchmarks/faults.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="it looks for what is left behind in /proc"),
]


def test_nothing_is_lost_and_nothing_left_whatever_happens(
    script: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    faults = script("faults")
    wrong = faults.main(len(faults.FAULTS) + len(faults.BAD_TILES), seed=7)
    assert not wrong, capsys.readouterr().out
