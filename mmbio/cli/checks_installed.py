"""checks_installed: Python, libraries, extras and weights: is what mmbio needs there, and does it belong together?"""

import platform
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mmbio.cli.findings import Finding, fail, ok, warn
from mmbio.errors import MmbioError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PYTHON: Final = (3, 11)
EXTRAS: Final = {  # what each lets mmbio do
    "face": "faces by dlib",
    "voice": "voices by Resemblyzer",
    "video": "frames and speech of video files",
    "dask": "--workers and --scheduler",
}
PYPROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
TORCH: Final = "pip install -U torch torchvision"


def installed() -> Iterator[Finding]:
    """All checks of what is installed."""
    yield _python()
    if find_spec("packaging") is None:  # which reads the bounds of all others
        yield fail("libraries", "packaging is not there", "pip install --force-reinstall mmbio")
        return
    yield _libraries()
    yield _pair()
    yield _operators()
    for extra, what in EXTRAS.items():
        yield _extra(extra, what)
    yield _imagenet()
    yield from _packaged_weights()


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < PYTHON:
        return fail("Python", found, "install mmbio for Python 3.11 or later")
    return ok("Python", found)


def _libraries() -> Finding:
    """What mmbio requires in any case, against the bounds of its pyproject.toml or of the installed package."""
    needed = [one for one in _requirements() if one.marker is None]
    if not needed:
        return warn("libraries", "what mmbio requires is not known here", "install mmbio with pip")
    wrong = [said for one in needed if (said := _wrong(one))]
    if wrong:
        cure = "pip install -U " + " ".join(f"'{one.name}{one.specifier}'" for one in needed if _wrong(one))
        return fail("libraries", ", ".join(wrong), cure)
    return ok("libraries", f"all {len(needed)} within mmbio's bounds")


def _wrong(one: "Requirement") -> str:
    found = _version(one.name)
    if found and one.specifier.contains(found, prereleases=True):
        return ""
    return f"{one.name} {found or 'is not there'} (needs {one.specifier or 'any'})"


def _pair() -> Finding:
    """Each torchvision is built for one torch, which it names."""
    from packaging.requirements import Requirement

    ours, vision = _version("torch"), _version("torchvision")
    if not ours or not vision:
        return fail("torch and torchvision", "not both there", TORCH)
    wanted = [one for one in map(Requirement, requires("torchvision") or ()) if one.name == "torch"]
    if any(not one.specifier.contains(ours, prereleases=True) for one in wanted):
        cure = f"pip install 'torch{wanted[0].specifier}' torchvision=={vision}"
        return fail("torch and torchvision", f"{ours} and {vision}, which is for torch{wanted[0].specifier}", cure)
    return ok("torch and torchvision", f"{ours} and {vision}, a pair")


def _operators() -> Finding:
    """Whether torchvision's own operators are known to torch: they are not where the two do not fit."""
    try:
        import torch
        import torchvision

        schema = torch.ops.torchvision.nms.default
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return fail("torchvision's operators", first, f"{TORCH}, both from the same index")
    return ok("torchvision's operators", f"{schema} and others of {torchvision.__name__} are registered")


def _extra(extra: str, what: str) -> Finding:
    needed = [one for one in _requirements() if one.marker is not None and one.marker.evaluate({"extra": extra})]
    absent = [said for one in needed if (said := _wrong(one))]
    check = f"extra {extra}"
    if absent:
        return warn(check, f"{', '.join(absent)}: no {what}", f"pip install 'mmbio[{extra}]'")
    there = ", ".join(f"{one.name} {_version(one.name)}" for one in needed)
    return ok(check, f"{there}: {what}")


def _imagenet() -> Finding:
    """Where torchvision keeps its weights, whose name ends with the first digits of their hash."""
    import hashlib

    check = "ImageNet weights"
    try:
        import torch

        from mmbio.embed.backbones.resnet50 import IMAGENET
    except (ImportError, OSError, RuntimeError) as error:
        return fail(check, f"not known: {type(error).__name__}", TORCH)
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(IMAGENET.url).name
    if not path.is_file():
        return warn(
            check,
            f"not at {path}",
            "no action is needed for synthetic data; else the first run fetches them (100 MB); without a network put"
            f" {Path(IMAGENET.url).name} there",
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(path.stem.rpartition("-")[2]):
        return fail(check, f"{path} is damaged", "remove the file; the next run fetches it")
    return ok(check, str(path))


def _packaged_weights() -> Iterator[Finding]:
    """The weights that come inside packages; an extra that is not there was told of."""
    try:
        from mmbio.embed.backbones import dlib_face, resemblyzer
    except (ImportError, OSError, RuntimeError) as error:
        yield fail("weights in packages", f"not known: {type(error).__name__}", TORCH)
        return
    kinds = (
        ("dlib's weights", "face-recognition-models", dlib_face.weights_id, "face"),
        ("Resemblyzer's weights", "resemblyzer", resemblyzer.weights_id, "voice"),
    )
    for check, package, known_by, extra in kinds:
        if not _version(package):
            continue
        try:
            yield ok(check, f"{known_by()} in {package} {_version(package)}")
        except MmbioError as error:
            yield fail(check, str(error), f"pip install --force-reinstall 'mmbio[{extra}]'")


def _requirements() -> "list[Requirement]":
    """What mmbio requires, extras behind their markers: of the checkout it runs from, else as it was installed."""
    from packaging.requirements import Requirement

    try:
        project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
        if project["name"] != "mmbio":
            raise KeyError("name")
        lines = list(project["dependencies"])
        for extra, names in project["optional-dependencies"].items():
            lines += [f"{name}; extra == '{extra}'" for name in names]
    except (OSError, KeyError, ValueError):
        lines = _as_installed()
    return [Requirement(line) for line in lines]


def _as_installed() -> list[str]:
    try:
        return requires("mmbio") or []
    except PackageNotFoundError:
        return []


def _version(name: str) -> str:
    try:
        return version(name)
    except (PackageNotFoundError, KeyError):
        return ""
