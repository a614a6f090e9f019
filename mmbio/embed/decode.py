"""decode: a job's shards as the samples the network takes, made ready on threads while the network works."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from mmbio.embed.settings import device_of

if TYPE_CHECKING:
    from mmbio.embed.extract import Job

DECODERS = 2  # threads beside a network on this machine's processor; beside a GPU as many as there are cores


def decoded(job: "Job", shards: Sequence[int]) -> Iterator[tuple[int, list[int], list[Any]]]:
    """(shard, places in it that have a sample, samples), decoded on threads while the network works."""
    load, there = job.extractor.load(), job.manifest.has(job.modality)

    def shard_of(shard: int) -> tuple[list[int], list[Any]]:
        rows = [(place, row) for place, row in enumerate(job.store.rows_of(shard)) if there[row]]
        return [place for place, _ in rows], [load(row) for _, row in rows]

    on_gpu = device_of(job.settings.device).startswith("cuda")
    decoders = max(DECODERS, os.cpu_count() or 1) if on_gpu else DECODERS
    with ThreadPoolExecutor(decoders) as pool:
        waiting: list[tuple[int, Future[tuple[list[int], list[Any]]]]] = []
        queue = iter(shards)
        waiting += [(shard, pool.submit(shard_of, shard)) for shard in islice(queue, decoders)]
        while waiting:
            shard, future = waiting.pop(0)
            places, samples = future.result()
            waiting += [(later, pool.submit(shard_of, later)) for later in islice(queue, 1)]
            yield shard, places, samples
