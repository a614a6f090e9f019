"""Targets that are texts: conditions, lists of trials, scores, tables of labels, specs, metadata of sets."""

from pathlib import Path

import numpy as np

from mmbio import conditions
from mmbio.data import attributes, imported, score_files, trial_lists
from mmbio.data.readers import labels, librispeech, voxceleb
from mmbio.measure import results
from mmbio.tables import reported, spec
from tests.fuzz.target import Target, written

SPECS = Path(spec.__file__).parents[2] / "tables"
LIST = b"enrolment,probe,genuine\na/1,a/2,1\na/1,b/2,0\n\nb/1,b/2,true\n"
HEAD = ",".join(results.COLUMNS).encode()
ROW = b"cafe,multitask,synthetic,abcd,4,triplet,quick,,concat,,ecg+face,gender,,,fp32,clean,clean,gender,mean,accuracy,"
TINY = b"""protocol = "multitask"
name = "own"
title = "Own"
keys = ["ecg", "level"]
notes = ["a note"]
reported_n = 174
[key_headers]
ecg = "ECG"
[base]
modalities = ["ecg", "face"]
train = "clean"
[[columns]]
key = "id"
header = "ID"
task = "identification"
metric = "accuracy"
[[columns]]
key = "ge"
header = "GE"
task = "gender"
metric = "accuracy"
set = { test = "face=0.5" }
[[differences]]
key = "d"
header = "D"
of = ["id", "ge"]
[[rows]]
key = { ecg = 1, level = 0.5 }
set = { fusion = "score-sum", weights = { ecg = 0.5, face = 0.5 } }
[[rows]]
key = { ecg = 0, level = 0.90 }
[[figures]]
kind = "curve"
name = "f"
title = "F"
x = "level"
only = { ecg = [1, 0] }
"""


def condition(data: bytes, scratch: Path) -> None:
    found = conditions.parse(data.decode("utf-8", "surrogateescape"))
    assert conditions.parse(str(found)) == found, str(found)


def trial_list(data: bytes, scratch: Path) -> None:
    found = trial_lists.read(written(scratch, "trials.txt", data))
    trial_lists.matched(np.array(["a/1", "b/2"], dtype=object), found)


def scores(data: bytes, scratch: Path) -> None:
    score_files.read(written(scratch, "scores.csv", data), missing="skip")


def scores_listed(data: bytes, scratch: Path) -> None:
    score_files.read(written(scratch, "scores.txt", data), scratch / "list.csv")


def attribute_table(data: bytes, scratch: Path) -> None:
    attributes.read(written(scratch, "attributes.csv", data))


def meta_table(data: bytes, scratch: Path) -> None:
    imported.read_subjects(written(scratch, "meta.csv", data))


def genders(data: bytes, scratch: Path) -> None:
    labels.read_labels(written(scratch, "genders.csv", data))


def speakers(data: bytes, scratch: Path) -> None:
    written(scratch, "SPEAKERS.TXT", data)
    librispeech.read(scratch)


def _speakers_tree(scratch: Path) -> None:
    for speaker in ("61", "908"):
        folder = scratch / "test-clean" / speaker / "7"
        folder.mkdir(parents=True)
        (folder / f"{speaker}-7-0001.flac").write_bytes(b"x")


def vox_meta(data: bytes, scratch: Path) -> None:
    written(scratch, "vox1_meta.csv", data)
    voxceleb.read_voice(scratch)


def _vox_tree(scratch: Path) -> None:
    folder = scratch / "wav" / "id10001" / "video"
    folder.mkdir(parents=True)
    (folder / "00001.wav").write_bytes(b"x")


def table_spec(data: bytes, scratch: Path) -> None:
    spec.cells(spec.load(written(scratch, "own.toml", data)))


def reported_values(data: bytes, scratch: Path) -> None:
    made = spec.load(scratch / "own.toml")
    found = reported.read_reported(written(scratch, "own.csv", data), made)
    reported.within_chance(made, found)
    for row in made.rows:
        for column in made.columns:
            reported.span(made, found, row.id, column)


def result_rows(data: bytes, scratch: Path) -> None:
    path = written(scratch, "results.csv", data)
    results.check(path)
    results.to_csv(results.read(path))


def _spec_seeds() -> list[bytes]:
    named = [path.read_bytes().replace(path.stem.encode(), b"own", 1) for path in sorted(SPECS.glob("*table3*.toml"))]
    return [TINY, *named]


TARGETS = {
    "condition": Target(
        condition,
        lambda: [
            b"clean",
            b"face=0.97",
            b"missing=ecg,voice=random@probe",
            b"face=blur:4,ecg=0.1",
            b"voice=snr:-5,finger=zeros",
        ],
    ),
    "trial-list": Target(
        trial_list, lambda: [LIST, b"1 a b\n0 a c\n", b"a b target\na c nontarget\n", b"label\ttest\tenroll\n1\tx\ty\n"]
    ),
    "scores-csv": Target(
        scores,
        lambda: [
            b"score,genuine\n0.5,1\n0.25,0\n1e-3,1\n",
            b"genuine\tscore\textra\n1\t0.5\tx\n0\t\ty\n0\t0.125\tz\n",
            b'id,score,label\n"a,b",0.5,target\n"c\nd",2,nontarget\n',
        ],
    ),
    "scores-listed": Target(
        scores_listed,
        lambda: [
            b"a/1 a/2 0.5\na/1 b/2 -0.25\nb/1 b/2 7\n",
            b"enrolment,probe,score\na/1,a/2,0.5\na/1,b/2,1\nb/1,b/2,2\n",
        ],
        lambda scratch: written(scratch, "list.csv", LIST),
    ),
    "attributes": Target(
        attribute_table,
        lambda: [b"id,Bald,yaw,age,hair\na,1,-30.5,20,blond\nb,0,61,,dark\nc,-1,nan,33,\n", b"id,x\n1,yes\n2,no\n"],
    ),
    "meta": Target(
        meta_table,
        lambda: [b"id,subject,gender,video,clip,part\na/1,a,F,v,c,test\nb/1,b,m,,,dev\n", b"id,subject\n1,2\n"],
    ),
    "genders": Target(
        genders, lambda: [b"subject,gender,age\na,F,20\nb,m,\n\nc,female,130\n", b"gender,subject\nM,x\n"]
    ),
    "speakers": Target(
        speakers,
        lambda: [b";ID |SEX| SUBSET\n61 | M | test-clean | 8.08 | Paul | x\n908  | F | test-clean\n"],
        _speakers_tree,
    ),
    "vox-meta": Target(
        vox_meta,
        lambda: [
            b"VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA.J._Buckley\tm\tIreland\tdev\n",
            b"VoxCeleb1 ID,Gender,Set\nid10001,f,test\n",
        ],
        _vox_tree,
    ),
    "spec": Target(table_spec, _spec_seeds),
    "reported": Target(
        reported_values,
        lambda: [b"ecg,level,id,ge\n1,0.5,77.49,\n0,0.9,100,\n"],
        lambda scratch: written(scratch, "own.toml", TINY),
    ),
    "results-csv": Target(
        result_rows, lambda: [b"\n".join([HEAD, ROW + b",0.5,0.25,0.75,,,,8,,,0,0,0,0.1.0", b""]), HEAD + b"\n"]
    ),
}
