"""Needed: which sets a paper's protocol takes together, and what is here of each of its modalities."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.fetch.state import State


@dataclass(frozen=True)
class Need:
    """One modality of a paper: its own sets, and those that anybody can fetch in their place."""

    modality: str
    own: tuple[str, ...]
    free: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """What is here for one modality, by names of sets; `instead` are others of the modality that are here."""

    need: Need
    whole: tuple[str, ...]
    partial: tuple[str, ...]  # some of its optional parts are here, and nothing is wrong with them
    faulty: tuple[str, ...]  # here, and not whole
    absent: tuple[str, ...]
    instead: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether a set of the modality is here, be it the paper's or another, whole or in part."""
        return bool(self.whole or self.partial or self.faulty or self.instead)


# "Dataset" of the one paper, 4.1 of the other, whose speakers' genders stand in the lists.
PAPERS: Final[Mapping[str, tuple[Need, ...]]] = MappingProxyType(
    {
        "multitask": (
            Need("ecg", ("ecg-id", "ptb")),
            Need("face", ("faces95",), ("faces94",)),
            Need("finger", ("fvc2006",), ("fvc2002",)),
        ),
        "audiovisual": (
            Need("face", ("voxceleb2", "voxceleb-lists"), ("faces94",)),
            Need("voice", ("voxceleb2", "voxceleb-lists"), ("librispeech-dev-clean", "librispeech-test-clean")),
        ),
    }
)


def standing(need: Need, states: Mapping[str, State]) -> Standing:
    """What is here for a modality."""
    own = {name: states[name] for name in need.own}
    others = [n for n, d in CATALOGUE.items() if need.modality in d.modalities and d.reader and n not in own]
    return Standing(
        need,
        tuple(name for name, state in own.items() if state.whole),
        tuple(name for name, state in own.items() if state.present and not state.whole and not state.faults),
        tuple(name for name, state in own.items() if state.present and state.faults),
        tuple(name for name, state in own.items() if not state.present),
        tuple(name for name in others if states[name].present),
    )


def papers_of(name: str) -> tuple[str, ...]:
    """The protocols whose papers use a set."""
    return tuple(protocol for protocol, needs in PAPERS.items() if any(name in need.own for need in needs))
