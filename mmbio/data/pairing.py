"""Pairing: public subjects of different sets become virtual subjects ("Virtual Dataset")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmbio.data.samples import Sample
from mmbio.errors import MmbioError


@dataclass(frozen=True)
class Candidate:
    """A public subject who can fill every block of the split in one modality."""

    set_name: str
    subject: str
    samples: tuple[Sample, ...]
    n_beats: tuple[int, ...] = ()  # per sample, for ECG

    @property
    def gender(self) -> str | None:
        return self.samples[0].gender

    @property
    def age(self) -> int | None:
        ages = [s.age for s in self.samples if s.age is not None]
        return min(ages) if ages else None


Virtual = dict[str, Candidate]  # modality -> the public subject behind it


def pair(
    candidates: Mapping[str, Sequence[Candidate]],
    matched: Sequence[str],
    n_subjects: int | None,
    at_most: int,
    rng: np.random.Generator,
) -> list[tuple[str, Virtual]]:
    """Pair subjects of equal gender over the `matched` modalities, and others at random.

    Returns (gender, virtual subject) for `n_subjects`, or, None, for as many as fit up to `at_most`.
    Where fewer are taken than fit, genders keep their shares (the paper does not say).
    Raises MmbioError where `n_subjects` do not fit.
    """
    by_gender = {g: {m: [c for c in candidates[m] if c.gender == g] for m in matched} for g in ("F", "M")}
    room = {g: min(len(found) for found in by_gender[g].values()) for g in by_gender}
    free = [m for m in candidates if m not in matched]
    fits = min([sum(room.values()), *(len(candidates[m]) for m in free)])
    n = min(at_most, fits) if n_subjects is None else n_subjects
    if n > fits or n < 1:
        raise MmbioError(_does_not_fit(n, fits, room, candidates, matched))
    taken = _shares(n, room)
    chosen: dict[str, list[Candidate]] = {
        m: [c for g in taken for c in _sample(by_gender[g][m], taken[g], rng)] for m in matched
    }
    chosen |= {m: _sample(candidates[m], n, rng) for m in free}
    genders = [g for g in taken for _ in range(taken[g])]
    return [(genders[i], {m: chosen[m][i] for m in candidates}) for i in range(n)]


def _sample(found: Sequence[Candidate], n: int, rng: np.random.Generator) -> list[Candidate]:
    return [found[i] for i in rng.permutation(len(found))[:n]]


def _shares(n: int, room: Mapping[str, int]) -> dict[str, int]:
    """Split n over genders in proportion to their room, by largest remainder."""
    exact = {g: n * r / max(1, sum(room.values())) for g, r in room.items()}
    taken = {g: int(x) for g, x in exact.items()}
    for g in sorted(exact, key=lambda g: taken[g] - exact[g])[: n - sum(taken.values())]:
        taken[g] += 1
    return taken


def _does_not_fit(
    n: int,
    fits: int,
    room: Mapping[str, int],
    candidates: Mapping[str, Sequence[Candidate]],
    matched: Sequence[str],
) -> str:
    found = ", ".join(f"{len(c)} {m}" for m, c in candidates.items())
    matching = f" ({room['F']} F, {room['M']} M matched by gender over {' and '.join(matched)})" if matched else ""
    cure = (
        f"ask for 1 to {fits} with --subjects or leave it out, or widen --ages" if fits else "widen --ages or add data"
    )
    return f"--subjects {n}: at most {fits} virtual subjects fit{matching} from {found} subjects; {cure}"
