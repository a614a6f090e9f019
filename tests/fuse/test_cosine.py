"""The fusion without anything to learn: of one modality it is that modality, of several their mean cosine."""

import numpy as np
import pytest
import torch

from mmbio.embed.cosine import pair_scores
from mmbio.fuse.cosine import Cosine

A, B = np.arange(0, 20), np.arange(20, 40)


def vectors(dim: int, seed: int) -> torch.Tensor:
    return torch.randn(40, dim, generator=torch.Generator().manual_seed(seed)) * 7


def scores(fused: torch.Tensor) -> np.ndarray:
    return pair_scores(fused.numpy(), fused.numpy(), A, B)


def test_of_one_modality_is_that_of_the_raw_vectors() -> None:
    raw = vectors(16, 0)
    fused, weights = Cosine([16], (600,), "l2")([raw], torch.ones(40, 1, dtype=torch.bool))
    assert weights is None
    np.testing.assert_allclose(scores(fused), scores(raw), atol=1e-7)


@pytest.mark.parametrize("there", [(True, False), (False, True)])
def test_a_missing_modality_leaves_the_other_alone(there: tuple[bool, bool]) -> None:
    both = [vectors(16, 0), vectors(12, 1)]
    fused, _ = Cosine([16, 12], (600,), "l2")(both, torch.tensor([there]).repeat(40, 1))
    np.testing.assert_allclose(scores(fused), scores(both[there.index(True)]), atol=1e-7)


def test_of_several_is_the_mean() -> None:
    several = [vectors(d, d) for d in (16, 12, 9)]
    fused, _ = Cosine([16, 12, 9], (600,), "l2")(several, torch.ones(40, 3, dtype=torch.bool))
    assert fused.shape == (40, 37)
    np.testing.assert_allclose(scores(fused), np.mean([scores(v) for v in several], axis=0), atol=1e-7)


def test_nobody_there_gives_zeros() -> None:
    fused, _ = Cosine([16], (600,), "l2")([vectors(16, 0)], torch.zeros(40, 1, dtype=torch.bool))
    assert not fused.any()
    assert not scores(fused).any()


def test_nothing_to_learn() -> None:
    assert not Cosine([16, 12], (600,), "l2").state_dict()
