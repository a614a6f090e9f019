"""Bad input to verification: one sentence that names what is wrong, exit code 2, and everything as it was before."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mmbio.fuse import config
from mmbio.fuse.config import Optimiser

Call = Callable[..., Result]
Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]

ONE, OTHER = "test00/v0/c0", "test00/v1/c0"  # of one subject, of different videos
IDS = ("a/v/1", "b/v/1")
TEXTS = {
    "strangers.txt": "1 nobody noone\n0 nobody neither\n",
    "unknown.txt": f"1 {ONE} {OTHER}\n0 {ONE} nobody\n",
    "dev.txt": f"1 {ONE} {OTHER}\n0 {ONE} dev00/v0/c0\n",
    "two.txt": f"{ONE} {OTHER}\n",
    "four.txt": f"1 {ONE} {OTHER} more\n",
    "later.txt": f"1 {ONE} {OTHER}\n1 {ONE} {OTHER} more\n",
    "genuine.txt": f"1 {ONE} {OTHER}\n",
    "untrue.txt": f"1 {ONE} {OTHER}\n0 {OTHER} {ONE}\n",
    "empty.txt": "",
    "class.csv": "score,genuine\n0.5,1\n0.75,1\n",
    "both.csv": "score,genuine\n0.5,1\n0.25,0\n",
    "who.csv": "id,subject,part\na/v/1,a,dev\nb/v/1,a,test\n",
    "short.csv": "id,subject\na/v/1,a\n",
    "attributes.csv": "id,Smiling\nnobody,1\n",
}

# (words, what the sentence says); {ours}: --protocol audiovisual, {bad}: a folder with bad files, {data}: a set,
# {attended}, {alone}: checkpoints of both modalities with attention and of the face alone.
WORDS = [
    # trial lists
    ("eval {ours} --trials {bad}/strangers.txt", r"2 of 2 trials name ids .* \('nobody', .*like 'test00/v0/c0', 'test"),
    (
        "eval {ours} --trials {bad}/unknown.txt",
        "1 of 2 trials name ids that are not known .*, where those known are like .*; strip what they differ by",
    ),
    (
        "eval {ours} --trials {bad}/dev.txt",
        "1 of 2 trials name ids that are not known .*, where those known are like .*; strip what they differ by",
    ),
    ("eval {ours} --trials {bad}/two.txt", "two.txt: row 1: .* has 2 columns and is of no known form; write '1 a b'"),
    ("eval {ours} --trials {bad}/four.txt", "four.txt: row 1: .* has 4 columns and is of no known form"),
    ("eval {ours} --trials {bad}/later.txt", "later.txt: row 2: .* has 4 columns where 3 were expected"),
    ("eval {ours} --trials {bad}/empty.txt", "empty.txt: empty, where rows were expected"),
    ("eval {ours} --trials {bad}/none.txt", "none.txt: cannot be read"),
    ("eval {ours} --trials {bad}/genuine.txt", "1 genuine and 0 impostor trials: expected at least one of each"),
    ("eval {ours} --trials {bad}/untrue.txt", "trial 2: impostor of one subject"),
    ("eval {ours} --strip-suffix .wav", "--strip-suffix .wav: is for the ids of a list; add --trials"),
    ("eval --trials {bad}/two.txt", "--trials: belongs to the protocol audiovisual; add --protocol audiovisual"),
    ("eval --by-gender", "--by-gender: belongs to the protocol audiovisual"),
    # figures
    ("eval {ours} --p-target 0", "--p-target 0.0: expected a probability between 0 and 1, both excluded"),
    ("eval {ours} --p-target 1", "--p-target 1.0: expected a probability between 0 and 1, both excluded"),
    ("eval {ours} --p-target 0.5 --preset sre08", "--p-target 0.5: the preset sre08 has a prior of its own"),
    ("metrics {bad}/both.csv --p-target 0", "--p-target 0.0: expected a probability between 0 and 1"),
    ("metrics {bad}/both.csv --p-target 1", "--p-target 1.0: expected a probability between 0 and 1"),
    ("metrics {bad}/class.csv", "class.csv: all 2 scored trials are genuine; give labels of both kinds"),
    ("metrics {bad}/empty.txt", "empty.txt: empty, where rows were expected"),
    # conditions
    ("eval {ours} --noise face=0.3", "'face=0.3': face is there as vectors, and sample noise needs samples"),
    ("train {ours} --noise voice=snr:10", "'voice=snr:10': voice is there as vectors, and sample noise needs"),
    ("tables --data {data} --under face=0.3", "'face=0.3': face is there as vectors, and sample noise needs"),
    ("eval {ours} --noise paper", "--noise paper: the protocol audiovisual has nulls and no levels"),
    ("train {ours} --noise paper", "--noise paper: the protocol audiovisual has nulls and no levels"),
    ("train {ours} --noise voice=random@probe", "'voice=random@probe': training has no sides; leave @probe out"),
    ("train {ours} --noise missing=face,missing=voice", "leaves no modality to train on; leave one of them"),
    (
        "eval {ours} --missing face --missing voice",
        "3744 of 3744 trials cannot be scored .3744 have a side without any modality",
    ),
    (
        "eval {ours} --missing face --missing voice --missing-trials skip",
        "0 genuine and 0 impostor trials: expected at least one",
    ),
    (
        "eval {ours} --checkpoint {alone} --missing face",
        "3744 of 3744 trials cannot be scored .3744 have a side without any modality",
    ),
    ("eval {ours} --checkpoint {alone} --noise voice=zeros", "'voice=zeros': only face in use here; leave it out"),
    # what is trained
    ("train {ours} --segment 0.5", "--segment 0.5: the vectors are of 0.115, 1.015 s of speech; choose one"),
    ("train {ours} --segment nan", "--segment nan: expected a length in seconds"),
    ("train {ours} --fusion score-sum", "--fusion score-sum: not for the protocol audiovisual; choose from concat"),
    ("train --fusion score-logistic", "--fusion score-logistic: not for the protocol multitask; choose from concat"),
    ("train --fusion cosine", "--fusion cosine: not for the protocol multitask"),
    ("train {ours} --unseen", "--unseen: verification always tests on subjects not trained on"),
    ("eval {ours} --unseen", "--unseen: verification always tests subjects that were not trained on"),
    ("train {ours} --tasks gender", "--tasks gender: expected one or more of verification"),
    ("train {ours} --modalities ecg", "--modalities ecg: the data have face, voice; choose from them"),
    ("train {ours} --backbone nonsense", "--backbone nonsense: expected MODALITY=VALUE"),
    ("train {ours} --backbone face=nonsense", "--backbone face=nonsense: unknown; choose from .*face=dlib"),
    ("train {ours} --backbone face=dlib", "--backbone face=dlib: face is there as vectors"),
    ("train {ours} --weights random", "--weights random: no ResNet-50 is used"),
    ("train {ours} --loss-weights verification=1", "--loss-weights: belongs to the protocol multitask"),
    ("train {ours} --data {data} --manifest {home}", "--data and --manifest: a manifest names its data"),
    ("train --data {data}", "tiny: holds embeddings, which the protocol multitask does not take"),
    ("build-virtual {ours} --data {data} --split record", "--split record: the protocol audiovisual has subject alone"),
    ("build-virtual {ours} --data {data} --folds 3", "--folds: belongs to the protocol multitask"),
    ("build-virtual --genuine clip", "--genuine: belongs to the protocol audiovisual"),
    # attention
    ("attention --checkpoint {alone}", "its fusion cosine has no attention; train --fusion attention"),
    ("attention --out {home}/empty", "no checkpoint of protocol audiovisual there; run mmbio train"),
    ("attention --attributes {bad}/empty.txt", "empty.txt: has no rows; write a head line, such as id,Bald"),
    ("attention --attributes {bad}/attributes.csv", "no id is one of the 72 test samples'; .*the attributes 'nobody'"),
    ("attention --levels nose=1", "unknown modality 'nose'"),
    ("attention --levels face=0.3", "face is there as vectors, and sample noise needs samples"),
    # embeddings
    (
        "import --modality face={bad}/pair.npz --subjects {bad}/who.csv --out {home}/made",
        "1 subject is in dev and in",
    ),
    ("import --modality face={bad}/pair.npz --subjects {bad}/short.csv --out {home}/made", "1 of 2 ids with vectors"),
    (
        "import --modality face={bad}/pair.npz --subjects {bad}/empty.txt --out {home}/made",
        "empty.txt: empty, expected",
    ),
    (
        "import --modality voice@1={bad}/pair.npz --modality voice@2={bad}/wide.npz --out {home}/made",
        "wide.npz: 5 dimensions where .*pair.npz has 4; give all lengths of voice from one model",
    ),
    (
        "import --modality face={bad}/ragged.ark --out {home}/made",
        "ragged.ark: row 2 .* has 5 dimensions where row 1 has 4",
    ),
    ("import --modality face={bad}/empty.npz --out {home}/made", "empty.npz: empty, expected embeddings or ids"),
    ("import --modality face={bad}/none.npz --out {home}/made", "none.npz: holds no vectors"),
    ("import --modality face={bad}/cut.ark --out {home}/made", "cut.ark: id 'b/v/1': cut short, the file ends inside"),
    ("score --embeddings {bad}/cut.ark --trials {bad}/two.txt --out {home}/s.csv", "two.txt: row 1"),
    ("score --embeddings {bad}/cut.ark --trials {bad}/later.txt --out {home}/s.csv", "later.txt: row 2"),
    ("score --embeddings {bad}/cut.ark --trials {bad}/dev.txt --out {home}/s.csv", "cut.ark: id 'b/v/1': cut short"),
    ("score --embeddings {bad}/pair.npz --trials {bad}/dev.txt --out {home}/s.csv", "2 of 2 trials name ids that are"),
]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files with one mistake each, and pair.npz, which has none."""
    folder = tmp_path_factory.mktemp("bad")
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    ones = np.ones((2, 4), np.float32)
    np.savez(folder / "pair.npz", ids=np.array(IDS), vectors=ones)
    np.savez(folder / "wide.npz", ids=np.array(IDS), vectors=np.ones((2, 5), np.float32))
    np.savez(folder / "none.npz", ids=np.array([], str), vectors=ones[:0])
    (folder / "empty.npz").write_bytes(b"")
    (folder / "cut.ark").write_bytes(ark(4, 4)[:-3])
    (folder / "ragged.ark").write_bytes(ark(4, 5))
    return folder


def ark(*dims: int) -> bytes:
    """A Kaldi archive of a vector of ones for each of IDS."""
    vectors = [b"\0BFV \x04" + np.int32(d).tobytes() + np.ones(d, np.float32).tobytes() for d in dims]
    return b"".join(f"{name} ".encode() + vector for name, vector in zip(IDS, vectors, strict=True))


@pytest.fixture(scope="module")
def places(good: Call, av_set: Path, bad: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A home with a manifest, a cosine of the face and, as the newest, an attention of hardly any training."""
    home = tmp_path_factory.mktemp("refused") / "runs"
    words = ("train", "--protocol", "audiovisual", "--out", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPTIMISERS", {**config.OPTIMISERS, "audiovisual": Optimiser(epochs=1, steps=1)})
        good(*words, "--data", av_set, "--fusion", "cosine", "--modalities", "face")
        good(*words)
    (alone,) = (home / "checkpoints").glob("*cosine*.safetensors")
    return {"home": home, "bad": bad, "data": av_set, "alone": alone, "ours": Path("--protocol audiovisual")}


@pytest.mark.parametrize(("text", "told"), WORDS, ids=[f"{i}-{text}" for i, (text, _) in enumerate(WORDS)])
def test_words(refused: Refused, places: dict[str, Path], listing: Listing, text: str, told: str) -> None:
    before = [listing(places[name]) for name in ("home", "bad", "data")]
    refused(told, text, **places)
    assert [listing(places[name]) for name in ("home", "bad", "data")] == before
