"""Store: shards survive an interruption, and damage is found."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.embed.store import Store
from mmbio.errors import MmbioError

VECTORS = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)
EVERYTHING = np.arange(10)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Ten vectors of three numbers in shards of 4, 4 and 2."""
    made = Store(tmp_path / "store", 10, 3, 4)
    made.create()
    return made


def fill(store: Store, *shards: int) -> None:
    for shard in shards:
        rows = store.rows_of(shard)
        store.write(shard, VECTORS[rows.start : rows.stop])


@pytest.mark.parametrize(("shard", "rows"), [(0, range(4)), (1, range(4, 8)), (2, range(8, 10))])
def test_the_last_shard_is_shorter(store: Store, shard: int, rows: range) -> None:
    assert store.rows_of(shard) == rows


@pytest.mark.parametrize(
    ("written", "rows", "missing"),
    [
        ((), range(10), [0, 1, 2]),
        ((), [9, 1], [0, 2]),
        ((1,), range(10), [0, 2]),
        ((1,), [4, 5, 7], []),
        ((2, 0, 1), range(10), []),
        ((), [], []),
    ],
)
def test_only_shards_that_are_wanted_and_not_there_are_missing(
    store: Store, written: tuple[int, ...], rows: list[int], missing: list[int]
) -> None:
    fill(store, *written)
    assert store.missing(rows) == missing


def test_nothing_is_there_before_a_store_is_made(tmp_path: Path) -> None:
    assert Store(tmp_path / "store", 10, 3, 4).missing(range(5)) == [0, 1]


def test_what_is_read_is_what_was_written_in_any_order(store: Store) -> None:
    fill(store, 2, 0, 1)
    assert np.array_equal(store.read(EVERYTHING), VECTORS)
    assert np.array_equal(store.read(np.array([9, 0, 0])), VECTORS[[9, 0, 0]])


def test_making_it_again_keeps_what_is_there(store: Store) -> None:
    fill(store, 0, 1)
    store.create()
    assert store.missing(EVERYTHING) == [2]


@pytest.mark.parametrize("n_bytes", range(1, 12))
def test_a_journal_line_cut_short_is_done_again(store: Store, n_bytes: int) -> None:
    fill(store, 0, 1)
    journal = store.folder / "done.txt"
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + second[: min(n_bytes, len(second) - 1)])
    assert store.missing(EVERYTHING) == [1, 2]
    store.create()
    fill(store, 1, 2)
    assert store.missing(EVERYTHING) == []
    assert np.array_equal(store.read(EVERYTHING), VECTORS)


@pytest.mark.parametrize("damage", ["vectors.npy cut", "vectors.npy gone", "done.txt gone"])
def test_a_broken_store_is_made_anew(store: Store, damage: str) -> None:
    fill(store, 0)
    name, what = damage.split()
    path = store.folder / name
    if what == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    store.create()
    assert store.missing(EVERYTHING) == [0, 1, 2]
    fill(store, 0, 1, 2)
    assert np.array_equal(store.read(EVERYTHING), VECTORS)


def test_a_damaged_shard_is_found_when_it_is_read(store: Store) -> None:
    fill(store, 0, 1, 2)
    memory = np.lib.format.open_memmap(store.folder / "vectors.npy", "r+")
    memory[5, 1] += 1
    memory.flush()
    assert np.array_equal(store.read(np.array([0, 9])), VECTORS[[0, 9]])
    with pytest.raises(MmbioError, match="shard 1 is damaged; remove the folder and run the command again"):
        store.read(EVERYTHING)


def test_a_shard_that_was_never_written_is_not_read(store: Store) -> None:
    fill(store, 0)
    with pytest.raises(MmbioError, match="shard 2 is damaged"):
        store.read(np.array([0, 8]))


@pytest.mark.parametrize(("shard", "shape"), [(0, (3, 3)), (0, (4, 2)), (2, (4, 3)), (2, (2, 3, 1))])
def test_a_block_of_the_wrong_shape(store: Store, shard: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"shard {shard}: expected \(\d, 3\), got"):
        store.write(shard, np.zeros(shape))
    assert store.missing(EVERYTHING) == [0, 1, 2]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, store: Store) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MmbioError, match="store: cannot be written"):
        Store(tmp_path / "file" / "store", 10, 3, 4).create()
    (store.folder / "vectors.npy").unlink()
    with pytest.raises(MmbioError, match=r"store: cannot be written .*what was extracted so far is kept"):
        fill(store, 0)
