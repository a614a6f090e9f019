"""mmbio purge."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.purge.proof import Proof
    from mmbio.purge.remove import Plan
    from mmbio.purge.traces import Thing

FEW = 12  # lines of a kind


@click.command("purge", short_help="Remove a person from a home folder, and prove it.")
@click.argument("subject", metavar="SUBJECT")
@click.option("--data", metavar="ROOT", help="Also remove the person's source files below this data root.")
@click.option("--unknown", is_flag=True,
              help="Also remove results and checkpoints whose manifest is not here, so that nobody can tell of whom"
              " they are.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would go; nothing is changed.")
@click.option("--yes", is_flag=True, help="Do not ask before anything goes.")
@options.out
@options.as_json
@options.quiet
def command(
    subject: str,
    data: str | None,
    unknown: bool,
    dry_run: bool,
    yes: bool,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Remove a person from everything in a home folder, and prove it.

    SUBJECT is a name of a public or imported set, such as Person_07 or SET:NAME, or MANIFEST#NUMBER for all the people
    behind a virtual subject. Manifests with the person go, and all that was made on them: vectors, checkpoints,
    results and their rows, tables, figures, pages, audits, logs. Imported sets lose the person's rows. Each line names
    the command that makes the thing anew, without the person, whom later manifests leave out. Then every file of the
    home is searched for names, hashes of samples and vectors, and ROOT for names; what that finds and what not is told.
    The exit code is 1 where anything is left or could not be searched. Runs that are at work in the home are waited
    for, and those that begin then wait.

    \b
    Examples:
      mmbio purge Person_07 --dry-run
      mmbio purge ecg-id:Person_07 --data ../sets --yes
      mmbio purge multitask-triplet-quick-72103eee#3
    """
    from mmbio.files import home
    from mmbio.purge import remove

    root = Path(data) if data is not None else None
    if root is not None and not root.is_dir():
        raise MmbioError(f"--data {data}: no such folder; give the root that the person's files lie below")
    folder = Path(out or os.environ.get("MMBIO_HOME") or "runs")
    if not folder.exists() and root is None:
        raise MmbioError(f"{folder}: no such folder; give the home folder that names the person with --out")
    planned = remove.plan(subject, home(out) if folder.exists() else folder, root)
    silent = as_json or quiet
    if not silent:
        _show(planned, unknown)
    if dry_run:
        if as_json:
            click.echo(json.dumps(_told(planned, unknown, [], None)))
        return
    if not yes:
        _ask(silent)
    home(out)  # where only source files go, those who are excluded are noted there
    gone, proof = remove.purge(planned, unknown)
    left = [] if unknown else [t for t in planned.traces.unknown if t.path.exists()]
    if as_json:
        click.echo(json.dumps(_told(planned, unknown, gone, proof)))
    else:
        _end(planned, gone, proof, left, quiet)
    if proof.found or left:
        sys.exit(1)


def _ask(silent: bool) -> None:
    if silent or not sys.stdin.isatty():
        raise MmbioError("purge: what goes is gone, and nobody can be asked here; add --yes, or --dry-run to look")
    if not click.confirm("Remove all of this?"):
        raise MmbioError("purge: nothing was removed, as you said; run it again to remove")


def _show(planned: "Plan", unknown: bool) -> None:
    names = ", ".join(map(str, planned.marks.persons)) or ", ".join(planned.asked)
    click.echo(f"{names}: {'already purged; searched by name again ' if planned.already else ''}in {planned.home}")
    if len(planned.marks.persons) > 1:
        click.echo("they stand behind one virtual subject, whose samples cannot be told apart in what was fused")
    _list("goes", planned.traces.things, planned.home)
    _list("goes" if unknown else "stays, of an unknown manifest (see --unknown)", planned.traces.unknown, planned.home)
    for path in planned.sources[:FEW]:
        click.echo(f"{'loses lines' if path in planned.lists else 'goes'}: {path} (source file)")
    if len(planned.sources) > FEW:
        click.echo(f"goes: {len(planned.sources) - FEW:,} more (source files)")
    for folder, why in planned.unread:
        click.echo(f"stays: {folder} ({why})")
    for path in planned.elsewhere:
        click.echo(f"stays: source files in {path}; remove them there, or add --data ROOT, which they lie below")
    if planned.made:
        click.echo("synthetic roots hold nobody and stay")
    for line in planned.commands:
        click.echo(f"again: {line}")
    if any(" --weights FILE" in line or " --trials FILE" in line for line in planned.commands):
        click.echo("note: FILE is a file of then, whose path nothing here tells; put it in its place")
    if any(" --subjects " in line for line in planned.commands):
        click.echo("note: --subjects is repeated as it was given; leave it out where so many do not fit any more")


def _list(verb: str, things: "tuple[Thing, ...]", home: Path) -> None:
    for what in dict.fromkeys(thing.what for thing in things):
        ours = [thing for thing in things if thing.what == what]
        for thing in ours[:FEW]:
            behind = f" -> {thing.path.resolve()}" if thing.path.is_symlink() else ""
            word = "loses rows" if thing.rewritten else verb
            click.echo(f"{word}: {thing.path.relative_to(home)}{behind} ({what})")
        if len(ours) > FEW:
            click.echo(f"{verb}: {len(ours) - FEW:,} more ({what})")


def _end(planned: "Plan", gone: "list[Thing]", proof: "Proof", left: "list[Thing]", quiet: bool) -> None:
    from mmbio.purge.proof import LOOKED_FOR, NOT_LOOKED_FOR

    for path, what in proof.found:
        click.echo(f"left: {path} ({what})", err=True)
    for thing in left:
        click.echo(f"left: {thing.path} (nobody can tell of whom; add --unknown to remove it)", err=True)
    if not quiet:
        deleted = [path for path in planned.sources if path not in planned.lists and not path.exists()]
        edited = [path for path in planned.sources if path in planned.lists]
        n_edited = sum(thing.rewritten for thing in gone) + len(edited)
        n_gone = sum(not thing.rewritten for thing in gone) + len(deleted)
        click.echo(f"gone: {plural(n_gone, 'thing', spec=',')}, {plural(n_edited, 'list', spec=',')} edited")
        click.echo(
            f"searched: {plural(proof.n_files, 'file', spec=',')}, {proof.n_bytes:,} bytes; vectors of this person"
            f" compared: {proof.n_vectors:,}; found: {len(proof.found):,}"
        )
        click.echo(f"looked for: {LOOKED_FOR}")
        click.echo(f"not looked for: {NOT_LOOKED_FOR}")


def _told(planned: "Plan", unknown: bool, gone: "list[Thing]", proof: "Proof | None") -> dict[str, Any]:
    from mmbio.purge.proof import LOOKED_FOR, NOT_LOOKED_FOR

    def plain(things: Any) -> list[dict[str, Any]]:
        return [{"path": str(t.path), "what": t.what, "again": t.again, "rewritten": t.rewritten} for t in things]

    return {
        "people": [str(p) for p in planned.marks.persons],
        "goes": plain((*planned.traces.things, *(planned.traces.unknown if unknown else ()))),
        "unknown": plain(planned.traces.unknown),
        "sources": [str(p) for p in planned.sources],
        "already": planned.already,
        "commands": list(planned.commands),
        "unread": [{"path": folder, "why": why} for folder, why in planned.unread],
        "sources_that_stay": [str(p) for p in planned.elsewhere],
        "removed": plain(gone),
        "proof": proof
        and {
            "n_files": proof.n_files,
            "n_bytes": proof.n_bytes,
            "n_vectors": proof.n_vectors,
            "looked_for": LOOKED_FOR,
            "not_looked_for": NOT_LOOKED_FOR,
            "found": [{"path": path, "what": what} for path, what in proof.found],
        },
    }
