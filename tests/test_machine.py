"""What this process may use: the smallest of what affinity and control groups of either version grant."""

from __future__ import annotations

from pathlib import Path

import pytest

from render import machine


def groups(monkeypatch: pytest.MonkeyPatch, root: Path, member: str, **files: str) -> None:
    """A tree of control groups; a file's name has __ for / and _DOT_ for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")
    membership = root / "membership"
    membership.write_text(member, "ascii")
    monkeypatch.setattr(machine, "GROUPS", root)
    monkeypatch.setattr(machine, "MEMBERSHIP", membership)
    monkeypatch.setattr(machine, "affinity", lambda: 8)


@pytest.mark.parametrize(
    ("member", "files", "quota", "cpus"),
    [
        ("", {}, None, 8),
        ("0::/\n", {"cpu_DOT_max": "max 100000"}, None, 8),
        ("0::/\n", {"cpu_DOT_max": "150000 100000"}, 1.5, 2),
        ("0::/a/b\n", {"a__b__cpu_DOT_max": "max 1000", "a__cpu_DOT_max": "3000 1000"}, 3.0, 3),
        ("0::/a/b\n", {"a__b__cpu_DOT_max": "500 1000", "a__cpu_DOT_max": "3000 1000"}, 0.5, 1),
        ("0::/not/seen/from/here\n", {"cpu_DOT_max": "2000 1000"}, 2.0, 2),
        ("0::/\n", {"cpu_DOT_max": "99000 1000"}, 99.0, 8),
        ("0::/\n", {"cpu_DOT_max": "nonsense"}, None, 8),
        (
            "4:cpu,cpuacct:/a\n3:memory:/a\n",
            {"cpu,cpuacct__a__cpu_DOT_cfs_quota_us": "250000", "cpu,cpuacct__a__cpu_DOT_cfs_period_us": "100000"},
            2.5,
            3,
        ),
        (
            "1:cpu:/away\n0::/\n",
            {"cpu__cpu_DOT_cfs_quota_us": "-1", "cpu__cpu_DOT_cfs_period_us": "100000"},
            None,
            8,
        ),
    ],
)
def test_the_quota_is_the_smallest_grant_on_the_way_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, member: str, files: dict[str, str], quota: float | None, cpus: int
) -> None:
    groups(monkeypatch, tmp_path, member, **files)
    assert (machine.quota(), machine.cpus()) == (quota, cpus)


def test_the_facts_tell_what_limits_the_cpus() -> None:
    facts = machine.facts()
    assert facts["cpus"] == machine.cpus() <= facts["cpus_affinity"]  # type: ignore[operator]
    assert {"cpus_machine", "cpus_affinity", "cpus_quota"} <= facts.keys()
