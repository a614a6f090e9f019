"""mmbio tables."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.cli.own_fusion import own_fusion
from mmbio.cli.tables_run import Run
from mmbio.errors import MmbioError
from mmbio.protocols import GENUINE, PROTOCOLS, SPLITS, TRIPLETS
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.tables.spec import TableSpec


@click.command("tables", short_help="Run and render the papers' tables, or your own.")
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@options.data
@click.option("--protocol", type=click.Choice(list(PROTOCOLS)), help="The tables of one protocol.  [default: all that"
              " the data allow]")  # fmt: skip
@click.option("--split", "splits", multiple=True, type=click.Choice(SPLITS), default=("triplet",), show_default=True,
              help="Repeatable: tables of the multitask protocol for each split.")  # fmt: skip
@click.option("--scale", type=click.Choice(list(TRIPLETS)), default="quick", show_default=True,
              help="15 triplets a subject or the paper's 400; simulated, 4,800 or 36,693 test clips.")  # fmt: skip
@click.option(
    "--subjects", type=int, help="Number of subjects that test.  [default: as many as fit, of triplets at most 58]"
)
@click.option(
    "--ages", default="13-39", show_default=True, metavar="FROM-TO", help="Age band of the ECG subjects, in years."
)
@click.option("--folds", type=click.IntRange(1), help="Train only the first so many fold models.  [default: all]")
@click.option("--skip-unusable", is_flag=True, help="Leave out records that cannot be used, and count them.")
@click.option("--match", type=click.Choice(["gender", "none"]), default="gender", show_default=True,
              help="How a face and a voice of different sets are paired (audiovisual).")  # fmt: skip
@click.option("--genuine", type=click.Choice(GENUINE), default="video", show_default=True,
              help="What both sides of a genuine trial differ in at least (audiovisual).")  # fmt: skip
@click.option("--frames", type=click.IntRange(1, 100), default=1, show_default=True,
              help="Frames with their speech taken of a test clip (audiovisual).")  # fmt: skip
@click.option("--missing-trials", type=click.Choice(["error", "skip"]), default="error", show_default=True,
              help="Trials that cannot be scored: refuse, or leave them out and count them (audiovisual).")  # fmt: skip
@click.option("--under", "unders", multiple=True, metavar="CONDITION",
              help="On training and test of every cell, where it says nothing of a modality, such as face=0.3."
              " Repeatable.")  # fmt: skip
@click.option("--across-splits", is_flag=True,
              help="Each column on every split side by side, and what the first split adds (multitask).")  # fmt: skip
@options.seed
@click.option("--seeds", "n_seeds", type=click.IntRange(2, 100), metavar="N",
              help="Also a table of the spread over N seeds: of the pairing, and of training.")  # fmt: skip
@options.extraction
@options.backbone
@own_fusion
@options.workers
@click.option(
    "--explain", is_flag=True, help="Train and test nothing; say of each cell whether it is finished, or why not."
)
@click.option(
    "--reported-only", is_flag=True, help="Render the papers' own figures (text, Markdown, LaTeX); nothing is measured."
)
@options.out
@options.as_json
@options.quiet
def command(**given: Any) -> None:
    """Run and render the papers' tables, or your own.

    SPEC is a TOML file or the name of a table that comes with mmbio (all of them by default). A cell that is
    finished is not computed again. Tables are printed and written as CSV, text, Markdown and LaTeX; on real
    data the paper's figures stand beside the measured ones, on synthetic data apart from them.

    \b
    Examples:
      mmbio tables
      mmbio tables multitask-table1 --explain
      mmbio tables --data ../sets --source finger=synthetic --weights random --split triplet --split record
      mmbio tables audiovisual-table1 audiovisual-table2 --data ../sets --match none --frames 4 --under face=0.3
      mmbio tables --data mine
    """
    from mmbio.files import home
    from mmbio.tables import spec

    folder = spec.spec_folder()
    paths = [_path(name, folder) for name in given["specs"]] or spec.spec_paths(folder)
    chosen = {path: spec.load(path) for path in paths}
    place = home(given["out"])
    if given["reported_only"]:
        _reported(list(chosen.values()), place / "tables" / "reported", given["quiet"], given["as_json"])
        return
    silent = given["quiet"] or given["as_json"]
    options.compute_on(given["workers"], given["scheduler"], silent)
    made = _all(given, chosen, place, silent)
    if not made:
        raise MmbioError("SPEC: none of the tables fits the data; name one that does, or give other data")
    if given["as_json"]:
        click.echo(json.dumps(made))


def _all(given: dict[str, Any], chosen: "dict[Path, TableSpec]", place: Path, silent: bool) -> dict[str, Any]:
    """The tables of each protocol and split that is asked for, or with --explain the state of their cells."""
    from mmbio.tables.across import across

    made: dict[str, Any] = {}
    wanted = _protocols(given, list(chosen.values()))
    for protocol in wanted:
        ours = {path: s for path, s in chosen.items() if s.protocol.name == protocol}
        splits = given["splits"] if protocol == "multitask" else PROTOCOLS[protocol].splits
        if given["across_splits"] and protocol == "multitask":
            ours, splits = {path: across(s) for path, s in ours.items()}, splits[:1]
        for split in splits:
            with _progress(silent) as report:
                run = Run(given, protocol, split, place, report)
                found = _standing(run, ours, silent) or _made(run, ours, len(wanted) == 1, silent)
            made |= found
            if found and not given["explain"] and not silent:
                _show(found)
    return made


def _protocols(given: dict[str, Any], chosen: "list[TableSpec]") -> list[str]:
    """The protocols whose tables are asked for: of an imported set the one that takes it, of a root what is named."""
    from mmbio.data.vector_sets import is_set

    names = list(dict.fromkeys(s.protocol.name for s in chosen))
    wanted = [n for n in names if given["protocol"] in (None, n)]
    data = given["data"] or os.environ.get("MMBIO_DATA")
    if data and is_set(Path(data)) and not given["specs"] and given["protocol"] is None:
        wanted = [n for n in wanted if PROTOCOLS[n].verifies]
    elif data and not given["specs"] and given["protocol"] is None:
        wanted = [n for n in wanted if n == "multitask"]  # a root rarely holds both; --protocol names the other
    if not wanted:
        raise MmbioError(f"--protocol {given['protocol']}: none of the tables named is of it; leave one of them out")
    return wanted


def _tell(sentences: Iterable[str], silent: bool) -> None:
    for sentence in sentences if not silent else ():
        click.echo(sentence, err=True)


def _path(name: str, folder: Path) -> Path:
    """A spec by its path, or by the name of one that comes with mmbio."""
    if name.endswith(".toml"):
        return Path(name)
    known = [p.stem for p in sorted(folder.glob("*.toml"))]
    if name not in known:
        raise MmbioError(f"SPEC {name}: no such table; give a TOML file or one of {', '.join(known)}")
    return folder / f"{name}.toml"


def _progress(silent: bool) -> Any:
    from mmbio.cli.progress import progress

    return progress(silent)


def _standing(run: Run, specs: "Mapping[Path, TableSpec]", silent: bool) -> dict[str, Any]:
    """What there is to show where this very run was made and stands whole; else nothing."""
    asked = run.asked(specs)
    stood = asked.find() if asked else None
    if stood is None:
        return {}
    _tell(stood.left_out, silent)
    if run.given["explain"]:
        return _explained(stood.label, [(cell, "finished") for cell in stood.cells], silent)
    _tell(stood.told, silent)
    return _written(stood.label, stood.folder, stood.files, stood.texts)


def _made(run: Run, specs: "Mapping[Path, TableSpec]", alone: bool, silent: bool) -> dict[str, Any]:
    """Make what is not there yet, or say what that would be."""
    from mmbio.tables import explain, spread
    from mmbio.tables.fitting import fitting
    from mmbio.tables.label import label
    from mmbio.tables.publish import publish
    from mmbio.tables.run import specs_work

    asked, n_seeds = run.asked(specs), run.given["n_seeds"]
    runner = run.runner(alone)
    name = label(runner)
    fit, left_out = fitting(specs.values(), runner)
    _tell(left_out, silent)
    if run.given["explain"]:
        return _explained(name, explain.explain(runner, name, fit), silent)
    if not fit:
        return {}
    found = publish(runner, name, fit, n_seeds, run.report)
    _tell(found.told, silent)
    if asked:
        work = [*specs_work(fit), *(spread.work(fit, runner, n_seeds) if n_seeds else ())]
        asked.note(runner, found, work, fit, left_out)
    return _written(name, found.folder, found.files, found.texts)


def _explained(label: str, reasons: Sequence[tuple[str, str]], silent: bool) -> dict[str, Any]:
    if not silent:
        for place, reason in reasons:
            click.echo(f"{place}: {reason}")
        n = sum(r == "finished" for _, r in reasons)
        click.echo(f"{n} of {plural(len(reasons), 'cell is', 'cells are')} finished")
    return {label: dict(reasons)}


def _written(label: str, folder: Path, files: Iterable[Path], texts: Iterable[str]) -> dict[str, Any]:
    return {label: {"folder": str(folder), "files": [str(f) for f in files], "text": list(texts)}}


def _show(made: dict[str, Any]) -> None:
    for found in made.values():
        for text in found["text"]:
            click.echo(text)
        click.echo(f"written: {found['folder']} ({plural(len(found['files']), 'file')})")


def _reported(specs: "list[TableSpec]", out: Path, quiet: bool, as_json: bool) -> None:
    from mmbio.tables.render import render_reported
    from mmbio.tables.spec import spec_folder

    written = render_reported(spec_folder(), out, {spec.name for spec in specs})
    if as_json:
        click.echo(json.dumps({"reported": {"folder": str(out), "files": [str(path) for path in written]}}))
    elif not quiet:
        for path in written:
            if path.suffix == ".txt":
                click.echo(path.read_text(encoding="utf-8"))
        click.echo(f"written: {out} ({plural(len(written), 'file')})")
