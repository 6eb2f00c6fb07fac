"""The toolkit is searched for once, and again when anything that leads to it has changed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from render.codegen import code_cache
from render.runtime.cuda import toolkit as toolkits
from render.runtime.cuda.toolkit import Toolkit, find_toolkit, recall_toolkit


class Search:
    """Finds a toolkit of one file; `count`: how often."""

    def __init__(self, folder: Path) -> None:
        self.count, self.file, self.missing = 0, folder / "libnvrtc.so.13", tuple[str, ...]()
        self.file.touch()

    def __call__(self) -> Toolkit:
        self.count += 1
        return Toolkit((13, self.count), (75, 90), self.missing, (str(self.file),))


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    monkeypatch.setenv("RENDER_CACHE_DIR", str(tmp_path / "cache"))
    return Search(tmp_path)


def test_the_toolkit_here_is_found_whole_and_the_same_again(search: Search) -> None:
    found = find_toolkit()

    assert not found.missing
    assert 90 in found.capabilities
    assert len(found.files) == len(toolkits.LIBRARIES)
    assert recall_toolkit(lambda: found) == recall_toolkit(search) == found
    assert not search.count


def test_what_was_found_is_not_searched_for_again(search: Search) -> None:
    assert recall_toolkit(search) == recall_toolkit(search)
    assert search.count == 1


def upgrade(search: Search, patch: pytest.MonkeyPatch) -> None:
    search.file.write_bytes(b"newer")


def remove(search: Search, patch: pytest.MonkeyPatch) -> None:
    search.file.unlink()


def point_elsewhere(search: Search, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CUDA_HOME", "/elsewhere")


def install(search: Search, patch: pytest.MonkeyPatch) -> None:
    (search.file.parent / "nvidia_other-13.9.dist-info").mkdir()
    patch.setattr(sys, "path", [*sys.path, str(search.file.parent)])


def damage(search: Search, patch: pytest.MonkeyPatch) -> None:
    for kept in code_cache.cache_folder().glob("*.code"):
        kept.write_bytes(kept.read_bytes()[:-1])


@pytest.mark.parametrize("change", [upgrade, remove, point_elsewhere, install, damage])
def test_a_change_is_noticed(
    change: Callable[[Search, pytest.MonkeyPatch], None], search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    recall_toolkit(search)
    change(search, monkeypatch)

    assert recall_toolkit(search).version == (13, 2)


def test_a_toolkit_of_which_a_part_is_missing_is_searched_for_each_time(search: Search) -> None:
    search.missing = ("nvJitLink, which links",)

    assert recall_toolkit(search).missing
    assert recall_toolkit(search).missing
    assert search.count == 2
