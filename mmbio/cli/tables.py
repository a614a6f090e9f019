"""mmbio tables."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import AGES, PROTOCOLS, SPLITS, TRIPLETS

if TYPE_CHECKING:
    from mmbio.data.virtual import Plan
    from mmbio.embed.settings import Settings
    from mmbio.report import Report
    from mmbio.tables.run import Runner
    from mmbio.tables.spec import TableSpec


@click.command("tables", short_help="Run and render the papers' tables, or your own.")
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@options.data
@click.option("--split", "splits", multiple=True, type=click.Choice(SPLITS), default=("triplet",), show_default=True,
              help="Repeatable: tables for each split.")  # fmt: skip
@click.option("--scale", type=click.Choice(list(TRIPLETS)), default="quick", show_default=True,
              help="15 triplets a subject, or the paper's 400.")  # fmt: skip
@click.option(
    "--subjects", type=int, help="Number of virtual subjects.  [default: as many as fit, at most the paper's 58]"
)
@click.option(
    "--ages", default="13-39", show_default=True, metavar="FROM-TO", help="Age band of the ECG subjects, in years."
)
@click.option("--folds", type=click.IntRange(1), help="Train only the first so many fold models.  [default: all]")
@click.option("--skip-unusable", is_flag=True, help="Leave out records that cannot be used, and count them.")
@options.seed
@options.extraction
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
    """
    from mmbio.files import home
    from mmbio.tables import spec

    folder = spec.spec_folder()
    chosen = [spec.load(_path(name, folder)) for name in given["specs"]] or [
        spec.load(p) for p in spec.spec_paths(folder)
    ]
    if given["reported_only"]:
        _reported(chosen, home(given["out"]) / "tables" / "reported", given["quiet"], given["as_json"])
        return
    silent = given["quiet"] or given["as_json"]
    settings = options.settings(given["out"], given["backbone_weights"], given["precision"], given["device"])
    made: dict[str, Any] = {}
    for split in given["splits"]:
        for protocol in dict.fromkeys(s.protocol.name for s in chosen):
            ours = [s for s in chosen if s.protocol.name == protocol]
            with _progress(silent) as report:
                runner = _runner(given, protocol, split, settings, report)
                label = _label(runner)
                if given["explain"]:
                    made |= _explain(runner, label, ours, silent)
                else:
                    made |= _run(runner, label, ours, report)
            if not given["explain"] and not silent:
                _show(made, label)
    if given["as_json"]:
        click.echo(json.dumps(made))


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


def _plan(given: dict[str, Any], protocol: str, split: str) -> "Plan":
    from mmbio.cli.build_virtual import parse_ages
    from mmbio.data.virtual import Plan

    return Plan(
        PROTOCOLS[protocol],
        split,
        given["scale"],
        subjects=given["subjects"],
        ages=parse_ages(given["ages"]),
        seed=given["seed"],
        skip_unusable=given["skip_unusable"],
    )


def _runner(given: dict[str, Any], protocol: str, split: str, settings: "Settings", report: "Report") -> "Runner":
    from mmbio.data.sources import resolve
    from mmbio.data.virtual import build
    from mmbio.tables.run import Runner

    plan = _plan(given, protocol, split)
    sources = options.assignments(given["sources"], "--source")
    sets = resolve(plan.protocol.modalities, given["data"], sources, settings.home, report)
    return Runner(build(sets, plan, settings.home, report), settings, given["seed"], given["folds"])


def _label(runner: "Runner") -> str:
    """The folder of the tables: data, subjects, split and scale, and what else is not as by default."""
    from dataclasses import replace

    from mmbio.embed.extract import weights_of

    info, extraction = runner.manifest.info, runner.extraction
    data = info["data"].replace(" (synthetic)", "-synthetic").replace(" + ", "+")
    parts = [f"{data}-{info['n_subjects']['all']}-{info['split']}-{info['scale']}"]
    if tuple(info["ages"]) != AGES:
        parts.append(f"ages{info['ages'][0]}to{info['ages'][1]}")
    if runner.seed:
        parts.append(f"seed{runner.seed}")
    if runner.folds:
        parts.append(f"folds{runner.folds}")
    if weights_of(runner.manifest, extraction) != weights_of(runner.manifest, replace(extraction, weights="auto")):
        parts.append(f"weights-{Path(extraction.weights).stem}")
    if extraction.precision != "auto":
        parts.append(extraction.precision)
    return "-".join(parts).replace(" ", "-")


def _run(runner: "Runner", label: str, specs: "list[TableSpec]", report: "Report") -> dict[str, Any]:
    from mmbio.tables import explain, formats, write
    from mmbio.tables.run import Finished, specs_work
    from mmbio.tables.spec import spec_folder

    runner.compute(specs_work(specs), report)
    explain.note(runner, label, specs)
    finished = [Finished(spec, runner) for spec in specs]
    made = [(f, write.table(f, spec_folder())) for f in finished]
    out = runner.extraction.home / "tables" / label
    files = write.write(made, out)
    return {
        label: {"folder": str(out), "files": [str(f) for f in files], "text": [formats.to_text(t) for _, t in made]}
    }


def _explain(runner: "Runner", label: str, specs: "list[TableSpec]", silent: bool) -> dict[str, Any]:
    from mmbio.tables.explain import explain

    reasons = explain(runner, label, specs)
    if not silent:
        for place, reason in reasons:
            click.echo(f"{place}: {reason}")
        click.echo(f"{sum(r == 'finished' for _, r in reasons)} of {len(reasons)} cells are finished")
    return {label: dict(reasons)}


def _show(made: dict[str, Any], label: str) -> None:
    for text in made[label]["text"]:
        click.echo(text)
    click.echo(f"written: {made[label]['folder']} ({len(made[label]['files'])} files)")


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
        click.echo(f"written: {out} ({len(written)} files)")
