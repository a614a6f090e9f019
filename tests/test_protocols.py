"""Protocols: the papers' numbers agree with each other and with the rest of the code."""

from math import comb

import pytest

from mmbio.conditions import DEFAULT
from mmbio.data.splits import counts
from mmbio.protocols import BEATS_PER_INPUT, FOLDS, MIN_BEATS, MODALITIES, PROTOCOLS, TASK_WEIGHTS, TRIPLETS, Protocol


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_known_by_its_own_name_and_words(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert protocol.name == name
    assert set(protocol.modalities) <= set(MODALITIES)
    assert set(protocol.tasks) == ({"verification"} if protocol.verifies else set(TASK_WEIGHTS))
    assert set(protocol.noise) <= set(DEFAULT) & set(protocol.modalities)
    assert set(protocol.backbones) == set(protocol.modalities)


def test_the_papers_shares_of_70_10_and_20_percent() -> None:
    paper = counts(TRIPLETS["paper"], "triplet")
    assert paper == {"train": 320, "dev": 0, "test": 80}
    assert paper["train"] / FOLDS == 40
    assert sum(TASK_WEIGHTS.values()) == 1


def test_the_least_record_gives_the_papers_triplets() -> None:
    assert comb(MIN_BEATS, BEATS_PER_INPUT) == 455 >= TRIPLETS["paper"]


def test_a_protocol_cannot_be_changed() -> None:
    protocol: Protocol = PROTOCOLS["multitask"]
    with pytest.raises(TypeError):
        protocol.noise["ecg"] = 1.0  # type: ignore[index]
