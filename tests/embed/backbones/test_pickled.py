"""What is looked at in a .pth file before torch reads it."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from mmbio.embed.backbones import pickled
from mmbio.embed.backbones.resnet50 import _from_file
from mmbio.errors import MmbioError

LONG = b"n" * (pickled.LONGEST + 1)


def saved(legacy: bool = False) -> bytes:
    out = io.BytesIO()
    torch.save({"fc.weight": torch.arange(6.0).reshape(2, 3)}, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def with_pickle(data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, data if name.endswith("data.pkl") else old.read(name))
    return out.getvalue()


@pytest.mark.parametrize("legacy", [False, True])
def test_what_torch_saves_is_read(tmp_path: Path, legacy: bool) -> None:
    (tmp_path / "w.pth").write_bytes(saved(legacy))
    assert _from_file(str(tmp_path / "w.pth"))["fc.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "content",
    [
        with_pickle(b"\x80\x02c" + LONG + b"\nname\n."),  # would keep torch's patterns at work for hours
        with_pickle(b"\x80\x02c\xff" + LONG + b"\nname\n."),
        with_pickle(pickle.dumps({LONG.decode(): 1}, 2)),
        with_pickle(b"\x80\x02}.", zipfile.ZIP_DEFLATED),
        b"\x80\x02c" + LONG + b"\nname\n.",
        b"c" + LONG + b"\nname\n.",
        b"pickle" + bytes(600),
        b"",
    ],
    ids=["global", "odd global", "text", "packed", "legacy", "no head", "tar", "nothing"],
)
def test_what_could_lead_torch_astray_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(MmbioError, match="not a readable state dict"):
        _from_file(str(tmp_path / "w.pth"))
    with pytest.raises((ValueError, LookupError)):
        pickled.check(content)
