"""Own: embedding files as a user may have them, of nobody."""

from pathlib import Path
from typing import Final

import numpy as np

PEOPLE: Final = {"test": 6, "dev": 8}  # by part
CLIPS: Final = 6  # a person, two a video
DIMS: Final = {"face": (16, 0.6), "voice": (12, 0.8)}  # numbers of a vector, and how far clips scatter


def write(folder: Path) -> None:
    """Write face.npz and voice.npz with ids and vectors, and who.csv with an attribute, below `folder`."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    people = [(part, f"{part}{i:02d}", "FM"[i % 2]) for part, n in PEOPLE.items() for i in range(n)]
    clips = [(*who, f"v{i // 2}", f"c{i % 2}") for who in people for i in range(CLIPS)]
    ids = np.array([f"{name}/{video}/{clip}" for _, name, _, video, clip in clips])
    for modality, (dim, scatter) in DIMS.items():
        centres = np.repeat(rng.standard_normal((len(people), dim)), CLIPS, axis=0)
        vectors = centres + scatter * rng.standard_normal(centres.shape)
        np.savez(folder / f"{modality}.npz", ids=ids, vectors=vectors.astype(np.float32))
    rows = [
        f"{name}/{video}/{clip},{name},{gender},{name}/{video},{name}/{video}/{clip},{part},{rng.integers(2)}\n"
        for part, name, gender, video, clip in clips
    ]
    (folder / "who.csv").write_text("id,subject,gender,video,clip,part,Smiling\n" + "".join(rows), encoding="utf-8")
