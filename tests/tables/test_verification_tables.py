"""The tables of verification: their specs, cut to the data, computed on a tiny set, marked, and beside the paper's."""

from dataclasses import replace
from pathlib import Path

import pytest

from mmbio.conditions import parse
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings as Extraction
from mmbio.fuse.config import Config, Optimiser
from mmbio.protocols import AUDIOVISUAL, SEGMENTS
from mmbio.tables.cut import for_attributes, for_lengths
from mmbio.tables.formats import to_csv
from mmbio.tables.measured import mark as marked
from mmbio.tables.measured import measured, planted
from mmbio.tables.render import reported_table
from mmbio.tables.reported import read_reported
from mmbio.tables.run import Finished, Runner, specs_work
from mmbio.tables.settings import Settings
from mmbio.tables.spec import TableSpec, cells, load, spec_paths
from mmbio.tables.write import make, write

REPOSITORY = Path(__file__).parents[2] / "tables"
OURS_ALONE = {"audiovisual-calibration", "leakage", "multitask-robustness", "multitask-universal"}
N_CELLS = {"1": 24, "2": 64, "3a": 18, "3b": 36}


class Quick(Runner):
    """Trains two epochs of two batches."""

    def config(self, settings: Settings) -> Config:
        return replace(super().config(settings), optimiser=Optimiser(epochs=2, steps=2, batch=24))


def spec(name: str) -> TableSpec:
    return load(REPOSITORY / f"audiovisual-table{name}.toml")


def settings(fusion: str = "cosine", modalities: tuple[str, ...] = ("face",), test: str = "clean") -> Settings:
    return Settings(fusion, modalities, AUDIOVISUAL.tasks, parse("clean"), parse(test), segment_s=1.015)


@pytest.fixture(scope="module")
def specs() -> list[TableSpec]:
    """Tables 1 and 2 at 1.015 s, and 3b of the one attribute that the tiny set has."""
    return [*(for_lengths(spec(name), (1.015,)) for name in "12"), for_attributes(spec("3b"), ("Smiling",))]


@pytest.fixture(scope="module")
def finished(
    specs: list[TableSpec], av_manifest: Manifest, av_settings: Extraction, tmp_path_factory: pytest.TempPathFactory
) -> list[Finished]:
    return computed(specs, av_manifest, av_settings, tmp_path_factory.mktemp("one"), 1)


def computed(
    specs: list[TableSpec], manifest: Manifest, extraction: Extraction, home: Path, n_threads: int
) -> list[Finished]:
    """The specs' tables from a home of their own, several networks trained at once where there are threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBIO_THREADS", str(n_threads))
        runner = Quick(manifest, replace(extraction, home=home))
        runner.compute(specs_work(specs))
    return [Finished(s, runner) for s in specs]


@pytest.mark.parametrize(("name", "n"), N_CELLS.items())
def test_each_spec_loads(name: str, n: int) -> None:
    found = spec(name)
    assert (found.protocol, found.name) == (AUDIOVISUAL, f"audiovisual-table{name}")
    assert len(cells(found)) == n
    assert {cell.settings.segment_s for cell in cells(found)} <= set(SEGMENTS)


def test_table_2_tests_what_table_1_trained() -> None:
    trained = {replace(cell.settings, test=parse("clean")) for cell in cells(spec("2"))}
    assert trained < {cell.settings for cell in cells(spec("1"))}
    assert {str(cell.settings.test) for cell in cells(spec("2"))} == {
        f"{m}={null}" for m in ("face", "voice") for null in ("random", "zeros")
    }


def test_table_3_is_of_the_attention_of_table_1() -> None:
    attended = {cell.settings for name in ("3a", "3b") for cell in cells(spec(name))}
    assert len(attended) == 1
    assert attended < {cell.settings for cell in cells(spec("1"))}


@pytest.mark.parametrize("path", spec_paths(REPOSITORY), ids=lambda path: path.stem)
def test_reported_values_fit_each_spec(path: Path) -> None:
    found, figures = load(path), REPOSITORY / "reported" / path.name.replace(".toml", ".csv")
    if path.stem in OURS_ALONE:
        assert not figures.exists()
        return
    reported = read_reported(figures, found)
    assert reported
    assert set(reported) <= {(cell.row, cell.column) for cell in cells(found)}
    shown = to_csv(reported_table(found, reported))
    assert all(text in shown for text in reported.values())


def test_the_papers_tables_and_ours_are_there() -> None:
    papers = {f"audiovisual-table{k}" for k in N_CELLS} | {f"multitask-table{k}" for k in (1, 2, 3, 4)}
    assert {path.stem for path in spec_paths(REPOSITORY)} == papers | OURS_ALONE


@pytest.mark.parametrize(
    ("name", "lengths", "n_rows"),
    [
        ("1", SEGMENTS, 12),
        ("1", (0.115,), 6),
        ("1", (2.0,), 0),
        ("1", (), 6),  # the two lengths' rows differ in nothing else
        ("2", (1.015, 2.0), 16),
        ("2", (), 16),
        ("3a", (0.115,), 0),  # its length stands in its base
        ("3a", SEGMENTS, 9),
        ("3b", (), 12),
    ],
)
def test_rows_of_the_lengths_at_hand(name: str, lengths: tuple[float, ...], n_rows: int) -> None:
    cut = for_lengths(spec(name), lengths)
    assert len(cut.rows) == n_rows
    found = {cell.settings.segment_s for cell in cells(cut)}
    assert found <= (set(lengths) if lengths else {None})
    if not lengths and "segment_s" in [key.name for key in cut.keys]:
        at = [key.name for key in cut.keys].index("segment_s")
        assert {row.key[at] for row in cut.rows} == {"-"}


@pytest.mark.parametrize(
    ("test", "more", "expected"),
    [
        ("clean", "clean", "clean"),
        ("clean", "face=0.3", "face=0.3"),
        ("face=zeros", "face=0.3", "face=zeros"),
        ("voice=random", "face=0.3", "face=0.3,voice=random"),
        ("missing=face", "face=0.3,voice=snr:10", "missing=face,voice=snr:10"),
    ],
)
def test_under_a_further_condition(test: str, more: str, expected: str) -> None:
    under = settings("sum", ("face", "voice"), test).under(parse(more))
    assert under.test == parse(expected)
    assert under.train == parse(more)


@pytest.mark.parametrize(
    ("change", "metric", "given", "mark"),
    [
        (settings(), "eer", "", "c"),
        (settings(modalities=("voice",)), "eer", "", "c"),
        (settings(), "min_dcf", "", ""),
        (settings(test="face=random"), "eer", "", ""),
        (settings("attention", ("face", "voice")), "eer", "", ""),
        (settings("score-logistic", ("face", "voice"), "voice=zeros"), "eer", "", ""),
        (settings("attention", ("face", "voice")), "above_mean_face", "Bald", "p"),
        (settings("attention", ("face", "voice")), "above_mean_face", "Smiling", ""),
    ],
)
def test_marks_of_the_simulation(
    finished: list[Finished], av_manifest: Manifest, change: Settings, metric: str, given: str, mark: str
) -> None:
    sources = {m: s | {"synthetic": True} for m, s in av_manifest.info["sources"].items()}
    simulated = replace(av_manifest, info=av_manifest.info | {"sources": sources, "data": "simulated"})
    runner = replace(finished[0].runner, manifest=simulated)
    cell = replace(cells(finished[0].spec)[0], settings=change, metric=metric, given=given)
    assert marked(Finished(finished[0].spec, runner), cell) == mark
    assert marked(finished[0], cell) == ""  # the tiny set says that it is real


def test_planted_rows_are_those_of_table_3b() -> None:
    asked = {cell.given for name in ("3a", "3b") for cell in cells(spec(name))}
    assert planted() & asked
    assert asked - planted()


def test_no_mark_under_a_further_condition(finished: list[Finished], av_manifest: Manifest) -> None:
    sources = {m: s | {"synthetic": True} for m, s in av_manifest.info["sources"].items()}
    simulated = replace(av_manifest, info=av_manifest.info | {"sources": sources, "data": "simulated"})
    runner = replace(finished[0].runner, manifest=simulated, under=parse("voice=zeros"))
    assert marked(Finished(finished[0].spec, runner), cells(finished[0].spec)[0]) == ""


def test_figures(finished: list[Finished]) -> None:
    for one in finished:
        assert set(measured(one)) == {(cell.row, cell.column) for cell in cells(one.spec)}
        for place, row in one.rows.items():
            assert 0 <= row.value <= 1, place
            assert row.segment_s == "1.015"
    third = {cell.given for cell in cells(finished[2].spec)}
    assert third == {row.given for row in finished[2].rows.values()} == {"Smiling"}


def test_cells_of_one_setting_are_one_evaluation(finished: list[Finished]) -> None:
    attention = next(r for p, r in finished[0].rows.items() if p[0].startswith("system=C"))
    assert {row.result for row in finished[2].rows.values()} == {attention.result}


def test_somebodys_own_embeddings_stand_alone(finished: list[Finished]) -> None:
    made = make(finished[0], REPOSITORY).table
    assert made.title == "Person verification by face and voice (measured)"
    assert not any("reported" in text for text in made.header)
    assert any(note.startswith("Data: tiny; 12 subjects test (6 F, 6 M), 24 train and tune") for note in made.notes)


def test_several_networks_at_once_give_the_same_bytes(
    finished: list[Finished],
    specs: list[TableSpec],
    av_manifest: Manifest,
    av_settings: Extraction,
    tmp_path: Path,
) -> None:
    again = computed(specs, av_manifest, av_settings, tmp_path / "home", 2)
    folders = []
    for name, tables in (("one", finished), ("two", again)):
        write([make(f, REPOSITORY) for f in tables], tmp_path / name)
        folders.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir() if not p.name.startswith(".")})
    assert folders[0] == folders[1]
    homes = [tables[0].runner.extraction.home for tables in (finished, again)]
    arrays = [{p.relative_to(home): p.read_bytes() for p in home.rglob("results/*/*.npy")} for home in homes]
    assert arrays[0] == arrays[1]
    assert arrays[0]
