"""Files behind a manifest: whether they are there, and which of them are the same under several names."""

from pathlib import Path

import numpy as np
import pandas as pd

from mmbio.data import vector_sets
from mmbio.data.manifest import Manifest, checked_bytes, sample_files
from mmbio.errors import MmbioError
from mmbio.measure.leaks.finding import LEAK, NONE, NOT_KNOWN, Finding, percent


def check(manifest: Manifest, verify: bool = False) -> int:
    """How many files the samples of a manifest lie in; `verify` reads them and compares their content.

    Raises MmbioError naming the first file that is gone and how many are, or the first that has changed.
    """
    files = [path for modality in manifest.modalities for path in _files(manifest, modality)]
    gone = [path for path in files if not path.is_file()]
    if gone:
        raise MmbioError(
            f"{gone[0]}: gone, and with it {len(gone)} of the {len(files)} files of {manifest.folder};"
            " put the data back where they were, or run mmbio build-virtual again"
        )
    for modality in manifest.modalities if verify else ():
        about = manifest.info["sources"][modality].get("vectors")
        for path, sha in () if about else manifest.paths(modality).values():
            checked_bytes(path, sha)
        for name, sha in about["files"].items() if about else ():
            path = Path(manifest.info["sources"][modality]["folder"]) / name
            if vector_sets.file_hash(path) != sha:
                raise MmbioError(f"{path}: has changed since build-virtual read it; run mmbio build-virtual again")
    return len(files)


def _files(manifest: Manifest, modality: str) -> list[Path]:
    """The files that must be there; those beside a header that is gone itself are not looked for."""
    source = manifest.info["sources"][modality]
    if "vectors" in source:
        return [Path(source["folder"]) / name for name in source["vectors"]["files"]]
    return [file for path, _ in manifest.paths(modality).values() for file in sample_files(path)]


def twins(manifest: Manifest) -> list[Finding]:
    """Files of equal content under different names, between subjects and between training and test."""
    found: list[Finding] = []
    for modality in manifest.modalities:
        if "vectors" in manifest.info["sources"][modality]:
            says = f"{modality} comes as vectors, whose source files are not known; equal ones show as near-identical"
            found.append(Finding("identical file", modality, "different subjects", 0, 0, NOT_KNOWN, says))
            continue
        samples = manifest.samples[manifest.samples["modality"] == modality]
        found += [_between_subjects(modality, samples), _between_sides(manifest, modality, samples)]
    return found


def _between_subjects(modality: str, samples: pd.DataFrame) -> Finding:
    count = int((samples.groupby("sha")["subject"].transform("nunique") > 1).sum())
    same = int(samples["sha"].duplicated(keep=False).sum()) - count
    within = f"; {same} more are so inside one subject" if same else ""
    says = f"no {modality} file stands under the names of two subjects{within}"
    if count:
        share = f"{count} of {len(samples)} {modality} files"
        says = f"{share} are identical to a file of another subject: one of the two labels is wrong{within}"
    return Finding("identical file", modality, "different subjects", count, len(samples), LEAK if count else NONE, says)


def _between_sides(manifest: Manifest, modality: str, samples: pd.DataFrame) -> Finding:
    """Test items whose file also trains under another name."""
    items = manifest.items[manifest.has(modality)]
    sha = items[f"{modality}_sample"].map(dict(zip(samples["sample"], samples["sha"], strict=True)))
    train, test = ((items["split"] == side).to_numpy() for side in ("train", "test"))
    names = pd.DataFrame({"sha": sha, "name": items[f"{modality}_sample"]})
    names_of = names[train].drop_duplicates()
    n_names = names_of["sha"].value_counts()  # names that train, of each content
    is_own = pd.MultiIndex.from_frame(names[test]).isin(pd.MultiIndex.from_frame(names_of))
    others = names[test]["sha"].map(n_names).fillna(0).to_numpy(np.int64) - is_own
    count, of = int((others > 0).sum()), int(test.sum())
    says = f"no test item has a {modality} file that trains under another name"
    if count:
        says = f"{percent(count, of)} of test items have a {modality} file that also trains under another name"
    return Finding("identical file", modality, "train and test", count, of, LEAK if count else NONE, says)
