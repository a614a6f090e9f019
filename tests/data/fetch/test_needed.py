"""Needed: the sets that each paper takes together, and what is here of them."""

import pytest

from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.fetch.needed import PAPERS, Need, papers_of, standing
from mmbio.data.fetch.state import State
from mmbio.protocols import PROTOCOLS
from tests.data.fetch.states import HERE, states


def test_every_modality_of_every_paper_has_sets_of_its_own() -> None:
    assert {name: tuple(need.modality for need in needs) for name, needs in PAPERS.items()} == {
        name: protocol.modalities for name, protocol in PROTOCOLS.items()
    }
    for need in (need for needs in PAPERS.values() for need in needs):
        assert all(need.modality in CATALOGUE[name].modalities for name in (*need.own, *need.free))
        assert not any(CATALOGUE[name].steps for name in need.free)
        if CATALOGUE[need.own[0]].steps:
            assert need.free


@pytest.mark.parametrize(
    ("name", "papers"),
    [("ptb", ("multitask",)), ("voxceleb2", ("audiovisual",)), ("faces94", ()), ("voxceleb-lists", ("audiovisual",))],
)
def test_the_papers_of_a_set(name: str, papers: tuple[str, ...]) -> None:
    assert papers_of(name) == papers


def test_each_set_of_a_modality_stands_in_one_place() -> None:
    need = Need("ecg", ("ecg-id", "ptb"))
    found = standing(need, states(**{"ecg-id": HERE["whole"], "ptb": HERE["faulty"]}))
    assert (found.whole, found.partial, found.faulty, found.absent, found.instead) == (
        ("ecg-id",),
        (),
        ("ptb",),
        (),
        (),
    )
    fingers = standing(Need("finger", ("fvc2006",)), states(fvc2000=HERE["partial"]))
    assert (fingers.absent, fingers.instead, fingers.usable) == (("fvc2006",), ("fvc2000",), True)
    lists = standing(Need("voice", ("voxceleb-lists",)), states(**{"voxceleb-lists": HERE["partial"]}))
    assert lists.partial == ("voxceleb-lists",)
    assert not standing(need, states()).usable
    assert standing(need, states(ptb=State())).absent == need.own
