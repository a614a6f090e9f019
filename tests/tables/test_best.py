"""The best of a group and those level with it: by hand-made results of the rows of a spec."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure import stored
from mmbio.measure.dcf import Cost
from mmbio.measure.paired import DRAWS
from mmbio.measure.stored import Stored
from mmbio.tables import best
from mmbio.tables.best import Best, best_or_level
from mmbio.tables.run import Finished
from mmbio.tables.spec import TableSpec, cells, load

N = 30  # subjects, each with two items
SPECS = {
    "multitask": ("identification", 'metric = "accuracy"', 'tasks = ["identification"]'),
    "audiovisual": ("verification", 'metric = "eer"', 'fusion = "cosine"'),
}


@dataclass(frozen=True)
class Fake(Stored):
    """A stored result whose arrays are at hand."""

    arrays_: Mapping[str, np.ndarray] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return name in self.arrays_

    def array(self, name: str) -> np.ndarray:
        return self.arrays_[name]


Mark = Callable[..., Best]


def spec(folder: Path, protocol: str, rows: list[tuple[str, str]], compare: str) -> TableSpec:
    """A spec of one column, whose rows are named by a system and a level."""
    task, metric, base = SPECS[protocol]
    lines = [
        f'protocol = "{protocol}"\nname = "own"\ntitle = "Own"\nkeys = ["system", "level"]\n{compare}',
        f'[base]\n{base}\n[[columns]]\nkey = "f"\nheader = "F"\ntask = "{task}"\n{metric}',
        *(f'[[rows]]\nkey = {{ system = "{system}", level = "{level}" }}' for system, level in rows),
    ]
    path = folder / "own.toml"
    path.write_text("\n".join(lines))
    return load(path)


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mark]:
    """Mark a table whose rows (system, level) rest on these arrays."""

    def mark(rows: Mapping[tuple[str, str], Mapping[str, Any]], compare: str = 'compare = ["level"]') -> Best:
        protocol = "audiovisual" if "scores" in next(iter(rows.values())) else "multitask"
        made = spec(tmp_path, protocol, list(rows), compare)
        places = {f"system={system},level={level}": arrays for (system, level), arrays in rows.items()}
        row = SimpleNamespace(task=SPECS[protocol][0], seed=0, manifest="m", result="r")
        results = {
            Path(str(i)): Fake(Path(str(i)), {}, cast(Any, (row,)), (Cost(),), cast(Any, arrays))
            for i, arrays in enumerate(places.values())
        }
        folders = dict(zip(places, results, strict=True))
        finished = SimpleNamespace(
            spec=made,
            runner=SimpleNamespace(seed=0, extraction=SimpleNamespace(home=tmp_path)),
            result_of=lambda cell: folders[cell.row],
            rows={(c.row, c.column): SimpleNamespace(value=places[c.row]["value"]) for c in cells(made)},
        )
        monkeypatch.setattr(stored, "read", lambda folder, home: results[folder])
        return best_or_level(cast(Finished, finished))

    yield mark


def items(wrong: int, **change: Any) -> dict[str, Any]:
    """A classification that is wrong on the first item of its first subjects."""
    right = np.ones(2 * N)
    right[: 2 * wrong : 2] = 0
    arrays = {
        "posterior_identification": np.stack([1 - right, right], 1)[None],
        "label_identification": np.ones(2 * N, np.int64),
        "id": np.arange(2 * N).astype(str),
        "subject": np.arange(2 * N) // 2,
        "value": right.mean(),
    }
    return arrays | change


def trials(strength: float, seed: int = 0, **change: Any) -> dict[str, Any]:
    """A verification whose genuine scores are so much higher; the same noise for each strength."""
    one, other = np.triu_indices(2 * N, 1)
    genuine = one // 2 == other // 2
    arrays = {
        "scores": np.random.default_rng(seed).normal(0, 1.0, len(one)) + strength * genuine,
        "genuine": genuine,
        "enrolment": one,
        "probe": other,
        "item": np.arange(2 * N),
        "id": np.arange(2 * N).astype(str),
        "subject": np.arange(2 * N) // 2,
        "value": 1 / (1 + strength),
    }
    return arrays | change


def systems(found: Best) -> set[str]:
    return {row.replace("system=", "").replace("level=", "") for row, _ in found.places}


def test_the_best_and_those_level_with_it(mark: Mark) -> None:
    found = mark({("A", "1"): items(0), ("B", "1"): items(1), ("C", "1"): items(20), ("A", "2"): items(9)})
    assert systems(found) == {"A,1", "B,1"}  # C is worse; the one row of level 2 is compared with none
    assert {row for row, _ in found.compared} == {f"system={system},level=1" for system in "ABC"}
    assert found.left_out == ()


def test_each_group_has_a_best(mark: Mark) -> None:
    found = mark({("A", "1"): items(0), ("B", "1"): items(20), ("A", "2"): items(25), ("B", "2"): items(0)})
    assert systems(found) == {"A,1", "B,2"}


def test_all_rows_are_one_group(mark: Mark) -> None:
    rows = {("A", "1"): items(0), ("B", "2"): items(20), ("C", "3"): items(0)}
    assert systems(mark(rows, "compare = []")) == {"A,1", "C,3"}
    assert mark(rows).places == frozenset()
    assert mark(rows, "") == Best(frozenset())


def test_lower_is_better_of_errors(mark: Mark) -> None:
    found = mark({("A", "1"): trials(1.0), ("B", "1"): trials(3.0), ("C", "1"): trials(3.0)})
    assert systems(found) == {"B,1", "C,1"}


@pytest.mark.parametrize(
    "other",
    [items(0, subject=np.arange(2 * N) // 3), items(0, id=np.arange(2 * N)[::-1].astype(str)),
     items(0, label_identification=np.arange(2 * N) % 2)],
)  # fmt: skip
def test_other_decisions_are_not_compared(mark: Mark, other: dict[str, Any]) -> None:
    found = mark({("A", "1"): items(0), ("B", "1"): other, ("A", "2"): items(0), ("B", "2"): items(0)})
    assert systems(found) == {"A,2", "B,2"}
    assert found.left_out == ("F of level=1",)
    assert found.compared == found.places


def test_trials_left_out_are_other_decisions(mark: Mark) -> None:
    cut = {name: trials(3.0)[name][1:] for name in ("scores", "genuine", "enrolment", "probe")}
    assert mark({("A", "1"): trials(1.0), ("B", "1"): trials(3.0, **cut)}, "compare = []") == Best(frozenset(), ("F",))


def test_draws_that_were_kept_are_taken(mark: Mark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(best, "score_draws")
    draws = np.linspace(0.1, 0.2, DRAWS)
    rows = {("A", "1"): trials(1.0, draws_eer=draws), ("B", "1"): trials(3.0, draws_eer=draws - 0.01)}
    assert systems(mark(rows)) == {"B,1"}


def test_one_subject(mark: Mark) -> None:
    one = items(0, subject=np.zeros(2 * N, np.int64))
    with pytest.raises(MmbioError, match="1 subject in the test"):
        mark({("A", "1"): one, ("B", "1"): one})


def test_notes(tmp_path: Path) -> None:
    made = spec(tmp_path, "multitask", [("A", "1")], 'compare = ["system", "level"]')
    found = Best(frozenset({("A", "f")}), ("F of level=1", "G of level=2"))
    best_of, left_out = found.notes(made)
    assert best_of.startswith("*: the best of the rows with the same system and level, or not told from it: ")
    assert left_out == "Not compared, for they rest on different test decisions: F of level=1; G of level=2."
    assert found.notes(replace(made, compare=()))[0].startswith("*: the best of all rows, or")
    assert Best(frozenset()).notes(made) == []
