"""Pairing: public subjects of different sets become virtual subjects ("Virtual Dataset")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmbio.data.samples import Sample, SampleSet
from mmbio.errors import MmbioError
from mmbio.words import plural


@dataclass(frozen=True)
class Candidate:
    """A public subject who can fill every block of the split in one modality."""

    set_name: str
    subject: str
    samples: tuple[Sample, ...]
    n_beats: tuple[int, ...] = ()  # per sample, for ECG
    folder: Path = Path()  # of the set

    @property
    def gender(self) -> str | None:
        return self.samples[0].gender

    @property
    def age(self) -> int | None:
        ages = [s.age for s in self.samples if s.age is not None]
        return min(ages) if ages else None

    @property
    def part(self) -> str:
        """`dev` or `test` where the set says so of any sample; raises MmbioError where it says both."""
        parts = {s.part for s in self.samples} - {""}
        if len(parts) > 1:
            raise MmbioError(f"{self.set_name}: subject {self.subject} is in dev and in test; put them in one of them")
        return parts.pop() if parts else ""


Virtual = dict[str, Candidate]  # modality -> the public subject behind it


def people(found: SampleSet) -> list[Candidate]:
    """The subjects of a set with their samples in capture order."""
    by_subject: dict[str, list[Sample]] = {}
    for sample in found.samples:
        by_subject.setdefault(sample.subject, []).append(sample)
    return [
        Candidate(found.name, subject, tuple(sorted(samples, key=lambda s: s.order)), folder=found.folder)
        for subject, samples in by_subject.items()
    ]


def pair(
    candidates: Mapping[str, Sequence[Candidate]],
    matched: Sequence[str],
    n_subjects: int | None,
    at_most: int,
    rng: np.random.Generator,
    least: int = 1,
    cure: str = "widen --ages",
) -> list[tuple[str, Virtual]]:
    """Pair subjects of equal gender over the `matched` modalities, and others at random.

    Returns (gender, virtual subject) for `n_subjects`, or, None, for as many as fit up to `at_most`; the gender
    is "" where nothing is matched.
    Where fewer are taken than fit, genders keep their shares (the paper does not say).
    Raises MmbioError where `n_subjects` do not fit, or fewer than `least`; `cure` says how more would.
    """
    by_gender = {g: {m: [c for c in candidates[m] if c.gender == g] for m in matched} for g in ("F", "M") if matched}
    room = {g: min(len(found) for found in by_gender[g].values()) for g in by_gender}
    free = [m for m in candidates if m not in matched]
    fits = min([*([sum(room.values())] if matched else []), *(len(candidates[m]) for m in free)])
    n = min(at_most, fits) if n_subjects is None else n_subjects
    if n > fits or n < least:
        raise MmbioError(_does_not_fit(n, fits, room, candidates, matched, cure))
    taken = _shares(n, room)
    chosen: dict[str, list[Candidate]] = {
        m: [c for g in taken for c in _sample(by_gender[g][m], taken[g], rng)] for m in matched
    }
    chosen |= {m: _sample(candidates[m], n, rng) for m in free}
    genders = [g for g in taken for _ in range(taken[g])] if matched else [""] * n
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
    cure: str,
) -> str:
    found = ", ".join(f"{len(c)} {m}" for m, c in candidates.items())
    matching = f" ({room['F']} F, {room['M']} M matched by gender over {' and '.join(matched)})" if matched else ""
    cure = f"ask for 1 to {fits} with --subjects or leave it out, or {cure}" if fits else f"{cure} or add data"
    fit = plural(fits, "virtual subject fits", "virtual subjects fit")
    return f"--subjects {n}: at most {fit}{matching} from {found} subjects; {cure}"
