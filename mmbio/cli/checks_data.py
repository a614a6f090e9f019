"""checks_data: the data root: which sets are there, are they whole, and can they be read?"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mmbio.cli.findings import Finding, fail, ok, warn
from mmbio.errors import MmbioError
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.data.fetch.state import State

CHECK: Final = "data root"
GET: Final = "mmbio datasets lists what there is to get, mmbio download gets it"


def data(given: str | None) -> Iterator[Finding]:
    """The root that is given, else $MMBIO_DATA's, and a finding for each set at it."""
    from mmbio.data.sources import SIMULATED, SYNTHETIC

    named = given or os.environ.get("MMBIO_DATA")
    if not named:
        yield ok(CHECK, "MMBIO_DATA is not set: synthetic data, unless --data names a root")
        return
    shown = f"--data {named}" if given else f"MMBIO_DATA={named}"
    if named in (SYNTHETIC, SIMULATED):
        yield ok(CHECK, f"{shown}: mmbio makes it")
    elif not Path(named).is_dir():
        cure = "give the folder that holds the sets' folders" if given else "set it to a folder with sets, or unset it"
        yield fail(CHECK, f"{shown}: no such folder", cure)
    else:
        yield from _root(Path(named), shown)


def _root(root: Path, shown: str) -> Iterator[Finding]:
    from mmbio.data import vector_sets
    from mmbio.data.readers.listing import child
    from mmbio.data.readers.registry import READERS
    from mmbio.data.synthetic.root import MARKER

    try:
        there = [name for name, reader in READERS.items() if child(root, reader.folders) is not None]
        if vector_sets.is_set(root):
            found = vector_sets.read(root)
            yield ok(CHECK, f"{shown}: imported vectors of {', '.join(found.modalities)}")
            return
        found_sets = [] if (root / MARKER).is_file() else list(_sets(root))
    except (OSError, MmbioError) as error:
        yield fail(CHECK, f"{shown}: {error}", "give yourself the right to read it, or put back what is damaged")
        return
    if (root / MARKER).is_file():
        yield ok(CHECK, f"{shown}: synthetic, {', '.join(there)}")
    elif not found_sets:
        yield warn(CHECK, f"{shown}: no set there", GET)
    else:
        yield ok(CHECK, f"{shown}: {', '.join(one.check.removeprefix('set ') for one in found_sets)}")
        yield from found_sets


def _sets(root: Path) -> Iterator[Finding]:
    """The public sets at a root, and the user's own folders."""
    from mmbio.data.fetch.catalogue import CATALOGUE
    from mmbio.data.fetch.state import look
    from mmbio.data.readers.listing import child
    from mmbio.data.readers.registry import READERS

    for name, dataset in CATALOGUE.items():
        state = look(dataset, root)
        if state.present:
            yield _public(name, state, root)
    public = {dataset.reader for dataset in CATALOGUE.values()}
    for name, reader in READERS.items():
        folder = child(root, reader.folders) if name.endswith("-folders") and name not in public else None
        if folder is None:
            continue
        try:
            read = reader.read(folder)
        except MmbioError as error:
            yield fail(f"set {name}", str(error), "mend it, or move the folder away")
        else:
            yield ok(f"set {name}", f"{folder}, {plural(len({s.subject for s in read.samples}), 'subject', spec=',')}")


def _public(name: str, state: "State", root: Path) -> Finding:
    check = f"set {name}"
    parts = "" if len(state.parts) == state.n_parts else f", {len(state.parts)} of {state.n_parts} parts"
    found = f"{state.folder}, {plural(state.n_files, 'file', spec=',')}{parts}"
    cure = shlex.join(["mmbio", "datasets", name, "--data", str(root)])
    if not state.readable:
        return fail(check, f"{found}; {'; '.join(state.faults)}", f"mend that; {cure} tells all of it")
    if state.faults:
        return warn(
            check,
            f"{found}; not whole: {'; '.join(state.faults)}",
            f"no action is needed to use it as it is; else {cure}",
        )
    return ok(check, f"{found}; no fault by {state.checked}")
