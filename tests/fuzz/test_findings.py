"""What the fuzzers found, each as a small case: these bytes, this sentence."""

import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.data import audio, embedding_files, images, score_files
from mmbio.errors import MmbioError
from mmbio.fuse.config import Config
from mmbio.protocols import AUDIOVISUAL
from tests.fuzz import arrays, media, networks, stored, targets
from tests.fuzz.target import tried

HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647,), }\n"
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
SAMPLE = b"id,subject,gender,video,clip,part,face,Bald\na,x,F,v,c,"
SOURCES: dict[str, Any] = stored.INFO["sources"]  # type: ignore[assignment]
BYTES = b"{'descr': '|S1', 'fortran_order': False, 'shape': (3, 2), }\n"
NESTED = b"(" * 900
TABLE = b"score,genuine,id\n0.5,1,a\n0.25,maybe,b\n"
HEADER = media.HEADER


def headed(descr: str, shape: str) -> bytes:
    """An .npy of a head alone."""
    return arrays.npy_head(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode(), b"")


def key_with(**more: Any) -> bytes:
    """A checkpoint's key with other things in it."""
    return json.dumps(json.loads(networks._key()) | more).encode()


def record_with(**more: Any) -> bytes:
    """A result's sidecar with other things in it."""
    return json.dumps(json.loads(stored._sidecar()) | more).encode()


def info_with(**more: Any) -> bytes:
    """A manifest's description with other things in it."""
    return json.dumps(stored.INFO | more).encode()


def png(width: int, height: int) -> bytes:
    """A PNG that says so much of its size, and holds little."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def tif() -> bytes:
    """A TIFF whose strip begins at a byte that is no whole number."""
    data = media._encoded("TIFF")
    at = data.index(struct.pack("<HHI", 273, 4, 1))  # the tag of where strips begin
    return data[: at + 2] + struct.pack("<HIf", 11, 1, 8.5) + data[at + 12 :]


CONCAT = Config("audiovisual", "concat", ("face", "voice"), AUDIOVISUAL.tasks).to_json()
ITEMS = stored.TABLES["items"]
CASES: list[tuple[str, bytes, str]] = [
    ("attributes", b"id,Bald,yaw\na,11e94294967295,-30.5\n", "column 'Bald': '11e94294967295' is not finite"),
    ("scores-csv", TABLE, r"row 3: '0.25,maybe,b': unknown label 'maybe'"),  # KeyError: a column beside
    ("scores-csv", b'score,genuine,x\n0.5,1,"a\nb"\nz,0,c\n', r"row 4: 'z,0,c': score 'z' is not a number"),  # row 3
    ("scores-listed", b"a/1 a/2 nan\na/1 b/2 nan\n", r"score 'nan'|scores none of the 3 trials"),  # IndexError
    ("scores-npy-head", HUGE, r"48 bytes where its head promises \(2147483647,\)"),  # 16 GB
    ("scores-npy-head", NESTED, r"its head is nested too deeply|cannot be read"),  # MemoryError
    ("labels-npy", arrays.npy_head(HUGE, b""), r"0 bytes where its head promises"),  # 16 GB
    ("npz-ids", headed("<U0", "(10**12,)"), "expected|damaged"),
    ("npz-ids", headed("<U0", "(1000000000000,)"), "row 1: id ''"),
    ("image-png", png(20_000, 20_000), "too large to be a sample"),  # 1.2 GB
    ("image-png", png(8_000, 8_000), "too large to be a sample"),
    ("image-jpg", POSTSCRIPT, "not an image"),  # which Ghostscript would have run
    ("image-tif", tif(), "cut short or not an image"),  # TypeError
    ("wfdb-header", HEADER.replace(b"2 500", b"2 " + b"9" * 400), "not a WFDB header"),  # OverflowError
    ("wfdb-header", HEADER.replace(b"2 500", b"2 0.0001"), "at 0.0001 Hz"),  # resampled to 10^9 samples
    (
        "wfdb-header",
        HEADER.replace(b"rec_1.dat", b"x" * 700 + b".dat"),
        "not there, though rec_1.hea names it",
    ),  # OSError
    ("result-key", b'{"options": {"preset": "", "cost": {"c_miss": -1}}}', "no options of this mmbio"),
    ("result-array", arrays.npy_head(HUGE, b""), "not a readable array"),  # 16 GB
    ("result-array", arrays.npy_of(np.ones((1, 2, 0), np.float32)), "not of 2 items"),  # ValueError of argmax
    ("result-array", arrays.npy_of(np.array([[["a"], ["b"]]])), "posteriors of type"),
    ("listed-trials", b"", "not readable as trials"),  # EOFError
    ("listed-trials", headed("<i8", "(3, 9999999999)"), "promises"),
    ("manifest", info_with(folds=2**31 - 1), "not the folds that manifest.json counts"),  # endless
    ("manifest", info_with(n_subjects={}), "'n_subjects' holds no counts"),  # KeyError
    ("manifest", info_with(seed=None), "'seed' is no int"),
    ("manifest", info_with(modalities=[["ecg"]]), "build it again"),  # TypeError
    ("run-json", record_with(settings=stored.SETTINGS | {"threads": 1e999}), "cannot convert float infinity"),
    ("run-json", record_with(files={"\ud800": "0"}), "the file was edited"),  # UnicodeEncodeError
    ("manifest", info_with(note=float("nan")), "build it again"),  # ValueError of JSON
    ("manifest", info_with(sources=SOURCES | {"voice": 2}), "without its source"),  # AttributeError
    ("manifest", info_with(sources=SOURCES | {"voice": {"synthetic": True}}), "without folder or sets"),  # KeyError
    ("vector-set-samples", SAMPLE + b"test,1e94294967295,1\n", "what is no row's number"),  # segmentation fault
    ("vector-set-samples", SAMPLE + b"test,18446744073709551616,1\n", "what is no row's number"),  # OverflowError
    ("listed-trials", arrays.npy_head(BYTES, b"1".ljust(48, b"\0")), "not readable as trials"),  # TypeError
    ("manifest-items", ITEMS.replace(b"1,1,train", b"1,7,train"), "one of an unknown subject"),  # IndexError
    ("manifest-items", ITEMS.replace(b"2,0,train", b"x,0,train"), "the column item holds no whole numbers"),
    ("manifest-items", ITEMS.replace(b"face_draw", b"draw"), "items.csv: no column face_draw"),  # KeyError
    ("manifest-items", ITEMS.replace(b"s/a,1 2 4", b"s/z,1 2 4"), "a sample of ecg that samples.csv does not have"),
    ("manifest-subjects", b'subject,gender,ecg,face\n"' + b"x" * 200_000, "subjects.csv: not readable"),  # csv.Error
    ("manifest-samples", b"modality,sample\n", "samples.csv: no column subject"),  # KeyError
    ("vector-set", b'{"schema": 1, "modalities": {}, "attributes": []}', "run mmbio import again"),  # KeyError
    ("vector-set-samples", b"id,subject,face\na,b,0\n", "no column gender"),  # KeyError
    (
        "checkpoint-key",
        key_with(config=CONCAT, shapes=[["face", [10**9]], ["voice", [4]]]),
        "do not fit its configuration",
    ),
    ("checkpoint-key", key_with(shapes=[]), "not what mmbio train writes"),  # KeyError
    ("checkpoint-key", key_with(classes=None), "not what mmbio train writes"),  # AttributeError
    ("checkpoint-key", key_with(note=float("nan")), "not what mmbio train writes"),  # ValueError of JSON
    ("checkpoint-key", key_with(members=[{}]), "not what mmbio train writes"),  # KeyError
    ("checkpoint-key", b"[" * 100_000, "not a readable mmbio checkpoint"),  # RecursionError
    ("table-json", b'{"cells": ' + b"[" * 100_000, "not a readable table"),  # RecursionError
    ("store-done", b"0 x\n\xff 1\n", ""),  # UnicodeDecodeError and ValueError: such lines do not count
    ("store-vectors", arrays.npy_head(HUGE, bytes(200)), "its vectors are damaged"),  # ValueError
    ("store-vectors", arrays.npy_head(NESTED, bytes(200)), "its vectors are damaged"),  # MemoryError
    ("latest", b"x" * 700, ""),  # OSError: no such manifest
    ("results-csv", b'"' + b"x" * 200_000, "not readable as results"),  # csv.Error
    ("reported", b'"' + b"x" * 200_000, "not a readable CSV of reported values"),  # csv.Error
    ("condition", b"face=\n\x1b[31m", r"face=\\n\\x1b\[31m"),  # two lines, and a terminal's red
    ("condition", b"x" * 10_000, r" \.\.\. "),  # a sentence of 10,000 characters
]


@pytest.mark.parametrize(("name", "data", "told"), CASES, ids=[f"{i}-{name}" for i, (name, _, _) in enumerate(CASES)])
def test_found(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    target = targets.find(name)
    target.prepare(tmp_path)
    sentence = tried(target, data, tmp_path)
    assert re.search(told, sentence), sentence
    assert bool(sentence) == bool(told)


def test_an_archive_of_zeros(tmp_path: Path) -> None:
    zeros = np.zeros((300_000, 64), np.float32)
    (tmp_path / "x.npz").write_bytes(arrays.npz_of(ids=np.array(["a"]), vectors=zeros))
    with pytest.raises(
        MmbioError, match=r"vectors\.npy would unpack to 76,800,128 bytes, more than 100 times the file"
    ):
        embedding_files.read(tmp_path / "x.npz")


def test_a_sound_that_promises_what_is_not_there(tmp_path: Path) -> None:
    """FLAC's head counts samples in 36 bits at its byte 21; 256 GB were asked for."""
    data = bytearray(media._sound("FLAC", "PCM_16", 16000, 1))
    data[21] |= 15
    (tmp_path / "x.flac").write_bytes(data)
    with pytest.raises(MmbioError, match=r"cut short|not readable as audio"):
        audio.samples_of(tmp_path / "x.flac")


def test_a_sound_that_unpacks_to_far_more_than_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "BOMB", 1000)
    import soundfile

    soundfile.write(tmp_path / "x.flac", np.zeros(200_000), 16_000)
    with pytest.raises(MmbioError, match=r"unpacks to more than .* samples, too many for"):
        audio.samples_of(tmp_path / "x.flac")


@pytest.mark.parametrize("rate", [1, 999, 2_000_000])
def test_a_sound_of_an_odd_rate(tmp_path: Path, rate: int) -> None:
    data = bytearray(media._sound("WAV", "PCM_16", 16000, 1))
    data[24:28] = struct.pack("<I", rate)
    (tmp_path / "x.wav").write_bytes(data)
    with pytest.raises(MmbioError, match=f"sampled at {rate} Hz where 1000 to 1000000 were expected"):
        audio.samples_of(tmp_path / "x.wav")


def test_an_image_at_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", media.PIXELS.shape[0] * media.PIXELS.shape[1])
    (tmp_path / "x.png").write_bytes(media._encoded("PNG"))
    assert np.array_equal(images.load_image(tmp_path / "x.png"), media.PIXELS)


def test_a_score_file_whose_pairs_have_no_score(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("enrolment,probe,score\na,b,\na,c,\n")
    (tmp_path / "list.csv").write_text("enrolment,probe,genuine\na,b,1\na,c,0\n")
    with pytest.raises(MmbioError, match="scores none of the 2 trials"):
        score_files.read(tmp_path / "scores.csv", tmp_path / "list.csv")
