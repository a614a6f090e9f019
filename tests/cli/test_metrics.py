"""mmbio metrics: what it prints, counts, writes and refuses."""

import json
import re
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from mmbio.cli import metrics, options
from mmbio.errors import MmbioError
from mmbio.measure import dcf, rates

SMALL = "score,genuine\n.08,1\n.19,1\n.34,1\n.13,0\n.26,0\n"  # the worked example of the EER's conventions


def call(*words: object) -> Result:
    """`mmbio metrics WORDS`, an exception that is no user's mistake raised."""

    @click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
    @click.argument("given", nargs=-1, type=click.UNPROCESSED)
    def shown(given: tuple[str, ...]) -> None:
        try:
            metrics.command.main(list(given), standalone_mode=False)
        except MmbioError as error:
            raise click.ClickException(str(error)) from error

    return CliRunner().invoke(shown, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize(
    ("convention", "eer"), [("linear", 0.5), ("rocch", 0.4), ("nearest-mean", 0.583), ("nearest-max", 0.667)]
)
def test_conventions(small: Path, convention: str, eer: float) -> None:
    result = json.loads(call(small, "--eer", convention, "--json").stdout)
    assert result["eer"][convention] == pytest.approx(eer, abs=1e-3)
    assert result["eer"]["rocch"] == pytest.approx(0.4)
    assert result["eer_convention"] == convention


def test_what_is_printed(small: Path, tmp_path: Path) -> None:
    before = list(tmp_path.iterdir())
    result = call(small)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "trials    3 genuine, 2 impostor",
        "          5 expected, 5 scored, 0 missing",
        "EER       50.0000 % (linear), 40.0000 % (rocch)",
        "minDCF    0.6667 (P=0.01 C=1,1)",
    ]
    assert list(tmp_path.iterdir()) == before
    assert call(small, "--quiet").output == ""


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        ("--p-target 0.5", "(P=0.5 C=1,1)"),
        ("--preset sre08", "(sre08: P=0.01 C=10,1)"),
        ("--preset sre12", "(sre12: mean of P=0.01 C=1,1 and P=0.001 C=1,1)"),
    ],
)
def test_min_dcf_stands_with_its_parameters(small: Path, words: str, parameters: str) -> None:
    *_, line = call(small, *words.split()).stdout.splitlines()
    assert line.startswith("minDCF ")
    assert line.endswith(parameters)


def test_missing_and_unlisted_are_counted(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("1 a b\n0 a c\n1 a d\n")
    (tmp_path / "scores").write_text("a b 1\na c 0\nx y 1\n")
    words = [tmp_path / "scores", "--labels", tmp_path / "list"]
    refused = call(*words)
    assert refused.exit_code != 0
    assert "1 of 3 trials have no score" in refused.stderr
    lines = call(*words, "--missing-trials", "skip").stdout.splitlines()
    assert lines[1] == "          3 expected, 2 scored, 1 missing and left out"
    assert lines[-1] == "left out  1 score of no trial (x y)"
    result = json.loads(call(*words, "--missing-trials", "skip", "--json").stdout)
    assert [result[f"n_{name}"] for name in ("expected", "scored", "missing", "unlisted")] == [3, 2, 1, 1]


@pytest.mark.parametrize("form", ["csv", "list"])
def test_repeated_trials_are_counted(tmp_path: Path, form: str) -> None:
    (tmp_path / "list").write_text("1 a b\n0 a c\n1 a b\n")
    (tmp_path / "scores").write_text("a b 1\na c 0\n")
    (tmp_path / "scores.csv").write_text("enrolment,probe,score,genuine\na,b,1,1\na,c,0,0\na,b,1.0,1\n")
    words = [tmp_path / "scores.csv"] if form == "csv" else [tmp_path / "scores", "--labels", tmp_path / "list"]
    assert call(*words).stdout.splitlines()[-1] == "repeated  1 trial, scored before and counted again"
    result = json.loads(call(*words, "--json").stdout)
    assert (result["n_scored"], result["n_repeated_trials"]) == (3, 1)


@pytest.fixture
def listed(tmp_path: Path) -> list[object]:
    """Scores of eight subjects by ids, and their trial list."""
    rng = np.random.default_rng(0)
    pairs = [(f"s{a}/v/{i}", f"s{b}/w/{i}", int(a == b)) for a in range(8) for b in range(8) for i in range(3)]
    (tmp_path / "list").write_text("".join(f"{genuine} {one} {two}\n" for one, two, genuine in pairs))
    scores = "".join(f"{one} {two} {rng.normal(2 * genuine):.6f}\n" for one, two, genuine in pairs[::-1])
    (tmp_path / "scores").write_text(scores)
    return [tmp_path / "scores", "--labels", tmp_path / "list"]


@pytest.mark.parametrize("cost", ["--preset sre12", "--p-target 0.1"])
def test_intervals(listed: list[object], cost: str) -> None:
    words = [*listed, *cost.split()]
    plain = json.loads(call(*words, "--json").stdout)
    assert "intervals" not in plain
    result = json.loads(call(*words, "--intervals", "--json").stdout)
    for name, value in (("eer", result["eer"]["linear"]), ("min_dcf", result["min_dcf"])):
        one = result["intervals"][name]
        assert one["low"] <= value <= one["high"]
        assert one["method"] == "subject-bootstrap"
    assert {k: v for k, v in result.items() if k != "intervals"} == plain
    assert json.loads(call(*words, "--intervals", "--json", "--seed", "0").stdout) == result
    assert json.loads(call(*words, "--intervals", "--json", "--seed", "1").stdout) != result
    lines = call(*words, "--intervals").stdout.splitlines()
    assert re.fullmatch(r"95 %      EER [\d.]+ to [\d.]+ % \(subject-bootstrap\), linear", lines[-2])
    assert re.fullmatch(r"          minDCF [\d.]+ to [\d.]+ \(subject-bootstrap\)", lines[-1])


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("enrolment,probe,score,genuine", "{one},{two},{score},{genuine}"),
        ("enroll,test,label,score", "{one},{two},{genuine},{score}"),
        ("genuine,score,enrolment_subject,probe_subject", "{genuine},{score},{a},{b}"),
        ("probe,enrolment,genuine,score,enrol_subject,test_subject", "{i},{i},{genuine},{score},{a},{b}"),
    ],
)
def test_intervals_of_a_table_are_those_of_the_list(
    listed: list[object], tmp_path: Path, header: str, row: str
) -> None:
    wanted = json.loads(call(*listed, "--intervals", "--json").stdout)["intervals"]
    genuine = {(one, two): kind for kind, one, two in map(str.split, (tmp_path / "list").read_text().splitlines())}
    rows = [header]
    for i, (one, two, score) in enumerate(map(str.split, (tmp_path / "scores").read_text().splitlines())):
        a, b = one.split("/")[0], two.split("/")[0]
        rows.append(row.format(one=one, two=two, score=score, genuine=genuine[one, two], a=a, b=b, i=i))
    (tmp_path / "scores.csv").write_text("\n".join(rows))
    assert json.loads(call(tmp_path / "scores.csv", "--intervals", "--json").stdout)["intervals"] == wanted


def test_two_subjects_have_no_interval(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("1 a/1 a/2\n0 a/1 b/1\n1 b/1 b/2\n")
    (tmp_path / "scores").write_text("a/1 a/2 1\na/1 b/1 0\nb/1 b/2 1\n")
    words = [tmp_path / "scores", "--labels", tmp_path / "list", "--intervals"]
    none = "none: fewer than 3 subjects"
    assert call(*words).stdout.splitlines()[-2:] == [f"95 %      EER {none}", f"          minDCF {none}"]
    assert json.loads(call(*words, "--json").stdout)["intervals"]["eer"]["low"] is None


def test_what_is_written(small: Path, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        told = call(small, "--out", folder).stdout.splitlines()[-1]
        assert told == f"written: {folder} (metrics.json, det.csv, det.png)"
    written = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert written[0] == written[1]
    assert set(written[0]) == {"metrics.json", "det.csv", "det.png"}
    result = json.loads(call(small, "--json").stdout)
    assert result.pop("files") == []
    assert json.loads(written[0]["metrics.json"]) == result
    points = np.genfromtxt(folders[0] / "det.csv", delimiter=",", names=True)
    assert (points["fmr"][0], points["fnmr"][0]) == (1, 0)
    assert (points["fmr"][-1], points["fnmr"][-1]) == (0, 1)


REFUSED = [
    ("{scores} --intervals", "--intervals: .*scores.csv does not say of whom its trials are; give 'enrol probe score'"),
    ("{scores} --seed 1", "--seed 1: only intervals are drawn; add --intervals"),
    ("{scores} --p-target 0", r"--p-target 0\.0: expected a probability between 0 and 1, both excluded"),
    ("{scores} --p-target 1", r"--p-target 1\.0: expected a probability"),
    ("{scores} --p-target nan", r"--p-target nan: expected a probability"),
    ("{scores} --p-target 0.01 --preset sre08", r"--p-target 0\.01: the preset sre08 has a prior of its own"),
    ("{folder}/nowhere.csv", r"nowhere\.csv: cannot be read \(No such file or directory\)"),
    ("{scores} --labels {scores}", r"scores\.csv has labels of its own; leave --labels out"),
    ("{scores} --out {scores}/below", r"below: cannot be written to \(Not a directory\)"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_what_is_refused(small: Path, words: str, told: str) -> None:
    result = call(*words.format(scores=small, folder=small.parent).split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(told, result.stderr), result.stderr
    assert "\n" not in result.stderr.rstrip("\n")
    assert list(small.parent.iterdir()) == [small]


@pytest.mark.parametrize("words", ["--eer x", "--preset x", "--missing-trials x", "--p-target x"])
def test_what_click_refuses(small: Path, words: str) -> None:
    with pytest.raises(click.UsageError, match="x"):
        metrics.command.main([str(small), *words.split()], standalone_mode=False)


def test_choices_are_those_that_are_measured() -> None:
    assert tuple(rates.CONVENTIONS) == options.EER
    assert tuple(dcf.PRESETS) == options.PRESETS


def test_golden_figures_of_real_scores(real_data: Path) -> None:
    folder = real_data / "voxceleb" / "scores"
    if not folder.is_dir():
        pytest.skip("no real scores")
    words = [folder / "ghostvlad_scores.npy", "--labels", folder / "ghostvlad_labels.npy"]
    told = call(*words).stdout
    assert "18860 genuine, 18860 impostor" in told
    assert "EER       3.9767 % (linear), 3.9566 % (rocch)" in told
    assert "minDCF    0.3916 (P=0.01 C=1,1)" in told
    assert "minDCF    0.2540 (P=0.05 C=1,1)" in call(*words, "--p-target", 0.05).stdout
    assert "minDCF    0.2061 (sre08: P=0.01 C=10,1)" in call(*words, "--preset", "sre08").stdout
