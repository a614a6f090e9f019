"""Clips: faces and voices -> subjects, items with both, and trials (the audio-visual paper, 4.1).

Sets of one name are of the same people and are joined clip by clip. Sets of different names make chimeric
subjects: a face of one person and a voice of another, as in the other protocol.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

import numpy as np
import pandas as pd

from mmbio.data import audio, pairing, trials
from mmbio.data.listed import sample_name, sample_rows
from mmbio.data.pairing import Candidate
from mmbio.data.people import Person
from mmbio.data.people import chimeric as chimeric_people
from mmbio.data.people import joined as joined_people
from mmbio.data.plan import Drawn, Plan
from mmbio.data.readers.listing import IMAGES
from mmbio.data.samples import Sample, SampleSet
from mmbio.errors import MmbioError
from mmbio.protocols import DEV_SECONDS, MODALITIES, SEGMENTS
from mmbio.report import Report, silent
from mmbio.words import plural

DEV_TRIALS: Final = 20_000  # at most, of each kind, to fit score-level fusion on
RULES: Final = {
    "video": "of different videos or chapters",
    "clip": "of different clips, which may share a video or chapter",
    "segment": "of different segments, which may share a clip",
}

Row = dict[str, object]


def check(_plan: Plan, sets: Mapping[str, Sequence[SampleSet]]) -> None:
    """Refuse sets that cannot be joined: a vector set beside another set."""
    names = {s.name for found in sets.values() for s in found}
    if len(names) > 1 and any(s.vectors for found in sets.values() for s in found):
        raise MmbioError(
            f"--source: vectors of {' and '.join(sorted(names))} are of different people; import them as one set"
        )


def draw(sets: Mapping[str, Sequence[SampleSet]], plan: Plan, report: Report = silent) -> Drawn:
    """Make subjects, items and trials; raises MmbioError where too few subjects fit."""
    dropped: Counter[str] = Counter()
    found = {m: [person for one in sets[m] for person in pairing.people(one)] for m in sets}
    chimeric = len({c.set_name for everyone in found.values() for c in everyone}) > 1
    people = chimeric_people(found, plan, dropped) if chimeric else joined_people(found, plan)
    items = _items(people, chimeric, plan, dropped, report)
    drawn, info = _trials(items, people, plan, dropped)
    tested = [p for p in people if p.split == "test"]
    n_subjects = {"all": len(tested), **Counter(p.gender for p in tested if p.gender), "dev": len(people) - len(tested)}
    segments = [s for one in sets.values() for s in one[0].vectors.get("segments", [])]
    more = {"trials": drawn, "attributes": _attributes(sets, items)}
    return Drawn(
        subjects=pd.DataFrame([_subject_row(i, p, sets) for i, p in enumerate(people)]),
        samples=pd.DataFrame(sample_rows(_chosen(people, sets))),
        items=items,
        info={
            "scale": _scale(plan, sets),
            "n_subjects": n_subjects,
            "n_in_trials": int(items["subject"][drawn["enrolment"][drawn["part"] == "test"]].nunique()),
            "noun": "items",
            "chimeric": chimeric,
            "match": plan.match if chimeric else "",
            "segments": segments if _of_vectors(sets) else [str(s) for s in SEGMENTS],
            **info,
        },
        more=more,
        dropped=dropped,
    )


def _items(people: Sequence[Person], chimeric: bool, plan: Plan, dropped: Counter[str], report: Report) -> pd.DataFrame:
    modalities = [m for m in MODALITIES if any(m in p.virtual for p in people)]
    columns = ("item", "id", "subject", "split", "fold", "video", "clip")
    table: list[Row] = []
    for number, person in enumerate(people):
        rng = np.random.default_rng([plan.seed, 12, number])
        rows = _chimeric_rows(person, plan, rng, dropped) if chimeric else _joined_rows(person, plan, rng, dropped)
        table += [{"subject": number, "split": person.split, "fold": -1} | row for row in rows]
        report("listing clips", number + 1, len(people))
    if not any(row["split"] == "test" for row in table):
        raise MmbioError(
            f"no clip of the {sum(p.split == 'test' for p in people)} test subjects is as long as"
            f" {max(SEGMENTS):g} s; add longer ones"
        )
    items = pd.DataFrame(table)
    items.insert(0, "item", np.arange(len(items)))
    for modality in modalities:
        for what in ("sample", "draw"):
            name = f"{modality}_{what}"
            items[name] = items[name].fillna("") if name in items else ""
    return items[[*columns, *(f"{m}_{what}" for m in modalities for what in ("sample", "draw"))]]


def _joined_rows(person: Person, plan: Plan, rng: np.random.Generator, dropped: Counter[str]) -> Iterator[Row]:
    """Each clip's frames with the speech around them; a vector is a clip's one frame."""
    clips: dict[str, dict[str, tuple[Candidate, Sample]]] = {}
    frames: dict[str, list[Sample]] = {}  # images that share a session with the clips, not their names
    for modality, candidate in person.virtual.items():
        for sample in candidate.samples:
            if modality == "face" and "voice" in person.virtual and _is_image(sample):
                frames.setdefault(sample.session, []).append(sample)
            else:
                clips.setdefault(_stem(sample), {})[modality] = candidate, sample
    for clip, parts in clips.items():
        candidate, sample = parts.get("voice") or next(iter(parts.values()))
        at_hand = frames.get(sample.session, [])
        times = _times(candidate, sample, person.split, plan, rng, dropped) if _is_timed(sample) else ("",)
        for k, time in enumerate(times):
            row: Row = {"id": _id(sample, k, len(times)), "video": sample.session or clip, "clip": sample.clip or clip}
            for modality, (owner, one) in parts.items():
                row |= _taken(modality, owner, one, time if one.row is None else f"#{one.row}")
            if at_hand:
                row |= _taken("face", person.virtual["face"], at_hand[int(rng.integers(len(at_hand)))], "")
            yield row


def _stem(sample: Sample) -> str:
    """What a clip's face and voice share: the name without suffix; an imported id as it is."""
    return sample.sample if sample.row is not None else PurePosixPath(sample.sample).with_suffix("").as_posix()


def _is_image(sample: Sample) -> bool:
    return sample.row is None and PurePosixPath(sample.path).suffix.lower() in IMAGES


def _is_timed(sample: Sample) -> bool:
    return sample.row is None and not _is_image(sample)


def _chimeric_rows(person: Person, plan: Plan, rng: np.random.Generator, dropped: Counter[str]) -> list[Row]:
    """Frames of the voice's clips, each with another image of the face while there are some left."""
    rows: list[Row] = []
    voice, face = person.virtual.get("voice"), person.virtual.get("face")
    for sample in voice.samples if voice else ():
        assert voice is not None
        times = _times(voice, sample, person.split, plan, rng, dropped)
        for k, time in enumerate(times):
            about: Row = {"id": _id(sample, k, len(times)), "video": sample.session, "clip": sample.sample}
            rows.append(about | _taken("voice", voice, sample, time))
    images = [face.samples[i] for i in rng.permutation(len(face.samples))] if face else []
    if face is None or (person.split == "test" and voice is None):
        return rows
    n = len(rows) if person.split == "test" else max(len(rows), len(images))
    for i in range(n):
        if i >= len(rows):  # one to train on, with a voice of any other item
            rows.append({"id": images[i].sample, "video": "", "clip": images[i].sample})
        if i < len(images) or person.split == "test":
            rows[i] |= _taken("face", face, images[i % len(images)], "")
    return rows


def _taken(modality: str, owner: Candidate, sample: Sample, draw: str) -> Row:
    return {f"{modality}_sample": sample_name(owner.set_name, sample), f"{modality}_draw": draw}


def _id(sample: Sample, k: int, n: int) -> str:
    return sample.sample if n == 1 else f"{sample.sample}#{k}"


def _times(
    owner: Candidate, sample: Sample, split: str, plan: Plan, rng: np.random.Generator, dropped: Counter[str]
) -> tuple[str, ...]:
    """The moments of a clip in seconds: a test clip's at random, one in each stretch; a dev clip's one a second."""
    length = audio.duration(owner.folder / sample.path)
    half = max(SEGMENTS) / 2
    if length < 2 * half:
        dropped[f"{sample.modality}: clips shorter than {2 * half:g} s"] += 1
        return ()
    if split == "test":
        stretch = (length - 2 * half) / plan.frames
        moments = half + stretch * (np.arange(plan.frames) + rng.random(plan.frames))
    else:
        moments = np.arange(half, length - half + 1e-9, DEV_SECONDS)
    return tuple(f"{t:.3f}" for t in moments)


def _trials(
    items: pd.DataFrame, people: Sequence[Person], plan: Plan, dropped: Counter[str]
) -> tuple[pd.DataFrame, dict[str, object]]:
    """The test's trials, and those of the others, to fit score-level fusion on."""
    tables, rules = [], {}
    complete = (items.filter(like="_sample") != "").all(axis=1)
    for part, rows in (("test", items["split"] == "test"), ("dev", (items["split"] != "test") & complete)):
        n_people = items[rows]["subject"].nunique()
        if part == "dev" and n_people < 2:
            raise MmbioError(
                f"{plural(n_people, 'subject')} with all modalities left to train and tune on, where at least 2 are"
                " needed; test fewer subjects, or add others"
            )
        most = plan.n_genuine if part == "test" else max(1, min(plan.n_genuine, DEV_TRIALS // max(1, n_people)))
        rule = plan.genuine if part == "test" else _dev_rule(items[rows], plan)
        tables.append(_drawn(part, items[rows], people, plan, rule, most, dropped))
        rules[part] = RULES[rule] + ("; impostors of the same gender" if plan.same_gender else "")
    info: dict[str, object] = {"trials": rules["test"], "dev_trials": rules["dev"], "genuine": plan.genuine}
    return pd.concat(tables, ignore_index=True), info


def _drawn(
    part: str, items: pd.DataFrame, people: Sequence[Person], plan: Plan, rule: str, most: int, dropped: Counter[str]
) -> pd.DataFrame:
    subjects = items["subject"].to_numpy(np.int64)
    genders = np.array([people[s].gender for s in subjects], dtype=str)
    videos, clips = (items[column].to_numpy(str) for column in ("video", "clip"))
    n_impostor = plan.n_impostor if part == "test" else most
    drawn = trials.draw(subjects, videos, clips, genders, most, n_impostor, rule, plan.same_gender, plan.seed)
    if part == "test" and drawn.n_dropped:
        dropped[f"test subjects without two samples {RULES[plan.genuine]}"] += drawn.n_dropped
    numbers = items["item"].to_numpy(np.int64)
    return pd.DataFrame(
        {
            "part": part,
            "enrolment": numbers[drawn.enrolment],
            "probe": numbers[drawn.probe],
            "genuine": drawn.genuine.astype(int),
        }
    )


def _dev_rule(items: pd.DataFrame, plan: Plan) -> str:
    """What dev's genuine trials differ in: clips, or segments where fewer than half of the subjects have two clips."""
    n_clips = items.drop_duplicates(["subject", "video", "clip"])["subject"].value_counts()
    enough = (n_clips > 1).sum() >= max(2, len(n_clips) / 2)
    return "clip" if plan.genuine != "segment" and enough else "segment"


def _subject_row(number: int, person: Person, sets: Mapping[str, Sequence[SampleSet]]) -> Row:
    sources = {m: f"{c.set_name}/{c.subject}" if (c := person.virtual.get(m)) else "" for m in sets}
    return {"subject": number, "gender": person.gender, **sources}


def _chosen(
    people: Sequence[Person], sets: Mapping[str, Sequence[SampleSet]]
) -> Iterator[tuple[Sequence[SampleSet], str, Sample]]:
    for person in people:
        for modality, candidate in person.virtual.items():
            for sample in candidate.samples:
                yield sets[modality], candidate.set_name, sample


def _attributes(sets: Mapping[str, Sequence[SampleSet]], items: pd.DataFrame) -> pd.DataFrame:
    """What a vector set knows of the test items beside, as it stands there."""
    known = next((s.attributes for found in sets.values() for s in found if s.attributes is not None), None)
    if known is None or len(known.columns) < 2:
        return pd.DataFrame()
    return known[known["id"].isin(items["id"][items["split"] == "test"])]


def _of_vectors(sets: Mapping[str, Sequence[SampleSet]]) -> bool:
    return any(s.vectors for found in sets.values() for s in found)


def _scale(plan: Plan, sets: Mapping[str, Sequence[SampleSet]]) -> str:
    first = next(iter(sets.values()))[0]
    if _of_vectors(sets):
        return plan.scale if first.vectors.get("synthetic") else "whole"
    return "whole" if plan.frames == 1 else f"{plan.frames} frames a clip"
