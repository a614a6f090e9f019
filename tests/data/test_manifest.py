"""Manifest: written and read the same, divided without overlap, and checked against its files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmbio.data.manifest import (
    SCHEMA,
    Manifest,
    Partition,
    checked_bytes,
    made_from,
    newest,
    of_hash,
    read,
    sample_bytes,
    write,
)
from mmbio.data.splits import BLOCKS, counts, deal_folds
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash, remember

PERSON = {"ecg": "set/p", "face": "set/p"}


def tables(genders: str, n: int = 10, split: str = "triplet", folds: int = 8) -> list[pd.DataFrame]:
    """The three tables of one subject a letter of `genders`, n triplets each, one sample a modality."""
    subjects = pd.DataFrame([{"subject": i, "gender": g, "age": 30 + i, **PERSON} for i, g in enumerate(genders)])
    samples = pd.DataFrame(
        [[m, f"set/p/{m}", "set/p", 0, f"p/{m}.x", "0" * 16] for m in PERSON],
        columns=["modality", "sample", "subject", "order", "path", "sha"],
    )
    rows = []
    for subject in range(len(genders)):
        for block in BLOCKS:
            size = counts(n, split)[block]
            dealt = deal_folds(size, subject, folds) if block == "train" and split == "triplet" else [-1] * size
            rows += [(subject, block, fold, "set/p/ecg", "0 1 2", "set/p/face", "7") for fold in dealt]
    columns = ["subject", "split", "fold", "ecg_sample", "ecg_draw", "face_sample", "face_draw"]
    triplets = pd.DataFrame(rows, columns=columns)
    triplets.insert(0, "item", np.arange(len(triplets)))
    return [subjects, samples, triplets]


def info(folds: int = 8, split: str = "triplet", folder: str = "/sets", **more: Any) -> dict[str, Any]:
    source = {"sets": ["set"], "folder": folder, "synthetic": False}
    return {
        **{"schema": SCHEMA, "protocol": "multitask", "scale": "quick", "noun": "triplets", "data": "set"},
        **{"dropped": {}, "notes": [], "ages": [13, 39]},
        "modalities": list(PERSON),
        "split": split,
        "folds": folds,
        "seed": 0,
        "sources": dict.fromkeys(PERSON, source),
        **more,
    }


def made(home: Path, genders: str = "FFMMMM", n: int = 10, split: str = "triplet", folds: int = 8) -> Manifest:
    told = info(folds, split, n_subjects={"all": len(genders)})
    return write(home / "manifests" / "m", told, *tables(genders, n, split, folds))


def blocks(part: Partition) -> list[np.ndarray]:
    return [part.train, part.dev, part.test]


def disjoint(parts: Iterable[np.ndarray]) -> bool:
    rows = np.concatenate(list(parts))
    return len(np.unique(rows)) == len(rows)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written = made(tmp_path)
    found = read(written.folder)
    assert found.info == written.info
    assert written.folder == tmp_path / "manifests" / f"m-{found.hash[:8]}"
    for name in ("subjects", "samples", "items"):
        pd.testing.assert_frame_equal(getattr(found, name).astype(str), getattr(written, name).astype(str))
    assert found.items["face_draw"].tolist() == ["7"] * 60
    assert found.labels["identification"].tolist() == written.labels["identification"].tolist()


def test_test_rows_stand_first_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    items = read(made(tmp_path, split="source").folder).items
    assert items["split"].tolist() == ["test"] * 12 + ["dev"] * 6 + ["train"] * 42
    assert all(block["item"].is_monotonic_increasing for _, block in items.groupby("split"))


def test_labels_and_numbers(tmp_path: Path) -> None:
    manifest = made(tmp_path, "FM")
    assert manifest.n_subjects == 2
    assert manifest.modalities == ("ecg", "face")
    assert manifest.labels["identification"].tolist() == [0, 0, 1, 1] + [0] * 8 + [1] * 8
    assert manifest.labels["gender"].tolist() == [1, 1, 0, 0] + [1] * 8 + [0] * 8


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"folder": "/elsewhere"}, True),
        ({"notes": ["a remark"], "version": "99", "fingerprint": "f"}, True),
        ({"folds": 4}, False),
        ({"ages": [13, 75]}, False),
    ],
)
def test_the_hash_stands_for_choices_and_not_for_paths(tmp_path: Path, change: dict[str, Any], same: bool) -> None:
    changed = write(tmp_path / "a", info(**change), *tables("FM"))
    assert (changed.hash == write(tmp_path / "a", info(), *tables("FM")).hash) == same


@pytest.mark.parametrize(
    ("table", "column", "value", "same"),
    [(1, "path", "q/x", True), (1, "sha", "1" * 16, False), (2, "face_draw", "8", False), (0, "gender", "M", False)],
)
def test_the_hash_stands_for_contents_and_draws(
    tmp_path: Path, table: int, column: str, value: str, same: bool
) -> None:
    changed = tables("FM")
    changed[table].loc[0, column] = value
    assert (write(tmp_path / "a", info(), *changed).hash == write(tmp_path / "a", info(), *tables("FM")).hash) == same


@pytest.mark.parametrize(("n", "folds"), [(15, 8), (10, 8), (15, 3)])
def test_folds_share_the_test_rows_and_tune_on_every_other_row_once(tmp_path: Path, n: int, folds: int) -> None:
    manifest = made(tmp_path, n=n, folds=folds)
    parts = manifest.partitions()
    assert len(parts) == folds
    subject, everything = manifest.labels["identification"], np.arange(len(manifest.items))
    for part in parts:
        assert disjoint(blocks(part))
        assert np.array_equal(np.sort(np.concatenate(blocks(part))), everything)
        assert np.array_equal(part.test, parts[0].test)
        assert set(subject[part.train]) == set(range(6))
    assert disjoint(part.dev for part in parts)
    assert len(np.concatenate([part.dev for part in parts])) == len(everything) - len(parts[0].test)


def test_stratified_by_subject(tiny_manifest: Manifest) -> None:
    subject = tiny_manifest.labels["identification"]
    for part in tiny_manifest.partitions():
        assert np.bincount(subject[part.test]).tolist() == [3] * 6
        n_dev = np.bincount(subject[part.dev], minlength=6)
        assert n_dev.min() >= 1
        assert n_dev.max() <= 2


@pytest.mark.parametrize("split", ["source", "record"])
def test_other_splits_have_one_partition(tmp_path: Path, split: str) -> None:
    (part,) = made(tmp_path, split=split).partitions()
    assert [len(rows) for rows in blocks(part)] == [42, 6, 12]
    assert disjoint(blocks(part))


@pytest.mark.parametrize("split", ["triplet", "source"])
@pytest.mark.parametrize("genders", ["FMM", "FFMMMM", "F" * 19 + "M" * 34])
def test_unseen_subjects_are_on_one_side_only_and_tested_once(tmp_path: Path, genders: str, split: str) -> None:
    manifest = made(tmp_path, genders, split=split)
    subject = manifest.labels["identification"]
    parts = manifest.partitions(unseen=True)
    for part in parts:
        train, dev, test = (set(subject[rows]) for rows in blocks(part))
        assert min(len(train), len(dev), len(test)) > 0
        assert not train & dev
        assert not train & test
        assert not dev & test
        assert disjoint(blocks(part))
    tested = np.concatenate([part.test for part in parts])
    assert np.array_equal(np.sort(tested), np.arange(len(manifest.items)))


def test_unseen_folds_have_equal_shares_of_women(tmp_path: Path) -> None:
    manifest = made(tmp_path, "FM" * 12, folds=8)
    female = manifest.labels["gender"]
    assert {float(female[part.test].mean()) for part in manifest.partitions(unseen=True)} <= {1 / 3, 2 / 3, 0.5}


def test_unseen_needs_three_subjects(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"--unseen: 2 subjects in .*at least 3"):
        made(tmp_path, "FM").partitions(unseen=True)


def test_noise_belongs_to_the_triplet_and_the_purpose(tmp_path: Path) -> None:
    one, again = made(tmp_path / "a"), read(made(tmp_path / "b").folder)
    draws = [
        manifest.generator(row, purpose).integers(2**62)
        for manifest, row, purpose in [(one, 3, "face"), (again, 3, "face"), (one, 4, "face"), (one, 3, "ecg")]
    ]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_the_bytes_of_a_record_are_those_of_its_signal_files_too(tmp_path: Path) -> None:
    for name in ("r.hea", "r.dat", "r.xyz", "r.atr", "r2.dat"):
        (tmp_path / name).write_text(name)
    assert sample_bytes(tmp_path / "r.hea") == (b"r.hea", b"r.dat", b"r.xyz")
    assert sample_bytes(tmp_path / "r.atr") == (b"r.atr",)


def test_files_that_moved_or_changed(tmp_path: Path) -> None:
    path = tmp_path / "r.hea"
    path.write_bytes(b"header")
    (tmp_path / "r.dat").write_bytes(b"signal")
    sha = bytes_hash(b"header", b"signal")
    assert checked_bytes(path, sha) == b"header"
    (tmp_path / "r.dat").write_bytes(b"other")
    with pytest.raises(MmbioError, match=r"r\.hea: has changed since build-virtual read it; run mmbio build-virtual"):
        checked_bytes(path, sha)
    path.unlink()
    with pytest.raises(MmbioError, match=r"r\.hea: a sample of the manifest is not there \(No such file.*put the file"):
        checked_bytes(path, sha)


def test_paths_lead_to_the_files(tmp_path: Path) -> None:
    manifest = write(tmp_path / "a", info(folder=str(tmp_path)), *tables("FM"))
    assert manifest.paths("face") == {"set/p/face": (tmp_path / "p" / "face.x", "0" * 16)}


@pytest.mark.parametrize("schema", [None, 0, SCHEMA + 1])
def test_another_schema(tmp_path: Path, schema: int | None) -> None:
    folder = made(tmp_path).folder
    (folder / "manifest.json").write_text(json.dumps(info() | {"schema": schema}))
    with pytest.raises(MmbioError, match=rf"manifest\.json: schema {schema}, this mmbio reads {SCHEMA}; run"):
        read(folder)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_table_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = made(tmp_path).folder / "samples.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MmbioError, match=r"samples\.csv: not readable .*run mmbio build-virtual again"):
        read(path.parent)


def test_manifests_are_found_by_fingerprint_hash_and_as_the_newest(tmp_path: Path) -> None:
    assert made_from(tmp_path, "f") is None
    assert newest(tmp_path, "multitask") is None
    manifest = write(tmp_path / "manifests" / "m", info(fingerprint="f", n_subjects={"all": 2}), *tables("FM"))
    remember(tmp_path / "manifests", "multitask", manifest.folder)
    found = made_from(tmp_path, "f")
    assert found is not None
    assert found.folder == of_hash(tmp_path, manifest.hash) == newest(tmp_path, "multitask")
    assert made_from(tmp_path, "g") is None
    with pytest.raises(MmbioError, match="manifest 01234567 is not there; build it again or give --manifest"):
        of_hash(tmp_path, "0123456789")


def test_a_summary_says_what_differs_from_the_paper(tmp_path: Path) -> None:
    told = info(noun="triplets", n_subjects={"all": 3, "F": 1, "M": 2}, dropped={"ecg: too short": 4}, notes=["odd"])
    manifest = write(tmp_path / "m", told, *tables("FMM"))
    assert manifest.summary(58) == [
        "3 subjects: 1 F, 2 M; the paper has 58",
        "30 triplets: 24 train, 6 test, 8 folds (triplet split)",
        "ecg: set",
        "face: set",
        "left out: 4 x ecg: too short",
        "note: odd",
        f"written: {manifest.folder}",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("subjects.csv", ",F,", ",M,"),
        ("samples.csv", "0" * 16, "1" * 16),
        ("samples.csv", ",path,", ",way,"),
        ("items.csv", "0 1 2", "0 1 3"),
        ("items.csv", "test", "train"),
        ("manifest.json", '"seed": 0', '"seed": 1'),
        ("manifest.json", '"folds": 8,', ""),
        ("manifest.json", '"hash"', '"dash"'),
        ("manifest.json", '"sources"', '"wells"'),
        ("manifest.json", '"folder"', '"place"'),
    ],
)
def test_an_edited_manifest(tmp_path: Path, name: str, old: str, new: str) -> None:
    manifest = write(tmp_path / "manifests" / "m", info(fingerprint="f", n_subjects={"all": 2}), *tables("FM"))
    path = manifest.folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(MmbioError, match="not as mmbio build-virtual wrote it, a file was edited; build it again"):
        read(manifest.folder)
    assert made_from(tmp_path, "f") is None


def test_a_manifest_may_lead_to_files_that_were_moved(tmp_path: Path) -> None:
    folder = made(tmp_path).folder
    for name, old, new in (("manifest.json", '"/sets"', '"/moved"'), ("samples.csv", "p/face.x", "q/face.x")):
        (folder / name).write_text((folder / name).read_text().replace(old, new))
    assert read(folder).paths("face")["set/p/face"] == (Path("/moved/q/face.x"), "0" * 16)


def with_trials(home: Path, **attributes: list[str]) -> Manifest:
    """Five items whose numbers and blocks are out of order, three trials, and attributes of two of them."""
    items = pd.DataFrame(
        [(0, "a", 1, "train"), (1, "b", 0, "test"), (2, "c", 1, "dev"), (3, "d", 0, "test"), (4, "e", 1, "train")],
        columns=["item", "id", "subject", "split"],
    ).assign(fold=-1, face_sample=["s/a", "", "s/c", "s/d", "s/e"], face_draw=["", "", "", "1.500", ""])
    subjects = pd.DataFrame({"subject": [0, 1], "gender": ["F", ""], "face": ["s/p", "s/q"]})
    rows = [("face", f"s/{name}", "s/p", 0, f"{name}.x", "0" * 16) for name in "acde"]
    samples = pd.DataFrame(rows, columns=["modality", "sample", "subject", "order", "path", "sha"])
    trials = pd.DataFrame(
        [("test", 3, 1, 1), ("dev", 4, 0, 1), ("dev", 0, 2, 0)], columns=["part", "enrolment", "probe", "genuine"]
    )
    told = info(split="subject", modalities=["face"], n_subjects={"all": 1, "dev": 1}, noun="items")
    told |= {"sources": {"face": told["sources"]["face"]}, "dropped": {}}
    told |= {"trials": "of different videos", "dev_trials": "of different clips"}
    more = {"trials": trials, "attributes": pd.DataFrame({"id": ["b", "d"], **attributes})}
    return write(home / "manifests" / "m", told, subjects, samples, items, **more)


def test_trials_name_items_and_not_rows(tmp_path: Path) -> None:
    manifest = read(with_trials(tmp_path).folder)
    assert manifest.items["item"].tolist() == [1, 3, 2, 0, 4]
    ids = manifest.items.set_index("item")["id"]
    pairs = zip(ids[manifest.trials["enrolment"]], ids[manifest.trials["probe"]], strict=True)
    assert list(pairs) == [("d", "b"), ("e", "a"), ("a", "c")]
    assert manifest.trials["genuine"].tolist() == [1, 1, 0]


def test_an_item_may_miss_a_sample(tmp_path: Path) -> None:
    manifest = read(with_trials(tmp_path).folder)
    assert manifest.has("face").tolist() == [False, True, True, True, True]
    assert manifest.items["face_draw"].tolist() == ["", "1.500", "", "", ""]


@pytest.mark.parametrize("name", ["Smiling", "Hair, blond", 'a "b"'])
def test_attributes_stay_text_whatever_their_name(tmp_path: Path, name: str) -> None:
    found = read(with_trials(tmp_path, **{name: ["1", ""]}).folder).attributes
    assert found.to_dict("list") == {"id": ["b", "d"], name: ["1", ""]}


def test_tables_without_rows_are_not_written(tmp_path: Path) -> None:
    folder = made(tmp_path).folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "items.csv",
        "manifest.json",
        "samples.csv",
        "subjects.csv",
    ]
    assert not len(read(folder).trials)


def test_a_summary_counts_trials_and_says_what_they_differ_in(tmp_path: Path) -> None:
    assert with_trials(tmp_path).summary(1)[:5] == [
        "1 subject to test",
        "1 subject to train and tune on",
        "5 items: 2 train, 1 dev, 2 test (subject split)",
        "test trials: 1 genuine (of different videos), 0 impostor",
        "dev trials: 1 genuine (of different clips), 1 impostor",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new"), [("trials.csv", "test,3,1,1", "test,3,1,0"), ("attributes.csv", "d,1", "d,0")]
)
def test_edited_trials_and_attributes(tmp_path: Path, name: str, old: str, new: str) -> None:
    path = with_trials(tmp_path, Smiling=["0", "1"]).folder / name
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(MmbioError, match="a file was edited; build it again"):
        read(path.parent)


def test_one_partition_of_subjects(tmp_path: Path) -> None:
    (part,) = with_trials(tmp_path).partitions()
    assert [rows.tolist() for rows in blocks(part)] == [[3, 4], [2], [0, 1]]


def test_what_items_take_is_in_their_hash(tmp_path: Path) -> None:
    manifest = with_trials(tmp_path)
    later = Manifest(
        manifest.folder,
        manifest.info,
        manifest.subjects,
        manifest.samples,
        manifest.items.assign(face_draw=["", "2.500", "", "", ""]),
    )
    assert later.items_hash("face") != manifest.items_hash("face")
