"""One small table in each format, byte for byte, and what each format escapes."""

import csv

import pytest

from mmbio.tables.formats import FORMATS, Table, to_csv, to_latex, to_markdown, to_text

TABLE = Table(
    title="A & B",
    header=("ECG", "ID (%)\nreported", "ID (%)\ndiff."),
    rows=(("O", "77.49", "-1.1"), ("", "-", "-")),
    notes=("97 % of face_pixels, a note, " + "word " * 20 + "end",),
    name="own",
    n_keys=1,
    groups=(2,),
)
TEXT = """\
own: A & B

       ID (%)  ID (%)
ECG  reported   diff.
---  --------  ------
O       77.49    -1.1
            -       -

- 97 % of face_pixels, a note, word word word word word word word word word word word word word word
  word word word word word word end
"""
MARKDOWN = """\
### own: A & B

| ECG | ID (%) reported | ID (%) diff. |
|---|---:|---:|
| O | 77.49 | -1.1 |
|  | - | - |

"""
LATEX = r"""% \usepackage{booktabs,graphicx}
\begin{table}
\centering
\caption{A \& B}
\label{tab:own}
\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%
\begin{tabular}{lrr}
\toprule
ECG & \shortstack[r]{ID (\%)\\reported} & \shortstack[r]{ID (\%)\\diff.} \\
\midrule
O & 77.49 & $-$1.1 \\
 & - & - \\
\bottomrule
\end{tabular}}
\par\medskip
\begin{minipage}{\linewidth}\footnotesize\raggedright
97 \% of face\_pixels, a note, """


def cell(text: str) -> Table:
    return Table(title="t", header=("h", "i"), rows=((text, "x"),), n_keys=1)


def test_text() -> None:
    assert to_text(TABLE) == TEXT


def test_text_too_wide_goes_below_itself() -> None:
    wide = Table("t", ("key", "a", "b", "c", "d"), (("k", *("9" * 8,) * 4),), n_keys=1, groups=(2, 2))
    assert to_text(wide, width=40) == (
        "table: t\n\nkey        a        b        c        d\n--- -------- -------- -------- --------\n"
        "k   99999999 99999999 99999999 99999999\n"
    )
    first, second = to_text(wide, width=30).split("\n\n")[1:]
    assert first.split("\n")[0].split() == ["key", "a", "b"]
    assert second.split("\n")[0].split() == ["key", "c", "d"]


def test_text_folds_the_keys_where_a_group_is_too_wide() -> None:
    table = Table("t", ("Fusion level", "w", "a", "b"), (("score", "1", "9" * 12, "9" * 12),), n_keys=2, groups=(2,))
    assert to_text(table, width=35).split("\n")[2:4] == ["Fusion", "level  w            a            b"]
    assert to_text(table, width=60).split("\n")[2].split() == ["Fusion", "level", "w", "a", "b"]


def test_text_splits_a_group_that_is_too_wide() -> None:
    table = Table("t", ("key", "a", "b", "c"), (("k", *("9" * 12,) * 3),), n_keys=1, groups=(3,))
    blocks = to_text(table, width=30).split("\n\n")[1:]
    assert [block.split("\n")[0].split() for block in blocks] == [["key", "a", "b"], ["key", "c"]]


def test_markdown() -> None:
    text = to_markdown(TABLE)
    assert text.startswith(MARKDOWN)
    assert text.splitlines()[-1].startswith("- 97 % of face\\_pixels")


def test_latex() -> None:
    text = to_latex(TABLE)
    assert text.startswith(LATEX)
    assert text.endswith("end\\par\n\\end{minipage}\n\\end{table}\n")
    assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")


def test_csv() -> None:
    comments, body = to_csv(TABLE).split("\nECG", 1)
    assert comments.startswith("# own: A & B\n# 97 %")
    assert list(csv.reader(["ECG" + body.split("\n")[0], *body.split("\n")[1:-1]])) == [
        ["ECG", "ID (%) reported", "ID (%) diff."],
        ["O", "77.49", "-1.1"],
        ["", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b & 5 % of $1 #2", r"a\_b \& 5 \% of \$1 \#2"),
        ("{x}~^\\", r"\{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ("[1, 2]", "{[}1, 2]"),
        ("*", "{*}"),
        ("-0.5", "$-$0.5"),
        ("-", "-"),
        ("76.4 [70.1, 82.0]", "76.4 [70.1, 82.0]"),
        ("-3.0 [-9.7, 3.7]", "$-$3.0 [$-$9.7, 3.7]"),
        ("0-30", "0-30"),
        ("98.1s* [95.5, 100.0]", "98.1s* [95.5, 100.0]"),
    ],
)
def test_latex_escapes(text: str, escaped: str) -> None:
    assert f"\n{escaped} & x \\\\\n" in to_latex(cell(text))


@pytest.mark.parametrize(
    ("text", "escaped"), [("a|b", "a\\|b"), ("a_b*c", "a\\_b\\*c"), ("\\|", "\\\\\\|"), ("<b>", "\\<b>")]
)
def test_markdown_escapes(text: str, escaped: str) -> None:
    assert f"\n| {escaped} | x |\n" in to_markdown(cell(text))


@pytest.mark.parametrize("text", ["a,b", 'say "x"', ""])
def test_csv_reads_back(text: str) -> None:
    assert list(csv.reader(to_csv(cell(text)).splitlines()[1:])) == [["h", "i"], [text, "x"]]


@pytest.mark.parametrize("name", FORMATS)
def test_ends_in_one_newline_without_trailing_spaces(name: str) -> None:
    for table in (TABLE, Table("t", ("h",), (("x",),)), Table("t", ("a", "b"), (("x", ""),))):
        text = FORMATS[name](table)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert all(line == line.rstrip() for line in text.split("\n"))
        assert FORMATS[name](table) == text


@pytest.mark.parametrize(
    "table",
    [
        {"header": ("a",), "rows": (("1", "2"),)},
        {"header": ("a", "b"), "rows": (("1", "2"),), "groups": (3,)},
        {"header": ("a",), "rows": (("1\n2",),)},
    ],
)
def test_misshapen_table(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="table"):
        Table("t", **table)  # type: ignore[arg-type]
