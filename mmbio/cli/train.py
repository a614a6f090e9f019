"""mmbio train."""

import json

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS, TASK_WEIGHTS
from mmbio.words import plural

FUSIONS = (
    "concat|sum|attention|package.module:Class; multitask: score-sum|score-product|score-max;"
    " audiovisual: cosine|score-logistic"
)


@click.command("train", short_help="Train a fusion on the folds of a manifest.")
@options.protocol
@options.manifest
@click.option("--data", metavar="ROOT", help="Build the manifest from this root or imported set, with all defaults.")
@click.option("--fusion", metavar="NAME", help=f"{FUSIONS}.  [default: the protocol's]")
@click.option("--modalities", metavar="LIST", help="Such as ecg,face.  [default: all of the protocol]")
@click.option("--tasks", metavar="LIST", help="identification, gender or both, jointly.  [default: both]")
@options.noise
@click.option("--folds", type=click.IntRange(1), help="Train only the first so many fold models.  [default: all]")
@click.option(
    "--unseen", is_flag=True, help="Folds over subjects, so that tests are on people not trained on (gender)."
)
@click.option("--loss-weights", metavar="LIST", help="Joint loss, such as identification=0.5,gender=0.5 (the default).")
@click.option(
    "--rule-weights", metavar="LIST", help="Of a score rule, such as ecg=0.5,face=0.25,finger=0.25.  [default: equal]"
)
@options.segment
@options.seed
@options.extraction
@options.backbone
@options.workers
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    manifest: str | None,
    data: str | None,
    fusion: str | None,
    modalities: str | None,
    tasks: str | None,
    noises: tuple[str, ...],
    folds: int | None,
    unseen: bool,
    loss_weights: str | None,
    rule_weights: str | None,
    segment_s: float | None,
    seed: int,
    backbone_weights: str,
    precision: str,
    device: str,
    backbones: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a fusion on the folds of a manifest, and write a checkpoint.

    Clean by default; --noise paper trains on the paper's levels. What is missing is made first: the
    synthetic root, the manifest, the vectors. A training that was finished before is not done again.

    \b
    Examples:
      mmbio train --fusion attention
      mmbio train --noise paper --modalities ecg,face --tasks gender
      mmbio train --fusion score-sum --rule-weights ecg=0.5,face=0.25,finger=0.25
      mmbio train --protocol audiovisual --fusion attention --segment 0.115
    """
    from mmbio.cli import folds as available
    from mmbio.cli.progress import progress
    from mmbio.files import remember
    from mmbio.fuse import fusions, run
    from mmbio.fuse.config import OF_CLASSES, OF_PAIRS, Config

    which = PROTOCOLS[protocol]
    options.only_for(which, {"multitask": ("loss_weights", "folds")})
    name = fusion or which.fusion
    by_default = ("gender",) if unseen and not which.verifies else which.tasks
    if name not in (*OF_CLASSES, *OF_PAIRS):
        fusions.allow(name)
        fusions.find(name)
    settings = options.settings(out, backbone_weights, precision, device, backbones)
    rule = _numbers(rule_weights, "--rule-weights") if rule_weights else None
    losses = _numbers(loss_weights, "--loss-weights") if loss_weights else TASK_WEIGHTS
    asked = options.names(modalities) if modalities is not None else None

    def config_of(chosen: tuple[str, ...], seconds: float | None) -> Config:
        return Config(
            protocol=protocol,
            fusion=name,
            modalities=chosen,
            tasks=options.names(tasks) if tasks is not None else by_default,
            condition=options.condition(noises, (), which, chosen),
            seed=seed,
            folds=folds,
            unseen=unseen,
            rule_weights=rule,
            task_weights=losses,
            segment_s=seconds,
        )

    config_of(asked or which.modalities, None)  # what is wrong in it is said before anything is built
    options.compute_on(workers, scheduler, quiet or as_json)
    found = options.open_manifest(manifest, protocol, settings.home, quiet or as_json, data, seed)
    chosen = asked or found.modalities
    absent = [m for m in chosen if m not in found.modalities]
    if absent:
        raise MmbioError(f"--modalities {absent[0]}: the data have {', '.join(found.modalities)}; choose from them")
    options.check_extraction(found, settings)
    config = config_of(chosen, options.segment_of(found, segment_s))
    available.look(found, folds, unseen)
    with progress(quiet or as_json) as report:
        checkpoint = run.train(found, config, settings, report)
    remember(checkpoint.path.parent, protocol, checkpoint.path)
    cost = checkpoint.cost()
    if as_json:
        click.echo(json.dumps({"checkpoint": str(checkpoint.path), "cost": cost, "key": checkpoint.key}))
    elif not quiet:
        n = sum(len(run.partitions_of(found, c)) for c in config.members())
        speech = f", segments of {config.segment_s:g} s" if config.segment_s is not None else ""
        click.echo(f"{config.fusion} of {', '.join(config.modalities)} for {' and '.join(config.tasks)},"
                   f" trained under {config.condition}{speech}")  # fmt: skip
        click.echo(
            f"{plural(n, 'network')}, {cost['n_parameters']:,} parameters each fold,"
            f" {cost['seconds']:.1f} s of training"
        )
        click.echo(f"written: {checkpoint.path}")


def _numbers(text: str, option: str) -> dict[str, float]:
    found = options.assignments(options.names(text), option)
    try:
        return {name: float(value) for name, value in found.items()}
    except ValueError as error:
        raise MmbioError(f"{option} {text}: expected numbers, such as ecg=0.5,face=0.25,finger=0.25") from error
