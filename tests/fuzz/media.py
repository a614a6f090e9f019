"""Targets that are samples: images, sound, and records of WFDB."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from mmbio.data import audio, images, signals
from mmbio.data.readers import ecg_id, ptb
from tests.fuzz.target import Target, written

PIXELS: Final = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
HEADER: Final = b"""rec_1 2 500 600
rec_1.dat 16 200 16 0 -13 1 0 ECG I
rec_1.dat 16 200 16 0 3 0 0 ECG I filtered
# Age: 25
# Sex: male
# ECG date: 03.12.2004
"""
PTB: Final = b"""s0010_re 1 1000 600
s0010_re.dat 212 2000(0)/mV 12 0 -489 -8337 0 i
# age: 81
# sex: female
#
# Diagnose:
"""
FRAMES: Final = 600


def _encoded(form: str, mode: str = "RGB", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(out, form, **more)
    return out.getvalue()


def image(suffix: str, mend: Callable[[bytes], bytes] = bytes) -> Callable[[bytes, Path], None]:
    """Decode an image of this suffix, `mend`ed first."""

    def run(data: bytes, scratch: Path) -> None:
        found = images.load_image(written(scratch, f"x{suffix}", mend(data)))
        assert found.ndim == 3, found.shape
        assert found.dtype == np.uint8, found.dtype

    return run


def checksums(data: bytes) -> bytes:
    """A PNG whose chunks have their lengths' checksums, as far as there are chunks."""
    out, at = [data[:8]], 8
    while at + 12 <= len(data):
        size = min(struct.unpack(">I", data[at : at + 4])[0], len(data) - at - 12)
        chunk = data[at + 4 : at + 8 + size]
        out.append(struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk)))
        at += 12 + size
    return b"".join(out)


def sound(suffix: str) -> Callable[[bytes, Path], None]:
    """Read sound from a file of this suffix, and how long it is."""

    def run(data: bytes, scratch: Path) -> None:
        path = written(scratch, f"x{suffix}", data)
        audio.duration(path)
        audio.segment(path, 0.01, 0.01)

    return run


def _sound(form: str, subtype: str, rate: int, channels: int) -> bytes:
    import soundfile

    out = io.BytesIO()
    wave = np.sin(np.arange(800 * channels) / 9).reshape(-1, channels)
    soundfile.write(out, wave, rate, subtype, format=form)
    return out.getvalue()


def record(data: bytes, scratch: Path) -> None:
    """A header of ECG-ID and its lead."""
    path = written(scratch / "Person_01", "rec_1.hea", data)
    ecg_id.read(scratch)
    signals.resample(*signals.read_lead(path))


def record_ptb(data: bytes, scratch: Path) -> None:
    """A header of PTB and its lead."""
    path = written(scratch / "patient001", "s0010_re.hea", data)
    ptb.read(scratch)
    signals.resample(*signals.read_lead(path))


def signal(data: bytes, scratch: Path) -> None:
    """A signal file, and the beats in it."""
    path = scratch / "Person_01" / "rec_1.hea"
    written(path.parent, "rec_1.dat", data)
    signals.beats(path)


def _records(scratch: Path) -> None:
    for folder, header, name in (("Person_01", HEADER, "rec_1"), ("patient001", PTB, "s0010_re")):
        (scratch / folder).mkdir()
        written(scratch / folder, f"{name}.hea", header)
        written(scratch / folder, f"{name}.dat", _wave())


def _wave() -> bytes:
    beats = np.zeros((FRAMES, 2))
    beats[50::120] = 1
    return (beats * 200).astype("<i2").tobytes()


TARGETS = {
    "image-jpg": Target(
        image(".jpg"), lambda: [_encoded("JPEG"), _encoded("JPEG", "L", progressive=True), _encoded("JPEG", "CMYK")]
    ),
    "image-png": Target(image(".png"), lambda: [_encoded("PNG"), _encoded("PNG", "P"), _encoded("PNG", "LA")]),
    "image-png-chunks": Target(
        image(".png", checksums),
        lambda: [_encoded("PNG"), _encoded("PNG", "P"), _encoded("PNG", "1"), _encoded("PNG", "I;16")],
    ),
    "image-tif": Target(
        image(".tif"),
        lambda: [
            _encoded("TIFF"),
            _encoded("TIFF", "L", compression="tiff_lzw"),
            _encoded("TIFF", "1", compression="group4"),
        ],
    ),
    "image-bmp": Target(image(".bmp"), lambda: [_encoded("BMP"), _encoded("BMP", "L"), _encoded("BMP", "1")]),
    "image-pgm": Target(image(".pgm"), lambda: [_encoded("PPM", "L"), b"P2\n2 2\n255\n1 2 3 4\n", _encoded("PPM")]),
    "audio-wav": Target(
        sound(".wav"),
        lambda: [
            _sound("WAV", "PCM_16", 16000, 1),
            _sound("WAV", "FLOAT", 44100, 2),
            _sound("WAV", "IMA_ADPCM", 8000, 1),
        ],
    ),
    "audio-flac": Target(
        sound(".flac"), lambda: [_sound("FLAC", "PCM_16", 16000, 1), _sound("FLAC", "PCM_24", 8000, 2)]
    ),
    "wfdb-header": Target(
        record, lambda: [HEADER, HEADER.replace(b" 16 ", b" 80 "), HEADER.replace(b"\n", b"\r\n")], _records
    ),
    "wfdb-header-ptb": Target(
        record_ptb, lambda: [PTB, PTB.replace(b"212", b"310"), PTB.replace(b" 1 ", b"/2 1 ", 1)], _records
    ),
    "wfdb-signal": Target(signal, lambda: [_wave(), _wave()[::-1], b"\0\x80" * 2 * FRAMES], _records),
}
