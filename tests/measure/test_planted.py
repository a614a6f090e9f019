"""Attention on the simulation: the analysis finds the planted effects, and of the rest no more than its error rate."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from mmbio.conditions import Condition
from mmbio.data import vector_sets
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.data.synthetic.embeddings import ATTRIBUTES, NAME, PLANTED, Size, simulate
from mmbio.data.virtual import build
from mmbio.embed.settings import Settings
from mmbio.fuse.config import Config, Optimiser
from mmbio.fuse.run import train
from mmbio.measure.attended import attributes_of
from mmbio.measure.attention import Analysis, analyse
from mmbio.measure.evaluate import Evaluator
from mmbio.protocols import AUDIOVISUAL

SIZE = Size(n_test=800, n_test_clips=12_000, n_dev=1_000, n_dev_clips=6_000)
QUICK = Optimiser(rate=3e-4, batch=120, epochs=8, steps=50)
LEVEL, LEAST_SUBJECTS = 0.05, 15


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """The attention of a system C that is trained on the simulation, by all its attributes."""
    home: Path = tmp_path_factory.mktemp("planted")
    made = simulate("quick", 0, size=SIZE)
    vector_sets.write(home / "set", NAME, made.samples, made.vectors, synthetic=True)
    manifest = build(resolve(AUDIOVISUAL, str(home / "set"), {}, home), Plan(AUDIOVISUAL), home)
    config = Config("audiovisual", "attention", ("face", "voice"), ("verification",), segment_s=1.015, optimiser=QUICK)
    settings = Settings(home, device="cpu")
    found = Evaluator(manifest, train(manifest, config, settings), Condition(), settings).run()
    assert found.weights is not None
    items = manifest.items.iloc[found.rows]
    return analyse(
        found.weights[0],
        ("face", "voice"),
        items["subject"].to_numpy(),
        attributes_of(manifest, found.rows),
        sessions=items["video"].to_numpy(str),
        permutations=1000,
    )


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_effect_is_found_where_enough_people_have_it(analysis: Analysis, name: str) -> None:
    (row,) = [r for r in analysis.rows if (r.attribute, r.modality) == (name, "face")]
    towards_the_face = row.share > analysis.above["face"]
    assert towards_the_face == (PLANTED[name] > 0)
    if row.n_subjects >= LEAST_SUBJECTS:
        assert row.p <= LEVEL


def test_enough_effects_can_be_found(analysis: Analysis) -> None:
    rows = [r for r in analysis.rows if r.attribute in PLANTED and r.modality == "face"]
    assert sum(r.n_subjects >= LEAST_SUBJECTS for r in rows) >= 6


def test_of_the_rest_no_more_is_found_than_the_error_rate(analysis: Analysis) -> None:
    rest = [r for r in analysis.rows if r.attribute not in PLANTED and r.modality == "face"]
    assert len(rest) == len(ATTRIBUTES) - len(PLANTED) + 9  # and the nine bins of head angles
    assert sum(r.p <= LEVEL for r in rest) <= binom.ppf(0.999, len(rest), LEVEL)
    assert not any(r.p_holm <= LEVEL for r in rest)


def test_shares_of_two_modalities_are_complements(analysis: Analysis) -> None:
    shares = np.array([r.share for r in analysis.rows]).reshape(-1, 2)
    np.testing.assert_allclose(shares.sum(1), 1, atol=0.02)
