"""Verification on the tiny vector set: systems, nulls and masks by side, and trials that cannot be scored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.conditioned import embeddings_under
from mmbio.embed.cosine import pair_scores
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.fuse.config import OF_PAIRS, Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.results import Figure
from mmbio.measure.score_norm import normalised
from mmbio.measure.trials import Trials, of_manifest
from mmbio.measure.verify import Options, Verified
from mmbio.protocols import AUDIOVISUAL

QUICK = Optimiser(epochs=2, steps=4, batch=20)
ATTENTION = Config(
    "audiovisual", "attention", AUDIOVISUAL.modalities, AUDIOVISUAL.tasks, optimiser=QUICK, segment_s=1.015
)
LOGISTIC = replace(ATTENTION, fusion="score-logistic")
COSINE = replace(ATTENTION, fusion="cosine")
FACE, VOICE = (replace(COSINE, modalities=(m,)) for m in ("face", "voice"))
CONDITIONS = (
    *("clean", "voice=random", "voice=zeros", "face=random", "face=zeros", "missing=voice", "missing=face"),
    *("voice=random@probe", "face=zeros@enrolment", "missing=face@probe", "face=zeros,voice=zeros"),
)
Of = Callable[[Config, str], Evaluator]


@pytest.fixture
def of(av_manifest: Manifest, av_settings: Settings) -> Of:
    def of(config: Config, condition: str) -> Evaluator:
        return Evaluator(av_manifest, train(av_manifest, config, av_settings), parse(condition), av_settings)

    return of


def verified(evaluator: Evaluator) -> Verified:
    found = evaluator.run()
    assert isinstance(found, Verified)
    return found


def figures(found: Verified, given: str = "") -> dict[tuple[str, str], Figure]:
    """Metric and convention -> figure, of all trials or of those given."""
    chosen = [f for f in found.figures if f.given == given]
    assert len({(f.metric, f.convention) for f in chosen}) == len(chosen)
    return {(f.metric, f.convention): f for f in chosen}


def values(found: Verified) -> dict[tuple[str, str], float]:
    return {name: f.value for name, f in figures(found).items()}


def of_order(found: Verified) -> dict[tuple[str, str], float]:
    """The figures that tell of discrimination alone: a monotone map of the scores does not change them."""
    return {name: value for name, value in values(found).items() if name[0] in ("eer", "min_dcf", "min_cllr")}


def raw(manifest: Manifest, settings: Settings, modality: str, trials: Trials) -> np.ndarray:
    rows = np.arange(len(manifest.items))
    vectors = embeddings_under(manifest, parse("clean"), [modality], rows, settings).vectors[modality]
    return pair_scores(vectors, vectors, trials.enrolment, trials.probe)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("fusion", OF_PAIRS)
def test_every_system_has_finite_scores_under_every_null(of: Of, fusion: str, condition: str) -> None:
    found = verified(of(replace(ATTENTION, fusion=fusion), condition))
    trials = of_manifest(of(ATTENTION, "clean").manifest)
    assert found.scores.shape == trials.genuine.shape
    assert np.isfinite(found.scores).all()
    of_calibration = {name: f for name, f in figures(found).items() if name[0] in ("act_dcf", "cllr", "min_cllr")}
    assert len(of_calibration) == 4
    assert all(0 <= f.value < np.inf for f in of_calibration.values())
    assert all(0 <= f.value <= 1 for name, f in figures(found).items() if name not in of_calibration)
    if fusion != "score-logistic":
        assert (np.abs(found.scores) <= 1).all()


@pytest.mark.parametrize("condition", ["clean", "voice=random", "missing=voice@probe"])
def test_blocks_change_no_score(of: Of, condition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = verified(of(ATTENTION, condition))
    monkeypatch.setattr("mmbio.measure.scoring.BLOCK", 7)
    blocks = verified(of(ATTENTION, condition))
    assert np.abs(blocks.scores - whole.scores).max() < 1e-6  # a network's batches differ in float32's last bits
    assert np.array_equal(blocks.present, whole.present)
    assert blocks.weights is not None and whole.weights is not None
    assert np.abs(blocks.weights - whole.weights).max() < 1e-6


@pytest.mark.parametrize("config", [FACE, VOICE])
def test_the_cosine_of_one_modality_is_that_of_its_raw_vectors(
    of: Of, av_manifest: Manifest, av_settings: Settings, config: Config
) -> None:
    found = verified(of(config, "clean"))
    expected = raw(av_manifest, av_settings, config.modalities[0], found.trials)
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    assert found.weights is None


def test_the_cosine_of_both_is_their_mean(of: Of, av_manifest: Manifest, av_settings: Settings) -> None:
    found = verified(of(COSINE, "clean"))
    expected = [raw(av_manifest, av_settings, m, found.trials) for m in ("face", "voice")]
    np.testing.assert_allclose(found.scores, np.mean(expected, axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        *(("voice=zeros", FACE), ("face=zeros", VOICE)),
        *(("missing=voice", FACE), ("missing=face", VOICE)),
        *(("voice=zeros@probe", FACE), ("face=zeros@enrolment", VOICE), ("missing=face@enrolment", VOICE)),
    ],
)
def test_logistic_without_a_modality_is_the_other_one_alone(of: Of, condition: str, left: Config) -> None:
    fused, alone = verified(of(LOGISTIC, condition)), verified(of(left, "clean"))
    assert fused.rule[left.modalities[0]] > 0
    assert of_order(fused) == of_order(alone)


def test_logistic_says_what_it_weighs(of: Of) -> None:
    evaluator = of(LOGISTIC, "clean")
    found = verified(evaluator)
    assert set(found.rule) == {"face", "voice", "bias"}
    row = evaluator.rows(found)[0]
    assert row.rule_weights == " ".join(f"{name}={value:.4g}" for name, value in found.rule.items())
    assert verified(of(LOGISTIC, "voice=random")).rule == found.rule  # fitted on dev, under the training's condition


@pytest.mark.parametrize("fusion", ["attention", "score-logistic"])
def test_a_side_is_a_side(of: Of, fusion: str) -> None:
    conditions = ("clean", "voice=random", "voice=random@probe", "voice=random@enrolment")
    scores = [verified(of(replace(ATTENTION, fusion=fusion), c)).scores for c in conditions]
    for i, one in enumerate(scores):
        assert all(not np.array_equal(one, other) for other in scores[i + 1 :])


def test_the_other_side_is_untouched(of: Of, av_manifest: Manifest, av_settings: Settings) -> None:
    found = verified(of(VOICE, "voice=random@probe"))
    rows = np.arange(len(av_manifest.items))
    clean, noise = (
        embeddings_under(av_manifest, parse(c), ["voice"], rows, av_settings).vectors["voice"]
        for c in ("clean", "voice=random")
    )
    expected = pair_scores(clean, noise, found.trials.enrolment, found.trials.probe)
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    turned = verified(of(VOICE, "voice=random@enrolment"))
    expected = pair_scores(noise, clean, found.trials.enrolment, found.trials.probe)
    np.testing.assert_allclose(turned.scores, expected, atol=1e-6)


def test_a_null_is_not_told_and_a_mask_is(of: Of) -> None:
    told, null = (verified(of(ATTENTION, c)) for c in ("missing=voice", "voice=zeros"))
    assert told.weights is not None
    assert null.weights is not None
    assert told.weights.shape == (1, len(told.rows), 2)
    assert not told.weights[0, :, 1].any()
    np.testing.assert_array_equal(told.weights[0, :, 0], 1.0)
    assert (null.weights > 0).all()
    assert not told.present[:, 1].any()
    assert null.present.all()
    n = len(told.scores)
    assert {(f.n, f.n_imputed, f.n_missing) for f in figures(told).values()} == {(n, n, 0)}
    assert {(f.n, f.n_imputed, f.n_missing) for f in figures(null).values()} == {(n, 0, 0)}


def test_weights_are_those_of_probes(of: Of) -> None:
    probe, enrolment = (verified(of(ATTENTION, f"missing=voice@{side}")) for side in ("probe", "enrolment"))
    assert probe.weights is not None
    assert enrolment.weights is not None
    assert not probe.weights[0, :, 1].any()
    assert (enrolment.weights > 0).all()


@pytest.mark.parametrize("fusion", ["attention", "score-logistic"])
@pytest.mark.parametrize("skip", [False, True])
def test_nothing_left_to_compare_is_no_figure(of: Of, fusion: str, skip: bool) -> None:
    evaluator = of(replace(ATTENTION, fusion=fusion), "missing=face,missing=voice")
    evaluator = replace(evaluator, options=Options(skip_missing=skip))
    words = "0 genuine and 0 impostor trials" if skip else "have a side without any modality to compare"
    with pytest.raises(MmbioError, match=words):
        evaluator.run()


def test_scores_of_different_modalities_cannot_be_weighed(of: Of) -> None:
    with pytest.raises(MmbioError, match="have a side without any modality to compare"):
        of(LOGISTIC, "missing=face@probe,missing=voice@enrolment").run()


def test_the_same_each_time(of: Of) -> None:
    first, again = (verified(of(ATTENTION, "voice=random,face=random@probe")) for _ in range(2))
    assert first.scores.tobytes() == again.scores.tobytes()
    assert first.figures == again.figures


def test_two_homes_have_the_same_scores(av_manifest: Manifest, av_settings: Settings, tmp_path: Path) -> None:
    for fusion in OF_PAIRS:
        scores = []
        for name in ("a", "b"):
            settings = replace(av_settings, home=tmp_path / name)
            checkpoint = train(av_manifest, replace(ATTENTION, fusion=fusion), settings)
            found = Evaluator(av_manifest, checkpoint, parse("voice=random"), settings)
            scores.append((found.hash, verified(found).scores.tobytes()))
        assert scores[0] == scores[1]


def test_trials_with_unknown_samples(of: Of, av_manifest: Manifest) -> None:
    whole = of_manifest(av_manifest)
    enrolment, probe = whole.enrolment.copy(), whole.probe.copy()
    enrolment[[0, 5]], probe[[5, 9, 30]] = -1, -1
    asked = Trials(enrolment, probe, whole.genuine, "my own list")
    evaluator = replace(of(ATTENTION, "clean"), trials=asked)
    n = len(whole.genuine)
    with pytest.raises(MmbioError, match=f"4 of {n} trials cannot be scored .4 name samples that are not there.; give"):
        evaluator.run()
    skipping = replace(evaluator, options=Options(skip_missing=True))
    found, clean = verified(skipping), verified(of(ATTENTION, "clean"))
    kept = np.delete(np.arange(n), [0, 5, 9, 30])
    assert np.array_equal(found.scores, clean.scores[kept])
    rows = [row for row in skipping.rows(found) if row.metric in ("eer", "min_dcf")]
    assert {(row.n, row.n_missing, row.n_imputed, row.trials) for row in rows} == {(n - 4, 4, 0, "my own list")}
    assert len({evaluator.hash, skipping.hash, of(ATTENTION, "clean").hash}) == 3


def test_normalised_scores_of_the_test_and_of_dev(of: Of, av_manifest: Manifest, av_settings: Settings) -> None:
    plain = of(VOICE, "clean")
    evaluator = replace(plain, options=Options(score_norm="s-norm"))
    found, cosines = verified(evaluator), verified(plain)
    rows = np.arange(len(av_manifest.items))
    vectors = embeddings_under(av_manifest, parse("clean"), ["voice"], rows, av_settings).vectors["voice"]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    subjects, trains = av_manifest.items["subject"].to_numpy(np.int64), av_manifest.partitions()[0].train
    cohort = np.stack([vectors[trains[subjects[trains] == s]].mean(0) for s in np.unique(subjects[trains])])
    assert not np.isin(subjects[found.trials.probe], subjects[trains]).any()
    sides = vectors, vectors, found.trials.enrolment, found.trials.probe
    expected = normalised(cosines.scores, *sides, cohort, "s-norm")
    np.testing.assert_allclose(found.scores, expected, atol=1e-4)
    assert {row.rule_weights for row in evaluator.rows(found)} == {f"s-norm={len(cohort)} cohort={len(cohort)}"}
    assert {row.rule_weights for row in plain.rows(cosines)} == {""}
    assert evaluator.hash != plain.hash
    calibrated, of_cosines = (values(one)["cllr", "logistic"] for one in (found, cosines))
    assert calibrated < 2 * of_cosines  # maps of dev cosines would put every normalised score far off


def test_adaptive_with_all_training_subjects_is_symmetric(of: Of) -> None:
    whole = replace(of(ATTENTION, "voice=random@probe"), options=Options(score_norm="s-norm"))
    n = int(verified(whole).rule["cohort"])
    adaptive = replace(whole, options=Options(score_norm="as-norm", top=n), fitted=whole.fitted)
    np.testing.assert_allclose(verified(adaptive).scores, verified(whole).scores, rtol=1e-6, atol=1e-9)
    assert verified(adaptive).rule == {"as-norm": n, "cohort": n}
    assert len(whole.fitted) == 2


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (LOGISTIC, "--score-norm as-norm: normalises the cosine of fused vectors, and score-logistic weighs one"),
        (ATTENTION, r"--top 300: more than the cohort's \d+ .the training subjects.; give --top \d+ or less"),
    ],
)
def test_scores_that_cannot_be_normalised(of: Of, config: Config, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        replace(of(config, "clean"), options=Options(score_norm="as-norm")).run()


def test_a_network_that_diverged(of: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(*_: object) -> tuple[np.ndarray, None]:
        return np.full((3, 2), np.nan), None

    evaluator = of(ATTENTION, "clean")
    monkeypatch.setattr("mmbio.fuse.train.fused", diverged)
    with pytest.raises(MmbioError, match="gives vectors that are no numbers, so its training diverged; train with"):
        evaluator.run()
