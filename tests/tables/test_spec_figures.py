"""A spec's figures: what the TOML means, and what each mistake in it says."""

import tomllib
from pathlib import Path

import pytest

from mmbio.errors import MmbioError
from mmbio.tables.spec_figures import KINDS, FigureSpec, parse

KEYS, COLUMNS = ("noise", "level", "fusion"), ("identification", "gender")
ROWS = (("ecg", "0.50", "concat"), ("face", "0.97", "sum"))
GOOD = 'kind = "curve"\nname = "face"\ntitle = "Faces"\nx = "level"\n'


def figures(text: str, rows: tuple[tuple[str, ...], ...] = ROWS) -> tuple[FigureSpec, ...]:
    return parse(tomllib.loads(text), KEYS, COLUMNS, "my.toml", rows)


def one(text: str) -> FigureSpec:
    return figures(f"[[figures]]\n{text}")[0]


def test_no_figures() -> None:
    assert figures("") == ()


def test_defaults() -> None:
    assert one(GOOD) == FigureSpec("curve", "face", "Faces", "identification", x="level")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + 'column = "gender"\nlines = "fusion"\nonly = { noise = "face" }',
            FigureSpec("curve", "face", "Faces", "gender", "fusion", "level", (("noise", ("face",)),)),
        ),
        (
            'kind = "det"\nname = "a.1"\ntitle = "A"\nonly = { level = [0.5, "0.970"], noise = ["ecg", "face"] }',
            FigureSpec(
                "det", "a.1", "A", "identification", only=(("noise", ("ecg", "face")), ("level", ("0.5", "0.97")))
            ),
        ),
        (
            'kind = "samples"\nname = "ecg"\ntitle = "Beats"\nmodality = "ecg"',
            FigureSpec("samples", "ecg", "Beats", modality="ecg"),
        ),
    ],
)
def test_what_it_means(text: str, expected: FigureSpec) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD.replace("curve", "pie"), r"my.toml, figure 1: unknown kind of figure 'pie'; choose from det, scores, "),
        ('name = "a"\ntitle = "A"', "figure 1: the key 'kind' is missing; add it"),
        (GOOD.replace('title = "Faces"', ""), "the key 'title' is missing"),
        (GOOD.replace('"face"', '"../face"'), "the name '../face' names files; use small letters, digits and hyphens"),
        (GOOD.replace('x = "level"', ""), "the key 'x' is missing; add it"),
        (GOOD.replace('"level"', '"nose"'), "unknown x 'nose'; choose from noise, level, fusion"),
        (GOOD + 'lines = "level"', "'x' and 'lines' are both level; name another key in one of them"),
        (GOOD + 'lines = "nose"', "unknown lines 'nose'; choose from noise"),
        (GOOD + 'column = "eer"', "unknown column 'eer'; choose from identification, gender"),
        (GOOD + "colour = 1", r"figure 1 \(curve\): unknown key 'colour'; choose from kind, name, title, column, "),
        (GOOD.replace("curve", "det"), r"figure 1 \(det\): unknown key 'x'"),
        (GOOD + 'only = { nose = "a" }', "only: unknown key 'nose'; choose from noise"),
        (GOOD + 'only = { noise = "nose" }', "only: unknown text of noise 'nose'; choose from ecg, face"),
        (GOOD + "only = { level = [] }", r"'level' is \[\]; give a text or number of that key, or a list of them"),
        (GOOD + "only = { level = true }", "'level' is True; give a text or number"),
        (GOOD + "only = 1", "'only' is 1; give a table"),
        ('kind = "samples"\nname = "a"\ntitle = "A"', "the key 'modality' is missing"),
        ('kind = "samples"\nname = "a"\ntitle = "A"\nmodality = "nose"', "unknown modality 'nose'; choose from ecg"),
        (f"{GOOD}[[figures]]\n{GOOD}", "figure 2: the name 'face' is an earlier figure's; choose another"),
    ],
)
def test_mistakes(text: str, sentence: str) -> None:
    with pytest.raises(MmbioError, match=sentence):
        one(text)


def test_an_empty_list_of_figures_is_a_mistake() -> None:
    with pytest.raises(MmbioError, match="there are no figures; add at least one"):
        figures("figures = []")


def test_the_readme_names_every_kind_and_key() -> None:
    told = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    section = told[told.index("### Your own table") :].split("\n### ")[0]
    keys = {"kind", "name", "title", *(key for of in KINDS.values() for key in of)}
    assert [word for word in (*KINDS, *keys) if f"`{word}`" not in section] == []
