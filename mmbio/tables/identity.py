"""identity: everything that determines a finished table and its figures, and everything that determines a run of them.

A table's is made of its results' content; a run's of what is there before anything is computed, so that a run that
finds itself done needs neither results nor torch.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmbio import code, provenance
from mmbio.code import code_hashes
from mmbio.files import Json, bytes_hash

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.tables.run import Finished, Runner

ROOMS: Final = ("data", "embed", "fuse", "measure", "tables")  # whose code a table and its figures are made with
ABOUT: Final = ("mmbio", "python", "libraries", "system", "processor", "bf16", "threads", "variables")
ASIDE: Final = ("notes", "version", "fingerprint")  # of a manifest's description, what no table shows
VARIABLES: Final = ("MMBIO_THREADS", "MMBIO_DATA", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "PATH")


def of_table(finished: "Finished", folder: Path) -> Json:
    """What a table is made of: its spec, the content of its results, the data, the paper's figures, code and libraries.

    `folder` is that of the specs. Raises MmbioError where a file of a result is gone or was changed.
    """
    from mmbio.tables.spec import cells

    spec, runner = finished.spec, finished.runner
    paper = folder / "reported" / f"{spec.reported or spec.name}.csv"
    results = dict.fromkeys(finished.result_of(cell) for cell in cells(spec))
    return {
        "spec": repr(spec),
        "runner": of_runner(runner),
        "results": {result.name: contents(result) for result in results},
        "manifests": [of_manifest(manifest) for manifest in finished.manifests],
        "costs": finished.costs(),
        "reported": bytes_hash(paper.read_bytes()) if paper.is_file() else None,
        **_made_with(),
    }


def of_runner(runner: "Runner") -> Json:
    """The choices of a runner that stand in no result."""
    extraction = {name: value for name, value in vars(runner.extraction).items() if name != "home"}
    choices = [runner.seed, runner.folds, str(runner.under), repr(runner.options), repr(extraction)]
    return [*choices, of_manifest(runner.manifest)]


def of_audit(runner: "Runner") -> Json:
    """What the audit of a run looks at: the manifest, its files, and the vectors that happen to be in the store."""
    notes = sorted((runner.extraction.home / "store").glob("*/done.txt"))
    stats = [[path.parent.name, path.stat().st_size, path.stat().st_mtime_ns] for path in notes]
    return {"runner": of_runner(runner), "fingerprint": runner.manifest.info.get("fingerprint"), "store": stats,
            **_made_with()}  # fmt: skip


def of_run(choices: Mapping[str, Any], specs: Iterable[Path]) -> dict[str, Any]:
    """What a run is made of beside its data: the choices, specs and paper's figures, all code, libraries, machine."""
    paths = [path for spec in specs for path in (spec, *sorted((spec.parent / "reported").glob("*.csv")))]
    return {
        "choices": {name: repr(value) for name, value in choices.items()},
        "specs": {str(path.resolve()): bytes_hash(path.read_bytes()) for path in dict.fromkeys(paths)},
        "code": code_hashes([".", *code.APART]),
        "machine": _machine(),
    }


def of_manifest(manifest: "Manifest") -> Json:
    """A manifest's content and its description; where its files lie is shown nowhere."""
    info = {key: value for key, value in manifest.info.items() if key not in ASIDE}
    sources = {m: {k: v for k, v in source.items() if k != "folder"} for m, source in info["sources"].items()}
    return {**info, "sources": sources}


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file of a result; raises MmbioError where one is not as it was written."""
    from mmbio.measure import sidecar

    if (folder / sidecar.FILE).is_file():
        return dict(sidecar.read(folder).files)
    return {path.name: bytes_hash(path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()}


def _made_with() -> dict[str, Any]:
    return {"code": code_hashes(ROOMS), "libraries": provenance.environment()["libraries"]}


def _machine() -> dict[str, Any]:
    """What of the machine and its settings may decide the device, the precision or the last bits."""
    about = provenance.environment()
    ours = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    cards: Sequence[Path] = sorted([*Path("/dev").glob("nvidia[0-9]*"), *Path("/dev").glob("kfd")])
    return {name: about[name] for name in ABOUT} | {"ours": ours, "cards": [card.name for card in cards]}
