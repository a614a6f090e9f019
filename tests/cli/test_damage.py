"""Damage: broken data, manifests, checkpoints, results and specs are refused in one sentence, and nothing changes."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from safetensors import safe_open
from safetensors.torch import save_file

Call = Callable[..., Result]
Damage = Callable[[Path, Path, Call], None]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]


def first(root: Path, pattern: str) -> Path:
    return min(root.rglob(pattern))


def cut(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert re.search(old, text), text
    path.write_text(re.sub(old, new, text))


def rebuilt(root: Path, home: Path, good: Call) -> None:
    good("build-virtual", "--data", root, "--triplets", 6, "--folds", 2, "--seed", 1, "--out", home)


def cut_signal(root: Path, home: Path, good: Call) -> None:
    cut(first(root, "*.dat"), 1000)


def no_signal(root: Path, home: Path, good: Call) -> None:
    first(root, "*.dat").unlink()


def no_lead(root: Path, home: Path, good: Call) -> None:
    edit(first(root, "*.hea"), "ECG I", "V1")


def six_seconds(root: Path, home: Path, good: Call) -> None:
    edit(first(root, "*.hea"), r"(?m)^(rec_\d+ \d+ 500) \d+", r"\1 3000")


def no_age(root: Path, home: Path, good: Call) -> None:
    edit(first(root, "*.hea"), "# Age.*\n", "")


def empty_header(root: Path, home: Path, good: Call) -> None:
    cut(first(root, "*.hea"), 0)


def empty_face(root: Path, home: Path, good: Call) -> None:
    cut(first(root, "*.jpg"), 0)


def empty_finger(root: Path, home: Path, good: Call) -> None:
    cut(first(root, "*.bmp"), 0)


def no_genders(root: Path, home: Path, good: Call) -> None:
    first(root, "genders.csv").unlink()


def no_faces(root: Path, home: Path, good: Call) -> None:
    shutil.rmtree(root / "faces95")


def cut_faces(root: Path, home: Path, good: Call) -> None:
    for path in root.rglob("*.jpg"):
        cut(path, 1500)
    rebuilt(root, home, good)


def moved(root: Path, home: Path, good: Call) -> None:
    rebuilt(root, home, good)
    root.rename(root.with_name("elsewhere"))


def changed(root: Path, home: Path, good: Call) -> None:
    rebuilt(root, home, good)
    for path in root.rglob("*.dat"):
        path.write_bytes(path.read_bytes()[::-1])


def other_protocol(root: Path, home: Path, good: Call) -> None:
    metadata = {"mmbio": json.dumps({"schema": 2, "config": {"protocol": "audiovisual"}})}
    save_file({"a": torch.zeros(1)}, home / "other.safetensors", metadata=metadata)


def broken_checkpoint(root: Path, home: Path, good: Call) -> None:
    for path in home.glob("checkpoints/*.safetensors"):
        cut(path, 5000)


def foreign_checkpoint(root: Path, home: Path, good: Call) -> None:
    save_file({"a": torch.zeros(1)}, home / "other.safetensors", metadata={"mmbio": "[]"})


def nan_checkpoint(root: Path, home: Path, good: Call) -> None:
    for path in home.glob("checkpoints/*attention*identification*.safetensors"):
        with safe_open(path, "pt") as file:
            states, metadata = {k: file.get_tensor(k) for k in file.keys()}, file.metadata()  # noqa: SIM118
        save_file({k: t * float("nan") if t.is_floating_point() else t for k, t in states.items()}, path, metadata)


def no_manifests(root: Path, home: Path, good: Call) -> None:
    shutil.rmtree(home / "manifests")


def manifest_lacks(root: Path, home: Path, good: Call) -> None:
    for path in home.glob("manifests/*/manifest.json"):
        edit(path, '"folds": .*,\n', "")


def manifest_is_no_json(root: Path, home: Path, good: Call) -> None:
    for path in home.glob("manifests/*/manifest.json"):
        cut(path, 50)


def edited_table(root: Path, home: Path, good: Call) -> None:
    for path in home.glob("manifests/*/items.csv"):
        edit(path, ",test,", ",train,")


def other_results(root: Path, home: Path, good: Call) -> None:
    (home / "results.csv").write_text("a,b\n1,2\n")


def binary_results(root: Path, home: Path, good: Call) -> None:
    (home / "results.csv").write_bytes(bytes(range(256)))


def spec(text: str) -> Damage:
    def write(root: Path, home: Path, good: Call) -> None:
        (home / "own.toml").write_text(text)

    return write


AGAIN = "from the set's archive again"
DAMAGES: list[tuple[Damage, str, str]] = [
    (cut_signal, "build-virtual --data {root}", rf"rec_1\.dat: 1000 bytes where rec_1\.hea promises \d+.*{AGAIN}"),
    (no_signal, "build-virtual --data {root}", rf"rec_1\.dat: not there, though rec_1\.hea names it.*{AGAIN}"),
    (no_lead, "build-virtual --data {root}", r"rec_1\.hea: no lead I among the signals v1.*--skip-unusable"),
    (six_seconds, "build-virtual --data {root}", r"rec_1\.hea: \d+ whole beats found .* 15 .*--skip-unusable"),
    (no_age, "build-virtual --data {root}", rf"rec_1\.hea: no line such as '# Age: 25'.*{AGAIN}"),
    (empty_header, "build-virtual --data {root}", r"rec_1\.hea: zero bytes where a WFDB header was expected"),
    (empty_face, "build-virtual --data {root}", r"\.jpg: zero bytes where an image was expected.*or delete it"),
    (empty_finger, "build-virtual --data {root}", r"\.bmp: zero bytes where an image was expected.*or delete it"),
    (no_genders, "build-virtual --data {root}", r"genders\.csv: not there.*fill in F or M in .*genders-template\.csv"),
    (no_faces, "build-virtual --data {root}", r"no face set there \(looked for the folders faces95.*--data"),
    (cut_faces, "extract", rf"\.jpg: cut short or not an image.*{AGAIN}"),
    (cut_faces, "train", rf"\.jpg: cut short or not an image.*{AGAIN}"),
    (cut_faces, "corrupt --noise face=0.5", rf"\.jpg: cut short or not an image.*{AGAIN}"),
    (moved, "extract", r"\.jpg: a sample of the manifest is not there.*put the file back or run mmbio build-virtual"),
    (moved, "train --modalities ecg", r"\.hea: a sample of the manifest is not there"),
    (moved, "corrupt", "a sample of the manifest is not there"),
    (changed, "train --modalities ecg", r"\.hea: has changed since build-virtual read it; run mmbio build-virtual"),
    (rebuilt, "eval --manifest {other}", r"trained on manifest \w+, not on \w+; give the manifest it was trained on"),
    (other_protocol, "eval --checkpoint {home}/other.safetensors", "of protocol audiovisual, expected multitask"),
    (foreign_checkpoint, "eval --checkpoint {home}/other.safetensors", "written by another version of mmbio"),
    (broken_checkpoint, "eval", r"\.safetensors: not a readable mmbio checkpoint"),
    (broken_checkpoint, "train --fusion attention", r"\.safetensors: not a readable mmbio checkpoint.*remove it"),
    (nan_checkpoint, "eval", r"\.safetensors: the network of fold 0 gives posteriors that are no numbers"),
    (no_manifests, "eval", r"manifests: manifest \w{8} is not there; build it again or give --manifest"),
    (manifest_lacks, "train", "not as mmbio build-virtual wrote it, a file was edited; build it again"),
    (manifest_is_no_json, "extract", r"manifest\.json: not a readable manifest"),
    (edited_table, "eval", "not as mmbio build-virtual wrote it, a file was edited; build it again"),
    (other_results, "eval", r"results\.csv: its columns are those of another mmbio version; move it away"),
    (binary_results, "eval", r"results\.csv: not readable as results .*; move it away"),
    (spec("["), "tables {home}/own.toml", r"own\.toml: not a readable TOML file"),
    (spec(""), "tables {home}/own.toml", r"own\.toml: the key 'protocol' is missing"),
    (spec('protocol = "nose"'), "tables {home}/own.toml", r"own\.toml: unknown protocol 'nose'"),
    (spec('nose = "nose"'), "tables {home}/own.toml", r"own\.toml: unknown key 'nose'"),
]


@pytest.mark.parametrize(
    ("damage", "text", "told"), DAMAGES, ids=[f"{damage.__name__}-{text}" for damage, text, _ in DAMAGES]
)
def test_damage(
    refused: Refused,
    good: Call,
    home: Path,
    tiny_root: Path,
    tmp_path: Path,
    listing: Listing,
    damage: Damage,
    text: str,
    told: str,
) -> None:
    ours, root = tmp_path / "home", tmp_path / "root"
    shutil.copytree(home, ours)
    shutil.copytree(tiny_root, root)
    damage(root, ours, good)
    newest = ours / "manifests" / (ours / "manifests" / ".latest-multitask").read_text() if "{other}" in text else ours
    before = listing(ours)
    refused(told, text, ours, root=root, other=newest)
    assert listing(ours) == before


@pytest.mark.parametrize("damage", [cut_signal, no_signal, no_lead, six_seconds])
def test_records_that_cannot_be_used_may_be_left_out(
    good: Call, tiny_root: Path, tmp_path: Path, damage: Damage
) -> None:
    shutil.copytree(tiny_root, tmp_path / "root")
    damage(tmp_path / "root", tmp_path, good)
    told = good("build-virtual", "--data", tmp_path / "root", "--skip-unusable", "--out", tmp_path / "runs").stdout
    assert "left out: 1 x ecg: records not readable or with fewer than 15 beats\n" in told


def test_building_again_mends_an_edited_manifest(good: Call, home: Path, tiny_root: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    edited_table(tiny_root, tmp_path / "home", good)
    good("build-virtual", "--data", tiny_root, "--triplets", 5, "--folds", 2, "--out", tmp_path / "home")
    good("eval", "--out", tmp_path / "home")
