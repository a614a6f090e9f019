"""Counts: remarks where a set on disk differs from the set as it was published."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmbio.data.samples import Sample, SampleSet
from mmbio.errors import MmbioError
from mmbio.words import plural


def counted(
    name: str,
    folder: Path,
    samples: Sequence[Sample],
    *,
    layout: str,
    n_subjects: int | None = None,
    n_samples: int | None = None,
    per_subject: int | None = None,
    nouns: tuple[str, str] = ("subject", "image"),
    notes: Sequence[str] = (),
) -> SampleSet:
    """A set with a note for each count that differs from the published one; None where none is published.

    `nouns` are the words for a subject and a sample. Raises MmbioError for an empty set,
    saying which `layout` was looked for.
    """
    if not samples:
        raise MmbioError(f"{folder}: holds no {layout}; unpack the set's archive there again")
    each = Counter(sample.subject for sample in samples)
    remarks = [*_differs(name, len(each), n_subjects, nouns[0]), *_differs(name, len(samples), n_samples, nouns[1])]
    odd = [f"{subject}: {n}" for subject, n in each.items() if per_subject is not None and n != per_subject]
    if odd:
        named = ", ".join(odd[:5]) + (", ..." if len(odd) > 5 else "")
        remarks.append(
            f"{name}: {plural(len(odd), nouns[0])} with other than {plural(per_subject or 0, nouns[1])} ({named})"
        )
    return SampleSet(name, folder, tuple(samples), (*notes, *remarks))


def _differs(name: str, n: int, published: int | None, noun: str) -> list[str]:
    return [f"{name}: {plural(n, noun)} where the set has {published}"] if published not in (None, n) else []
