"""captions: what a figure shows, of which data and how many, in sentences."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from mmbio.data.manifest import Manifest
from mmbio.tables.gathered import Picked

SCORES: Final = (
    "Histograms in percent of the genuine and of the impostor trials; the dotted line is the threshold of the EER"
    " (linear). Higher scores are more alike; systems have scales of their own."
)
# whether trials are verified -> the labels of a reliability diagram's axes
AXES: Final = MappingProxyType(
    {
        False: ("confidence of the decision (largest posterior)", "share of right decisions"),
        True: ("posterior that a trial is genuine, from its LLR", "share of genuine trials"),
    }
)


def titled(title: str, manifest: Manifest) -> str:
    """A figure's title, and which of its data are not real."""
    word = _unreal(manifest)
    return f"{title} ({word})" if word else title


def of_data(picked: Sequence[Picked]) -> str:
    """The data and the counts behind a figure."""
    manifest = picked[0].manifest
    n = manifest.info["n_subjects"]["all"]
    data = f"Data: {manifest.info['data']}" + ("" if manifest.is_synthetic else f" ({_unreal(manifest) or 'real'})")
    rows = [one.row for one in picked]
    if rows[0].task == "verification":
        counts = f"{_span([r.n_genuine or 0 for r in rows])} genuine and {_span([r.n_impostor or 0 for r in rows])}"
        return f"{data}; {n} subjects, {counts} impostor trials."
    return f"{data}; {n} subjects, n = {_span([r.n for r in rows])} distinct test decisions."


def det(draws: int) -> str:
    """The caption of DET curves, whose bands come from so many draws; 0: there are none."""
    bands = (
        f"Bands: 95 % at each false match rate by subject bootstrap ({draws} draws)."
        if draws
        else "No bands: those of more than four systems would hide each other."
    )
    return f"False non-match rate against false match rate on probit axes; dots: EER (linear). {bands}"


def curve(y: str, x: str, areas: bool) -> str:
    """The caption of a column against a key; `areas`: the legend has areas."""
    told = f"{y} against {x}. Bars: the 95 % intervals of the table."
    return told + (
        " In brackets: the area under the curve by trapezoids over the width of the axis, a mean in the unit of the"
        " axis that depends on the levels chosen."
        if areas
        else ""
    )


def attention(x: str, named: bool) -> str:
    """The caption of mean weights against a key."""
    ends = "Bars" if named else "Bands"
    return (
        f"Mean attention weight of each modality against {x}. {ends}: 95 % subject bootstrap; dotted: the weight of"
        " equals."
    )


def reliability(verifies: bool, draws: int) -> str:
    """The caption of a reliability diagram."""
    what = (
        "Share of genuine trials against the posterior at this share, from LLRs calibrated on dev trials"
        if verifies
        else "Share of right decisions against the largest posterior, of the decisions of all fold models"
    )
    return (
        f"{what}, in bins of equal mass. Bars: 95 % subject bootstrap ({draws} draws); on the diagonal a system is"
        " calibrated; below, how many have which confidence. Mean distance: expected calibration error of these bins."
    )


def samples(modality: str, level: float, n: int) -> str:
    """The caption of samples before and after noise."""
    return f"Synthetic samples of {n} subjects before and after {modality}={level:g}, as training and test see them."


def _unreal(manifest: Manifest) -> str:
    """Which of the data are synthetic, in two words; empty for real data."""
    if manifest.is_synthetic:
        return "simulated data" if manifest.info["data"] == "simulated" else "synthetic data"
    found = [m for m, source in manifest.info["sources"].items() if source["synthetic"]]
    return f"synthetic {' and '.join(found)}" if found else ""


def _span(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
