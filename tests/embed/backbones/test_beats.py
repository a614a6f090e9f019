"""Beats: three of one record, as they are or under noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmbio.data import signals
from mmbio.data.manifest import Manifest
from mmbio.embed.backbones.beats import embed
from mmbio.errors import MmbioError

ROWS = np.array([0, 20, 89])


def test_the_beats_of_the_manifest(tiny_manifest: Manifest) -> None:
    found = embed(tiny_manifest, ROWS, 0.0)
    assert found.shape == (3, 3, 300)
    assert found.dtype == np.float32
    triplet = tiny_manifest.items.iloc[20]
    path, _ = tiny_manifest.paths("ecg")[triplet["ecg_sample"]]
    assert np.array_equal(found[1], signals.beats(path)[[int(b) for b in triplet["ecg_draw"].split()]])
    assert found.min() == 0
    assert found.max() == 1


def test_noise_is_as_strong_as_asked_and_belongs_to_the_triplet(tiny_manifest: Manifest) -> None:
    everything = np.arange(90)
    noisy = embed(tiny_manifest, everything, 0.1)
    noise = noisy - embed(tiny_manifest, everything, 0.0)
    assert abs(float(noise.std()) - 0.1) < 0.002
    assert abs(float(noise.mean())) < 0.002
    assert np.array_equal(embed(tiny_manifest, ROWS, 0.1), noisy[ROWS])
    assert len(np.unique(noise[:, 0, 0])) == 90


def test_another_seed_is_other_noise(tiny_manifest: Manifest) -> None:
    other = replace(tiny_manifest, info=tiny_manifest.info | {"seed": 1})
    assert np.array_equal(embed(tiny_manifest, ROWS, 0.0), embed(other, ROWS, 0.0))
    assert not np.array_equal(embed(tiny_manifest, ROWS, 0.1), embed(other, ROWS, 0.1))


@pytest.mark.parametrize(("make", "told"), [(False, "is not there .*put the file back"), (True, "has changed since")])
def test_records_that_moved_or_changed(tiny_manifest: Manifest, tmp_path: Path, make: bool, told: str) -> None:
    source = tiny_manifest.info["sources"]["ecg"] | {"folder": str(tmp_path)}
    moved = replace(tiny_manifest, info=tiny_manifest.info | {"sources": {"ecg": source}})
    if make:
        for path in tiny_manifest.samples.loc[tiny_manifest.samples["modality"] == "ecg", "path"]:
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text("another header")
    with pytest.raises(MmbioError, match=rf"\.hea: .*{told}"):
        embed(moved, ROWS, 0.0)
