"""Bad input of the second protocol: one sentence, exit code 2, and everything as it was before."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result

from mmbio.data import vector_sets
from mmbio.fuse import config

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]

AV = ("--protocol", "audiovisual")

# (words, what the sentence says); {home} holds a manifest and checkpoints, {files} spoilt files, {mine} a set.
# More of trial lists, figures and training is in test_bad_verification.py.
WORDS = [
    ("eval --trials {files}/wav", r"10 of 10 trials name ids that .*\('\S+\.wav', .* like 'test00/v0/c0'"),
    ("eval --trials {files}/impostor", "0 genuine and 5 impostor trials"),
    ("eval --noise voice=random@nowhere", "unknown side 'nowhere'"),
    ("eval --noise voice=random --missing voice", "both change voice"),
    ("eval --noise ecg=zeros", "only face, voice in use here"),
    ("eval --p-target nan", "--p-target nan: expected a probability"),
    ("eval --score-norm as-norm --top 9999", r"more than the cohort's \d+ .the training subjects."),
    ("eval --weights imagenet", "no ResNet-50 behind it; leave --weights out"),
    ("extract --noise face=0.3", "face is there as vectors, and sample noise needs samples"),
    ("extract --segment 3", "--segment 3: the vectors are of"),
    ("extract --backbone voice=resemblyzer", "voice is there as vectors"),
    ("train --rule-weights face=1,voice=1", "only score rules take weights"),
    ("build-virtual --data {mine} --subjects 13", "--subjects 13: 12 subjects test; ask for 2 to 12"),
    ("build-virtual --data {mine} --subjects 1", "--subjects 1: 12 subjects test; ask for 2 to 12"),
    ("build-virtual --data {files}", "no face set there"),
    ("corrupt --noise face=0.5", "--protocol audiovisual: only the samples of multitask can be shown"),
    ("attention --checkpoint {home}/cosine.safetensors", "its fusion cosine has no attention; train --fusion"),
    ("attention --checkpoint {home}/alone.safetensors", "of one modality, so there is nothing to attend to"),
    ("attention --noise paper", "the protocol audiovisual has nulls and no levels"),
    ("attention --noise missing=voice", "none of the 72 test samples has a weight for each of face, voice"),
    ("tables --data {mine} --backbone face=dlib", "face is there as vectors in .*; leave it out"),
    ("tables --data {mine} --weights random", "--weights random: no ResNet-50 is used"),
    ("tables audiovisual-table3a --data {mine}", "none of the tables fits the data"),
    ("tables --data {mine} --protocol multitask", "holds embeddings, which the protocol multitask does not take"),
]
# The same for verbs that take one's own files.
OWN = [
    ("import --modality face={files}/jpg.npz --modality voice={files}/voice.npz",
     r"no id is in two of the files \(face has '\S+\.jpg', .*, voice has '\S+', .*; strip .* --strip-suffix"),
    ("import --modality face={files}/twice.npz", "rows 1 and 2 give id 's/v/1' different vectors; keep one"),
    ("import --modality face={files}/nan.npz", r"row 5 \(id 'test00/v2/c0'\) holds nan, expected finite"),
    ("import --modality face={files}/pickle.npz", "needs pickle, which mmbio never loads"),
    ("score --embeddings {files}/voice.npz --trials {files}/wav", "10 of 10 trials name ids that are not known"),
    ("metrics {files}/scores.npy --labels {files}/labels.npy", r"scores\.npy: 3 scores, but 2 labels in .*labels\.npy"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    """An epoch of one batch."""
    few = replace(config.OPTIMISERS["audiovisual"], epochs=1, steps=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", {**config.OPTIMISERS, "audiovisual": few})
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, av_set: Path) -> Path:
    """Trial lists, and files that something is wrong with; nothing is with voice.npz."""
    folder = tmp_path_factory.mktemp("files")
    ids = pd.read_csv(av_set / "samples.csv", dtype=str)["id"].to_numpy(str)
    same, other = ([f"{ids[i]} {ids[i + step]}.wav" for i in range(0, 30, 6)] for step in (2, 6))
    (folder / "wav").write_text("".join(f"{k} {pair}\n" for k, pairs in ((1, same), (0, other)) for pair in pairs))
    (folder / "impostor").write_text("".join(f"0 {pair.removesuffix('.wav')}\n" for pair in other))
    ones = np.ones((len(ids), 3), np.float32)
    arrays: dict[str, tuple[np.ndarray, np.ndarray]] = {
        "voice": (ids, ones),
        "jpg": (np.char.add(ids, ".jpg"), ones),
        "twice": (np.array(["s/v/1", "s/v/1"]), np.eye(2)),
        "pickle": (np.array(["s/v/1"], dtype=object), np.eye(1)),
        "nan": (ids, np.where(np.arange(len(ids))[:, None] == 4, np.nan, ones)),
    }
    for name, (names, array) in arrays.items():
        np.savez(folder / f"{name}.npz", ids=names, vectors=array)
    np.save(folder / "scores.npy", np.arange(3.0))
    np.save(folder / "labels.npy", np.array([0, 1]))
    return folder


@pytest.fixture(scope="module")
def runs(good: Call, av_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with checkpoints without an attention, and a newest one with."""
    folder = tmp_path_factory.mktemp("refusals") / "runs"
    for name, words in {"cosine": ["--fusion", "cosine"], "alone": ["--modalities", "face"]}.items():
        made = good("train", *AV, "--data", av_set, *words, "--json", "--out", folder).stdout
        (folder / f"{name}.safetensors").write_bytes(Path(json.loads(made)["checkpoint"]).read_bytes())
    good("train", *AV, "--out", folder)
    return folder


@pytest.mark.parametrize(("text", "told"), WORDS, ids=[text for text, _ in WORDS])
def test_words(refused: Refused, runs: Path, av_set: Path, files: Path, listing: Listing, text: str, told: str) -> None:
    before, own = listing(runs), listing(av_set)
    which = "" if "--protocol" in text else " --protocol audiovisual"
    refused(told, text + which, runs, files=files, mine=av_set)
    assert listing(runs) == before
    assert listing(av_set) == own


@pytest.mark.parametrize(("text", "told"), OWN, ids=[text for text, _ in OWN])
def test_files_of_ones_own(refused: Refused, files: Path, tmp_path: Path, text: str, told: str) -> None:
    refused(told, f"{text} --out {tmp_path}/new", tmp_path, files=files)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_options_of_the_other_protocol(refused: Refused, home: Path, listing: Listing) -> None:
    before = listing(home)
    for words in ("eval --by-gender", "eval --eer rocch", "eval --preset sre08", "build-virtual --same-gender"):
        option = words.split()[1]
        refused(f"{option}: belongs to the protocol audiovisual; add --protocol audiovisual", words, home)
    assert listing(home) == before


def test_zero_vectors_are_allowed_and_counted(good: Call, tmp_path: Path) -> None:
    ids = np.array([f"s{i}/v{j}/c" for i in range(2) for j in range(2)])
    np.savez(tmp_path / "face.npz", ids=ids, vectors=np.arange(8.0).reshape(4, 2) * (np.arange(4) > 1)[:, None])
    told = good("import", "--modality", f"face={tmp_path / 'face.npz'}", "--out", tmp_path / "mine").stdout
    assert "face: 4 vectors of 2, 0 samples miss it, 2 zero vectors, 0 repeated rows left out" in told
    assert vector_sets.read(tmp_path / "mine").info["modalities"]["face"]["zeros"] == 2
