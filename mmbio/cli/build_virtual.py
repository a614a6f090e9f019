"""mmbio build-virtual."""

import json
import re

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import FOLDS, PROTOCOLS, SPLITS, TRIPLETS


@click.command("build-virtual", short_help="Pair public subjects into virtual ones and draw their triplets.")
@options.protocol
@options.data
@click.option(
    "--subjects", type=int, help="Number of virtual subjects.  [default: as many as fit, at most the paper's 58]"
)
@click.option(
    "--ages", default="13-39", show_default=True, metavar="FROM-TO", help="Age band of the ECG subjects, in years."
)
@click.option("--split", type=click.Choice(SPLITS), default="triplet", show_default=True,
              help="triplet: the paper's, one source may reach both sides; source: disjoint beats and images;"
              " record: disjoint records.")  # fmt: skip
@click.option("--scale", type=click.Choice(list(TRIPLETS)), default="quick", show_default=True,
              help="15 triplets a subject, or the paper's 400.")  # fmt: skip
@click.option("--triplets", type=int, help="Triplets a subject, in place of the scale's.")
@click.option(
    "--folds", type=click.IntRange(2, 100), default=FOLDS, show_default=True, help="Folds of the triplet split."
)
@click.option("--skip-unusable", is_flag=True, help="Leave out records that cannot be used, and count them.")
@options.seed
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    data: str | None,
    sources: tuple[str, ...],
    subjects: int | None,
    ages: str,
    split: str,
    scale: str,
    triplets: int | None,
    folds: int,
    skip_unusable: bool,
    seed: int,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Pair the subjects of public sets into virtual subjects and draw their triplets.

    Face and ECG are matched by gender within the age band, fingerprints assigned at random. Writes a
    manifest that says for every triplet which source files it came from.

    \b
    Examples:
      mmbio build-virtual
      mmbio build-virtual --data ../sets --source finger=synthetic --split record
    """
    from mmbio.cli.progress import progress
    from mmbio.data.sources import resolve
    from mmbio.data.virtual import Plan, build
    from mmbio.files import home, remember

    plan = Plan(PROTOCOLS[protocol], split, scale, triplets, subjects, parse_ages(ages), folds, seed, skip_unusable)
    folder = home(out)
    with progress(quiet or as_json) as report:
        sets = resolve(plan.protocol.modalities, data, options.assignments(sources, "--source"), folder, report)
        manifest = build(sets, plan, folder, report)
    remember(manifest.folder.parent, protocol, manifest.folder)
    if as_json:
        click.echo(json.dumps({"manifest": str(manifest.folder), **manifest.info}))
    elif not quiet:
        for line in manifest.summary(plan.protocol.n_subjects):
            click.echo(line)


def parse_ages(text: str) -> tuple[int, int]:
    """The ages behind FROM-TO, ends included; raises MmbioError for anything else."""
    match = re.fullmatch(r"(\d{1,3})-(\d{1,3})", text)
    if not match or int(match[1]) > int(match[2]):
        raise MmbioError(f"--ages {text}: expected FROM-TO in years, the smaller first, such as 13-39")
    return int(match[1]), int(match[2])
