"""mmbio corrupt."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS
from mmbio.words import plural

if TYPE_CHECKING:
    import numpy as np

FORMATS = ("png", "svg", "pdf")


@click.command("corrupt", short_help="Write samples under noise, and a picture of before and after.")
@options.protocol
@options.manifest
@options.noise
@click.option(
    "--number",
    type=click.IntRange(1, 100),
    default=4,
    show_default=True,
    help="How many triplets, of different subjects.",
)
@click.option("--to", metavar="DIR", help="Where to write.  [default: the home folder's corrupted/CONDITION]")
@click.option(
    "--format", "suffix", type=click.Choice(FORMATS), default="png", show_default=True, help="Of the picture."
)
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    manifest: str | None,
    noises: tuple[str, ...],
    number: int,
    to: str | None,
    suffix: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write samples under noise, and a picture of before and after (the paper's figures 2 to 4).

    Takes the first test triplet of as many subjects, applies sample noise as training and testing do, and
    writes images as PNG, beats as CSV (one beat a line), and one picture for each modality.

    \b
    Examples:
      mmbio corrupt --noise paper
      mmbio corrupt --noise face=0.5 --number 6 --format svg --to pictures
    """
    from mmbio.files import home
    from mmbio.tables import shown
    from mmbio.tables.plots.samples import before_after

    if PROTOCOLS[protocol].verifies:
        raise MmbioError(f"--protocol {protocol}: only the samples of multitask can be shown; leave it out")
    condition = options.condition(noises or ("paper",), (), PROTOCOLS[protocol])
    levels = {m: condition.noise(m) for m in PROTOCOLS[protocol].modalities if condition.noise(m)}
    if len(levels) != len(condition.effects) or not levels:
        raise MmbioError(
            f"--noise {condition}: only sample noise can be seen in a sample; give levels above 0, such as face=0.97"
        )
    folder = home(out)
    found = options.open_manifest(manifest, protocol, folder, quiet or as_json)
    target = Path(to) if to else folder / "corrupted" / str(condition)
    first = shown.first_of_subjects(found, number)
    written = []
    for modality, level in levels.items():
        before, after = (shown.samples(found, modality, first, x) for x in (0.0, level))
        for row, sample in zip(first, after, strict=True):
            name = f"{modality}-{found.items['item'][row]}"
            written.append(_write(sample, target / name))
        picture = target / f"{modality}.{suffix}"
        before_after(before, after, f"{modality}={level:g} ({found.info['data']} data)", picture)
        written.append(picture)
    if as_json:
        click.echo(json.dumps({"condition": str(condition), "files": [str(path) for path in written]}))
    elif not quiet:
        click.echo(
            f"written: {target} ({plural(len(first), 'sample')} of {', '.join(levels)} under {condition}, and a"
            " picture of each)"
        )


def _write(sample: "np.ndarray", path: Path) -> Path:
    import numpy as np
    from PIL import Image

    from mmbio.files import replacing

    full = path.with_suffix(".csv" if sample.ndim == 2 else ".png")
    with replacing(full) as scratch:
        if sample.ndim == 2:
            np.savetxt(scratch, sample, fmt="%.6g", delimiter=",")
        else:
            Image.fromarray(sample).save(scratch)
    return full
