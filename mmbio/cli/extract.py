"""mmbio extract."""

import json

import click

from mmbio.cli import options
from mmbio.protocols import PROTOCOLS


@click.command("extract", short_help="Turn a manifest's images into vectors with a frozen ResNet-50.")
@options.protocol
@options.manifest
@options.noise
@options.extraction
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    manifest: str | None,
    noises: tuple[str, ...],
    backbone_weights: str,
    precision: str,
    device: str,
    out: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Turn a manifest's images into vectors with a frozen ResNet-50.

    Vectors are stored once for each content hash; an interrupted run goes on where it stopped. `train` and
    `eval` extract what they need by themselves. Beats are not extracted: the ECG branch is trained.

    \b
    Examples:
      mmbio extract
      mmbio extract --noise paper --weights random
    """
    import numpy as np

    from mmbio.cli.progress import progress
    from mmbio.embed.conditioned import jobs
    from mmbio.embed.extract import extract

    settings = options.settings(out, backbone_weights, precision, device)
    which = PROTOCOLS[protocol]
    condition = options.condition(noises, (), which)
    found = options.open_manifest(manifest, protocol, settings.home, quiet or as_json)
    rows = np.arange(len(found.triplets))
    written = []
    with progress(quiet or as_json) as report:
        for job in jobs(found, condition, which.modalities, settings):
            fresh = job.missing(rows)
            extract(job, rows, report)
            written.append({"modality": job.modality, "noise": job.level, "n": len(rows), "extracted": fresh,
                            "weights": job.key["weights"], "precision": job.key["precision"],
                            "store": str(job.store.folder)})  # fmt: skip
    if as_json:
        click.echo(json.dumps(written))
    elif not quiet:
        for w in written:
            click.echo(f"{w['modality']} ({w['noise'] or 'clean'}): {w['n']} vectors, {w['extracted']} of them new,"
                       f" weights {w['weights']}, {w['precision']}: {w['store']}")  # fmt: skip
