"""Options that several verbs share, and what they parse into."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from mmbio.conditions import PAPER, Condition, parse
from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES, PROTOCOLS, Protocol

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.embed.settings import Settings

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*decorators: Decorator) -> Decorator:
    """Several options as one decorator, in the order given."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


out: Final = click.option(
    "--out", metavar="DIR", help="Folder for everything a run writes.  [default: $MMBIO_HOME, else ./runs]"
)
protocol: Final = click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default="multitask",
    show_default=True,
    help="Which paper's protocol.",
)
manifest: Final = click.option(
    "--manifest", metavar="DIR", help="Manifest folder.  [default: the newest of the protocol, built if there is none]"
)
EER: Final = ("linear", "rocch", "nearest-mean", "nearest-max")  # of mmbio.measure.rates, which loads numpy
PRESETS: Final = ("sre08", "sre10", "sre12", "sre16", "voxceleb")  # of mmbio.measure.dcf
as_json: Final = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
quiet: Final = click.option("--quiet", is_flag=True, help="No progress bars and no summary.")
seed: Final = click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of every random draw."
)
data: Final = together(
    click.option(
        "--data",
        metavar="ROOT",
        help="Folder with the public sets as their archives unpack."
        "  [default: $MMBIO_DATA, else the synthetic root, made if it is not there]",
    ),
    click.option(
        "--source",
        "sources",
        multiple=True,
        metavar="MODALITY=WHERE",
        help="Another source for one modality: synthetic, the name of a set at ROOT, or a folder. Repeatable.",
    ),
)
extraction: Final = together(
    click.option(
        "--weights",
        "backbone_weights",
        default="auto",
        metavar="imagenet|random|PATH",
        help="Weights of the frozen ResNet-50; auto: random on the synthetic root, imagenet on real data.",
        show_default=True,
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16"]),
        default="auto",
        show_default=True,
        help="Precision of extraction and of training's products; auto: bf16 where the processor has it.",
    ),
    click.option("--device", default="auto", show_default=True, metavar="auto|cpu|cuda", help="Where networks run."),
)
backbone: Final = click.option(
    "--backbone",
    "backbones",
    multiple=True,
    metavar="MODALITY=NAME",
    help="Another extractor: face=dlib|facenet|resnet50, voice=resemblyzer. Repeatable.  [default: the protocol's]",
)
segment: Final = click.option(
    "--segment",
    "segment_s",
    type=click.FloatRange(0.02, 60),
    metavar="SECONDS",
    help="Length of a segment of speech; the paper's are 0.115 and 1.015.  [default: the data's longest]",
)
noise: Final = click.option(
    "--noise",
    "noises",
    multiple=True,
    metavar="LEVELS|paper",
    help="Sample noise or null embedding, such as face=0.97, face=blur:4 or voice=random@probe; paper: the paper's"
    " levels of what is not missing. Repeatable.",
)
missing: Final = click.option(
    "--missing",
    multiple=True,
    metavar="MODALITY",
    help="A modality that is not there, and the system is told. Repeatable.",
)


def _check_workers(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Refuse --workers and --scheduler, whichever is read last, before anything is done."""
    if value is not None:
        from mmbio.workers import connect

        given = context.params | {parameter.name: value}
        connect.check(given.get("workers"), given.get("scheduler"))
    return value


workers: Final = together(
    click.option(
        "--workers",
        type=click.IntRange(1, 1024),
        metavar="N",
        callback=_check_workers,
        help="Extract, and compute the cells of tables, in N processes of this machine: the same bytes (mmbio[dask]).",
    ),
    click.option(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        callback=_check_workers,
        help="The same on the workers of a Dask cluster, where home folder and data stand at the same paths.",
    ),
)


def compute_on(workers: int | None, scheduler: str | None, silent: bool) -> None:
    """Let workers compute until the command ends, where they are asked for; lines about them go to stderr."""
    if workers is not None or scheduler is not None:
        from mmbio.workers.cluster import using

        tell = (lambda _: None) if silent else partial(click.echo, err=True)
        click.get_current_context().with_resource(using(workers, scheduler, tell))


def condition(
    noises: Iterable[str], missing: Iterable[str], which: Protocol, modalities: Iterable[str] | None = None
) -> Condition:
    """The condition behind --noise and --missing.

    `paper` stands for the protocol's own levels of those `modalities` (None: all) that are not missing. Raises
    MmbioError for an effect on another modality, which would change nothing.
    """
    in_use = tuple(modalities or which.modalities)
    known = MODALITIES if which.verifies else which.modalities  # imported sets may hold others than the paper's
    text = ",".join([*noises, *(f"missing={name}" for name in missing)])
    if not which.noise and PAPER in (part.strip() for part in text.split(",")):
        raise MmbioError(f"--noise paper: the protocol {which.name} has nulls and no levels; give voice=random")
    asked = parse(text, known, {m: level for m, level in which.noise.items() if m in in_use})
    idle = [str(e) for e in asked.effects if e.modality not in in_use]
    if idle:
        raise MmbioError(f"condition '{idle[0]}': only {', '.join(in_use)} in use here; leave it out")
    return asked


def only_for(which: Protocol, belonging: Mapping[str, Iterable[str]]) -> None:
    """Refuse options on the command line that belong to another protocol, where they would change nothing.

    `belonging` names the parameters by their protocol.
    """
    context = click.get_current_context()
    texts = {p.name: p.opts[0] for p in context.command.params}
    for owner in (name for name in belonging if name != which.name):
        for name in belonging[owner]:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise MmbioError(
                    f"{texts[name]}: belongs to the protocol {owner}; add --protocol {owner}, or leave it out"
                )


def names(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def assignments(pairs: Iterable[str], option: str) -> dict[str, str]:
    """`MODALITY=VALUE` texts as a dict; raises MmbioError for another form or a modality named twice."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not value or name in found:
            raise MmbioError(f"{option} {pair}: expected MODALITY=VALUE, each modality once, such as finger=synthetic")
        found[name] = value
    return found


def settings(
    out: str | None, backbone_weights: str, precision: str, device: str, backbones: Iterable[str] = ()
) -> "Settings":
    """The extraction settings behind the shared options, with the home folder made; all of them checked."""
    from mmbio.embed.extractors import OF
    from mmbio.embed.settings import Settings, device_of
    from mmbio.files import home

    device_of(device)
    if backbone_weights not in ("auto", "imagenet", "random") and not Path(backbone_weights).is_file():
        raise MmbioError(f"--weights {backbone_weights}: expected imagenet, random, or a file of weights; no such file")
    named = assignments(backbones, "--backbone")
    for modality, name in named.items():
        if name not in OF.get(modality, ()):
            known = ", ".join(f"{m}={n}" for m, names in OF.items() for n in names)
            raise MmbioError(f"--backbone {modality}={name}: unknown; choose from {known}")
    return Settings(home(out), backbone_weights, precision, device, tuple(sorted(named.items())))


def check_extraction(found: "Manifest", settings: "Settings") -> None:
    """Refuse --backbone and --weights where the data have no samples that they could change anything on."""
    from mmbio.embed.extractors import backbone_of

    behind = {m: backbone_of(found, m, settings) for m in found.modalities}
    for modality, name in settings.backbones:
        if behind.get(modality) != name:
            why = "is there as vectors" if modality in behind else "is not there"
            raise MmbioError(f"--backbone {modality}={name}: {modality} {why} in {found.folder}; leave it out")
    if settings.weights != "auto" and "resnet50" not in behind.values():
        raise MmbioError(f"--weights {settings.weights}: no ResNet-50 is used on {found.folder}; leave it out")


def segment_of(found: "Manifest", seconds: float | None) -> float | None:
    """The segment length of an experiment: as asked, else the longest that the data have, None where they have none."""
    lengths = sorted(float(s) for s in found.info.get("segments", ()))
    if seconds is not None and not math.isfinite(seconds):
        raise MmbioError(f"--segment {seconds:g}: expected a length in seconds, such as 1.015")
    if seconds is not None and not lengths:
        raise MmbioError(f"--segment {seconds:g}: the data of {found.folder} have no segments of speech; leave it out")
    if seconds is not None and "vectors" in found.info["sources"].get("voice", {}) and seconds not in lengths:
        raise MmbioError(
            f"--segment {seconds:g}: the vectors are of {', '.join(f'{s:g}' for s in lengths)} s of speech; choose one"
        )
    return seconds if seconds is not None or not lengths else lengths[-1]


def open_manifest(
    folder: str | None, which: str, home: Path, quiet: bool = False, data: str | None = None, seed: int = 0
) -> "Manifest":
    """The manifest at `folder`, or built from `data`, or the newest of the protocol, else a default one; says which."""
    from mmbio.data import manifest as manifests

    if data is not None and folder is not None:
        raise MmbioError("--data and --manifest: a manifest names its data; give one of them")
    if data is not None:
        return _build_default(which, home, quiet, data, seed)
    if folder is not None:
        found = manifests.read(Path(folder))
        if found.info["protocol"] != which:
            raise MmbioError(
                f"--manifest {folder}: of protocol {found.info['protocol']}, expected {which}; give --protocol"
            )
        return found
    newest = manifests.newest(home, which)
    if newest is None:
        return _build_default(which, home, quiet)
    if not quiet:
        click.echo(f"manifest: {newest}", err=True)
    return manifests.read(newest)


def _build_default(which: str, home: Path, quiet: bool, data: str | None = None, seed: int = 0) -> "Manifest":
    from mmbio.cli.progress import progress
    from mmbio.data.plan import Plan
    from mmbio.data.sources import resolve
    from mmbio.data.virtual import build
    from mmbio.files import remember

    plan = Plan(PROTOCOLS[which], seed=seed)
    with progress(quiet) as report:
        sets = resolve(plan.protocol, data, {}, home, report, plan.scale, plan.seed)
        built = build(sets, plan, home, report)
    remember(built.folder.parent, which, built.folder)
    if not quiet:
        click.echo(f"manifest: {built.folder} (built with the defaults of mmbio build-virtual)", err=True)
    return built
