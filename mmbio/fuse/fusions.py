"""The fusions by name: feature level, score level, and a user's own class.

Importing a class runs its module, so one outside mmbio is imported only where the user named it in this run
(`allow`): what a checkpoint, a result or a table's spec says is not enough.
"""

import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import torch
from torch import nn

from mmbio.errors import MmbioError
from mmbio.files import bytes_hash
from mmbio.fuse.attention import Attention
from mmbio.fuse.concat import Concat
from mmbio.fuse.cosine import Cosine
from mmbio.fuse.sum import Sum

CLASSES: Final[Mapping[str, type[nn.Module]]] = MappingProxyType(
    {"concat": Concat, "sum": Sum, "attention": Attention, "cosine": Cosine}
)
_allowed: Final[set[str]] = set()


def allow(name: str) -> None:
    """Let the class `package.module:Class` be imported: the user of this process named it."""
    _allowed.add(name)


def fusion(name: str, dims: Sequence[int], sizes: Sequence[int], norm: str) -> nn.Module:
    """A feature-level fusion by name or as `package.module:Class`, called with (dims, sizes, norm).

    `dims` are the branch vectors' sizes, the last of `sizes` is the fused vector's, `norm` is
    `batch` or `l2`. Its forward takes (vectors M x (B, d), present (B, M) bool) and returns the
    fused vector (B, sizes[-1]) and weights (B, M) or None.
    Raises MmbioError where there is no such class, or it is not called like this.
    """
    try:
        module: nn.Module = find(name)(dims, sizes, norm)
        if name not in CLASSES:
            _try(name, module, dims, sizes[-1])
    except (TypeError, ValueError, AttributeError, LookupError, RuntimeError) as error:
        raise MmbioError(
            f"--fusion {name}: cannot be called with (dims, sizes, norm) and then (vectors, present)"
            f" ({str(error).splitlines()[0]}); the README has an example of a class that can"
        ) from error
    return module


def _try(name: str, module: nn.Module, dims: Sequence[int], size: int) -> None:
    """Call a user's fusion on two rows of zeros and look at what it returns."""
    with torch.no_grad():
        returned = module([torch.zeros(2, dim) for dim in dims], torch.ones(2, len(dims), dtype=torch.bool))
    fused = returned[0] if isinstance(returned, tuple) and len(returned) == 2 else None
    if not isinstance(fused, torch.Tensor) or fused.shape != (2, size):
        raise MmbioError(
            f"--fusion {name}: its forward should return (fused, weights or None) with fused of shape (rows, {size}),"
            f" the last of sizes; it returned {_kind(returned)}"
        )


def _kind(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_kind(v) for v in value)})"
    return f"a tensor {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__


def find(name: str) -> type[nn.Module]:
    """The class of a feature-level fusion; raises MmbioError where there is none."""
    return CLASSES.get(name) or _imported(name)


def source_hash(name: str) -> str | None:
    """What stands for the code of a user's own fusion, whose file is in no room; None for ours."""
    if name in CLASSES:
        return None
    found = find(name)
    try:
        return bytes_hash(Path(inspect.getfile(found)).read_bytes())
    except (OSError, TypeError) as error:
        raise MmbioError(
            f"--fusion {name}: its source file cannot be read ({error}); put the class in a .py file"
        ) from error


def _imported(name: str) -> type[nn.Module]:
    module_name, colon, class_name = name.partition(":")
    if colon and name not in _allowed:
        raise MmbioError(
            f"fusion {name}: a class from outside mmbio, whose code runs when it is imported; add --fusion {name} if"
            " you trust that code"
        )
    if str(Path.cwd()) not in sys.path:  # as `python -m` would: a user's module lies where they stand
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module_name), class_name) if colon else None
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise MmbioError(
            f"--fusion {name}: cannot be imported ({error}); give an importable package.module:Class"
        ) from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise MmbioError(
            f"--fusion {name}: unknown; choose from {', '.join(CLASSES)}, score-sum, score-product, score-max,"
            " score-logistic, or give your own torch.nn.Module as package.module:Class"
        )
    return found
