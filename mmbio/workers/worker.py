"""worker: what a worker of a Dask cluster does with a task: nothing where it differs from the client, else the same.

Bytes are the same wherever the source, the libraries and the number of threads are: a worker that differs refuses.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from mmbio import __version__, provenance
from mmbio.code import code_hashes, library_versions
from mmbio.errors import MmbioError
from mmbio.workers.lines import Line, kept

ROOMS: Final = ("data", "embed", "fuse", "measure", "tables")  # whose code runs on workers
LIBRARIES: Final = (  # optional ones stand in the keys of what needs them
    *("torch", "torchvision", "numpy", "pandas", "scikit-learn", "scipy", "wfdb", "neurokit2"),
    *("pillow", "safetensors", "soundfile"),
)
THREADS: Final = "MMBIO_THREADS"


@dataclass(frozen=True)
class Client:
    """What every worker is told of the process that it computes for."""

    software: Mapping[str, str]
    threads: str | None  # $MMBIO_THREADS, which hashes contain
    far: bool  # workers are others' processes, perhaps on other machines

    @classmethod
    def here(cls, far: bool) -> "Client":
        """This process as the client."""
        return cls(dict(software()), os.environ.get(THREADS), far)


@dataclass(frozen=True)
class Done:
    """What a task gave, where, on what, in how many seconds, and what libraries warned of meanwhile."""

    value: Any
    worker: str
    processor: str
    seconds: float
    lines: tuple[Line, ...] = ()


@cache
def software() -> Mapping[str, str]:
    """What bytes may depend on, beside the processor: name -> version, or hash of a room's source."""
    own = {"mmbio": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    rooms = {f"the code of mmbio/{room}": digest for room, digest in code_hashes(ROOMS).items()}
    return MappingProxyType({**own, **library_versions(LIBRARIES), **rooms})


def work(client: Client, function: Callable[..., Any], *told: Any) -> Done:
    """Call a function on this worker with the client's number of threads.

    Raises MmbioError where its software is not the client's, and names the worker in a far one's sentences.
    """
    from distributed import get_worker

    address = str(get_worker().address)
    refuse(address, software(), client.software)
    if client.threads is None:
        os.environ.pop(THREADS, None)
    else:
        os.environ[THREADS] = client.threads
    began = time.perf_counter()
    try:
        with kept() as lines:
            value = function(*told)
    except MmbioError as error:
        if client.far:
            raise MmbioError(f"worker {address}: {error}") from error
        raise
    return Done(value, address, str(provenance.environment()["processor"]), time.perf_counter() - began, tuple(lines))


def refuse(address: str, there: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Raise MmbioError where the software of a worker is not that of the client, naming three differences."""
    names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
    if names:
        told = [f"{name} is {there.get(name, 'not there')} (here {here.get(name, 'not there')})" for name in names[:3]]
        more = ", ..." if len(names) > 3 else ""
        raise MmbioError(
            f"worker {address}: {', '.join(told)}{more}, so its results might differ; install the same there as here"
        )


def unlike(what: str, there: Any, here: Any) -> MmbioError:
    """What to say where a worker with the same software arrives at another key of what is to be computed."""
    found = dict(_leaves(there)), dict(_leaves(here))
    names = [n for n in {**found[1], **found[0]} if found[0].get(n) != found[1].get(n)]
    told = [f"{n} is {found[0].get(n, 'not there')} (here {found[1].get(n, 'not there')})" for n in names[:3]]
    return MmbioError(
        f"{what}: determined otherwise on a worker, where {', '.join(told) or 'its key differs'}; use workers like this"
        " machine, or name --device and --precision"
    )


def _leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [leaf for k, inner in value.items() for leaf in _leaves(inner, f"{path}.{k}" if path else str(k))]
    return [(path, str(value))]
