"""mmbio build-virtual."""

import json
import re
from typing import Final

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import FOLDS, GENUINE, PROTOCOLS, SPLITS, TRIPLETS

BELONGING: Final = {
    "multitask": ("ages", "triplets", "folds", "skip_unusable"),
    "audiovisual": ("match", "genuine", "same_gender", "frames"),
}


@click.command("build-virtual", short_help="Pair public subjects into virtual ones and draw their triplets.")
@options.protocol
@options.data
@click.option(
    "--subjects", type=int, help="Number of subjects that test.  [default: as many as fit, of triplets at most 58]"
)
@click.option(
    "--ages", default="13-39", show_default=True, metavar="FROM-TO", help="Age band of the ECG subjects, in years."
)
@click.option("--split", type=click.Choice(SPLITS),
              help="triplet: the paper's, one source may reach both sides; source: disjoint beats and images;"
              " record: disjoint records; of the multitask protocol.  [default: triplet]")  # fmt: skip
@click.option("--scale", type=click.Choice(list(TRIPLETS)), default="quick", show_default=True,
              help="15 triplets a subject or the paper's 400; simulated, 4,800 or 36,693 test clips.")  # fmt: skip
@click.option("--triplets", type=int, help="Triplets a subject, in place of the scale's.")
@click.option(
    "--folds", type=click.IntRange(2, 100), default=FOLDS, show_default=True, help="Folds of the triplet split."
)
@click.option("--match", type=click.Choice(["gender", "none"]), default="gender", show_default=True,
              help="How a face and a voice of different sets are paired (audiovisual).")  # fmt: skip
@click.option("--genuine", type=click.Choice(GENUINE), default="video", show_default=True,
              help="What both sides of a genuine trial differ in at least (audiovisual).")  # fmt: skip
@click.option("--same-gender", is_flag=True, help="Impostors of the subject's own gender alone (audiovisual).")
@click.option("--frames", type=click.IntRange(1, 100), default=1, show_default=True,
              help="Frames with their speech taken of a test clip (audiovisual).")  # fmt: skip
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
    split: str | None,
    scale: str,
    triplets: int | None,
    folds: int,
    match: str,
    genuine: str,
    same_gender: bool,
    frames: int,
    skip_unusable: bool,
    seed: int,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Pair the subjects of public sets into virtual subjects and draw their triplets, or clips and trials.

    Face and ECG are matched by gender within the age band, fingerprints assigned at random. With --protocol
    audiovisual faces and voices of one set are joined clip by clip, those of different sets are paired into
    chimeric subjects, and 300 genuine and 300 impostor trials a subject are drawn. Writes a manifest that says
    for every item which source files it came from.

    \b
    Examples:
      mmbio build-virtual
      mmbio build-virtual --data ../sets --source finger=synthetic --split record
      mmbio build-virtual --protocol audiovisual --data ../sets --match none --frames 4
    """
    from mmbio.cli.progress import progress
    from mmbio.data.plan import Plan
    from mmbio.data.sources import resolve
    from mmbio.data.virtual import build
    from mmbio.files import home, remember

    which = PROTOCOLS[protocol]
    options.only_for(which, BELONGING)
    if split is not None and split not in which.splits:
        raise MmbioError(f"--split {split}: the protocol {protocol} has {', '.join(which.splits)} alone; leave it out")
    plan = Plan(
        which,
        split or which.splits[0],
        scale,
        triplets,
        subjects,
        parse_ages(ages),
        folds,
        seed,
        skip_unusable,
        match=match,
        genuine=genuine,
        same_gender=same_gender,
        frames=frames,
    )
    folder = home(out)
    with progress(quiet or as_json) as report:
        sets = resolve(
            plan.protocol, data, options.assignments(sources, "--source"), folder, report, plan.scale, plan.seed
        )
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
