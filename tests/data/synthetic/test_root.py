"""The synthetic root: made whole, made once, and the same bytes for the same seed."""

from pathlib import Path

import pytest

from mmbio import __version__
from mmbio.data.readers.registry import read_modality
from mmbio.data.synthetic import root as module
from mmbio.data.synthetic.root import MARKER, SPREADS, ensure, generate
from mmbio.errors import MmbioError
from mmbio.files import read_json, replacing, write_json


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, tiny_root: Path) -> None:
    told: list[tuple[int, int]] = []
    generate(tmp_path / "root", seed=0, n_subjects=2, report=lambda _what, done, total: told.append((done, total)))
    assert told == [(done, 6) for done in range(1, 7)]
    again, six = contents(tmp_path / "root"), contents(tiny_root)
    shared = {name for name in again if name.endswith((".jpg", ".bmp", ".hea", ".dat"))}
    assert len(shared) > 2 * (20 + 12)
    assert all(again[name] == six[name] for name in shared)  # a subject does not depend on how many there are
    assert set(again) - shared == {MARKER, "faces95/genders.csv"}
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_a_root_reads_as_real_sets_do(tiny_root: Path) -> None:
    found = {m: read_modality(tiny_root, m) for m in SPREADS}
    assert {m: [one.name for one in sets] for m, sets in found.items()} == {
        "ecg": ["ecg-id"],
        "face": ["faces95"],
        "finger": ["fvc2006"],
    }
    assert all(len({sample.subject for sample in sets[0].samples}) == 6 for sets in found.values())
    genders = {m: {s.subject: s.gender for s in found[m][0].samples} for m in ("ecg", "face")}
    assert all(sorted(map(str, of.values())) == ["F"] * 3 + ["M"] * 3 for of in genders.values())


def test_the_marker_says_how_it_was_made(tiny_root: Path) -> None:
    marker = read_json(tiny_root / MARKER, "synthetic root")
    assert marker == {"version": __version__, "seed": 0, "n_subjects": 6, "spreads": dict(SPREADS)}


def test_ensure_makes_it_once_and_again_for_another_seed_or_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(root: Path, seed: int, **_: object) -> None:
        with replacing(root) as scratch:
            scratch.mkdir()
            write_json(scratch / MARKER, module._description(seed, module.N_SUBJECTS, SPREADS))

    monkeypatch.setattr(module, "generate", fake)
    root = tmp_path / "data" / "synthetic"
    assert [ensure(root, seed) for seed in (0, 0, 1, 1)] == [True, False, True, False]
    monkeypatch.setattr(module, "__version__", "next")
    assert [ensure(root, 1), ensure(root, 1)] == [True, False]
    (root / MARKER).unlink()
    assert ensure(root, 1)


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nose"):
        generate(tmp_path / "root", n_subjects=1, spreads={"nose": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(MmbioError, match="holds other files, which would be replaced; name a new or empty folder"):
        ensure(tmp_path)
    assert (tmp_path / "mine").is_file()
