"""What this process may use: the machine, or less where a container says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from render import engine, machine
from render.errors import UsageError
from render.options import complete

Write = Callable[..., None]
GIB = 1 << 30


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Makes control groups: `groups("0::/a", {"a/cpu.max": "max 100000"})`. The machine has eight CPUs."""

    def write(mine: str, files: dict[str, str]) -> None:
        (tmp_path / "mine").write_text(mine + "\n", encoding="ascii")
        for name, text in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="ascii")

    monkeypatch.setattr(machine, "MINE", tmp_path / "mine")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return write


@pytest.mark.parametrize(
    ("mine", "files", "expected"),
    [
        ("0::/", {"cpu.max": "max 100000"}, 8),
        ("0::/", {"cpu.max": "150000 100000"}, 2),
        ("0::/", {"cpu.max": "5000 100000"}, 1),
        ("0::/", {"cpu.max": "9900000 100000"}, 8),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
        ("0::/not/shown/here", {"cpu.max": "400000 100000"}, 4),
        ("3:cpu,cpuacct:/d", {"cpu/d/cpu.cfs_quota_us": "250000", "cpu/d/cpu.cfs_period_us": "100000"}, 3),
        ("3:cpu,cpuacct:/d", {"cpu/d/cpu.cfs_quota_us": "-1", "cpu/d/cpu.cfs_period_us": "100000"}, 8),
        ("3:cpu:/d\n0::/", {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ("4:memory:/", {"cpu.max": "100000 100000"}, 8),
        ("0::/", {"cpu.max": "nonsense"}, 8),
    ],
)
def test_cpus_are_those_that_the_control_groups_grant(
    mine: str, files: dict[str, str], expected: int, groups: Write
) -> None:
    groups(mine, files)
    assert machine.cpus() == expected


@pytest.mark.parametrize(
    ("mine", "files", "expected"),
    [
        ("0::/", {"memory.max": "max"}, 16 * GIB),
        ("0::/", {"memory.max": str(3 * GIB)}, 3 * GIB),
        ("0::/a/b", {"a/b/memory.max": str(5 * GIB), "a/memory.max": str(2 * GIB)}, 2 * GIB),
        ("4:memory:/d\n0::/", {"memory/d/memory.limit_in_bytes": str(GIB)}, GIB),
        ("4:memory:/d", {"memory/memory.limit_in_bytes": str((1 << 63) - 4096)}, 16 * GIB),
    ],
)
def test_memory_is_what_the_control_groups_grant(
    mine: str, files: dict[str, str], expected: int, groups: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups(mine, files)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}.get)
    assert machine.memory() == expected


def test_without_control_groups_the_machine_counts(groups: Write) -> None:
    assert machine.cpus() == 8
    assert machine.memory() >= GIB // 4


def test_a_frame_that_the_container_has_no_room_for_is_refused(groups: Write) -> None:
    groups("0::/", {"memory.max": str(GIB // 64)})
    request = complete(size="2000x2000", mode="sequential", target="python")
    with pytest.raises(UsageError, match=r"this process may use 16 MiB") as caught:
        engine.draw(request)
    assert caught.value.remedy.startswith("give a smaller --size; one picture saved as .png, .tif or .npz alone")


def test_the_facts_tell_what_limits_the_cpus(groups: Write) -> None:
    groups("0::/a", {"a/cpu.max": "250000 100000"})
    told = machine.describe_machine()
    assert (told["cpus"], told["cpus_affinity"], told["cpus_quota"]) == (3, 8, 2.5)


def test_the_load_is_the_systems_or_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (3.14159, 2.0, 1.0), raising=False)
    assert machine.load() == 3.14
    monkeypatch.delattr(os, "getloadavg", raising=False)
    assert machine.load() is None
