"""Versions of packages, from the names of the installers' folders: what Python's own library says of each."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from render.codegen import packages

NAMES = sorted({str(one.metadata["Name"]) for one in metadata.distributions()})


@pytest.mark.parametrize("spell", [str, str.upper, lambda name: name.replace("-", "_")])
def test_each_package_has_the_version_that_python_knows(spell: type[str]) -> None:
    assert {name: packages.find_version(spell(name)) for name in NAMES} == {
        name: metadata.version(name) for name in NAMES
    }
    assert packages.find_version("no-such-package") is None


def test_the_first_place_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, version in (("one", "1.0"), ("two", "2.0")):
        (tmp_path / place / f"Some.Package-{version}.dist-info").mkdir(parents=True)
    (tmp_path / "two" / "other-3.0-py3.11.egg-info").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in ("none", "one", "two")])

    assert packages.list_versions(["some-", "oth"]) == ["other-3.0", "some_package-1.0"]
