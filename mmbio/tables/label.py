"""label: the name of the folder of a run's tables, by which runs on other data or under other choices stand apart."""

from dataclasses import replace
from pathlib import Path

from mmbio.embed.extractors import weights_of
from mmbio.protocols import AGES
from mmbio.tables.run import Runner


def label(runner: Runner) -> str:
    """Data, subjects, split and scale, and what else is not as by default."""
    info, extraction = runner.manifest.info, runner.extraction
    data = info["data"].replace(" (synthetic)", "-synthetic").replace(" + ", "+")
    parts = [f"{data}-{info['n_subjects']['all']}-{info['split']}-{info['scale']}"]
    if info.get("genuine", "video") != "video":
        parts.append(info["genuine"])
    if info.get("match") == "none":
        parts.append("unmatched")
    if runner.under.effects:
        parts.append(str(runner.under).replace(":", ""))
    if tuple(info.get("ages", AGES)) != AGES:
        parts.append(f"ages{info['ages'][0]}to{info['ages'][1]}")
    if runner.options.skip_missing and info["protocol"] == "audiovisual":
        parts.append("skipping")
    if runner.seed:
        parts.append(f"seed{runner.seed}")
    if runner.folds:
        parts.append(f"folds{runner.folds}")
    if weights_of(runner.manifest, extraction) != weights_of(runner.manifest, replace(extraction, weights="auto")):
        parts.append(f"weights-{Path(extraction.weights).stem}")
    if extraction.precision != "auto":
        parts.append(extraction.precision)
    return "-".join(parts).replace(" ", "-")
