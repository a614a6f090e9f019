"""Fitting: specs cut to what the data have, and what is told of those that cannot be made."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.errors import MmbioError
from mmbio.tables.fitting import fitting
from mmbio.tables.run import Runner
from mmbio.tables.spec import TableSpec, load

REPOSITORY = Path(__file__).parents[2] / "tables"


def specs(*names: str) -> list[TableSpec]:
    return [load(REPOSITORY / f"{name}.toml") for name in names]


def names(found: Sequence[TableSpec]) -> list[str]:
    return [spec.name for spec in found]


@pytest.fixture
def triplets(tiny_manifest: Manifest, tiny_settings: Extraction) -> Runner:
    return Runner(tiny_manifest, tiny_settings)


@pytest.fixture
def verification(av_manifest: Manifest, av_settings: Extraction) -> Runner:
    return Runner(av_manifest, av_settings)


def test_specs_that_fit_stay_as_they_are(triplets: Runner) -> None:
    whole = specs("multitask-table1", "multitask-table4", "multitask-robustness")
    assert fitting(whole, triplets) == (whole, [])


def test_a_modality_that_the_data_have_not(triplets: Runner) -> None:
    manifest = replace(triplets.manifest, info=triplets.manifest.info | {"modalities": ["face"]})
    fit, told = fitting(specs("multitask-table1"), replace(triplets, manifest=manifest))
    assert (fit, told) == ([], ["multitask-table1: left out, for the data have no ecg, finger"])


def test_splits_that_the_data_do_not_allow(triplets: Runner) -> None:
    def build(split: str, seed: int) -> Manifest:
        raise MmbioError(f"one record a subject; leave {split} out")

    fit, told = fitting(specs("leakage", "multitask-table2"), replace(triplets, build=build))
    assert names(fit) == ["multitask-table2"]
    why = "the data do not allow one of its splits (one record a subject; leave source out)"
    assert told == [f"leakage: left out, for {why}"]


def test_splits_that_the_data_allow(triplets: Runner) -> None:
    asked = []

    def build(split: str, seed: int) -> Manifest:
        asked.append((split, seed))
        return triplets.manifest

    fit, told = fitting(specs("leakage"), replace(triplets, build=build))
    assert (names(fit), told, asked) == (["leakage"], [], [("source", 0), ("record", 0)])


def test_attributes_that_the_data_have_not(verification: Runner) -> None:
    fit, told = fitting(specs("audiovisual-table1", "audiovisual-table3a", "audiovisual-table3b"), verification)
    assert names(fit) == ["audiovisual-table1", "audiovisual-table3b"]
    assert [len(spec.rows) for spec in fit] == [12, 1]  # the tiny set knows who smiles
    assert told[0] == "audiovisual-table3a: left out, for the data come without its attributes"
    assert told[1].startswith("audiovisual-table3b: 11 rows left out, for the data have no attribute=")
    assert len(told) == 2


def test_no_attributes_at_all(verification: Runner) -> None:
    manifest = replace(verification.manifest, attributes=verification.manifest.attributes.iloc[:0])
    fit, told = fitting(specs("audiovisual-table3b"), replace(verification, manifest=manifest))
    assert (fit, told) == ([], ["audiovisual-table3b: left out, for the data come without its attributes"])


@pytest.mark.parametrize(("segments", "n_rows"), [(["1.015"], 6), (["0.115", "1.015"], 12), ([], 6), (["2.0"], 0)])
def test_segment_lengths(verification: Runner, segments: list[str], n_rows: int) -> None:
    info = verification.manifest.info | {"segments": segments}
    runner = replace(verification, manifest=replace(verification.manifest, info=info))
    fit, told = fitting(specs("audiovisual-table1"), runner)
    assert [len(spec.rows) for spec in fit] == ([n_rows] if n_rows else [])
    none = ["audiovisual-table1: left out, for the data have none of its segment lengths"]
    assert told == ([] if n_rows else none)
