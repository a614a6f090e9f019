"""Network: one for all modalities; a mask is a subset of them."""

from math import prod

import pytest
import torch

from mmbio.fuse.branches import ImageBranch
from mmbio.fuse.network import Network, Shapes, n_parameters
from mmbio.protocols import AUDIOVISUAL, MULTITASK

CLASSES = {"identification": 5, "gender": 2}
SHAPES = {"ecg": (3, 300), "face": (2048,), "finger": (2048,)}
ECG, FACE, FINGER = range(3)


def network(fusion: str = "concat") -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(MULTITASK, fusion, CLASSES, SHAPES)


def vectors(n: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {m: torch.rand(n, *shape, generator=generator) for m, shape in SHAPES.items()}


def mask(*columns: int, n: int = 4) -> torch.Tensor:
    present = torch.zeros(n, 3, dtype=torch.bool)
    present[:, list(columns)] = True
    return present


@pytest.mark.parametrize(("fusion", "weighted"), [("concat", False), ("sum", False), ("attention", True)])
def test_shapes(fusion: str, weighted: bool) -> None:
    out = network(fusion)(vectors(), mask(ECG, FACE, FINGER))
    assert {task: tuple(logits.shape) for task, logits in out.logits.items()} == {
        "identification": (4, 5),
        "gender": (4, 2),
    }
    assert out.fused.shape == (4, 300)
    assert (out.weights is not None) is weighted


@pytest.mark.parametrize("fusion", ["concat", "sum", "attention"])
@pytest.mark.parametrize("training", [True, False])
def test_leaving_a_modality_out_is_its_mask(fusion: str, training: bool) -> None:
    present, given = mask(ECG, FINGER), vectors()
    masked = network(fusion).train(training)(given, present)
    left_out = network(fusion).train(training)({m: given[m] for m in ("ecg", "finger")}, present)
    torch.testing.assert_close(masked.fused, left_out.fused)
    torch.testing.assert_close(masked.logits, left_out.logits)


def test_inputs_are_fitted_on_those_who_are_there() -> None:
    module, given = network(), vectors()
    present = mask(ECG, FACE, FINGER)
    present[0, FACE] = False
    module.fit_inputs(given, present)
    face, finger = module.branches["face"], module.branches["finger"]
    assert isinstance(face, ImageBranch)
    assert isinstance(finger, ImageBranch)
    torch.testing.assert_close(face.centre, given["face"][1:].mean(0))
    torch.testing.assert_close(finger.spread, given["finger"].std(0))


@pytest.mark.parametrize("n_there", [0, 1])
def test_too_few_to_fit_leave_the_input_as_it_is(n_there: int) -> None:
    module = network()
    present = mask(ECG, FACE, FINGER)
    present[n_there:, FACE] = False
    module.fit_inputs({"face": vectors()["face"]}, present)
    for name in ("face", "finger"):
        fitted = module.branches[name]
        assert isinstance(fitted, ImageBranch)
        assert not fitted.centre.any()
        assert (fitted.spread == 1).all()


def test_n_parameters() -> None:
    ecg, image = 300 * 300 * 3 + 300, 2048 * 300 + 300
    norms, fusion, heads = 3 * 2 * 300, 900 * 300 + 300, 300 * 7 + 7
    whole = ecg + 2 * image + norms + fusion + heads
    assert n_parameters(network()) == whole
    assert n_parameters(network(), ("branches.face.", "branches.finger.")) == whole - 2 * image
    assert n_parameters(network(), ()) == sum(prod(p.shape) for p in network().parameters())


AV = {"face": (512,), "voice": (600,)}
SIZES = {  # with biases, of the paper's layers (3.1)
    "concat": 1112 * 1200 + 1200 + 1200 * 600 + 600,
    "sum": (512 + 1) * 600 + (600 + 1) * 600,
    "attention": (512 + 1) * 600 + (600 + 1) * 600 + 1112 * 2 + 2,
    "cosine": 0,
}


def paired(fusion: str, shapes: Shapes = AV) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(AUDIOVISUAL, fusion, {}, shapes)


@pytest.mark.parametrize("fusion", SIZES)
def test_systems_of_pairs(fusion: str) -> None:
    made = paired(fusion)
    assert n_parameters(made) == SIZES[fusion]
    out = made({m: torch.rand(3, *shape) for m, shape in AV.items()}, torch.ones(3, 2, dtype=torch.bool))
    assert out.logits == {}
    assert out.fused.shape == (3, 1112 if fusion == "cosine" else 600)
    assert (out.weights is not None) is (fusion == "attention")


@pytest.mark.parametrize("fusion", SIZES)
def test_the_length_of_a_vector_says_nothing(fusion: str) -> None:
    made, present = paired(fusion), torch.ones(3, 2, dtype=torch.bool)
    given = {m: torch.rand(3, *shape) for m, shape in AV.items()}
    longer = {"face": given["face"] * 22, "voice": given["voice"] / 3}
    torch.testing.assert_close(made(longer, present).fused, made(given, present).fused)


@pytest.mark.parametrize("fusion", SIZES)
def test_three_modalities(fusion: str) -> None:
    shapes = {"face": (16,), "finger": (9,), "voice": (12,)}
    made = paired(fusion, shapes).eval()
    given = {m: torch.rand(4, *shape) for m, shape in shapes.items()}
    whole = made(given, torch.ones(4, 3, dtype=torch.bool))
    present = torch.tensor([[True, False, True]]).repeat(4, 1)
    masked, left_out = made(given, present), made({m: given[m] for m in ("face", "voice")}, present)
    torch.testing.assert_close(masked.fused, left_out.fused)
    assert not torch.allclose(masked.fused, whole.fused)
    if fusion == "attention":
        assert masked.weights is not None
        assert not masked.weights[:, 1].any()
        torch.testing.assert_close(masked.weights.sum(1), torch.ones(4))


def test_fitting_inputs_leaves_vectors_as_they_are() -> None:
    made, given = paired("sum"), {m: torch.rand(3, *shape) for m, shape in AV.items()}
    before = {name: t.clone() for name, t in made.state_dict().items()}
    made.fit_inputs(given, torch.ones(3, 2, dtype=torch.bool))
    assert all(torch.equal(t, before[name]) for name, t in made.state_dict().items())
