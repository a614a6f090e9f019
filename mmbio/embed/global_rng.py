"""torch's one global generator, from which layers draw their initial values: lent to one thread at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

_LOCK = RLock()


@contextmanager
def lent(seed: int | None = None) -> Iterator[None]:
    """The generator, seeded where a seed is given, and as it was afterwards; other threads that want it wait.

    Without the lock two networks made at once would draw from each other's stream.
    """
    with _LOCK, torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        yield
