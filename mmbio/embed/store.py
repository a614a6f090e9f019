"""Store: vectors on disk, memory-mapped, filled shard by shard so that an interrupted run goes on.

A store is a folder with `vectors.npy` (N, D) float32 and `done.txt`, to which a line
"<shard> <crc32>" is added after the shard's rows have reached the disk.
"""

import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from mmbio.data.numpy_files import BROKEN, mapped
from mmbio.errors import MmbioError
from mmbio.files import FULL, replacing

NUMBER: Final = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class Store:
    """An open store of `n` vectors of `dim` numbers in shards of `shard` rows."""

    folder: Path
    n: int
    dim: int
    shard: int

    @property
    def _vectors(self) -> Path:
        return self.folder / "vectors.npy"

    @property
    def _journal(self) -> Path:
        return self.folder / "done.txt"

    @cached_property
    def _start(self) -> int:
        """Where the rows begin in the file, in bytes."""
        return self._vectors.stat().st_size - self.n * self.dim * 4

    def create(self) -> None:
        """Make an empty store unless one stands there; a broken one is made anew, a line cut short is removed."""
        if (
            self._journal.is_file()
            and self._vectors.is_file()
            and self._vectors.stat().st_size >= self.n * self.dim * 4
        ):
            os.truncate(self._journal, self._journal.read_bytes().rfind(b"\n") + 1)
            return
        with replacing(self.folder) as scratch:
            scratch.mkdir()
            with (scratch / "vectors.npy").open("wb") as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": (self.n, self.dim)}
                np.lib.format.write_array_header_1_0(file, header)
                file.truncate(file.tell() + self.n * self.dim * 4)
            (scratch / "done.txt").touch()

    def missing(self, rows: Iterable[int]) -> list[int]:
        """The shards that hold any of `rows` and are not written yet."""
        wanted = np.unique(np.fromiter(rows, dtype=np.int64) // self.shard)
        done = self._done()
        return [int(s) for s in wanted if int(s) not in done]

    def rows_of(self, shard: int) -> range:
        """The rows of a shard; the last shard is shorter."""
        return range(shard * self.shard, min(self.n, (shard + 1) * self.shard))

    def write(self, shard: int, vectors: np.ndarray) -> None:
        """Write a shard's vectors, then note it as done."""
        rows = self.rows_of(shard)
        block = np.ascontiguousarray(vectors, dtype=np.float32)
        if block.shape != (len(rows), self.dim):
            raise ValueError(f"shard {shard}: expected {(len(rows), self.dim)}, got {block.shape}")
        try:
            with self._vectors.open("r+b") as file:  # not mapped: a full disk is then an error, and no signal
                file.seek(self._start + rows.start * self.dim * 4)
                file.write(block.data)
                file.flush()
                os.fsync(file.fileno())
            with self._journal.open("a", encoding="ascii") as journal:
                journal.write(f"{shard} {zlib.crc32(block.tobytes())}\n")
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            cure = "free some space and " if error.errno in FULL else ""
            raise MmbioError(
                f"{self.folder}: cannot be written ({error.strerror}); what was extracted so far is kept,"
                f" {cure}run the command again"
            ) from error

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of `rows` (n, D), each shard checked against its note; a shard that differs is an error."""
        memory = self._mapped()
        done = self._done()
        for shard in np.unique(rows // self.shard):
            span = self.rows_of(int(shard))
            if done.get(int(shard)) != zlib.crc32(memory[span.start : span.stop].tobytes()):
                raise MmbioError(
                    f"{self.folder}: shard {shard} is damaged; remove the folder and run the command again"
                )
        return np.asarray(memory[rows])

    def _mapped(self) -> np.ndarray:
        """The vectors (N, D), mapped; raises MmbioError where the file is not as `create` makes it."""
        try:
            memory = mapped(self._vectors)
            if memory.shape != (self.n, self.dim) or memory.dtype != np.float32:
                raise ValueError(f"{memory.shape} of {memory.dtype}")
        except BROKEN as error:
            raise MmbioError(
                f"{self.folder}: its vectors are damaged; remove the folder and run the command again"
            ) from error
        return memory

    def _done(self) -> dict[int, int]:
        """Shard -> checksum; a line that an interruption cut short does not count."""
        text = self._journal.read_text(encoding="ascii", errors="replace") if self._journal.is_file() else ""
        lines = text.split("\n")[:-1]
        fields = [line.split() for line in lines]
        return {int(f[0]): int(f[1]) for f in fields if len(f) == 2 and all(NUMBER.fullmatch(word) for word in f)}
