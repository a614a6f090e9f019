"""Verification of items that miss a modality: what is scored without it, what is not scored, and the counts."""

import numpy as np
import pandas as pd
import pytest

from mmbio.conditions import parse
from mmbio.data import vector_sets, virtual
from mmbio.data.manifest import Manifest
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.embed.conditioned import embeddings_under
from mmbio.embed.cosine import pair_scores
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.results import Figure
from mmbio.measure.trials import Trials, of_manifest
from mmbio.measure.verify import Options, Verified
from mmbio.protocols import AUDIOVISUAL

QUICK = Optimiser(epochs=2, steps=4, batch=20)


def verified(evaluator: Evaluator) -> Verified:
    found = evaluator.run()
    assert isinstance(found, Verified)
    return found


def figures(found: Verified, given: str = "") -> dict[tuple[str, str], Figure]:
    """Metric and convention -> figure, of all trials or of those given."""
    return {(f.metric, f.convention): f for f in found.figures if f.given == given}


def raw(manifest: Manifest, modality: str, trials: Trials) -> np.ndarray:
    """The cosines of trials in one modality, 0 where a side misses it."""
    rows, settings = np.arange(len(manifest.items)), Settings(manifest.folder.parents[1])
    vectors = embeddings_under(manifest, parse("clean"), [modality], rows, settings).vectors[modality]
    return pair_scores(vectors, vectors, trials.enrolment, trials.probe)


@pytest.fixture(scope="module")
def gappy(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Of eight subjects to test and twelve others, each with three videos, some samples miss the face or the voice."""
    home = tmp_path_factory.mktemp("gappy")
    names = [(part, f"{part}{i}") for part, n in (("test", 8), ("dev", 12)) for i in range(n)]
    rows = [(f"{name}/{v}", name, "", f"{name}/{v}", f"{name}/{v}", part) for part, name in names for v in "abc"]
    table = pd.DataFrame(rows, columns=list(vector_sets.COLUMNS))
    rng, n = np.random.default_rng(0), len(table)
    people = np.repeat(rng.standard_normal((len(names), 10)), 3, axis=0)
    vectors = {m: {"": people + noise * rng.standard_normal((n, 10))} for m, noise in (("face", 0.5), ("voice", 1.0))}
    table["face"] = np.where(np.arange(n) % 6 == 1, -1, np.arange(n))
    table["voice"] = np.where(np.arange(n) % 9 == 3, -1, np.arange(n))
    vector_sets.write(home / "gappy", "gappy", table, vectors)
    return virtual.build(resolve(AUDIOVISUAL, str(home / "gappy"), {}, home), Plan(AUDIOVISUAL), home)


def of_gappy(manifest: Manifest, fusion: str, *modalities: str, skip: bool = False) -> Evaluator:
    settings = Settings(manifest.folder.parents[1], device="cpu")
    config = Config("audiovisual", fusion, modalities or ("face", "voice"), AUDIOVISUAL.tasks, optimiser=QUICK)
    checkpoint = train(manifest, config, settings)
    return Evaluator(manifest, checkpoint, parse("clean"), settings, options=Options(skip_missing=skip))


@pytest.mark.parametrize("fusion", ["concat", "sum", "attention", "cosine"])
def test_items_that_miss_a_modality_are_imputed_and_counted(gappy: Manifest, fusion: str) -> None:
    found = verified(of_gappy(gappy, fusion))
    whole = gappy.has("face") & gappy.has("voice")
    lacking = ~(whole[found.trials.enrolment] & whole[found.trials.probe])
    assert 0 < lacking.sum() < len(lacking)
    assert np.isfinite(found.scores).all()
    assert {(f.n, f.n_imputed, f.n_missing) for f in figures(found).values()} == {(len(lacking), lacking.sum(), 0)}
    if found.weights is not None:
        assert not found.weights[0][~found.present].any()


def test_one_modality_alone_misses_trials(gappy: Manifest) -> None:
    trials, has = of_manifest(gappy), gappy.has("face")
    scored = has[trials.enrolment] & has[trials.probe]
    n = len(scored)
    with pytest.raises(MmbioError, match=f"{n - scored.sum()} of {n} trials cannot be scored .* without any modality"):
        of_gappy(gappy, "cosine", "face").run()
    found = verified(of_gappy(gappy, "cosine", "face", skip=True))
    assert {(f.n, f.n_imputed, f.n_missing) for f in figures(found).values()} == {(scored.sum(), 0, n - scored.sum())}
    assert np.array_equal(found.trials.enrolment, trials.enrolment[scored])


def test_logistic_scores_a_trial_by_what_both_sides_have(gappy: Manifest) -> None:
    with pytest.raises(MmbioError, match="have a side without any modality to compare"):
        of_gappy(gappy, "score-logistic").run()
    found = verified(of_gappy(gappy, "score-logistic", skip=True))
    trials = of_manifest(gappy)
    both = np.stack([gappy.has(m)[trials.enrolment] & gappy.has(m)[trials.probe] for m in ("face", "voice")], 1)
    n, scored = len(both), both.any(1)
    assert 0 < both.all(1).sum() < scored.sum() < n
    assert np.isfinite(found.scores).all()
    expected = {(scored.sum(), scored.sum() - both.all(1).sum(), n - scored.sum())}
    assert {(f.n, f.n_imputed, f.n_missing) for f in figures(found).values()} == expected
    face, voice = (raw(gappy, m, found.trials) for m in ("face", "voice"))
    whole = both[scored].all(1)
    weighed = found.rule["face"] * face + found.rule["voice"] * voice + found.rule["bias"]
    np.testing.assert_allclose(found.scores[whole], weighed[whole])
    only_voice = ~both[scored][:, 0]
    order = np.argsort(found.scores[only_voice], kind="stable")
    assert np.array_equal(order, np.argsort(voice[only_voice], kind="stable"))
