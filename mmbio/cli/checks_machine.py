"""checks_machine: processor, memory, disk, home and proxy of this machine, and whether a network computes well."""

import fcntl
import locale
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mmbio.cli.findings import Finding, fail, ok, warn
from mmbio.cli.run_log import without_secrets
from mmbio.errors import MmbioError
from mmbio.words import plural

GIB: Final = 2**30
LEAST_DISK: Final = 1 * GIB  # below it hardly anything can be stored
GOOD_DISK: Final = 5 * GIB
GOOD_MEMORY: Final = 2 * GIB  # what a training of the default tables takes at most, with its vectors
FILES: Final = 256  # open at once
COSINE: Final = 0.999
PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
MEMINFO: Final = Path("/proc/meminfo")
LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine(out: str | None) -> Iterator[Finding]:
    """All checks of the machine and of the home folder `out`."""
    yield _processor()
    yield _threads()
    yield _accelerator()
    yield _numbers()
    home = Path(out or os.environ.get("MMBIO_HOME") or "runs")
    yield _home(home)
    yield _disk(home)
    yield _memory()
    yield _open_files()
    yield _proxies()
    yield _texts()


def _processor() -> Finding:
    from mmbio import provenance

    model, flags = provenance.processor()
    about = f"{model or 'model not known'}, {plural(provenance.cores(), 'core')}"
    if not flags:
        return ok("processor", f"{about}; what it can do is not known here")
    fast = sorted(flags & provenance.NATIVE_BF16)
    wide = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    if not fast:
        cure = "nothing: float32 is used, which takes longer; results of another precision are kept apart"
        return warn("processor", f"{about}, {wide}, no bf16", cure)
    return ok("processor", f"{about}, {wide}, bf16 ({', '.join(fast)})")


def _threads() -> Finding:
    from mmbio import provenance
    from mmbio.embed.settings import threads

    cores = provenance.cores()
    try:
        n = threads()
    except MmbioError as error:
        return fail("threads", str(error), f"export MMBIO_THREADS={cores}")
    found = f"{n} {'(MMBIO_THREADS)' if 'MMBIO_THREADS' in os.environ else '(by default)'} on {plural(cores, 'core')}"
    if n != cores:
        return warn("threads", found, f"export MMBIO_THREADS={cores} uses the machine best")
    return ok("threads", found)


def _accelerator() -> Finding:
    try:
        import torch

        if torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info()
            found = f"{torch.cuda.get_device_name()}, {free / GIB:.0f} of {total / GIB:.0f} GiB free"
            return ok("GPU", found)
    except (ImportError, OSError, RuntimeError) as error:
        return warn("GPU", str(error).splitlines()[0], "mend the driver, or run with --device cpu")
    if Path("/dev/nvidia0").exists():
        cure = "install a torch built for its driver (see pytorch.org), or run with --device cpu"
        return warn("GPU", "there is one that torch cannot use", cure)
    return ok("GPU", "none; networks run on the processor")


def _numbers() -> Finding:
    """A ResNet-50 as extraction runs it here, against the plain one in float32, on random images."""
    check = "a network's numbers"
    try:
        import numpy as np

        from mmbio.embed.backbones.resnet50 import SIZE, ResNet50, execution_of
        from mmbio.embed.settings import precision_of

        precision = precision_of("auto", "cpu")
        execution = execution_of(precision, "cpu", 8)
        images = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3), dtype=np.uint8)
        plain = ResNet50("random", "fp32", "cpu").embed(images)
        ours = ResNet50("random", precision, "cpu", execution).embed(images)
    except (ImportError, OSError, RuntimeError, MmbioError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return fail(check, first, "mend the lines above first; then report it")
    norms = np.linalg.norm(plain, axis=1) * np.linalg.norm(ours, axis=1)
    least = float(((plain * ours).sum(axis=1) / norms).min())
    found = f"ResNet-50 {execution} in {precision}: cosine {least:.5f} to float32"
    if not least >= COSINE:
        return fail(check, found, "run with --precision fp32, and report it")
    return ok(check, found)


def _home(home: Path) -> Finding:
    """Write, bring to disk, rename and lock a file where runs would write, without making the folder."""
    check = "home folder"
    place = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.exists())
    cure = "give another folder with --out or MMBIO_HOME"
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".mmbio-doctor-") as scratch:
            one, other = Path(scratch) / "one", Path(scratch) / "other"
            with one.open("wb") as file:
                file.write(b"x")
                file.flush()
                os.fsync(file.fileno())
            one.replace(other)
            locks = _locks(other)
    except OSError as error:
        return fail(check, f"{home}: {error.strerror or error}", cure)
    if not locks:
        return fail(check, f"{home}: its disk does not keep locks, so two runs could spoil each other", cure)
    return ok(check, f"{home}: written, renamed, locked" if home.exists() else f"{home}: can be made")


def _locks(path: Path) -> bool:
    """Whether a file that is locked cannot be locked again."""
    with path.open("rb") as one, path.open("rb") as other:
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _disk(home: Path) -> Finding:
    place = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.exists())
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return warn("disk", f"{place}: {error.strerror}", "see how much is free there")
    found = f"{free / GIB:.1f} GiB free for {home}"
    cure = "free some, or give a folder on another disk with --out"
    if free < LEAST_DISK:
        return fail("disk", found, cure)
    return ok("disk", found) if free >= GOOD_DISK else warn("disk", found, cure)


def _memory() -> Finding:
    """What is free of the machine's memory, or of what this process may have of it."""
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text(encoding="ascii").splitlines())
        total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return ok("memory", "how much there is, is not known here")
    for path in LIMITS:
        text = path.read_text(encoding="ascii").strip() if path.is_file() else ""
        if text.isdecimal() and int(text) < total:
            total, free = int(text), min(free, int(text))
    found = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    if free < GOOD_MEMORY:
        return warn("memory", found, "end other programs, and run with --scale quick and MMBIO_THREADS=1")
    return ok("memory", found)


def _open_files() -> Finding:
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < FILES:
        return warn("open files", f"at most {most}", "ulimit -n 4096")
    return ok("open files", "any number" if most == resource.RLIM_INFINITY else f"at most {most:,}")


def _proxies() -> Finding:
    """What a download would go through; names and passwords in addresses are left out."""
    given = [name for upper in PROXIES for name in (upper, upper.lower()) if os.environ.get(name)]
    return ok("proxy", without_secrets(", ".join(f"{name}={os.environ[name]}" for name in given)) or "none is set")


def _texts() -> Finding:
    names, printed = sys.getfilesystemencoding(), getattr(sys.stdout, "encoding", None) or "utf-8"
    found = f"names of files in {names}, output in {printed}, locale {locale.setlocale(locale.LC_CTYPE)}"
    if {names.lower().replace("-", ""), printed.lower().replace("-", "")} != {"utf8"}:
        return warn("texts", found, "export PYTHONUTF8=1, or a locale such as LANG=C.UTF-8")
    return ok("texts", found)
