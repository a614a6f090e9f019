"""machine: what the figures were measured on, and whether it was quiet; no host names and no paths."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

QUIET: Final = 0.3  # processes in the last minute, from which on it is said that others were at work
PACKAGES: Final = ("torch", "numpy", "scipy", "scikit-learn", "onnxruntime", "openvino", "pandas")


def described() -> dict[str, str]:
    """What the machine and its software are, as name -> words."""
    return {
        "processor": processor(),
        "cores": str(cores()),
        "memory": f"{_kib('MemTotal') / 2**20:.0f} GiB",
        "native bf16": _flags({"amx_bf16": "AMX", "avx512_bf16": "AVX-512"}),
        "accelerator": accelerator(),
        "software": ", ".join(
            [f"{platform.system()} {platform.machine()}", f"python {platform.python_version()}"]
            + [f"{name} {found}" for name in PACKAGES if (found := _version(name))]
        ),
        "threads": ", ".join(
            f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "MMBIO_THREADS") if name in os.environ
        )
        or "as the libraries choose",
    }


def processor() -> str:
    """The processor's name, as the system calls it."""
    for line in _text("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def accelerator() -> str:
    """The GPU's name, or that there is none; asked of torch in another process, since its memory would stay here."""
    code = "import torch; print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else 'none')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or "none"


def load() -> str:
    """A warning where other work shares the cores, else nothing."""
    last = os.getloadavg()[0]
    return "" if last < QUIET else f"the machine was not quiet: {last:.1f} processes ran in the minute before"


def free_bytes(folder: Path) -> int:
    """How much a folder's disk has left."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _flags(names: dict[str, str]) -> str:
    flags = set(_text("/proc/cpuinfo").split())
    return ", ".join(words for flag, words in names.items() if flag in flags) or "no"


def _kib(field: str) -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
