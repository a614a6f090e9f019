"""A finished table as text: plain, Markdown, LaTeX, CSV.

Every format shows the title, the header, the rows and the notes of the one `Table`, ends in a
newline and has no trailing spaces.
"""

import csv
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

WIDTH: Final = 100  # columns of a terminal
_MARKDOWN: Final = str.maketrans({char: f"\\{char}" for char in "\\`*_<|~#"})
_LATEX: Final = str.maketrans(
    {
        **{char: f"\\{char}" for char in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)
_MINUS: Final = re.compile(r"(?<![\w-])-(?=[\d.])")


@dataclass(frozen=True)
class Table:
    """Texts in their final form; a header may break once into two lines with a newline.

    The first `n_keys` columns name the row; of the others, groups of as many as `groups` says belong
    together, each alone where it is empty. Raises ValueError where a row and the header differ in length.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    name: str = "table"
    n_keys: int = 0
    groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError("each row of a table has as many texts as its header")
        if self.groups and sum(self.groups) != len(self.header) - self.n_keys:
            raise ValueError("the columns of a table fall into whole groups")
        texts = (self.title, self.name, *self.notes, *(text for row in self.rows for text in row))
        if not all(text.isprintable() for text in texts):
            raise ValueError("the texts of a table have no line breaks or control characters")


def to_text(table: Table, width: int = WIDTH) -> str:
    """Aligned plain text; where it is wider than `width`, groups of columns go below each other.

    Where one group is, the keys' headers are folded first, and then the group is split.
    """
    lines = textwrap.wrap(f"{table.name}: {table.title}", width)
    table = table if _fits(table, width) else _folded(table)
    table = table if _fits(table, width) else replace(table, groups=())
    blocks = _blocks(table, width, gap=1)
    gap = 2 if all(_width(table, block, gap=2) <= width for block in blocks) else 1
    for block in blocks:
        lines += ["", *_aligned(table, block, gap)]
    lines += [""] if table.notes else []
    for note in table.notes:
        lines += textwrap.wrap(note, width, initial_indent="- ", subsequent_indent="  ")
    return _joined(lines)


def to_markdown(table: Table) -> str:
    """A pipe table below a heading, above a list of the notes."""
    header, *rows = [
        "| " + " | ".join(" ".join(text.split()).translate(_MARKDOWN) for text in row) + " |"
        for row in (table.header, *table.rows)
    ]
    rule = "|" + "|".join("---" if i < table.n_keys else "---:" for i in range(len(table.header))) + "|"
    lines = [f"### {f'{table.name}: {table.title}'.translate(_MARKDOWN)}", "", header, rule, *rows]
    lines += [""] if table.notes else []
    return _joined([*lines, *(f"- {note.translate(_MARKDOWN)}" for note in table.notes)])


def to_latex(table: Table) -> str:
    """A float for a document that loads booktabs and graphicx; it shrinks to the line's width."""
    header, *rows = [" & ".join(map(_latex_cell, row)) + r" \\" for row in (table.header, *table.rows)]
    alignment = "l" * table.n_keys + "r" * (len(table.header) - table.n_keys)
    notes = [f"{note.translate(_LATEX)}\\par" for note in table.notes]
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{table.title.translate(_LATEX)}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9.:-]', '-', table.name)}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{alignment}}}",
        *(r"\toprule", header, r"\midrule", *rows, r"\bottomrule"),
        r"\end{tabular}}",
    ]
    if notes:
        lines += [r"\par\medskip", r"\begin{minipage}{\linewidth}\footnotesize\raggedright", *notes, r"\end{minipage}"]
    return _joined([*lines, r"\end{table}"])


def to_csv(table: Table) -> str:
    """Comma-separated header and rows below the title and the notes, as comments that start with `#`."""
    stream = io.StringIO()
    for comment in (f"{table.name}: {table.title}", *table.notes):
        stream.write(f"# {comment}".rstrip() + "\n")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(" ".join(text.split()) for text in table.header)
    writer.writerows(table.rows)
    return stream.getvalue()


FORMATS: Final[Mapping[str, Callable[[Table], str]]] = MappingProxyType(
    {"txt": to_text, "md": to_markdown, "tex": to_latex, "csv": to_csv}
)


def _joined(lines: Sequence[str]) -> str:
    return "".join(line.rstrip() + "\n" for line in lines)


def _latex_cell(text: str) -> str:
    lines = [_MINUS.sub("$-$", line.translate(_LATEX)) for line in text.split("\n")]
    if len(lines) > 1:
        return r"\shortstack[r]{" + r"\\".join(lines) + "}"
    if text[:1] in ("[", "*"):  # else \\ or \midrule before it takes it for an argument
        return f"{{{text[0]}}}{lines[0][1:]}"
    return lines[0]


def _widths(table: Table) -> list[int]:
    return [
        max(len(line) for text in column for line in text.split("\n"))
        for column in zip(table.header, *table.rows, strict=True)
    ]


def _width(table: Table, columns: Sequence[int], gap: int) -> int:
    widths = _widths(table)
    return sum(widths[i] for i in columns) + gap * (len(columns) - 1)


def _groups(table: Table) -> list[list[int]]:
    """The columns behind the keys, those that belong together in one list."""
    columns = iter(range(table.n_keys, len(table.header)))
    sizes = table.groups or (1,) * (len(table.header) - table.n_keys)
    return [[next(columns) for _ in range(size)] for size in sizes]


def _fits(table: Table, width: int) -> bool:
    return all(_width(table, [*range(table.n_keys), *group], gap=1) <= width for group in _groups(table))


def _folded(table: Table) -> Table:
    """The table with the keys' headers of several words in two lines."""
    keys, others = table.header[: table.n_keys], table.header[table.n_keys :]
    return replace(table, header=(*("\n".join(text.rsplit(" ", 1)) for text in keys), *others))


def _blocks(table: Table, width: int, gap: int) -> list[list[int]]:
    keys = list(range(table.n_keys))
    blocks: list[list[int]] = [keys.copy()]
    for group in _groups(table):
        if len(blocks[-1]) > len(keys) and _width(table, [*blocks[-1], *group], gap) > width:
            blocks.append(keys.copy())
        blocks[-1] += group
    return blocks


def _aligned(table: Table, columns: Sequence[int], gap: int) -> list[str]:
    widths = _widths(table)

    def line(texts: Sequence[str]) -> str:
        sides = ((str.ljust if i < table.n_keys else str.rjust)(texts[i], widths[i]) for i in columns)
        return (" " * gap).join(sides)

    heads = [text.split("\n") for text in table.header]
    height = max(map(len, heads))
    header = [line(level) for level in zip(*([""] * (height - len(head)) + head for head in heads), strict=True)]
    return [*header, line(["-" * w for w in widths]), *(line(row) for row in table.rows)]
