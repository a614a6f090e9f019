"""Specs: what a TOML file means, and what each mistake in it says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.conditions import Condition, parse
from mmbio.errors import MmbioError
from mmbio.protocols import MULTITASK
from mmbio.tables import spec as spec_module
from mmbio.tables.reported import read_reported
from mmbio.tables.spec import Difference, cells, load, spec_paths

REPOSITORY = Path(__file__).parents[2] / "tables"
GOOD = """
protocol = "multitask"
name = "own"
title = "My own"
notes = ["a note"]
keys = ["ecg", "level"]
[base]
test = "paper"
[[columns]]
key = "id"
header = "ID (%)"
task = "identification"
metric = "accuracy"
set = { tasks = ["identification"] }
[[rows]]
key = { ecg = 1, level = "0.50" }
set = { modalities = ["face", "ecg"], fusion = "score-sum", weights = { face = 1, ecg = 2.5 } }
[[rows]]
key = { ecg = 0, level = "" }
set = { fusion = "my.package:Fusion", train = "face=0.5" }
"""
AUDIOVISUAL = """
protocol = "audiovisual"
name = "own"
title = "Null embeddings"
keys = ["system", "segment_s", "nulled", "null"]
[[columns]]
key = "eer"
header = "EER (%)"
task = "verification"
metric = "eer"
[[columns]]
key = "min_dcf"
header = "minDCF"
task = "verification"
metric = "min_dcf"
[[rows]]
key = { system = "A", segment_s = 1.015, nulled = "voice", null = "random" }
set = { fusion = "concat", segment_s = 1.015, test = "voice=random" }
"""
DIFFERENCES = GOOD.replace(
    "[[rows]]",
    """
[[columns]]
key = "id_source"
header = "ID source"
task = "identification"
metric = "accuracy"
set = { tasks = ["identification"], split = "source" }
[[differences]]
key = "gap"
header = "Gap"
of = ["id", "id_source"]
[[rows]]""",
    1,
)
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


def test_good_spec(write: Write) -> None:
    spec = load(write(GOOD))
    assert [key.mark for key in spec.keys] == [True, False]
    assert [row.id for row in spec.rows] == ["ecg=1,level=0.50", "ecg=0,level="]
    first, second = (cell.settings for cell in cells(spec))
    assert first.modalities == ("ecg", "face")
    assert first.weights == (("ecg", 2.5), ("face", 1.0))
    assert first.tasks == ("identification",)
    assert (first.train, first.test) == (Condition(), parse("ecg=0.1,face=0.97"))
    assert (second.fusion, second.modalities) == ("my.package:Fusion", MULTITASK.modalities)
    assert second.train == parse("face=0.5")


def test_the_papers_noise_on_what_is_not_missing(write: Write) -> None:
    second = cells(load(write(GOOD.replace('test = "paper"', 'test = "paper,missing=ecg"'))))[1].settings
    assert second.test == parse("missing=ecg,face=0.97,finger=0.05")


def test_column_wins_over_row_over_base(write: Write) -> None:
    text = GOOD.replace('test = "paper"', 'test = "paper"\ntrain = "finger=0.2"\nfusion = "sum"\nsegment_s = 1')
    text = text.replace('set = { tasks = ["identification"] }', 'set = { train = "clean", segment_s = 0.5 }')
    second = cells(load(write(text)))[1].settings
    assert (second.fusion, second.train, second.segment_s) == ("my.package:Fusion", Condition(), 0.5)
    assert second.tasks == MULTITASK.tasks


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("protocol", "color = 1\nprotocol", "unknown key 'color'; choose from protocol"),
        ('title = "My own"\n', "", "'title' is missing"),
        ('title = "My own"', 'title = ""', "'title' is ''"),
        ('title = "My own"', 'title = "a\\nb"', "one line of text"),
        ('title = "My own"', "title = ", "not a readable TOML file"),
        ('name = "own"', 'name = "else"', "'else' is not the file's"),
        ("[base]", '[[figures]]\nkind = "det"\nname = "x"\ntitle = "t"\n[base]', "figure 1: 'det' draws trials"),
        (
            "[base]",
            '[[figures]]\nkind = "samples"\nname = "x"\ntitle = "t"\nmodality = "voice"\n[base]',
            "multitask has no voice; choose from ecg",
        ),
        ('"multitask"', '"other"', "unknown protocol 'other'; choose from"),
        ('notes = ["a note"]', 'notes = "a note"', "give a list of texts"),
        ('keys = ["ecg", "level"]', 'keys = ["ecg", "ecg"]', "each key once"),
        ("[base]", "[base]\nepochs = 3", "base: unknown key 'epochs'; choose from fusion"),
        ("[base]", 'key_headers = { face = "Face" }\n[base]', "unknown key 'face'"),
        ('task = "identification"', 'task = "age"', "column 1: unknown task 'age'; choose from identification, gender"),
        ('"accuracy"', '"eer"', "unknown metric of identification 'eer'; choose from accuracy"),
        ('metric = "accuracy"\n', "", "column 1: the key 'metric' is missing"),
        ("ecg = 1, ", "", "row 1, key: the key 'ecg' is missing"),
        ("ecg = 1", "ecg = true", "give a number or one line"),
        ("ecg = 1", "ecg = 1, face = 1", "row 1, key: unknown key 'face'"),
        ('ecg = 0, level = ""', "ecg = 1, level = 0.5", "row 2: the key ecg=1,level=0.5 is an earlier row's"),
        ('["face", "ecg"]', '["face", "nose"]', "row 1: unknown modality 'nose'; choose from ecg, face, finger"),
        ('["face", "ecg"]', "[]", "each modality once"),
        ('tasks = ["identification"]', 'tasks = ["age"]', "unknown task 'age'"),
        ('tasks = ["identification"]', 'tasks = ["gender"]', "no column's task"),
        ('"score-sum"', '"median"', "unknown fusion 'median'; choose from concat, sum, attention, score-sum"),
        ('"my.package:Fusion"', '"my.package:"', "unknown fusion 'my.package:'"),
        (
            '"score-sum"',
            '"concat"',
            "'weights' belong to score-sum, score-product, score-max, not to the fusion 'concat'",
        ),
        ("face = 1, ecg = 2.5", "face = 1", "should name the modalities ecg, face"),
        ("face = 1, ecg = 2.5", "face = 1, nose = 2", "unknown modality 'nose'"),
        ("ecg = 2.5", "ecg = -1", "weight of ecg is -1; give a number of at least 0"),
        ("ecg = 2.5", "ecg = nan", "weight of ecg is nan"),
        ("face = 1, ecg = 2.5", "face = 0, ecg = 0", "all 'weights' are 0"),
        ("{ face = 1, ecg = 2.5 }", "3", "give a table, such as weights"),
        ('train = "face=0.5"', 'train = "face=1.5"', "'train': condition 'face=1.5': expected a number from 0 to 1"),
        ('train = "face=0.5"', 'train = "voice=zeros"', "unknown modality 'voice'"),
        ('train = "face=0.5"', "segment_s = 0", "'segment_s' is 0; give a number of seconds"),
        ("[base]", '[base]\nsplit = "subject"', "base: unknown split 'subject'; choose from triplet, source, record"),
        ("[base]", "[base]\nsplit = 1", "base: 'split' is 1; give one line of text in quotes"),
        ("[base]", '[base]\nunseen = "yes"', "base: 'unseen' is 'yes'; give true or false"),
        ("[base]", "[base]\nunseen = true", "column 'id': 'unseen' goes with gender alone; add tasks = [\"gender\"]"),
        ("[base]", 'compare = ["rule"]\n[base]', "unknown key 'rule'; choose from ecg, level"),
        ("[base]", 'compare = ["ecg", "ecg"]\n[base]', "[ecg, ecg] should name each key once"),
        ("[base]", 'compare = "ecg"\n[base]', "'compare' is 'ecg'; give a list of texts"),
        ("[base]", "reported_n = 0\n[base]", "'reported_n' is 0; give a whole number above 0"),
        ("[base]", "reported_n = 1.5\n[base]", "'reported_n' is 1.5; give a whole number above 0"),
        ("[base]", "reported_n = true\n[base]", "'reported_n' is True; give a whole number above 0"),
        ("[base]", "reported_design = 0.9\n[base]", "'reported_design' is 0.9; give a number of at least 1"),
        ("[base]", "reported_design = inf\n[base]", "'reported_design' is inf; give a number of at least 1"),
        ("[base]", "reported_design = nan\n[base]", "'reported_design' is nan; give a number of at least 1"),
        ("[base]", 'reported_design = "2"\n[base]', "'reported_design' is '2'; give a number of at least 1"),
        ("[base]", "differences = []\n[base]", "there are no differences; add at least one [[differences]]"),
    ],
)
def test_bad_spec(write: Write, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(MmbioError) as caught:
        load(write(GOOD.replace(old, new)))
    message = str(caught.value)
    assert "own.toml" in message
    assert words in message
    assert "\n" not in message


def test_verification_takes_no_unseen(write: Write) -> None:
    with pytest.raises(MmbioError, match="row 1: 'unseen' is true, but verification always tests unseen subjects"):
        load(write(AUDIOVISUAL.replace("segment_s = 1.015, test", "unseen = true, test")))


def test_splits_and_unseen_subjects(write: Write) -> None:
    text = GOOD.replace("[base]", '[base]\nsplit = "source"')
    text = text.replace('train = "face=0.5"', 'split = "record"')
    assert [cell.settings.split for cell in cells(load(write(text)))] == ["source", "record"]
    assert {cell.settings.split for cell in cells(load(write(GOOD)))} == {""}
    gender = text.replace('"identification"', '"gender"').replace("[base]", "[base]\nunseen = true")
    assert {(cell.settings.unseen, cell.settings.tasks) for cell in cells(load(write(gender)))} == {(True, ("gender",))}


def test_what_is_compared_and_behind_reported_figures(write: Write) -> None:
    plain = load(write(GOOD))
    assert (plain.compare, plain.reported_n, plain.reported_design, plain.differences) == (None, None, 1.0, ())
    more = 'compare = ["level", "ecg"]\nreported_n = 174\nreported_design = 2\n[base]'
    spec = load(write(GOOD.replace("[base]", more)))
    assert (spec.compare, spec.reported_n, spec.reported_design) == (("ecg", "level"), 174, 2.0)
    assert load(write(GOOD.replace("[base]", "compare = []\n[base]"))).compare == ()  # all rows with each other


def test_differences(write: Write) -> None:
    assert load(write(DIFFERENCES)).differences == (Difference("gap", "Gap", ("id", "id_source")),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('["id", "id_source"]', '["id"]', "difference 1: 'of' is ['id']; give two columns of one metric"),
        ('["id", "id_source"]', '["id", "id"]', "difference 1: 'of' is ['id', 'id']; give two columns of one metric"),
        ('["id", "id_source"]', '["id", "other"]', "difference 1: unknown column 'other'; choose from id, id_source"),
        ('["id", "id_source"]', '"id"', "difference 1: 'of' is 'id'; give a list of texts"),
        ('key = "gap"', 'key = "id"', "difference 1: the key 'id' is another column's; choose another"),
        ('key = "gap"\n', "", "difference 1: the key 'key' is missing"),
        ('header = "Gap"', "header = 3", "difference 1: 'header' is 3; give one line of text"),
        ('header = "Gap"', 'header = "Gap"\nset = {}', "difference 1: unknown key 'set'; choose from key, header, of"),
    ],
)
def test_bad_differences(write: Write, old: str, new: str, words: str) -> None:
    assert old in DIFFERENCES
    with pytest.raises(MmbioError, match=r"own\.toml, difference 1: ") as caught:
        load(write(DIFFERENCES.replace(old, new)))
    assert words in str(caught.value)


def test_differences_are_of_one_metric(write: Write) -> None:
    text = AUDIOVISUAL.replace(
        "[[rows]]", '[[differences]]\nkey = "gap"\nheader = "Gap"\nof = ["eer", "min_dcf"]\n[[rows]]'
    )
    with pytest.raises(MmbioError, match="give two columns of one metric"):
        load(write(text))


def test_no_rows(write: Write) -> None:
    with pytest.raises(MmbioError, match=r"there are no rows; add at least one \[\[rows\]\]"):
        load(write(GOOD[: GOOD.index("[[rows]]")]))


def test_same_column_twice(write: Write) -> None:
    column = GOOD[GOOD.index("[[columns]]") : GOOD.index("[[rows]]")]
    with pytest.raises(MmbioError, match="column 2: the key 'id' is an earlier column's"):
        load(write(GOOD + column))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="not a readable table spec"):
        load(tmp_path / "own.toml")
    with pytest.raises(MmbioError, match="there are no specs"):
        spec_paths(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ecg,level,id\n1,0.7,50\n", "the row 1, 0.7, 50 is not in own"),
        ("ecg,id\n1,50\n", "the column 'level' is missing"),
        ("ecg,level\n1,0.5\n", "none of the columns"),
        ("ecg,level,id\n1,0.5\n", "has 2 values; give 3"),
        ("ecg,level,id\n1,0.5,many\n", "'id' is 'many'"),
        ("ecg,level,id\n1,0.5,50\n1,0.50,60\n", "given twice"),
        ("", "the column 'ecg' is missing"),
    ],
)
def test_bad_reported(write: Write, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(MmbioError, match=r"own\.csv") as caught:
        read_reported(tmp_path / "own.csv", load(write(GOOD)))
    assert words in str(caught.value)


def test_reported_rows_that_a_cut_spec_has_not_are_passed_over(write: Write, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("ecg,level,id\n1,0.7,50\n1,0.5,60\n")
    found = read_reported(tmp_path / "own.csv", load(write(GOOD)), whole=False)
    assert found == {("ecg=1,level=0.50", "id"): "60"}


def test_reported_where_no_cell_is(tmp_path: Path) -> None:
    path = tmp_path / "reported.csv"
    path.write_text("trained_on_identification,trained_on_gender,gender\n1,0,97.7\n")
    with pytest.raises(MmbioError, match="where the spec has no cell"):
        read_reported(path, load(REPOSITORY / "multitask-table2.toml"))


def test_reported_rows_match_by_value_and_may_be_fewer(write: Write, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("level,ecg,id,other\n0.5,1,50.00,x\n\n")
    assert read_reported(tmp_path / "own.csv", load(write(GOOD))) == {("ecg=1,level=0.50", "id"): "50.00"}


def test_the_other_paper_fits(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(
        MULTITASK, name="audiovisual", modalities=("face", "voice"), tasks=("verification",), noise={}, fusion="concat"
    )
    protocols: Mapping[str, object] = {"audiovisual": other}
    monkeypatch.setattr(spec_module, "PROTOCOLS", protocols)
    spec = load(write(AUDIOVISUAL))
    (tmp_path / "own.csv").write_text("system,segment_s,nulled,null,eer,min_dcf\nA,1.015,voice,random,8.64,0.732\n")
    eer, min_dcf = cells(spec)
    assert (eer.metric, min_dcf.metric) == ("eer", "min_dcf")
    assert (str(eer.settings.test), eer.settings.segment_s) == ("voice=random", 1.015)
    assert list(read_reported(tmp_path / "own.csv", spec).values()) == ["8.64", "0.732"]
