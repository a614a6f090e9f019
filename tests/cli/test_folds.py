"""--folds: more than there are is said in one line, of training and of tables."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mmbio.cli import folds
from mmbio.data.manifest import Manifest

Call = Callable[..., Result]


@pytest.mark.parametrize("unseen", [False, True])
def test_more_folds_than_there_are(tiny_manifest: Manifest, caplog: pytest.LogCaptureFixture, unseen: bool) -> None:
    n = len(tiny_manifest.partitions(unseen))
    with caplog.at_level(logging.WARNING, logger="mmbio"):
        for asked in (None, 1, n):
            folds.look(tiny_manifest, asked, unseen)
        assert caplog.messages == []
        folds.look(tiny_manifest, n + 1, unseen)
    assert caplog.messages == [f"--folds {n + 1}: {tiny_manifest.folder.name} has {n}, which are all trained"]


def test_it_is_told_on_stderr_and_not_where_nothing_should_be(good: Call, tiny_root: Path, tmp_path: Path) -> None:
    words = ("train", "--data", tiny_root, "--out", tmp_path / "home", "--folds", "99")
    more = ("--modalities", "finger", "--tasks", "gender")
    result = good(*words, *more)
    assert [line for line in result.stderr.splitlines() if "--folds" in line] == [
        line for line in result.stderr.splitlines() if line.endswith(" has 8, which are all trained")
    ]
    assert "--folds" not in result.stdout
    assert "--folds 99: " in result.stderr
    assert good(*words, *more, "--quiet").output == ""
