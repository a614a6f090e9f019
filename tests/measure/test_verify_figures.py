"""Figures of verification: by hand, in all conventions, by gender, and what is written of them."""

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
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure import dcf, rates, results
from mmbio.measure.calibration import Affine, Pav, cllr, min_cllr
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.results import Figure
from mmbio.measure.trials import of_manifest
from mmbio.measure.verify import Options, Verified
from mmbio.protocols import AUDIOVISUAL

QUICK = Optimiser(epochs=2, steps=4, batch=20)
ATTENTION = Config(
    "audiovisual", "attention", AUDIOVISUAL.modalities, AUDIOVISUAL.tasks, optimiser=QUICK, segment_s=1.015
)
VOICE, FACE = (replace(ATTENTION, fusion="cosine", modalities=(m,)) for m in ("voice", "face"))
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
    return {(f.metric, f.convention): f for f in found.figures if f.given == given}


def dev_scores(evaluator: Evaluator) -> tuple[np.ndarray, np.ndarray]:
    """The cosines of genuine and of impostor dev trials between people that tune, straight from the faces."""
    manifest = evaluator.manifest
    dev, rows = of_manifest(manifest, "dev"), np.arange(len(manifest.items))
    faces = embeddings_under(manifest, evaluator.config.condition, ["face"], rows, evaluator.settings).vectors["face"]
    tunes = (manifest.items["split"] == "dev").to_numpy()
    kept = tunes[dev.enrolment] & tunes[dev.probe]
    scores, genuine = pair_scores(faces, faces, dev.enrolment, dev.probe)[kept], dev.genuine[kept]
    return scores[genuine], scores[~genuine]


def values(found: Verified) -> dict[tuple[str, str], float]:
    return {name: f.value for name, f in figures(found).items()}


def test_figures_by_hand(of: Of) -> None:
    evaluator = of(FACE, "clean")
    found = verified(evaluator)
    genuine = found.trials.genuine
    kinds = found.scores[genuine], found.scores[~genuine]
    points = rates.points(*kinds)
    fits = [fit(*dev_scores(evaluator)) for fit in (Affine.fit, Pav.fit)]
    logistic, pav = ([fitted(scores) for scores in kinds] for fitted in fits)
    expected = {
        ("eer", "linear"): rates.eer(points),
        ("eer", "rocch"): rates.eer(points, "rocch"),
        ("min_dcf", "P=0.01 C=1,1"): dcf.min_dcf(points),
        ("act_dcf", "P=0.01 C=1,1, logistic"): dcf.act_dcf(logistic[0], logistic[1]),
        ("cllr", "logistic"): cllr(*logistic),
        ("cllr", "pav"): cllr(*pav),
        ("min_cllr", ""): min_cllr(*kinds),
    }
    assert values(found) == pytest.approx(expected, rel=1e-5)
    assert min_cllr(*kinds) <= min(cllr(*logistic), cllr(*pav))
    np.testing.assert_allclose(found.arrays["llr"], fits[0](found.scores), rtol=1e-4, atol=1e-4)
    for (metric, convention), figure in figures(found).items():
        assert (figure.n, figure.n_genuine, figure.n_impostor) == (len(genuine), genuine.sum(), (~genuine).sum())
        if (metric, convention) == ("eer", "rocch"):
            assert (figure.low, figure.high, figure.interval) == (None, None, "")
        else:
            assert figure.low is not None
            assert figure.high is not None
            assert figure.low <= figure.value <= figure.high
            assert figure.interval == "subject-bootstrap"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (Options("nearest-max"), [("eer", "nearest-max"), ("eer", "linear"), ("eer", "rocch")]),
        (Options("rocch"), [("eer", "rocch"), ("eer", "linear")]),
        (Options(cost=dcf.Cost(0.05, 2, 1)), [("min_dcf", "P=0.05 C=2,1")]),
        (Options(preset="sre08"), [("min_dcf", "P=0.01 C=10,1")]),
        (Options(preset="sre16"), [("min_dcf", "mean of P=0.01 C=1,1 and P=0.005 C=1,1")]),
        (Options(preset="voxceleb", cost=dcf.Cost(0.3)), [("min_dcf", "P=0.05 C=1,1")]),
    ],
)
def test_conventions_and_presets(of: Of, options: Options, names: list[tuple[str, str]]) -> None:
    evaluator = replace(of(VOICE, "clean"), options=options)
    found = verified(evaluator)
    said = [name for name in figures(found) if name[0] == names[0][0]]
    assert said == names
    points = rates.points(found.scores[found.trials.genuine], found.scores[~found.trials.genuine])
    for metric, convention in names:
        if metric == "eer":
            assert values(found)[metric, convention] == rates.eer(points, convention)
        else:
            costs = [dcf.min_dcf(points, c.p_target, c.c_miss, c.c_fa) for c in options.costs]
            assert values(found)[metric, convention] == pytest.approx(np.mean(costs), abs=1e-12)
    assert evaluator.hash != of(VOICE, "clean").hash


def test_figures_by_gender(of: Of, av_manifest: Manifest) -> None:
    evaluator = replace(of(ATTENTION, "missing=voice@probe"), options=Options(by_gender=True))
    found = verified(evaluator)
    genders = av_manifest.subjects["gender"].to_numpy(str)[av_manifest.items["subject"].to_numpy()]
    sides = genders[found.trials.enrolment], genders[found.trials.probe]
    assert {f.given for f in found.figures if f.metric == "eer"} == {"", "gender=F", "gender=M"}
    for gender in "FM":
        of_both = (sides[0] == gender) & (sides[1] == gender)
        scores, kinds = found.scores[of_both], found.trials.genuine[of_both]
        figure = figures(found, f"gender={gender}")["eer", "linear"]
        assert figure.value == rates.eer(rates.points(scores[kinds], scores[~kinds]))
        assert (figure.n, figure.n_genuine, figure.n_imputed) == (of_both.sum(), kinds.sum(), of_both.sum())


def test_rows_carry_everything(of: Of, av_manifest: Manifest) -> None:
    evaluator = of(ATTENTION, "voice=random@probe")
    found = verified(evaluator)
    rows = evaluator.rows(found)
    assert [(r.task, r.metric, r.convention, r.given) for r in rows] == [
        ("verification", "eer", "linear", ""),
        ("verification", "eer", "rocch", ""),
        ("verification", "min_dcf", "P=0.01 C=1,1", ""),
        ("verification", "act_dcf", "P=0.01 C=1,1, logistic", ""),
        ("verification", "cllr", "logistic", ""),
        ("verification", "cllr", "pav", ""),
        ("verification", "min_cllr", "", ""),
        ("verification", "above_mean_face", "", "Smiling"),
        ("verification", "wald_half_width_face", "", "Smiling"),
        ("verification", "above_mean_voice", "", "Smiling"),
        ("verification", "wald_half_width_voice", "", "Smiling"),
    ]
    first = rows[0]
    assert (first.result, first.protocol, first.manifest) == (evaluator.hash, "audiovisual", av_manifest.hash)
    assert (first.data, first.n_subjects, first.split, first.segment_s) == ("tiny", 12, "subject", "1.015")
    assert (first.fusion, first.modalities, first.trained_tasks) == ("attention", "face+voice", "verification")
    assert (first.backbone, first.weights, first.precision) == ("vectors", "", "fp32")
    assert (first.train_condition, first.test_condition) == ("clean", "voice=random@probe")
    assert (first.trials, first.fold, first.rule_weights) == ("of different videos or chapters", "mean", "")


def test_saved_scores_reproduce_the_figures(of: Of, av_settings: Settings, tmp_path: Path) -> None:
    evaluator = of(ATTENTION, "clean")
    found = verified(evaluator)
    elsewhere = replace(evaluator, settings=replace(av_settings, home=tmp_path))
    elsewhere.save(found)
    saved = {p.stem: np.load(p, allow_pickle=False) for p in elsewhere.folder.glob("*.npy")}
    of_items = {"item", "id", "subject", "rows", "present", "weights"}
    drawn = {f"draws_{metric}" for metric in ("eer", "min_dcf", "act_dcf", "cllr", "cllr_pav", "min_cllr")}
    assert set(saved) == {"scores", "genuine", "enrolment", "probe", "llr"} | of_items | drawn
    rows = results.read(elsewhere.folder / "rows.csv")
    assert rows == evaluator.rows(found)
    points = rates.points(saved["scores"][saved["genuine"]], saved["scores"][~saved["genuine"]])
    assert rows[0].value == pytest.approx(rates.eer(points), abs=1e-6)
    table = evaluator.manifest.trials[evaluator.manifest.trials["part"] == "test"]
    assert saved["enrolment"].tolist() == table["enrolment"].tolist()
    assert saved["probe"].tolist() == table["probe"].tolist()
    items = evaluator.manifest.items.set_index("item")
    assert saved["item"].tolist() == sorted({*table["enrolment"], *table["probe"]})
    assert saved["id"].tolist() == items["id"][saved["item"]].tolist()
    assert saved["subject"].tolist() == items["subject"][saved["item"]].tolist()
    sides = [saved["subject"][np.searchsorted(saved["item"], saved[side])] for side in ("enrolment", "probe")]
    assert np.array_equal(sides[0] == sides[1], saved["genuine"])
    llrs = [saved["llr"][kinds] for kinds in (saved["genuine"], ~saved["genuine"])]
    assert next(row for row in rows if row.metric == "cllr").value == pytest.approx(cllr(*llrs), abs=1e-6)
