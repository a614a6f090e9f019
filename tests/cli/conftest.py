"""What the command line's tests share: ways to call it, and a home in which everyday use has happened once."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmbio.cli.main import main

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]

NOT_LISTED = (".latest", ".made.json", "environment.json")


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """One thread, a wide page, and nothing of the caller's own settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MMBIO_HOME", "MMBIO_DATA", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        patch.setenv("MMBIO_THREADS", "1")
        patch.setattr("mmbio.cli.running.LONG_S", math.inf)  # no line about the time that a busy machine takes
        patch.setattr("mmbio.cli.steps.EVERY_S", math.inf)
        yield


@pytest.fixture(scope="session")
def mmbio() -> Call:
    """`mmbio WORDS` in this process; an exception that no one catches is raised."""

    def call(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False, prog_name="mmbio")

    return call


@pytest.fixture(scope="session")
def good(mmbio: Call) -> Call:
    """`mmbio WORDS`, which must succeed."""

    def call(*words: object) -> Result:
        result = mmbio(*words)
        assert result.exit_code == 0, result.output
        return result

    return call


@pytest.fixture(scope="session")
def listing() -> Listing:
    """The files below a folder with their content, without locks, notes, the store, logs, and environments.

    A store is filled shard by shard and goes on where an earlier run stopped; logs, environments and notes hold times.
    """

    def found(folder: Path) -> dict[str, bytes]:
        names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        kept = {n: p for n, p in names.items() if p.suffix != ".lock" and not p.name.startswith(NOT_LISTED)}
        return {name: path.read_bytes() for name, path in kept.items() if not name.startswith(("store/", "logs/"))}

    return found


@pytest.fixture(scope="session")
def home(good: Call, tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a manifest of the tiny root (5 triplets a subject, 2 folds) and a trained attention."""
    folder = tmp_path_factory.mktemp("everyday") / "runs"
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", folder)
    good("train", "--fusion", "attention", "--out", folder)
    return folder


@pytest.fixture(scope="session")
def refused(mmbio: Call) -> Refused:
    """`mmbio WORDS --quiet` must exit with code 2 and print one sentence like `told`, behind click's usage lines
    where it is an option's form that is wrong."""

    def check(told: str, words: str, home: Path, **places: Path) -> None:
        given = words.format(home=home, **places).split()
        if given[0] == "download" and given[1].startswith("-"):
            given.insert(1, "synthetic")
        out = [] if "--out" in given else ["--out", home]
        result = mmbio(*given, "--quiet", *out)
        *usage, sentence = result.stderr.rstrip("\n").split("\n")
        assert (result.exit_code, result.stdout) == (2, "")
        assert sentence.startswith("Error: ")
        assert not usage or usage[0].startswith("Usage: mmbio ")
        assert re.search(told, sentence), sentence

    return check
