"""across: a table's columns on every split side by side, and what the first split adds to each figure."""

from collections.abc import Iterator
from dataclasses import replace

from mmbio.protocols import SPLITS
from mmbio.tables.spec import Column, Difference, TableSpec

UNSEEN = "unseen"


def across(spec: TableSpec) -> TableSpec:
    """The spec with each column on each split, gender on unseen subjects too, and differences between them.

    The first split keeps the column's key, under which the paper's figures are found.
    """
    columns: list[Column] = []
    differences: list[Difference] = []
    unseen = not any("tasks" in row.set for row in spec.rows)  # a row's own tasks would be lost
    for column in spec.columns:
        found = list(_columns(column, unseen))
        columns += found
        differences += [
            Difference(f"{column.key}_minus_{split}", f"{_bare(column)} {SPLITS[0]} - {split}", (column.key, other.key))
            for split, other in list(zip((*SPLITS, UNSEEN), found, strict=False))[1:]
        ]
    return replace(
        spec,
        name=f"{spec.name}-leakage",
        title=f"{spec.title}: splits side by side",
        columns=tuple(columns),
        differences=tuple(differences),
        compare=None,
        reported=spec.reported or spec.name,
        figures=(),
        cost=False,
        notes=(
            *spec.notes,
            "Differences are between tests on other items, so their intervals take them for independent.",
        ),
    )


def _columns(column: Column, unseen: bool) -> Iterator[Column]:
    for split in SPLITS:
        key = column.key if split == SPLITS[0] else f"{column.key}_{split}"
        yield replace(column, key=key, header=f"{_bare(column)} {split}", set={**column.set, "split": split})
    if unseen and column.task == "gender":
        alone = {**column.set, "split": SPLITS[0], "tasks": ["gender"], "unseen": True}
        yield replace(column, key=f"{column.key}_{UNSEEN}", header=f"{_bare(column)} {UNSEEN}", set=alone)


def _bare(column: Column) -> str:
    return column.header.replace("(%)", "").strip()
