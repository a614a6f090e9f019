"""The fusions by name: feature level, score level, and a user's own class.

Importing a class runs its module, so one outside mmbio is imported only where the user named it in this run
(`allow`): what a checkpoint, a result or a table's spec says is not enough.
"""

import copy
import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
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
FAULTS: Final = (  # what the code of others may raise
    *(TypeError, ValueError, AttributeError, LookupError, RuntimeError),
    *(ArithmeticError, AssertionError, NameError, ImportError, OSError, SystemExit),
)
ROWS: Final = 3  # on which a user's fusion is tried
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
            _try(name, copy.deepcopy(module), dims, sizes[-1])
            _guard(name, module)
    except FAULTS as error:
        raise MmbioError(
            f"--fusion {name}: cannot be called with (dims, sizes, norm) and then (vectors, present)"
            f" ({_first_line(error)}); the README has an example of a class that can"
        ) from error
    return module


def _try(name: str, module: nn.Module, dims: Sequence[int], size: int) -> None:
    """Call a user's fusion on a few random rows, as in training and as in a test, and look at what it returns."""
    rng = np.random.default_rng(0)
    vectors = [torch.from_numpy(rng.standard_normal((ROWS, dim), dtype=np.float32)) for dim in dims]
    for training in (True, False):
        with torch.no_grad():
            returned = module.train(training)(vectors, torch.ones(ROWS, len(dims), dtype=torch.bool))
        fused, weights = returned if isinstance(returned, tuple) and len(returned) == 2 else (None, None)
        shapes = [(fused, (ROWS, size)), *([] if weights is None else [(weights, (ROWS, len(dims)))])]
        if not all(isinstance(found, torch.Tensor) and found.shape == shape for found, shape in shapes):
            raise MmbioError(
                f"--fusion {name}: its forward should return (fused, weights or None) with fused of shape (rows,"
                f" {size}), the last of sizes, and weights of shape (rows, {len(dims)}); of {ROWS} rows it returned"
                f" {_kind(returned)}"
            )
        if not all(bool(found.isfinite().all()) for found, _ in shapes):
            raise MmbioError(
                f"--fusion {name}: its forward returned NaN or infinite values for random rows; mend the class"
            )


def _guard(name: str, module: nn.Module) -> None:
    """Let what goes wrong in a user's fusion be told as theirs."""
    forward = module.forward

    def guarded(vectors: Sequence[torch.Tensor], present: torch.Tensor) -> object:
        try:
            return forward(vectors, present)
        except FAULTS as error:
            hint = " (tests are in float64: make its tensors of the dtype of its input)"
            raise MmbioError(
                f"--fusion {name}: its forward raised {type(error).__name__} ({_first_line(error)}); mend the class"
                f"{hint if isinstance(error, RuntimeError) else ''}"
            ) from error

    module.forward = guarded


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


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
