"""People: who tests, who trains and who tunes, and whose face goes with whose voice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mmbio.data import pairing
from mmbio.data.pairing import Candidate, Virtual
from mmbio.data.plan import Plan
from mmbio.errors import MmbioError
from mmbio.words import plural

TEST_SHARE: Final = 0.5  # of the subjects of a set that does not say who tests; the paper's sets do
ALL: Final = 10**9  # pairs at most
DEV_SHARE: Final = 0.2  # of the subjects that do not test: they tune, the others train


@dataclass(frozen=True)
class Person:
    """A subject of the experiment: the public subject behind each modality."""

    split: str
    gender: str  # "F", "M" or ""
    virtual: Virtual


def joined(found: Mapping[str, Sequence[Candidate]], plan: Plan) -> list[Person]:
    """The subjects of one set, in any of its modalities."""
    by_name: dict[str, Virtual] = {}
    for modality, people in found.items():
        for person in people:
            by_name.setdefault(person.subject, {})[modality] = person
    everyone = [by_name[name] for name in sorted(by_name)]
    parts = [_part(v) for v in everyone]
    rng = np.random.default_rng([plan.seed, 10])
    if "test" not in parts:
        if "dev" in parts:
            raise MmbioError("no subject is in part test; mark some subjects as test, or leave the parts empty")
        n_test = max(1, round(TEST_SHARE * len(everyone)))
        order = rng.permutation(len(everyone))
        parts = ["test" if rank < n_test else "dev" for rank in np.argsort(order)]
    tested = [v for v, part in zip(everyone, parts, strict=True) if part == "test"]
    rest = [v for v, part in zip(everyone, parts, strict=True) if part != "test"]
    if plan.subjects is not None and len(tested) > 1:
        if not 2 <= plan.subjects <= len(tested):
            raise MmbioError(f"--subjects {plan.subjects}: {len(tested)} subjects test; ask for 2 to {len(tested)}")
        tested = [tested[i] for i in np.sort(rng.permutation(len(tested))[: plan.subjects])]
    return _numbered(tested, rest, plan)


def chimeric(found: Mapping[str, Sequence[Candidate]], plan: Plan, dropped: Counter[str]) -> list[Person]:
    """Public subjects of different sets paired; those left over after pairing train and tune on their own."""
    matched = tuple(found) if plan.match == "gender" else ()
    usable: dict[str, list[Candidate]] = {}
    for modality, people in found.items():
        usable[modality] = [c for c in people if c.gender or not matched]
        if len(usable[modality]) < len(people):
            dropped[f"{modality}: gender not known"] += len(people) - len(usable[modality])
    rng = np.random.default_rng([plan.seed, 10])
    says = [m for m, people in usable.items() if any(c.part == "test" for c in people)]
    pools = {m: [c for c in people if m not in says or c.part == "test"] for m, people in usable.items()}
    cure = "use --match none" if matched else "add subjects"
    tested = [v for _, v in pairing.pair(pools, matched, plan.subjects, ALL, rng, cure=cure)]
    if not says and plan.subjects is None:  # nobody says who tests: half of the pairs that fit, in each gender
        tested = tested[::2]
    for modality in says if plan.subjects is None else ():
        if len(tested) < len(pools[modality]):
            dropped[f"{modality}: test subjects without a partner"] += len(pools[modality]) - len(tested)
    gone = {(m, c.subject) for v in tested for m, c in v.items()}
    left = {m: [c for c in people if (m, c.subject) not in gone and c.part != "test"] for m, people in usable.items()}
    paired: list[Virtual] = []
    if all(left.values()):
        paired = [v for _, v in pairing.pair(left, matched, None, ALL, rng, least=0)]
    gone = {(m, c.subject) for v in paired for m, c in v.items()}
    alone: list[Virtual] = [{m: c} for m, people in left.items() for c in people if (m, c.subject) not in gone]
    return _numbered(tested, [*paired, *alone], plan)


def _numbered(tested: Sequence[Virtual], rest: Sequence[Virtual], plan: Plan) -> list[Person]:
    """Those who test, then those who train and tune: of the latter a share tunes."""
    if len(tested) < 2:
        raise MmbioError(
            f"{plural(len(tested), 'subject')} to test where at least 2 are needed; add data or mark more as test"
        )
    rng = np.random.default_rng([plan.seed, 11])
    n_dev = max(min(2, len(rest) // 2), round(DEV_SHARE * len(rest)))
    # Complete subjects and those with one modality are split apart, so that both blocks have pairs.
    order = sorted(rng.permutation(len(rest)).tolist(), key=lambda i: -len(rest[i]))
    step = len(rest) / n_dev if n_dev else 0.0
    dev = {order[int(k * step)] for k in range(n_dev)}
    people = [Person("test", _gender(v), v) for v in tested]
    if not rest:
        raise MmbioError(
            f"all {len(people)} subjects test and none is left to train on; mark some as dev or add others"
        )
    return people + [Person("dev" if i in dev else "train", _gender(v), v) for i, v in enumerate(rest)]


def _gender(virtual: Virtual) -> str:
    genders = [c.gender for m in ("voice", *virtual) if (c := virtual.get(m)) is not None and c.gender]
    return genders[0] if genders else ""


def _part(virtual: Virtual) -> str:
    parts = {c.part for c in virtual.values() if c.part}
    if len(parts) > 1:
        raise MmbioError(f"subject {next(iter(virtual.values())).subject} is in dev and in test; put them in one")
    return parts.pop() if parts else ""
