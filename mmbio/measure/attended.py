"""What an attention fusion attends to, by the attributes that came with a manifest (table 3)."""

import numpy as np

from mmbio.data.attributes import matched, of_table
from mmbio.data.manifest import Manifest
from mmbio.embed.conditioned import Embeddings
from mmbio.measure import attention
from mmbio.measure.results import Figure


def figures(
    manifest: Manifest, modalities: tuple[str, ...], embeddings: Embeddings, weights: np.ndarray, seed: int
) -> list[Figure]:
    """Of an attention fusion, where attributes of the items are known: P(weight above its mean | attribute)."""
    if not len(manifest.attributes) or len(modalities) < 2:
        return []
    used = [manifest.modalities.index(m) for m in modalities]
    present = embeddings.present[:, used]
    if not present.all(1).any():
        return []
    rows = embeddings.rows
    found = attributes_of(manifest, rows)
    subjects = manifest.items["subject"].to_numpy(np.int64)[rows]
    analysis = attention.analyse(
        weights[:, used], modalities, subjects, found, present=present, seed=seed, permutations=0
    )
    made = []
    for row in analysis.rows:
        if not row.n:
            continue
        has_interval = not np.isnan(row.clustered_low)
        low, high = (row.clustered_low, row.clustered_high) if has_interval else (None, None)
        made.append(
            Figure(
                "verification",
                f"above_mean_{row.modality}",
                row.share,
                row.n,
                low,
                high,
                interval="clustered by subject" if has_interval else "",
                given=row.attribute,
            )
        )
        half = (row.wald_high - row.wald_low) / 2
        made.append(Figure("verification", f"wald_half_width_{row.modality}", half, row.n, given=row.attribute))
    return made


def attributes_of(manifest: Manifest, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Attribute -> (n,) 1, 0 or nan of items `rows`, as they came with the manifest."""
    known = of_table(manifest.attributes)
    return known.at(matched(manifest.items["id"].to_numpy(str)[rows], known).rows)
