"""One extraction on all cores, or networks on one each."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
import torch

from mmbio.embed.cores import NETWORK_THREADS, all_cores, one_core


def test_nothing_computes_beside_an_extraction() -> None:
    inside: list[str] = []
    seen: list[tuple[str, ...]] = []

    def take(kind: str) -> None:
        turn: AbstractContextManager[None] = all_cores() if kind == "extraction" else one_core()
        with turn:
            inside.append(kind)
            time.sleep(0.002)
            seen.append(tuple(sorted(inside)))
            inside.remove(kind)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, ["network", "extraction", "network", "network"] * 10))
    assert len(seen) == 40
    assert all(kinds == ("extraction",) or "extraction" not in kinds for kinds in seen)


def test_networks_compute_beside_each_other_on_as_many_threads_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_THREADS", "2")
    inside: list[int] = []
    seen: list[int] = []

    def take(number: int) -> None:
        with one_core():
            inside.append(number)
            time.sleep(0.002)
            seen.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(take, range(20)))
    assert set(seen) <= {1, 2}


def test_networks_compute_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_THREADS", "2")

    def both(_: int) -> bool:
        with one_core():
            return barrier.wait(timeout=10) >= 0

    from threading import Barrier

    barrier = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(both, range(2)))


def test_threads_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("MMBIO_THREADS", "2")
    try:
        with all_cores():
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == NETWORK_THREADS
    finally:
        torch.set_num_threads(before)


def test_a_turn_ends_with_an_error() -> None:
    with pytest.raises(RuntimeError, match="broken"), all_cores():
        raise RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"), one_core():
        raise RuntimeError("broken")
    with all_cores():
        pass


def test_products_of_one_kind_at_a_time() -> None:
    seen: list[tuple[str, str]] = []

    def take(products: str) -> None:
        with one_core(products):
            time.sleep(0.002)
            seen.append((products, torch.get_float32_matmul_precision()))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, ["fp32", "bf16", "fp32", "bf16"] * 6))
    assert set(seen) == {("fp32", "highest"), ("bf16", "medium")}


def test_an_extraction_multiplies_in_float32() -> None:
    with one_core("bf16"):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == "highest"  # nor does what comes after
    with all_cores():
        assert torch.get_float32_matmul_precision() == "highest"
