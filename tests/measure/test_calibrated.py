"""Calibration of systems on the tiny vector set: what is fitted on what, what corruption does, and without dev."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.fuse.config import OF_PAIRS, Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure import calibrated
from mmbio.measure.calibrated import Measurable, maps, measure
from mmbio.measure.calibration import cllr
from mmbio.measure.dcf import Cost, act_dcf
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.trials import of_manifest
from mmbio.measure.verify import Options, Verified
from mmbio.protocols import AUDIOVISUAL

QUICK = Optimiser(epochs=2, steps=4, batch=20)
ATTENTION = Config(
    "audiovisual", "attention", AUDIOVISUAL.modalities, AUDIOVISUAL.tasks, optimiser=QUICK, segment_s=1.015
)
FIGURES = ("act_dcf", "cllr", "cllr", "min_cllr")


def verified(
    manifest: Manifest, settings: Settings, config: Config, condition: str = "clean", options: Options | None = None
) -> Verified:
    checkpoint = train(manifest, config, settings)
    found = Evaluator(manifest, checkpoint, parse(condition), settings, options=options or Options()).run()
    assert isinstance(found, Verified)
    return found


def metrics(found: Verified, given: str = "") -> list[str]:
    return [
        f.metric for f in found.figures if f.given == given and "_face" not in f.metric and "_voice" not in f.metric
    ]


def line(found: Verified) -> np.ndarray:
    """Slope and offset of the LLRs over the scores."""
    return np.polyfit(found.scores, found.arrays["llr"].astype(np.float64), 1)


def without(manifest: Manifest, genuine: int | None) -> Manifest:
    """The manifest without dev trials of a kind, or of any."""
    table: pd.DataFrame = manifest.trials
    gone = (table["part"] == "dev") & (True if genuine is None else table["genuine"] == genuine)
    return replace(manifest, trials=table[~gone].reset_index(drop=True))


def test_dev_trials_are_between_people_whom_nothing_was_trained_on(av_manifest: Manifest) -> None:
    found = calibrated.dev_trials(av_manifest)
    splits = av_manifest.items["split"].to_numpy(str)
    assert {*splits[found.enrolment], *splits[found.probe]} == {"dev"}
    assert 0 < found.genuine.sum() < len(found.genuine) < len(of_manifest(av_manifest, "dev").genuine)


@pytest.mark.parametrize("fusion", OF_PAIRS)
def test_the_map_is_of_dev_under_the_condition_of_training(
    av_manifest: Manifest, av_settings: Settings, fusion: str
) -> None:
    config = replace(ATTENTION, fusion=fusion)
    clean, corrupt = (verified(av_manifest, av_settings, config, c) for c in ("clean", "voice=random@probe"))
    np.testing.assert_allclose(line(clean), line(corrupt), rtol=1e-3)
    assert not np.array_equal(clean.scores, corrupt.scores)


def test_training_under_another_condition_gives_another_map(av_manifest: Manifest, av_settings: Settings) -> None:
    config = replace(ATTENTION, fusion="cosine")  # untrained: the same scores
    clean, under = (
        verified(av_manifest, av_settings, replace(config, condition=parse(c))) for c in ("clean", "voice=random")
    )
    assert np.array_equal(clean.scores, under.scores)
    assert not np.allclose(line(clean), line(under), rtol=1e-3)


def test_corruption_of_the_test_costs_calibration(av_manifest: Manifest, av_settings: Settings) -> None:
    def loss(condition: str) -> float:
        found = verified(av_manifest, av_settings, replace(ATTENTION, fusion="cosine"), condition)
        values = {(f.metric, f.convention): f.value for f in found.figures}
        return values["cllr", "logistic"] - values["min_cllr", ""]

    assert 0 <= loss("clean") < loss("voice=random")


def test_by_gender_is_measured_with_the_maps_of_all(av_manifest: Manifest, av_settings: Settings) -> None:
    found = verified(av_manifest, av_settings, ATTENTION, options=Options(by_gender=True))
    assert {f.given for f in found.figures if f.metric == "cllr"} == {"", "gender=F", "gender=M"}
    genders = av_manifest.subjects["gender"].to_numpy(str)[av_manifest.items["subject"].to_numpy()]
    both_f = (genders[found.trials.enrolment] == "F") & (genders[found.trials.probe] == "F")
    llrs, kinds = found.arrays["llr"][both_f], found.trials.genuine[both_f]
    figure = next(f for f in found.figures if (f.metric, f.convention, f.given) == ("cllr", "logistic", "gender=F"))
    assert figure.value == pytest.approx(cllr(llrs[kinds], llrs[~kinds]), abs=1e-5)
    assert (figure.n, figure.n_genuine, figure.n_impostor) == (both_f.sum(), kinds.sum(), (~kinds).sum())


@pytest.mark.parametrize("fusion", ["attention", "cosine"])
@pytest.mark.parametrize("genuine", [0, 1, None])
def test_without_dev_trials_of_both_kinds_there_is_no_calibration(
    av_manifest: Manifest, av_settings: Settings, fusion: str, genuine: int | None
) -> None:
    found = verified(without(av_manifest, genuine), av_settings, replace(ATTENTION, fusion=fusion))
    assert metrics(found) == ["eer", "eer", "min_dcf"]
    assert "llr" not in found.arrays


@pytest.mark.parametrize("condition", ["clean", "voice=random"])
def test_logistic_fusion_needs_dev_trials(av_manifest: Manifest, av_settings: Settings, condition: str) -> None:
    config = replace(ATTENTION, fusion="score-logistic", condition=parse(condition))
    with pytest.raises(MmbioError, match="score-logistic: 0 genuine of 0 dev trials, where both kinds are needed"):
        verified(without(av_manifest, None), av_settings, config)


@pytest.mark.parametrize(("config", "missing"), [(ATTENTION, "missing=voice"), (ATTENTION, "voice=zeros")])
def test_trained_without_a_modality(av_manifest: Manifest, av_settings: Settings, config: Config, missing: str) -> None:
    found = verified(av_manifest, av_settings, replace(config, condition=parse(missing)), missing)
    assert metrics(found)[3:] == list(FIGURES)


def test_a_preset_of_two_priors_is_their_mean(av_manifest: Manifest, av_settings: Settings) -> None:
    found = verified(av_manifest, av_settings, ATTENTION, options=Options(preset="sre16"))
    figure = next(f for f in found.figures if f.metric == "act_dcf")
    assert figure.convention == "mean of P=0.01 C=1,1 and P=0.005 C=1,1, logistic"
    llrs = [found.arrays["llr"][kinds] for kinds in (found.trials.genuine, ~found.trials.genuine)]
    assert figure.value == pytest.approx(np.mean([act_dcf(llrs[0], llrs[1], prior) for prior in (0.01, 0.005)]))


@pytest.mark.parametrize("genuine", [[], [True], [False, False]])
def test_maps_of_one_kind(genuine: list[bool]) -> None:
    assert maps(np.array(genuine, bool), np.zeros(len(genuine))) == {}


def test_intervals_hold_their_figures() -> None:
    rng = np.random.default_rng(0)
    enrolment, probe = rng.integers(0, 30, (2, 3000))
    probe = np.where(rng.random(3000) < 0.4, enrolment, probe)
    genuine = enrolment == probe
    scores = rng.normal(0, 1, 3000) + 2 * genuine + rng.normal(0, 0.3, 30)[enrolment]
    llrs = {name: to_llr(scores) for name, to_llr in maps(genuine, scores).items()}
    found = measure(Measurable(genuine, scores, llrs, (enrolment, probe)), (Cost(0.05),), "P=0.05 C=1,1", 0, 300)
    assert [f.metric for f in found] == list(FIGURES)
    assert [f.convention for f in found] == ["P=0.05 C=1,1, logistic", "logistic", "pav", ""]
    for _, _, value, (low, high, method), _ in found:
        assert low < value < high
        assert method == "subject-bootstrap"


def test_nothing_to_measure_without_maps() -> None:
    of = np.array([True, False])
    assert measure(Measurable(of, np.zeros(2), {}, (np.arange(2), np.arange(2))), (Cost(),), "", 0, 9) == []
