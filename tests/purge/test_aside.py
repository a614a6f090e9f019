"""What goes in one step: below the home, behind links, on another disk, and after a kill."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from mmbio.purge import aside


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "runs"
    (home / "results").mkdir(parents=True)
    return home


@pytest.fixture
def linked(home: Path, tmp_path: Path) -> Path:
    """A result whose bytes are outside the home."""
    (tmp_path / "far" / "one").mkdir(parents=True)
    (tmp_path / "far" / "one" / "rows.csv").write_text("x")
    (home / "results" / "one").symlink_to(tmp_path / "far" / "one")
    return home / "results" / "one"


def of_another_disk(self: Path, target: Path, rename: Any = Path.rename) -> Path:
    if self.parent.name == "far" and target.parent.name != "far":
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    return rename(self, target)  # type: ignore[no-any-return]


@pytest.mark.parametrize("other_disk", [False, True])
def test_what_a_link_leads_to_goes_with_it(
    home: Path, linked: Path, tmp_path: Path, other_disk: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if other_disk:
        monkeypatch.setattr(Path, "rename", of_another_disk)
    aside.gone(linked, home)
    assert not linked.is_symlink()
    assert list((tmp_path / "far").iterdir()) == []
    assert not (home / aside.ASIDE).exists()


def test_what_a_kill_leaves_on_another_disk_goes_with_the_next(
    home: Path, linked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rename", of_another_disk)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", lambda _path: (_ for _ in ()).throw(KeyboardInterrupt))
        aside.gone(linked, home)
    assert [p.name.startswith(".purging.") for p in (tmp_path / "far").iterdir()] == [True]
    aside.empty(home)
    assert list((tmp_path / "far").iterdir()) == []


def test_a_link_that_somebody_else_put_aside_leads_nowhere(home: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (home / aside.ASIDE / "x").mkdir(parents=True)
    (home / aside.ASIDE / "x" / "elsewhere").symlink_to(tmp_path / "precious")
    aside.empty(home)
    assert (tmp_path / "precious").is_dir()
    assert not (home / aside.ASIDE).exists()


def test_what_is_not_there_is_gone(home: Path) -> None:
    aside.gone(home / "results" / "none", home)
    assert [p.name for p in home.iterdir()] == ["results"]
