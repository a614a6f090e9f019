"""cores: who computes now: one extraction on all of them, or networks on one each; never both.

How many threads torch's matrix library uses, and whether it multiplies float32 in bfloat16, is set for the whole
process, and results depend on it: an extraction that starts beside a training would change what the training computes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Final

import torch

from mmbio.embed.settings import threads

NETWORK_THREADS: Final = 1  # what a network is trained and tested with


class _Cores:
    """How many networks compute, whether an extraction does, and how many extractions wait."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.networks = 0
        self.extracting = False
        self.waiting = 0
        self.products = ""


_CORES: Final = _Cores()


@contextmanager
def all_cores() -> Iterator[None]:
    """Compute on all threads, alone; waits until nothing else computes, and whoever comes later waits."""
    with _CORES.changed:
        _CORES.waiting += 1
        _CORES.changed.wait_for(lambda: not _CORES.networks and not _CORES.extracting)
        _CORES.waiting -= 1
        _CORES.extracting = True
    try:
        torch.set_num_threads(threads())
        _multiply_in("fp32")
        yield
    finally:
        torch.set_num_threads(NETWORK_THREADS)
        with _CORES.changed:
            _CORES.extracting = False
            _CORES.changed.notify_all()


@contextmanager
def one_core(products: str = "") -> Iterator[None]:
    """Compute on one thread, beside others that do, as many as there are threads.

    Not to be nested, for an extraction that waits goes first.

    `products`, fp32 or bf16, is how float32 matrices are multiplied; whoever does not say, does not care. In bf16 the
    factors are rounded and the sums stay float32.
    """

    def free() -> bool:
        agreed = not products or not _CORES.networks or _CORES.products in ("", products)
        return agreed and not _CORES.extracting and not _CORES.waiting and _CORES.networks < threads()

    with _CORES.changed:
        _CORES.changed.wait_for(free)
        if products:
            _CORES.products = products
            _multiply_in(products)
        _CORES.networks += 1
    try:
        torch.set_num_threads(NETWORK_THREADS)
        yield
    finally:
        with _CORES.changed:
            _CORES.networks -= 1
            if not _CORES.networks:
                _CORES.products = ""
                _multiply_in("fp32")  # as torch does by itself
            _CORES.changed.notify_all()


def _multiply_in(products: str) -> None:
    torch.set_float32_matmul_precision({"fp32": "highest", "bf16": "medium"}[products])
