"""mmbio extract."""

import json

import click

from mmbio.cli import options
from mmbio.protocols import PROTOCOLS
from mmbio.words import plural


@click.command("extract", short_help="Turn a manifest's samples into vectors with frozen networks.")
@options.protocol
@options.manifest
@options.noise
@options.segment
@options.extraction
@options.backbone
@options.workers
@options.out
@options.as_json
@options.quiet
def command(
    protocol: str,
    manifest: str | None,
    noises: tuple[str, ...],
    segment_s: float | None,
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
    """Turn a manifest's samples into vectors with frozen networks: ResNet-50, or dlib and Resemblyzer.

    Vectors are stored once for each content hash; an interrupted run goes on where it stopped. `train` and
    `eval` extract what they need by themselves. Beats are not extracted: the ECG branch is trained.

    \b
    Examples:
      mmbio extract
      mmbio extract --noise paper --weights random
    """
    from dataclasses import replace

    import numpy as np

    from mmbio.cli.progress import progress
    from mmbio.embed.conditioned import jobs
    from mmbio.embed.extract import extract

    settings = options.settings(out, backbone_weights, precision, device, backbones)
    options.compute_on(workers, scheduler, quiet or as_json)
    which = PROTOCOLS[protocol]
    condition = options.condition(noises, (), which)
    found = options.open_manifest(manifest, protocol, settings.home, quiet or as_json)
    options.check_extraction(found, settings)
    settings = replace(settings, segment_s=options.segment_of(found, segment_s))
    rows = np.arange(len(found.items))
    written = []
    with progress(quiet or as_json) as report:
        for job in jobs(found, condition, found.modalities, settings):
            fresh = job.missing(rows)
            extract(job, rows, report)
            written.append({"modality": job.modality, "noise": _text(job.noise), "n": len(rows), "extracted": fresh,
                            "weights": job.key["weights"], "precision": job.key["precision"],
                            "store": str(job.store.folder)})  # fmt: skip
    if as_json:
        click.echo(json.dumps(written))
    elif not quiet:
        for w in written:
            click.echo(f"{w['modality']} ({w['noise']}): {plural(w['n'], 'vector')}, {w['extracted']} of them new,"
                       f" weights {w['weights']}, {w['precision']}: {w['store']}")  # fmt: skip
        if not written:
            click.echo("nothing to extract: the manifest's vectors are there already")


def _text(noise: tuple[str, float] | None) -> str:
    return f"{noise[0]} {noise[1]:g}" if noise else "clean"
