"""What mmbio download prints: what would be fetched, what was, how far it can be trusted, and how to go on."""

import os
import shlex
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmbio.protocols import AUDIOVISUAL, MULTITASK, Protocol
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.data.fetch.dataset import Dataset
    from mmbio.data.fetch.get import Got, Plan
    from mmbio.data.fetch.place import Placed
    from mmbio.data.fetch.state import State

SYNTHETIC: Final = ("ecg", "face", "finger")  # modalities that the synthetic root has
TABLES: Final = {"multitask": (), "audiovisual": ("audiovisual-table1", "audiovisual-table2")}  # none named: all
STATES: Final = {"whole": "here", "packed": "here, packed", "absent": "to fetch", "damaged": "to fetch again"}


def planned(plan: "Plan") -> list[str]:
    """A line a file, and one with the sums."""
    from mmbio.data.fetch.space import amount

    rows = []
    for one in plan.found:
        size = one.size or one.wanted.file.size
        begun = f", {amount(one.part)} of it here" if one.part else ""
        state = one.verified if one.by_hand else STATES[one.state]
        rows.append(f"  {state:<14}  {amount(size) if size else '?':>10}  {one.wanted.path}{begun}")
    n = sum(one.to_come for one in plan.found)
    here = len(plan.found) - n
    about = "" if all(one.wanted.file.size or one.size for one in plan.found) else "about "
    return [
        *rows,
        f"{plan.dataset.name}: {n} of {plural(len(plan.found), 'file')} to fetch ({about}{amount(plan.to_come)}),"
        f" {here} here; {about}{amount(plan.needed)} of disk needed, {amount(plan.free)} free at {plan.root}",
    ]


def planned_json(plan: "Plan") -> dict[str, Any]:
    """The same for machines; sizes in bytes, null where no source says."""
    from mmbio.data.fetch.addresses import without_user

    files = [
        {
            "path": one.wanted.path,
            "url": without_user(one.wanted.url),
            "size": one.size or one.wanted.file.size,
            "state": one.state,
            "part": one.part,
        }
        for one in plan.found
    ]
    sums = {"to_fetch": plan.to_come, "needed": plan.needed, "free": plan.free}
    return {"set": plan.dataset.name, "root": str(plan.root), "dry_run": True, **sums, "files": files}


def fetched(got: "Got", root: Path) -> list[str]:
    """What came, how it was verified, the licence, and how to go on."""
    from mmbio.data.fetch.space import amount

    lines = [f"{'fetched' if got.n_fetched or got.n_unpacked else 'already there'}: {got.folder} ({_came(got)})"]
    if got.n_fetched:
        lines[0] = lines[0].removesuffix(")") + f", {amount(got.n_bytes)})"
    lines.append(f"verified: {verified(got)}")
    lines.append(f"licence: {got.dataset.licence} (citation: mmbio datasets {got.dataset.name})")
    command = go_on(got.dataset, root)
    return lines + ([f"go on: {command}"] if command else [])


def fetched_json(got: "Got", root: Path) -> dict[str, Any]:
    """The same for machines."""
    return {
        "set": got.dataset.name,
        "root": str(root),
        "folder": str(got.folder),
        "n_files": got.n_files,
        "n_fetched": got.n_fetched,
        "bytes": got.n_bytes,
        "n_unpacked": got.n_unpacked,
        "verified": got.verified,
        "tls": not got.without_tls,
        "next": go_on(got.dataset, root),
    }


def placed_lines(placed: "Placed", dataset: "Dataset", root: Path) -> list[str]:
    """What was taken from what a user had, and how to go on."""
    from mmbio.data.fetch.space import amount

    lines = [
        f"{'already in its place' if placed.was_there else 'placed'}: {placed.folder}"
        f" ({plural(placed.n_files, 'file')}, {amount(placed.size)})",
        f"verified: by {placed.verified}",
        *placed.notes,
    ]
    command = go_on(dataset, root)
    return lines + ([f"go on: {command}"] if command else [])


def placed_json(placed: "Placed", dataset: "Dataset", root: Path, source: Path) -> dict[str, Any]:
    """The same for machines."""
    return {
        "set": dataset.name,
        "root": str(root),
        "from": str(source),
        "folder": str(placed.folder),
        "n_files": placed.n_files,
        "bytes": placed.size,
        "verified": placed.verified,
        "notes": list(placed.notes),
        "was_there": placed.was_there,
        "next": go_on(dataset, root),
    }


def already_placed(n: int, dataset: "Dataset", root: Path) -> tuple[list[str], dict[str, Any]]:
    """A set that was placed by hand and needs no fetching, for people and for machines."""
    folder = root / dataset.folder
    told = {"set": dataset.name, "root": str(root), "folder": str(folder), "n_files": n, "n_fetched": 0}
    return [f"already there: {folder} ({plural(n, 'file')}, placed by hand, whole)"], told


def gated(dataset: "Dataset", state: "State") -> list[str]:
    """What is here of a set that its owners alone may give, and the steps to the rest."""
    from mmbio.cli.datasets_words import steps, where, wrapped

    here = []
    if state.present:
        here = [f"{'here, not whole' if state.faults else 'already there'}: {where(state)}"]
        here += [line for fault in state.faults for line in wrapped(fault, "  fault: ", " " * 9)]
    if state.whole:
        return here
    title = f"{dataset.title} is given by its owners only ({dataset.licence})."
    return [*here, *wrapped(title), *steps(dataset), f"page: {dataset.page}"]


def gated_json(dataset: "Dataset", state: "State", root: Path) -> dict[str, Any]:
    """The same for machines."""
    here = {"present": state.present, "whole": state.whole, "faults": list(state.faults)}
    steps = {"page": dataset.page, "steps": list(dataset.steps)}
    return {"set": dataset.name, "root": str(root), "gated": True, **here, **steps}


def ended(folder: Path) -> str:
    """What is here of a set whose download was ended."""
    from mmbio.data.fetch.parts import NOTE, SUFFIX

    names = [path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    parts = sum(name.endswith(SUFFIX) for name in names)
    whole = sum(not name.endswith((SUFFIX, NOTE)) for name in names)
    return f"{folder}: {whole} of its files whole, {parts} in part; the next run goes on with them"


def verified(got: "Got") -> str:
    """How many files were compared with what."""
    from mmbio.data.fetch import lock
    from mmbio.data.fetch.wanted import BY_HAND

    words = {
        BY_HAND: BY_HAND,
        lock.OFFICIAL_LIST: "by the set's own sha256 list",
        lock.OFFICIAL_SHA256: "by official sha256",
        lock.OFFICIAL_MD5: "by published md5",
        lock.MIRRORED_LIST: "by the mirror's sha256 list, which no official address vouches for",
        lock.FIRST_USE: f"by first use (no official hash; recorded in {lock.NAME}, and another file is refused later)",
        lock.FOUND_HERE: f"by nothing, found here (no official hash; recorded in {lock.NAME} as it was found)",
    }
    told = [f"{got.verified[how]} {text}" for how, text in words.items() if got.verified.get(how)]
    return ", ".join(told) + ("; fetched without TLS" if got.without_tls else "")


def go_on(dataset: "Dataset", root: Path) -> str:
    """The command that uses the set, with synthetic data for what the root does not have; empty where none does."""
    if dataset.reader is None:
        return ""
    protocol = MULTITASK if set(dataset.modalities) & set(MULTITASK.modalities) else AUDIOVISUAL
    return tables_on(protocol, root, {*modalities(root), *dataset.modalities})


def tables_on(protocol: Protocol, root: Path, here: Collection[str]) -> str:
    """The command that makes a paper's tables on a root, with synthetic data for the modalities that are not `here`."""
    words = ["mmbio", "tables", *TABLES[protocol.name]]
    if os.environ.get("MMBIO_DATA") != str(root):
        words += ["--data", str(root)]
    for modality in protocol.modalities:
        if modality not in here and modality in SYNTHETIC:
            words += ["--source", f"{modality}=synthetic"]
    return shlex.join(words)


def _came(got: "Got") -> str:
    unpacked = f", {got.n_unpacked} unpacked" if got.n_unpacked else ""
    return f"{plural(got.n_files, 'file')} whole, {got.n_fetched} fetched now{unpacked}"


def modalities(root: Path) -> Iterable[str]:
    """The modalities of which a root has a set, by its folder's name."""
    from mmbio.data.readers.listing import child
    from mmbio.data.readers.registry import READERS

    if not root.is_dir():
        return ()
    return {reader.modality for reader in READERS.values() if child(root, reader.folders) is not None}
