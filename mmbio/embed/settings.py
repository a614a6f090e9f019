"""Settings of extraction: which weights, at which precision, on which device."""

import os
from dataclasses import dataclass
from pathlib import Path

from mmbio.errors import MmbioError

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Settings:
    """What determines a vector beside its image, and where the work is done."""

    home: Path
    weights: str = "auto"  # auto: random on synthetic data, imagenet on real
    precision: str = "auto"
    device: str = "auto"
    backbones: tuple[tuple[str, str], ...] = ()  # (modality, backbone) where it is not the protocol's
    segment_s: float | None = None  # of speech


def device_of(name: str) -> str:
    """The torch device behind `auto`, `cpu`, `cuda` or `cuda:1`; raises MmbioError where it is not there."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError("neither cpu nor cuda")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise MmbioError(f"--device {name}: not to be had on this machine; use --device cpu") from error
    return str(device)


def precision_of(name: str, device: str) -> str:
    """The precision behind `auto`: bf16 where the device computes in it natively, else fp32."""
    import torch

    if name != "auto":
        return name
    if device != "cpu":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return "bf16" if any(getattr(torch.cpu, check, bool)() for check in checks) else "fp32"


def threads() -> int:
    """How many threads extraction computes with, and networks train at once: $MMBIO_THREADS, else 2."""
    text = os.environ.get("MMBIO_THREADS", "2")
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise MmbioError(f"MMBIO_THREADS={text}: expected a number from 1 to 1024; set it or leave it out")
    return int(text)
