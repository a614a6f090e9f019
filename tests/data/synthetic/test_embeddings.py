"""Simulated embeddings: their sizes, the same bytes for a seed, the structure of real ones, and what is planted."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from mmbio.data import trials, vector_sets
from mmbio.data.synthetic import embeddings as module
from mmbio.data.synthetic.embeddings import ANGLES, ATTRIBUTES, NOISE, PLANTED, SIZES, Simulation, Size, simulate
from mmbio.errors import MmbioError
from mmbio.measure import rates

SMALL = Size(n_test=12, n_test_clips=300, n_dev=4, n_dev_clips=40)
FILES = [("face", ""), ("voice", "0.115"), ("voice", "1.015")]


@pytest.fixture(scope="module")
def quick() -> Simulation:
    return simulate("quick", 0)


@pytest.fixture(scope="module")
def wide() -> Simulation:
    """Many subjects, for what is drawn once a subject."""
    return simulate("quick", 1, size=Size(0, 0, 1500, 9000))


@pytest.fixture
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIZES", {"quick": SMALL, "paper": Size(13, 300, 4, 40)})


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def same(one: Simulation, other: Simulation) -> bool:
    return one.samples.equals(other.samples) and all(
        one.vectors[m][s].tobytes() == other.vectors[m][s].tobytes() for m, s in FILES
    )


@pytest.mark.parametrize("scale", SIZES)
def test_sizes(scale: str) -> None:
    size = SIZES[scale]
    test = [n for part, _, n in module._counts(size, 0) if part == "test"]
    dev = [n for part, _, n in module._counts(size, 0) if part == "dev"]
    assert (len(test), sum(test), len(dev), sum(dev)) == (size.n_test, size.n_test_clips, size.n_dev, size.n_dev_clips)
    assert [n for n in sorted(test) if n < 5] == [2, 3, 4]
    assert min(dev) >= 5
    assert np.quantile(test, 0.9) > 2 * np.quantile(test, 0.1)


def test_the_paper_scale_is_the_papers() -> None:
    assert (SIZES["paper"].n_test, SIZES["paper"].n_test_clips) == (120, 36_693)


def test_samples(quick: Simulation) -> None:
    samples = quick.samples
    assert list(samples.columns) == [*vector_sets.COLUMNS, *ATTRIBUTES, *ANGLES, "face", "voice"]
    assert samples["id"].is_unique
    assert samples["id"].map(lambda s: bool(re.fullmatch(r"s\d{4}/v\d{2}/c\d{3}", s))).all()
    assert (samples["video"] == samples["id"].str.rsplit("/", n=1).str[0]).all()
    assert (samples["subject"] == samples["id"].str.split("/").str[0]).all()
    assert (samples["clip"] == samples["id"]).all()
    people = samples.groupby("subject")
    assert (people["part"].nunique() == 1).all()
    assert (people["video"].nunique() >= 2).all()
    assert (people["gender"].nunique() == 1).all()
    half = (SIZES["quick"].n_test + SIZES["quick"].n_dev) // 2
    assert people["gender"].first().value_counts().to_dict() == {"F": half, "M": half}
    assert (samples["face"] == np.arange(len(samples))).all()
    assert (samples["voice"] == samples["face"]).all()


def test_vectors(quick: Simulation) -> None:
    n = len(quick.samples)
    shapes = {m: {s: (v.shape, v.dtype.name) for s, v in of.items()} for m, of in quick.vectors.items()}
    assert shapes == {
        "face": {"": ((n, 512), "float32")},
        "voice": {"0.115": ((n, 600), "float32"), "1.015": ((n, 600), "float32")},
    }
    assert all(np.isfinite(v).all() for of in quick.vectors.values() for v in of.values())


def test_a_seed_gives_the_same_bytes_and_another_other_people() -> None:
    first = simulate("quick", 3, size=SMALL)
    assert same(first, simulate("quick", 3, size=SMALL))
    assert not same(first, simulate("quick", 4, size=SMALL))


def test_vectors_are_linear_in_the_noise() -> None:
    def at(scale: float) -> Simulation:
        noise: Mapping[str, Mapping[str, float]] = {m: dict.fromkeys(of, scale) for m, of in NOISE.items()}
        return simulate("quick", 0, size=SMALL, noise=noise)

    quiet, loud, louder = at(0.0), at(1.0), at(3.0)
    assert quiet.samples.equals(louder.samples)
    for m, s in FILES:
        b, f = quiet.vectors[m][s], loud.vectors[m][s] - quiet.vectors[m][s]
        np.testing.assert_allclose(louder.vectors[m][s], b + 3 * f, atol=1e-4)
    assert quiet.vectors["voice"]["0.115"].tobytes() == quiet.vectors["voice"]["1.015"].tobytes()


@pytest.mark.parametrize(("modality", "segment"), FILES)
def test_unequal_variances_and_a_mean(quick: Simulation, modality: str, segment: str) -> None:
    vectors = quick.vectors[modality][segment]
    of_dimensions, of_axes = vectors.var(axis=0), np.linalg.eigvalsh(np.cov(vectors.T))
    assert np.quantile(of_dimensions, 0.9) > 1.5 * np.quantile(of_dimensions, 0.1)
    assert of_axes[-10:].mean() > 5 * np.median(of_axes)
    assert np.linalg.norm(unit(vectors).mean(axis=0)) > (0.08 if segment == "0.115" else 0.2)


# In a segment of 0.115 s the noise drowns the mean too.
@pytest.mark.parametrize(("modality", "segment"), [("face", ""), ("voice", "1.015")])
def test_the_mean_shows_quality_and_random_nulls(quick: Simulation, modality: str, segment: str) -> None:
    vectors = unit(quick.vectors[modality][segment])
    mean = vectors.mean(axis=0) / np.linalg.norm(vectors.mean(axis=0))
    null = unit(np.random.default_rng(0).standard_normal(vectors.shape)) @ mean
    along, quality = vectors @ mean, quick.quality[modality]
    assert np.quantile(along, 0.05) > np.quantile(null, 0.95)
    assert np.corrcoef(along, quality)[0, 1] > 0.7


@pytest.mark.parametrize(("modality", "segment"), FILES)
def test_subjects_videos_genders_and_quality_all_show_in_the_cosine(
    wide: Simulation, modality: str, segment: str
) -> None:
    vectors = wide.vectors[modality][segment]
    vectors = unit(vectors - vectors.mean(axis=0))
    rng = np.random.default_rng(0)
    i, j = rng.integers(len(vectors), size=(2, 60_000))
    subject, video = (wide.samples[c].factorize()[0] for c in ("subject", "video"))
    own = np.stack([np.arange(len(vectors) - 1), np.arange(1, len(vectors))])  # neighbours are often of one subject
    i, j = np.concatenate([np.stack([i, j]), own], axis=1)
    cosine = np.einsum("nd,nd->n", vectors[i], vectors[j])
    female = wide.samples["gender"].to_numpy() == "F"
    poor = np.minimum(wide.quality[modality][i], wide.quality[modality][j]) < -0.5
    genuine, same_video = (subject[i] == subject[j]) & (i != j), (video[i] == video[j]) & (i != j)
    across = genuine & ~same_video
    other, alike = ~genuine & (i != j), female[i] == female[j]
    levels = [cosine[m].mean() for m in (other & ~alike, other & alike, across, same_video)]
    assert levels == sorted(levels)
    assert min(np.diff(levels)) > 0.002
    assert cosine[across & ~poor].mean() > 1.2 * cosine[across & poor].mean()


def test_face_and_voice_share_the_gender_only(wide: Simulation) -> None:
    first = wide.samples["subject"].drop_duplicates().index.to_numpy()
    face, voice = (v - v.mean(axis=0) for v in (wide.vectors["face"][""][first], wide.vectors["voice"]["1.015"][first]))
    female = wide.samples["gender"].to_numpy()[first] == "F"
    half = np.arange(len(first)) % 4 < 2  # both genders in either half
    for group in (female, ~female):
        train, test = group & half, group & ~half
        u, _, w = np.linalg.svd((face[train] - face[train].mean(axis=0)).T @ voice[train])  # the best common direction
        shared = np.corrcoef(face[test] @ u[:, 0], voice[test] @ w[0])[0, 1]
        assert abs(shared) < 4 / np.sqrt(test.sum())
    assert abs(np.corrcoef(wide.quality["face"], wide.quality["voice"])[0, 1]) < 0.05


def test_both_lengths_of_speech_share_all_but_the_frame(quick: Simulation) -> None:
    short, long = (unit(v - v.mean(axis=0)) for v in quick.vectors["voice"].values())
    own, others = (short * long).sum(axis=1), (short * np.roll(long, 1000, axis=0)).sum(axis=1)
    assert own.mean() > others.mean() + 4 * others.std() / np.sqrt(len(others))
    assert NOISE["voice"]["0.115"] > NOISE["voice"]["1.015"]


def test_planted_attributes_move_the_faces_quality_and_others_do_not(wide: Simulation) -> None:
    per_subject = wide.samples.assign(face=wide.quality["face"], voice=wide.quality["voice"])
    assert set(PLANTED) == {"Bald", "Goatee", "Mustache", "Sideburns", "Wearing Hat", "Blond Hair", "Straight Hair"}
    assert {n for n, sign in PLANTED.items() if sign > 0} == {"Blond Hair", "Straight Hair"}
    for name in ATTRIBUTES:
        groups = per_subject.groupby(["gender", name, "subject"])[["face", "voice"]].mean().groupby(["gender", name])
        mean, error = groups.mean(), groups.sem()
        for gender in {g for g, value in mean.index if value == "1"}:
            gap, spread = mean.loc[(gender, "1")] - mean.loc[(gender, "0")], error.loc[gender].pow(2).sum() ** 0.5
            assert abs(gap["voice"]) < 4 * spread["voice"], name
            assert abs(gap["face"] - module.EFFECT * PLANTED.get(name, 0)) < 4 * spread["face"], name


@pytest.mark.parametrize("angle", ANGLES)
def test_head_angles_do_not_move_quality(quick: Simulation, angle: str) -> None:
    degrees = quick.samples[angle].astype(float).abs()
    assert degrees.max() <= 90
    assert [int((degrees > limit).sum()) > 50 for limit in (30, 60)] == [True, True]
    assert abs(np.corrcoef(degrees, quick.quality["face"])[0, 1]) < 0.04


def test_traits_stay_and_passing_things_pass(quick: Simulation) -> None:
    def changing(name: str, group: str) -> float:
        return float((quick.samples.groupby(group)[name].nunique() > 1).mean())

    for name, kind in ATTRIBUTES.items():
        assert (changing(name, "video") > 0) == (kind.of == "clip")
    assert max(changing(n, "subject") for n, kind in ATTRIBUTES.items() if kind.of == "subject") < 0.2
    assert min(changing(n, "subject") for n, kind in ATTRIBUTES.items() if kind.of != "subject") > 0.15
    assert not (quick.samples.loc[quick.samples["gender"] == "F", "Goatee"] == "1").any()


@pytest.mark.parametrize(
    ("modality", "segment", "low", "high"),
    [("face", "", 5, 12), ("voice", "0.115", 39, 43), ("voice", "1.015", 12, 17)],
)
def test_errors_are_near_the_papers(quick: Simulation, modality: str, segment: str, low: float, high: float) -> None:
    test = quick.samples["part"] == "test"
    of_test, vectors = quick.samples[test], unit(quick.vectors[modality][segment][test])
    video, clip, gender = (of_test[c].to_numpy(str) for c in ("video", "clip", "gender"))
    drawn = trials.draw(of_test["subject"].factorize()[0], video, clip, gender)
    scores = (vectors[drawn.enrolment] * vectors[drawn.probe]).sum(axis=1)
    assert low < 100 * rates.eer(rates.points(scores[drawn.genuine], scores[~drawn.genuine])) < high
    assert drawn.n_dropped == 0


def test_the_set_reads_as_it_was_made(tmp_path: Path, small_scale: None) -> None:
    assert module.ensure(tmp_path / "set", "quick", 5)
    made, found = simulate("quick", 5, size=SMALL), vector_sets.read(tmp_path / "set")
    assert (found.name, found.info["synthetic"], found.modalities) == ("simulated", True, ("face", "voice"))
    assert found.attributes == (*ATTRIBUTES, *ANGLES)
    assert found.info["modalities"]["voice"]["segments"] == ["0.115", "1.015"]
    assert found.samples.astype(object).to_dict() == made.samples.astype(object).to_dict()
    for m, s in FILES:
        file = vector_sets.file_name(m, s)
        rows = vector_sets.load(tmp_path / "set" / file, np.array([7, 0, 3]), found.info["files"][file])
        assert rows.tobytes() == made.vectors[m][s][[7, 0, 3]].tobytes()


def test_ensure_makes_it_once_and_again_for_anything_else(
    tmp_path: Path, small_scale: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep" / "set"
    asked = [("quick", 0), ("quick", 0), ("paper", 0), ("paper", 1), ("paper", 1)]
    assert [module.ensure(folder, *a) for a in asked] == [True, False, True, True, False]
    for name, value in (("__version__", "next"), ("EFFECT", 0.5), ("NOISE", {**NOISE, "face": {"": 2.0}})):
        monkeypatch.setattr(module, name, value)
        assert [module.ensure(folder, "paper", 1) for _ in range(2)] == [True, False], name
    (folder / "face.npy").unlink()
    assert [module.ensure(folder, "paper", 1) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("other", ["a file", "a set"])
def test_what_is_not_simulated_is_not_replaced(tmp_path: Path, small_scale: None, other: str) -> None:
    if other == "a set":
        made = simulate("quick", 0, size=SMALL)
        vector_sets.write(tmp_path / "mine", "mine", made.samples, made.vectors)
    else:
        (tmp_path / "mine").write_text("mine")
    with pytest.raises(MmbioError, match="holds other files, which would be replaced; name a new or empty folder"):
        module.ensure(tmp_path / "mine", "quick")


@pytest.mark.parametrize(
    ("scale", "size", "message"),
    [("huge", None, "unknown scale 'huge'"), ("quick", Size(10, 20, 0, 0), "20 clips are too few for 10 subjects")],
)
def test_bad_input(scale: str, size: Size | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(scale, 0, size=size)
