"""Settings: what auto means here, and devices and numbers that are not to be had."""

import pytest
import torch

from mmbio.embed.settings import PRECISIONS, device_of, precision_of, threads
from mmbio.errors import MmbioError


@pytest.mark.parametrize("name", ["fp32", "bf16"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_named_precision_is_taken(name: str, device: str) -> None:
    assert name in PRECISIONS
    assert precision_of(name, device) == name


@pytest.mark.parametrize(
    ("amx", "avx", "precision"),
    [(True, True, "bf16"), (False, True, "bf16"), (True, False, "bf16"), (False, False, "fp32")],
)
def test_auto_is_bf16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, avx: bool, precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    assert precision_of("auto", "cpu") == precision


def test_auto_is_fp32_where_torch_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    for check in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, check, raising=False)
    assert precision_of("auto", "cpu") == "fp32"


@pytest.mark.parametrize(("there", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_the_accelerator_where_there_is_one(monkeypatch: pytest.MonkeyPatch, there: bool, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert device_of("auto") == device
    assert device_of("cpu") == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(MmbioError, match=f"--device {name}: not to be had on this machine; use --device cpu"):
        device_of(name)


@pytest.mark.parametrize(("text", "n"), [(None, 2), ("1", 1), ("16", 16)])
def test_threads(monkeypatch: pytest.MonkeyPatch, text: str | None, n: int) -> None:
    monkeypatch.delenv("MMBIO_THREADS", raising=False)
    if text is not None:
        monkeypatch.setenv("MMBIO_THREADS", text)
    assert threads() == n


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "1.5", "1025", "²"])
def test_threads_that_are_no_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MMBIO_THREADS", text)
    with pytest.raises(MmbioError, match=f"MMBIO_THREADS={text}: expected a number from 1 to 1024"):
        threads()
