"""Networks made at once on several threads have the values that they have when made alone."""

from concurrent.futures import ThreadPoolExecutor

import torch

from mmbio.embed.backbones.resnet50 import _load
from mmbio.embed.global_rng import lent


def values(seed: int) -> list[float]:
    with lent(seed):
        return [float(torch.rand(1)) for _ in range(2000)]


def test_threads_do_not_draw_from_each_others_stream() -> None:
    alone = [values(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(values, range(4))) == alone


def test_random_resnets_made_at_once_are_the_same() -> None:
    alone = _load("random").state_dict()
    with ThreadPoolExecutor(3) as pool:
        for state in pool.map(lambda _: _load("random").state_dict(), range(3)):
            assert all(torch.equal(tensor, alone[name]) for name, tensor in state.items())


def test_the_generator_is_as_it_was() -> None:
    before = torch.random.get_rng_state()
    values(7)
    with lent():
        torch.rand(3)
    assert torch.equal(torch.random.get_rng_state(), before)
