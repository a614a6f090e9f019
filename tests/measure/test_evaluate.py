"""Evaluation on the tiny manifest: conditions, score rules by hand, what is saved, what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.conditions import combine, parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure import results
from mmbio.measure.classify import Classified
from mmbio.measure.evaluate import Evaluator, settings_of
from mmbio.protocols import MULTITASK

QUICK = Optimiser(epochs=4)
ATTENTION = Config("multitask", "attention", ("ecg", "face"), MULTITASK.tasks, folds=2, optimiser=QUICK)
RULE_WEIGHTS = {"ecg": 0.75, "face": 0.25}
SCORE_SUM = replace(ATTENTION, fusion="score-sum", rule_weights=RULE_WEIGHTS)
UNSEEN = replace(ATTENTION, fusion="score-sum", tasks=("gender",), unseen=True)
Of = Callable[[Config, str], Evaluator]


@pytest.fixture
def of(tiny_manifest: Manifest, tiny_settings: Settings) -> Of:
    def of(config: Config, condition: str) -> Evaluator:
        checkpoint = train(tiny_manifest, config, tiny_settings)
        return Evaluator(tiny_manifest, checkpoint, parse(condition), tiny_settings)

    return of


def classified(evaluator: Evaluator) -> Classified:
    found = evaluator.run()
    assert isinstance(found, Classified)
    return found


def test_clean(of: Of, tiny_manifest: Manifest) -> None:
    evaluator = of(ATTENTION, "clean")
    found = classified(evaluator)
    assert found.rows.tolist() == tiny_manifest.partitions()[0].test.tolist()
    assert found.present.tolist() == [[True, True, False]] * 18
    assert {task: p.shape for task, p in found.posteriors.items()} == {
        "identification": (2, 18, 6),
        "gender": (2, 18, 2),
    }
    for p in found.posteriors.values():
        np.testing.assert_allclose(p.sum(2), 1.0, rtol=1e-5)
    assert found.weights is not None
    np.testing.assert_allclose(found.weights.sum(2), 1.0, rtol=1e-5)
    assert not found.weights[:, :, 2].any()
    assert found.majorities == {"gender": 0.5}
    assert {task: (a.n, len(a.folds)) for task, a in found.accuracies.items()} == {
        "identification": (18, 2),
        "gender": (18, 2),
    }


@pytest.mark.parametrize("condition", ["missing=ecg", "missing=ecg,face=zeros", "missing=ecg,missing=face"])
def test_missing_is_told(of: Of, condition: str) -> None:
    evaluator = of(ATTENTION, condition)
    found = classified(evaluator)
    assert found.weights is not None
    assert not found.present[:, 0].any()
    assert not found.weights[:, :, 0].any()
    assert np.isfinite(found.posteriors["gender"]).all()
    assert {(row.n_imputed, row.n_missing) for row in evaluator.rows(found)} == {(18, 0)}


def test_a_null_is_not_told(of: Of) -> None:
    null, clean = of(ATTENTION, "face=zeros"), of(ATTENTION, "clean")
    found = classified(null)
    assert found.present.tolist() == [[True, True, False]] * 18
    assert found.weights is not None
    assert (found.weights[:, :, 1] > 0).all()
    assert {(row.n_imputed, row.n_missing) for row in null.rows(found)} == {(0, 0)}
    assert not np.array_equal(found.posteriors["gender"], classified(clean).posteriors["gender"])


def test_nulls_are_the_same_each_time(of: Of) -> None:
    first, again = (classified(of(ATTENTION, "face=random")) for _ in range(2))
    assert np.array_equal(first.posteriors["identification"], again.posteriors["identification"])


def test_the_condition_and_the_checkpoint_are_the_identity(of: Of) -> None:
    hashes = [of(ATTENTION, c).hash for c in ("clean", "missing=ecg", "face=zeros")]
    assert len({*hashes, of(SCORE_SUM, "clean").hash}) == 4
    assert of(ATTENTION, "clean").hash == hashes[0]


@pytest.mark.parametrize(
    ("condition", "w_ecg", "w_face"), [("clean", 0.75, 0.25), ("missing=face", 1.0, 0.0), ("face=zeros", 0.75, 0.25)]
)
def test_score_level_is_its_members_posteriors_by_hand(of: Of, condition: str, w_ecg: float, w_face: float) -> None:
    fused = classified(of(SCORE_SUM, condition))
    effects = parse(condition).effects
    ecg, face = (
        classified(of(member, str(combine(e for e in effects if e.modality in member.modalities))))
        for member in SCORE_SUM.members()
    )
    assert fused.weights is None
    for task in MULTITASK.tasks:
        expected = w_ecg * ecg.posteriors[task] + w_face * face.posteriors[task]
        np.testing.assert_allclose(fused.posteriors[task], expected, rtol=1e-4, atol=1e-6)


def test_unseen_subjects_are_tested_once_each(of: Of, tiny_manifest: Manifest) -> None:
    config = replace(UNSEEN, folds=None)
    evaluator = of(config, "clean")
    found = classified(evaluator)
    parts = tiny_manifest.partitions(unseen=True)
    tested = ~np.isnan(found.posteriors["gender"]).all(2)  # (K, N)
    assert len(found.rows) == len(tiny_manifest.items)
    assert (tested.sum(0) == 1).all()
    for fold, part in enumerate(parts):
        assert found.rows[tested[fold]].tolist() == part.test.tolist()
    rows = evaluator.rows(found)
    assert {row.split for row in rows} == {"triplet-unseen"}
    assert [row.n for row in rows if row.metric == "accuracy"] == [*(len(p.test) for p in parts), 90]
    assert found.accuracies["gender"].folds == pytest.approx(
        [row.value for row in rows if row.metric == "accuracy"][:-1], abs=1e-6
    )


def test_rows_carry_everything(of: Of, tiny_manifest: Manifest) -> None:
    evaluator = of(SCORE_SUM, "missing=ecg")
    found = classified(evaluator)
    rows = evaluator.rows(found)
    assert [(r.task, r.fold, r.metric) for r in rows] == [
        ("identification", "0", "accuracy"),
        ("identification", "1", "accuracy"),
        ("identification", "mean", "accuracy"),
        ("gender", "0", "accuracy"),
        ("gender", "1", "accuracy"),
        ("gender", "mean", "accuracy"),
        ("gender", "mean", "majority"),
    ]
    mean = rows[2]
    assert (mean.result, mean.protocol, mean.data, mean.manifest) == (
        evaluator.hash,
        "multitask",
        "synthetic",
        tiny_manifest.hash,
    )
    assert (mean.n_subjects, mean.split, mean.scale, mean.n, mean.n_imputed, mean.seed) == (
        6,
        "triplet",
        "quick",
        18,
        18,
        0,
    )
    assert (mean.fusion, mean.rule_weights, mean.modalities) == ("score-sum", "ecg=0.75 face=0.25", "ecg+face")
    assert (mean.trained_tasks, mean.backbone, mean.weights) == ("identification+gender", "resnet50", "random-0")
    assert (mean.train_condition, mean.test_condition) == ("clean", "missing=ecg")
    accuracy = found.accuracies["identification"]
    assert accuracy.method in ("subject-bootstrap", "wilson-by-subject")
    assert (mean.interval, rows[0].interval, rows[-1].interval) == (accuracy.method, "", "")
    assert (mean.value, mean.low, mean.high) == pytest.approx((accuracy.value, accuracy.low, accuracy.high), abs=1e-6)
    assert rows[-1].value == 0.5


def test_a_network_that_diverged_is_no_untested_fold(of: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(*_: object) -> tuple[dict[str, np.ndarray], None]:
        return {"gender": np.full((18, 2), np.nan)}, None

    evaluator = of(ATTENTION, "clean")
    monkeypatch.setattr("mmbio.fuse.train.predict", diverged)
    with pytest.raises(MmbioError, match="the network of fold 0 gives posteriors that are no numbers"):
        evaluator.run()


def test_beats_alone_have_no_backbone(of: Of) -> None:
    row = of(replace(ATTENTION, fusion="concat", modalities=("ecg",)), "clean")
    first = row.rows(row.run())[0]
    assert (first.backbone, first.weights, first.precision) == ("beats", "", "fp32")


def test_one_fold_has_only_its_mean(of: Of) -> None:
    evaluator = of(replace(ATTENTION, modalities=("ecg",), tasks=("identification",), folds=1), "clean")
    assert [row.fold for row in evaluator.rows(evaluator.run())] == ["mean"]


def test_saved_posteriors_reproduce_the_accuracy(of: Of, tiny_settings: Settings, tmp_path: Path) -> None:
    evaluator = of(ATTENTION, "missing=ecg")
    found = classified(evaluator)
    elsewhere = replace(evaluator, settings=replace(tiny_settings, home=tmp_path))
    elsewhere.save(found)
    elsewhere.save(found)  # again, as one who runs eval twice does
    saved = {p.stem: np.load(p, allow_pickle=False) for p in elsewhere.folder.glob("*.npy")}
    assert set(saved) == {
        *("posterior_identification", "posterior_gender", "label_identification", "label_gender"),
        *("rows", "present", "weights", "item", "id", "subject"),
    }
    rows = results.read(elsewhere.folder / "rows.csv")
    assert rows == results.read(tmp_path / "results.csv") == evaluator.rows(found)
    for row in rows:
        correct = saved[f"posterior_{row.task}"].argmax(2) == saved[f"label_{row.task}"]
        if row.metric == "accuracy":
            share = correct.mean() if row.fold == "mean" else correct[int(row.fold)].mean()
            assert row.value == pytest.approx(share, abs=1e-6)
    assert json.loads((elsewhere.folder / "key.json").read_text()) == evaluator.key


def test_a_checkpoint_of_another_manifest(of: Of, tiny_manifest: Manifest) -> None:
    evaluator = of(replace(ATTENTION, modalities=("ecg",)), "clean")
    other = replace(tiny_manifest, info=tiny_manifest.info | {"hash": "f" * 16})
    with pytest.raises(MmbioError, match=f"trained on manifest {tiny_manifest.hash[:8]}, not on ffffffff; give"):
        replace(evaluator, manifest=other)


@pytest.mark.parametrize("side", ["enrolment", "probe"])
def test_a_side_is_refused(of: Of, side: str) -> None:
    evaluator = of(replace(ATTENTION, modalities=("ecg",)), "clean")
    with pytest.raises(MmbioError, match=f"condition 'face=zeros@{side}': sides belong to .* leave @{side} out"):
        replace(evaluator, condition=parse(f"face=zeros@{side}"))


def checkpoint_of(weights: str | None) -> Checkpoint:
    embeddings = {"face": {"backbone": "resnet50", "weights": weights, "precision": "bf16"}} if weights else {}
    return Checkpoint(Path("a.safetensors"), {"embeddings": embeddings})


@pytest.mark.parametrize(
    ("trained_on", "weights"), [("random-0", "random"), ("imagenet1k-v1", "imagenet"), (None, "auto")]
)
def test_vectors_are_those_of_the_training(trained_on: str | None, weights: str, tmp_path: Path) -> None:
    found = settings_of(checkpoint_of(trained_on), Settings(tmp_path))
    assert found.weights == weights
    assert found.precision == ("bf16" if trained_on else "auto")


def test_weights_that_are_not_at_hand(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"trained on the weights sha-1234; give that ResNet-50 file with --weights"):
        settings_of(checkpoint_of("sha-1234"), Settings(tmp_path))


def test_weights_that_are_others_than_those_of_the_training(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"trained on the weights random-0; leave --weights out"):
        settings_of(checkpoint_of("random-0"), Settings(tmp_path), "imagenet")
    assert settings_of(checkpoint_of("random-0"), Settings(tmp_path), "random").weights == "random"


def test_results_that_cannot_be_added_to_leave_nothing_behind(of: Of, tiny_settings: Settings, tmp_path: Path) -> None:
    evaluator = of(replace(ATTENTION, modalities=("ecg",)), "clean")
    (tmp_path / "results.csv").write_text("a,b\n")
    with pytest.raises(MmbioError, match="columns are those of another mmbio version"):
        replace(evaluator, settings=replace(tiny_settings, home=tmp_path)).save(evaluator.run())
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
