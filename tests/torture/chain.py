"""Chain: an experiment on small synthetic data as a user types it, each step a process of its own."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from mmbio.data.synthetic.root import generate
from mmbio.files import read_json
from tests.torture import own, remote
from tests.torture.steps import SPEC, Place, Step

N_SUBJECTS: Final = 6
PATIENCE: Final = 300.0  # seconds before a step counts as hung
COMPARED: Final = (
    ".csv",
    ".npy",
    ".safetensors",
    ".txt",
    ".tex",
    ".md",
    ".json",
    ".html",
)  # beside what was downloaded
STAMPED: Final = re.compile(
    r"^logs/|(^|/)checkpoints/[^/]*\.json$|(^|/)(run|environment|mmbio-lock|excluded)\.json$|^(?!sets/)(.*/)?\.[^/]*$"
)
REPRODUCED: Final = re.compile(r"^(reproduced/[0-9a-f]{8})-[^/]+")  # a rerun's folder has a name of chance
MADE: Final = {  # when and how fast, in files that are the same otherwise
    ".html": re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:+]+|(?<=<dt>Seconds</dt><dd>)[0-9.]+"),
    ".json": re.compile(rb'(?<="fingerprint": ")[0-9a-f]+'),  # of the times of files that a manifest is of
}
EXCLUDED: Final = "excluded.json"  # people by salted hashes


def shared(folder: Path) -> Path:
    """Write what all chains read: a small synthetic root, a user's embeddings, sets to download, a table's spec."""
    generate(folder / "root", n_subjects=N_SUBJECTS)
    remote.write(folder / "root", folder / "remote")
    own.write(folder / "own")
    (folder / "own.toml").write_text(SPEC, encoding="utf-8")
    return folder


def start(step: Step, place: Place, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    """Start a step in a process group of its own, after `before` there; what it says goes to the place's `said`."""
    with place.said.open("wb") as said:
        return subprocess.Popen(
            step.command(place),
            preexec_fn=before,
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"MMBIO_THREADS": "2"},
        )


def ended(process: subprocess.Popen[bytes], place: Place) -> tuple[int, str]:
    """Exit code of a step and what it said; a step that hangs is killed."""
    try:
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        code = -1
    return code, place.said.read_text(encoding="utf-8", errors="replace")


def together(step: Step, *places: Place) -> list[tuple[int, str]]:
    """Run a step in several places, or several times in one, at once; exit codes and what was said."""
    said = [replace(place, said_as=f"{n}") for n, place in enumerate(places)]
    return [ended(process, place) for process, place in [(start(step, place), place) for place in said]]


def finish(step: Step, place: Place) -> None:
    """Run a step to its end; raises AssertionError with its output where it fails."""
    code, said = ended(start(step, place), place)
    assert code == 0, f"{step.name} ended with {code}:\n{said[-2000:]}"
    assert "Traceback" not in said, said[-2000:]


def files(place: Place) -> dict[str, bytes]:
    """The files below a home that two runs of one chain share byte for byte, by name."""
    paths = {p.relative_to(place.home).as_posix(): p for p in place.home.rglob("*") if p.is_file()}
    sets = f"{place.sets.name}/"
    kept = [n for n, p in paths.items() if (p.suffix in COMPARED or n.startswith(sets)) and not STAMPED.search(n)]
    told = {REPRODUCED.sub(r"\1", name): _content(paths[name]) for name in kept}
    if (excluded := place.home / EXCLUDED).is_file():
        told[EXCLUDED] = f"{len(read_json(excluded, 'list')['people'])} people".encode()
    return told


def _content(path: Path) -> bytes:
    """A file's bytes, without times."""
    content = path.read_bytes()
    content = content.replace(b"<wbr>", b"") if path.suffix == ".html" else content
    return MADE[path.suffix].sub(b"", content) if path.suffix in MADE else content


def scraps(place: Place) -> list[str]:
    """What a chain should not leave behind: scratch folders, parts of downloads, reruns and purges of a killed run."""
    patterns = (".*.????????/.owner", "*.part", ".purge.json", ".purging")
    left = [path for pattern in patterns for path in place.home.rglob(pattern)]
    left += (place.home / "reproduced").glob("*/.owner")  # one without had ended, and is kept, before the kill came
    return sorted(path.relative_to(place.home).as_posix() for path in left)


def holding(place: Place, name: str) -> list[str]:
    """Files and folders below a home that hold a name, in their bytes or in their own names."""
    found = [(path.relative_to(place.home).as_posix(), path) for path in place.home.rglob("*")]
    return sorted(
        told for told, path in found if name in told or (path.is_file() and name.encode() in path.read_bytes())
    )
