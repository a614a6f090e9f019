"""Provenance: on what, with what and when something was computed; it stands beside results, never in them."""

import os
import platform
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from mmbio import __version__

LIBRARIES: Final = (
    *("torch", "torchvision", "numpy", "pandas", "scikit-learn", "scipy", "wfdb", "neurokit2", "matplotlib", "pillow"),
    *("safetensors", "soundfile", "dlib-bin", "face-recognition-models", "facenet-pytorch", "resemblyzer", "av"),
)
VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ATEN_CPU_CAPABILITY")
NATIVE_BF16: Final = frozenset({"amx_tile", "amx_bf16", "avx512_bf16"})  # as Linux names what a processor can do
CPUINFO: Final = Path("/proc/cpuinfo")
_LOADED: Final = time.time()


def environment(began: float | None = None) -> dict[str, Any]:
    """What a figure was computed with: versions, commit, processor, threads, command and times; never an error.

    `began` is a time.time(); without it, when this module was loaded. Names of the machine and of its users are
    left out, and the user's home folder is written as ~.
    """
    start = _LOADED if began is None else began
    return {
        **_lasting(),
        "libraries": dict(_lasting()["libraries"]),
        "threads": os.environ.get("MMBIO_THREADS", "2"),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "accelerator": _accelerator(),
        "command": [_program(), *map(typed, sys.argv[1:])] if sys.argv else [],
        "began": moment(start),
        "seconds": round(time.time() - start, 2),
    }


def _program() -> str:
    """What was started; `python -m mmbio` is mmbio."""
    name = Path(sys.argv[0]).name
    return "mmbio" if name == "__main__.py" else name


def moment(seconds: float) -> str:
    """A time.time() as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def typed(text: str | Path) -> str:
    """A path, or a word with one in it, as it was typed: the user's home folder is ~."""
    with suppress(RuntimeError):
        home = str(Path.home())
        if len(Path(home).parts) > 1:
            return re.sub(rf"(?<![\w.~/-]){re.escape(home)}(?=/|$)", "~", str(text))
    return str(text)


def commit(checkout: Path) -> str:
    """The commit that a Git checkout stands on, read from its files; '' where there is none.

    Whether files differ from the commit takes Git to know: what was run is known by the hashes of the code.
    """
    try:
        folder = _git_folder(checkout / ".git")
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head if _is_hash(head) else ""
        return _of_ref(folder, head.removeprefix("ref: ").strip())
    except (OSError, ValueError):
        return ""


def _git_folder(entry: Path) -> Path:
    """What `.git` is, or, in a worktree, what it points to."""
    if entry.is_dir():
        return entry
    pointed = entry.read_text(encoding="utf-8").strip().removeprefix("gitdir:").strip()
    return entry.parent / pointed


def _of_ref(folder: Path, ref: str) -> str:
    """The commit of a branch: in a file of its own, or among the packed ones; worktrees share them."""
    shared = folder / "commondir"
    common = folder / shared.read_text(encoding="utf-8").strip() if shared.is_file() else folder
    for place in (folder, common):
        if (place / ref).is_file():
            found = (place / ref).read_text(encoding="utf-8").strip()
            return found if _is_hash(found) else ""
    for line in (common / "packed-refs").read_text(encoding="utf-8").splitlines():
        found, _, name = line.partition(" ")
        if name == ref and _is_hash(found):
            return found
    return ""


def _is_hash(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) is not None


@cache
def _lasting() -> dict[str, Any]:
    """What does not change while a process lives."""
    model, flags = processor()
    return {
        "mmbio": __version__,
        "commit": commit(Path(__file__).resolve().parents[1]),
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        "system": platform.platform(),
        "processor": model or platform.machine(),
        "cores": cores(),
        "bf16": bool(flags & NATIVE_BF16) if flags else None,  # None: not known
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except (PackageNotFoundError, KeyError):  # not installed, or installed in part
        return ""


def processor() -> tuple[str, frozenset[str]]:
    """The processor's model and what it can do, where Linux tells; else nothing."""
    try:
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", frozenset()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE)
    return model[1].strip() if model else "", frozenset(flags[1].split()) if flags else frozenset()


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _accelerator() -> str:
    """The name of the accelerator, where networks ran on one; torch is not loaded to ask."""
    torch = sys.modules.get("torch")
    used = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return str(torch.cuda.get_device_name()) if torch is not None and used else ""
