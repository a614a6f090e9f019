"""What an attention fusion attends to: rows of figures, and items whose attributes are not known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmbio.data.manifest import Manifest
from mmbio.embed.conditioned import Embeddings
from mmbio.measure import attended, attention
from mmbio.measure.results import Figure

MODALITIES = ("face", "voice")


def embedded(manifest: Manifest) -> Embeddings:
    rows = np.flatnonzero((manifest.items["split"] == "test").to_numpy())
    return Embeddings(rows, manifest.modalities, {}, np.ones((len(rows), 2), bool))


def weights_for(manifest: Manifest, flags: np.ndarray, seed: int = 0) -> np.ndarray:
    """Weights (n, 2) that give the face more where the flag is set."""
    face = 0.4 + 0.2 * flags + 0.01 * np.random.default_rng(seed).random(len(flags))
    return np.stack([face, 1 - face], 1).astype(np.float32)


def smiling(manifest: Manifest, rows: np.ndarray) -> np.ndarray:
    return attended.attributes_of(manifest, rows)["Smiling"]


def by_metric(figures: list[Figure]) -> dict[str, Figure]:
    assert len({f.metric for f in figures}) == len(figures)
    return {f.metric: f for f in figures}


def test_a_planted_effect_is_found(av_manifest: Manifest) -> None:
    found = embedded(av_manifest)
    flags = smiling(av_manifest, found.rows)
    made = by_metric(attended.figures(av_manifest, MODALITIES, found, weights_for(av_manifest, flags), 0))
    assert set(made) == {f"{what}_{m}" for what in ("above_mean", "wald_half_width") for m in MODALITIES}
    assert {(f.given, f.task, f.n, f.fold) for f in made.values()} == {
        ("Smiling", "verification", int(flags.sum()), "mean")
    }
    face, voice = made["above_mean_face"], made["above_mean_voice"]
    assert (face.value, voice.value) == (1.0, 0.0)
    assert face.interval == "clustered by subject"
    assert face.low is not None
    assert 0.5 < face.low < 1.0
    assert face.high == 1.0
    assert made["wald_half_width_face"].value == 0.0
    assert made["wald_half_width_face"].interval == ""


def test_figures_are_those_of_the_analysis(av_manifest: Manifest) -> None:
    found = embedded(av_manifest)
    weights = np.random.default_rng(1).dirichlet([1, 1], len(found.rows)).astype(np.float32)
    made = by_metric(attended.figures(av_manifest, MODALITIES, found, weights, 0))
    subjects = av_manifest.items["subject"].to_numpy(np.int64)[found.rows]
    attributes = {"Smiling": smiling(av_manifest, found.rows)}
    for row in attention.analyse(weights, MODALITIES, subjects, attributes, permutations=0).rows:
        figure, half = (made[f"{what}_{row.modality}"] for what in ("above_mean", "wald_half_width"))
        assert (figure.value, figure.low, figure.high) == (row.share, row.clustered_low, row.clustered_high)
        assert half.value == pytest.approx(1.96 * (row.share * (1 - row.share) / row.n) ** 0.5)


def test_items_that_miss_a_modality_do_not_count(av_manifest: Manifest) -> None:
    whole = embedded(av_manifest)
    flags = smiling(av_manifest, whole.rows)
    present = whole.present.copy()
    present[:10, 0] = False
    made = attended.figures(
        av_manifest, MODALITIES, replace(whole, present=present), weights_for(av_manifest, flags), 0
    )
    assert {f.n for f in made} == {int(flags[10:].sum())}


def test_nobody_has_all_modalities(av_manifest: Manifest) -> None:
    found = embedded(av_manifest)
    masked = replace(found, present=found.present & [True, False])
    assert attended.figures(av_manifest, MODALITIES, masked, np.ones((len(found.rows), 2), np.float32), 0) == []


def test_without_attributes_or_a_choice_there_is_nothing_to_tell(av_manifest: Manifest) -> None:
    found = embedded(av_manifest)
    weights = np.full((len(found.rows), 2), 0.5, np.float32)
    bare = replace(av_manifest, attributes=pd.DataFrame())
    assert attended.figures(bare, MODALITIES, found, weights, 0) == []
    assert attended.figures(av_manifest, ("face",), found, weights, 0) == []


def test_an_attribute_that_nobody_has_is_left_out(av_manifest: Manifest) -> None:
    found = embedded(av_manifest)
    table = av_manifest.attributes.assign(Bald="0")
    made = attended.figures(
        replace(av_manifest, attributes=table), MODALITIES, found, np.full((len(found.rows), 2), 0.5, np.float32), 0
    )
    assert {f.given for f in made} == {"Smiling"}


def test_attributes_of_one_subject_have_no_interval(av_manifest: Manifest) -> None:
    found = embedded(av_manifest)
    ids = av_manifest.items["id"]
    table = av_manifest.attributes
    table = table.assign(Bald=np.where(table["id"].str.startswith("test03/"), "1", "0"))
    made = attended.figures(
        replace(av_manifest, attributes=table),
        MODALITIES,
        found,
        weights_for(av_manifest, np.zeros(len(found.rows))),
        0,
    )
    bald = [f for f in made if f.given == "Bald"]
    assert [f.n for f in bald] == [int(ids.str.startswith("test03/").sum())] * 4
    assert {(f.low, f.high, f.interval) for f in bald} == {(None, None, "")}


def test_attributes_go_by_id(av_manifest: Manifest) -> None:
    rows = embedded(av_manifest).rows
    table = av_manifest.attributes.iloc[::-1]
    assert np.array_equal(smiling(replace(av_manifest, attributes=table), rows), smiling(av_manifest, rows))
    known = table[~table["id"].str.startswith("test00/")]
    found = smiling(replace(av_manifest, attributes=known), rows)
    unknown = av_manifest.items["id"].to_numpy(str)[rows].astype("U7") == "test00/"
    assert np.array_equal(np.isnan(found), unknown)
