"""Malicious files of each kind: one sentence, exit code 2, and nothing in them has run."""

import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
from click.testing import Result
from safetensors import safe_open
from safetensors.numpy import save_file

Call = Callable[..., Result]

EVENTS: Final = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "pickle.find_class")
STRANGER: Final = "mmbio_test_stranger:Own"
WATCHED: list[str] = []


class Payload:
    """What is unpickled makes the file `pwned`."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch pwned",)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if WATCHED and event in EVENTS and args[0] != "uname":  # which the standard library asks of the machine
        WATCHED.append(f"{event} {args[0]!r}")


@pytest.fixture(scope="module", autouse=True)
def hook() -> None:
    """An audit hook; it stays with the process and does nothing where nothing is watched."""
    sys.addaudithook(_hook)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to stand in, with a module that makes `pwned` when it is imported; watched, and `pwned` may not be."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{STRANGER.partition(':')[0]}.py").write_text("open('pwned', 'w')\n")
    yield tmp_path
    assert not list(tmp_path.rglob("pwned*"))
    assert STRANGER.partition(":")[0] not in sys.modules


@pytest.fixture
def refused_unrun(mmbio: Call, place: Path) -> Callable[..., str]:
    """`mmbio WORDS` must end in one sentence, and run and unpickle nothing meanwhile."""

    def call(*words: object) -> str:
        WATCHED.append("watched")
        try:
            result = mmbio(*words)
        finally:
            seen = WATCHED[1:]
            WATCHED.clear()
        assert seen == []
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert not (place / "pwned").exists()
        sentence = result.stderr.rstrip("\n").split("\n")[-1]
        assert sentence.startswith("Error: ")
        return sentence

    return call


def objects() -> np.ndarray:
    return np.array([Payload(), Payload()], dtype=object)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Payload()))


def npy(path: Path) -> None:
    np.save(path, objects(), allow_pickle=True)


def npz_vectors(path: Path) -> None:
    np.savez(path, ids=np.array(["a/1", "b/1"]), vectors=objects())


def npz_ids(path: Path) -> None:
    np.savez(path, ids=objects(), vectors=np.zeros((2, 3), np.float32))


def scp(line: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(f"a/1 {line}\n")

    return write


def ark(path: Path) -> None:
    path.write_bytes(b"a/1 \0BPKL" + pickle.dumps(Payload()))  # as kaldiio would unpickle it


VECTORS: Final = [
    *[("x.npy", npy), ("x.npz", npz_vectors), ("x.npz", npz_ids), ("x.ark", ark)],
    *[(f"x.{suffix}", pickled) for suffix in ("npy", "npz", "ark", "scp", "safetensors", "pkl", "pt")],
    *[("x.scp", scp(line)) for line in ("touch pwned |", "| touch pwned", "$(touch pwned)", "`touch pwned`:4")],
    *[("x.scp", scp(line)) for line in ("x.ark:4;touch pwned", "http://127.0.0.1:9/x.ark:4", "s3://bucket/x.ark:4")],
]


@pytest.mark.parametrize(("name", "write"), VECTORS)
def test_embeddings(refused_unrun: Callable[..., str], place: Path, name: str, write: Callable[[Path], None]) -> None:
    write(place / name)
    refused_unrun("import", "--modality", f"face={name}", "--out", "mine")
    (place / "trials.txt").write_text("1 a/1 b/1\n0 b/1 a/1\n")
    refused_unrun("score", "--embeddings", name, "--trials", "trials.txt", "--out", "scores.csv")
    assert not (place / "mine").exists()


@pytest.mark.parametrize("write", [npy, pickled])
def test_scores_labels_and_ids(refused_unrun: Callable[..., str], place: Path, write: Callable[[Path], None]) -> None:
    write(place / "x.npy")
    np.save("good.npy", np.array([0.0, 1.0]))
    np.save("vectors.npy", np.zeros((2, 3), np.float32))
    refused_unrun("metrics", "x.npy", "--labels", "good.npy")
    refused_unrun("metrics", "good.npy", "--labels", "x.npy")
    refused_unrun("import", "--modality", "face=vectors.npy", "--ids", "face=x.npy", "--out", "mine")


@pytest.mark.parametrize("text", ["=cmd|' /C touch pwned'!A0", "$(touch pwned)", "`touch pwned`", "@SUM(1)", "-2+3"])
def test_formulas_and_shell_text_are_text(good: Call, place: Path, text: str) -> None:
    quoted = f'"{text}"'
    (place / "scores.csv").write_text(f"enrolment,probe,score,genuine\n{quoted},b,1,1\n{quoted},c,0,0\n")
    good("metrics", "scores.csv")
    ids = np.array([f"{text}/1".replace(" ", "_"), "b/1"])
    np.savez("v.npz", ids=ids, vectors=np.ones((2, 3), np.float32))
    (place / "trials.txt").write_text(f"1 {ids[0]} b/1\n0 b/1 {ids[0]}\n")
    good("score", "--embeddings", "v.npz", "--trials", "trials.txt", "--out", "written.csv")
    assert (place / "written.csv").read_text().split("\n")[1].lstrip('"').startswith(text[:1])  # as it was given
    assert not (place / "pwned").exists()


@pytest.mark.parametrize("suffix", ["pth", "pt", "bin", "safetensors"])
@pytest.mark.parametrize("save", [pickled, lambda path: torch.save({"conv1.weight": Payload()}, path)])
def test_weights(
    refused_unrun: Callable[..., str], home: Path, suffix: str, save: Callable[[Path], None], place: Path
) -> None:
    save(place / f"w.{suffix}")
    assert "not a readable state dict" in refused_unrun("extract", "--weights", f"w.{suffix}", "--out", home)


def attention_of(home: Path) -> Path:
    """The home's checkpoint of a multitask attention."""
    return next((home / "checkpoints").glob("multitask-attention-*.safetensors"))


def edited(home: Path, target: Path, **changes: Any) -> None:
    """The home's checkpoint with another key."""
    original = attention_of(home)
    with safe_open(original, "np") as file:
        key = json.loads(file.metadata()["mmbio"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for path, value in changes.items():
        *folders, last = path.split("__")
        inner = key
        for folder in folders:
            inner = inner[folder]
        inner[last] = value
    save_file(tensors, target, metadata={"mmbio": json.dumps(key)})


HOSTILE_KEYS: Final = [
    ({"config__fusion": STRANGER}, rf"add --fusion {STRANGER}"),
    ({"config__fusion": "os:system"}, "add --fusion os:system"),
    ({"config__fusion": "mmbio_test_stranger"}, "unknown"),
    ({"config__condition": "__import__('os').system('touch pwned')"}, ""),
    ({"config__protocol": "../../pwned"}, ""),
    ({"config__optimiser": {"__class__": "os"}}, ""),
    ({"config__optimiser": None}, ""),
    ({"members": [{"config": {"fusion": STRANGER}}]}, ""),
    ({"members": "../../.."}, ""),
    ({"shapes": [["ecg", [3, 300, 10**9, 10**9]]]}, ""),
    ({"manifest": "../../../etc/*"}, ""),
    ({"manifest": "**"}, ""),
]


@pytest.mark.parametrize(("changes", "told"), HOSTILE_KEYS, ids=[str(changes)[:40] for changes, _ in HOSTILE_KEYS])
def test_checkpoints(
    refused_unrun: Callable[..., str], home: Path, place: Path, changes: dict[str, Any], told: str
) -> None:
    edited(home, place / "x.safetensors", **changes)
    assert told in refused_unrun("eval", "--checkpoint", "x.safetensors", "--out", home)


@pytest.mark.parametrize("metadata", [{}, {"mmbio": "[" * 100_000}, {"mmbio": "null"}, {"mmbio": "__import__('os')"}])
def test_metadata(refused_unrun: Callable[..., str], home: Path, place: Path, metadata: dict[str, str]) -> None:
    save_file({"x": np.zeros(1)}, place / "x.safetensors", metadata=metadata)
    refused_unrun("eval", "--checkpoint", "x.safetensors", "--out", home)
    pickled(place / "p.safetensors")
    refused_unrun("eval", "--checkpoint", "p.safetensors", "--out", home)


SPEC: Final = """
protocol = "multitask"
name = "x"
title = "x"
keys = ["what"]
[[columns]]
key = "accuracy"
header = "x"
task = "identification"
metric = "accuracy"
[[rows]]
key = {{ what = "x" }}
set = {{ modalities = ["ecg"], {set} }}
"""


@pytest.mark.parametrize("fusion", [STRANGER, "os:system", "mmbio_test_stranger", "../x:Y"])
def test_specs(refused_unrun: Callable[..., str], tiny_root: Path, place: Path, fusion: str) -> None:
    (place / "x.toml").write_text(SPEC.format(set=f'fusion = "{fusion}"'))
    refused_unrun("tables", "x.toml", "--data", tiny_root, "--out", "runs")


@pytest.mark.parametrize("text", ["__import__('os').system('touch pwned')", "$(touch pwned)", "=1+1"])
def test_conditions_of_specs(refused_unrun: Callable[..., str], tiny_root: Path, place: Path, text: str) -> None:
    (place / "x.toml").write_text(SPEC.format(set=f'test = "{text}"'))
    refused_unrun("tables", "x.toml", "--data", tiny_root, "--out", "runs")


def test_a_result_of_a_stranger(refused_unrun: Callable[..., str], good: Call, home: Path, place: Path) -> None:
    made = json.loads(good("eval", "--checkpoint", attention_of(home), "--json", "--out", home).stdout)[0]["result"]
    shutil.copytree(home, place / "runs")
    key = place / "runs/results" / made / "key.json"
    key.write_text(key.read_text().replace('"attention"', f'"{STRANGER}"'))
    refused_unrun("reproduce", place / "runs/results" / made, "--out", "runs")


RECORD: Final = "rec_1 1 500 100\n{file} 16 200 12 0 -17 17532 0 ECG I\n# Age: 25\n# Sex: male\n"
OUTSIDE: Final = (
    *("../secret.dat", "/etc/passwd", "..", "sub/secret.dat", "~/secret.dat", "|touch pwned", "`touch pwned`"),
    *("http://127.0.0.1:9/x.dat", "s3://bucket/x.dat", "gs://bucket/x.dat", "file:///etc/passwd", "$(touch pwned)"),
)


@pytest.mark.parametrize("file", OUTSIDE)
def test_wfdb_headers(
    refused_unrun: Callable[..., str], tiny_root: Path, place: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: pytest.fail("asked the network"))
    records = place / "ecg" / "p"
    records.mkdir(parents=True)
    np.zeros(100, "<i2").tofile(place / "ecg" / "secret.dat")
    (records / "rec_1.hea").write_text(RECORD.format(file=file))
    (place / "ecg" / "genders.csv").write_text("subject,gender,age\np,M,25\n")
    words = ("--data", tiny_root, "--source", f"ecg={place / 'ecg'}", "--out", "runs")
    refused_unrun("build-virtual", *words)


@pytest.mark.parametrize("path", ["../../../../../../etc/passwd", "/etc/passwd", "/dev/zero", "|touch pwned", "fifo"])
def test_manifests(refused_unrun: Callable[..., str], home: Path, place: Path, path: str) -> None:
    os.mkfifo("fifo")
    made = next((home / "manifests").glob("multitask-*"))
    copied = shutil.copytree(made, place / made.name)
    samples = (copied / "samples.csv").read_text().split("\n")
    header = samples[0].split(",")
    column, modality = header.index("path"), header.index("modality")
    rows = [row.split(",") for row in samples[1:] if row]
    where = str(place / path) if path == "fifo" else path
    rows = [[where if i == column and row[modality] != "ecg" else v for i, v in enumerate(row)] for row in rows]
    (copied / "samples.csv").write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    refused_unrun("extract", "--manifest", copied, "--out", "runs")


@pytest.mark.parametrize(
    "address", ["tcp://$(touch pwned):1", "tcp://x;touch pwned:1", "inproc://x/1", "tcp://x:1?y", "ucx://x:1", "|pwned"]
)
def test_addresses(refused_unrun: Callable[..., str], home: Path, address: str) -> None:
    assert "expected tcp://HOST:PORT" in refused_unrun("extract", "--scheduler", address, "--out", home)


def test_the_hook_sees(place: Path) -> None:
    WATCHED.append("watched")
    pickle.loads(pickle.dumps(Payload))
    seen = WATCHED[1:]
    WATCHED.clear()
    assert len(seen) == 1
