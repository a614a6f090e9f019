"""notes: what a finished table stands on, one sentence or two a note."""

from collections.abc import Collection
from typing import Any

from mmbio.data.manifest import Manifest
from mmbio.fuse import run as fuse
from mmbio.measure.accuracy import majority
from mmbio.measure.results import ResultRow
from mmbio.tables.beside import Measured
from mmbio.tables.measured import MARKS
from mmbio.tables.run import Finished
from mmbio.tables.spec import cells


def notes(finished: Finished, figures: Collection[Measured]) -> list[str]:
    """Notes that name the data, the weights, n, the baseline, the seed and the marks of a table's figures."""
    rows = list(finished.rows.values())
    found = _of_trials(finished, rows) if finished.spec.protocol.verifies else _of_decisions(finished, rows)
    found += [text for mark, text in MARKS.items() if any(m.mark == mark for m in figures)]
    if any(m.low == m.high for m in figures):
        found.append("An interval without width: no drawn subject ever differed; it does not mean certainty.")
    return found + _costs(finished)


def _of_decisions(finished: Finished, rows: list[ResultRow]) -> list[str]:
    some = rows[0]
    weights = {r.weights for r in rows if r.weights}
    precision = ", ".join(sorted({r.precision for r in rows if r.weights})) or "fp32"
    counts = " or ".join(str(n) for n in sorted({r.n for r in rows}))
    found = [
        *(_data(manifest) for manifest in finished.manifests),
        f"ResNet-50 weights: {', '.join(sorted(weights)) or 'none'}{_about(weights)}, {precision}; {_models(finished)};"
        f" n = {counts} distinct test decisions; seed {some.seed}; mmbio {some.version}.",
    ]
    if any(r.task == "gender" for r in rows):
        shares = sorted({f"{100 * _majority(manifest):.1f} %" for manifest in finished.manifests})
        found.append(f"Always answering the majority gender: {' or '.join(shares)}.")
    return found


def _data(manifest: Manifest) -> str:
    info = manifest.info
    n = info["n_subjects"]
    genders = ", ".join(f"{n[g]} {g}" for g in ("F", "M") if g in n)
    return (
        f"Data: {info['data']}; {n['all']} subjects ({genders}), {info['split']} split, {info['scale']} scale,"
        f" manifest {manifest.hash[:8]}."
    )


def _models(finished: Finished) -> str:
    runner = finished.runner
    settings = dict.fromkeys(cell.settings for cell in cells(finished.spec))
    counts = sorted({len(fuse.partitions_of(runner.manifest_of(s), runner.config(s))) for s in settings})
    return f"{' or '.join(map(str, counts))} fold model{'s' if counts != [1] else ''}"


def _of_trials(finished: Finished, rows: list[ResultRow]) -> list[str]:
    """Data, trials, and what was trained under."""
    info, under, some = finished.runner.manifest.info, finished.runner.under, rows[0]
    n = info["n_subjects"]
    genders = ", ".join(f"{n[g]} {g}" for g in ("F", "M") if g in n)
    behind = ", ".join(sorted({f"{r.backbone}, weights {r.weights}" for r in rows if r.weights})) or "vectors as given"
    left = "; ".join(f"{count} x {why}" for why, count in info["dropped"].items() if count)
    counts = next((r for r in rows if r.n_genuine is not None), None)
    trials = f", {counts.n_genuine} genuine and {counts.n_impostor} impostor" if counts else ""
    fewer = f", of whom {info['n_in_trials']} are in trials" if info["n_in_trials"] != n["all"] else ""
    found = [
        f"Data: {info['data']}; {n['all']} subjects test ({genders or 'gender not known'}){fewer}, {n['dev']} train"
        f" and tune{_chimeric(info)}; {info['scale']} scale, manifest {finished.runner.manifest.hash[:8]}.",
        f"Trials: genuine {info['trials']}{trials}; fewer than 300 genuine a subject where its samples allow no"
        f" more. Left out: {left or 'nothing'}.",
        f"Embeddings: {behind}; seed {some.seed}; mmbio {some.version}.",
    ]
    if info["chimeric"]:
        found.append("A face and a voice of different persons, so no difference from the paper's figures is printed.")
    if under.effects:
        found.append(f"All cells are trained and tested under {under}, but where a null replaces it.")
    missing = {r.n_missing for r in rows} - {0}
    if missing:
        found.append(f"Trials that could not be scored: {', '.join(map(str, sorted(missing)))}.")
    return found


def _chimeric(info: dict[str, Any]) -> str:
    if not info["chimeric"]:
        return ""
    return f", chimeric subjects ({'matched by gender' if info['match'] == 'gender' else 'of any gender'})"


def _majority(manifest: Manifest) -> float:
    return majority(manifest.labels["gender"][manifest.partitions()[0].test])


def _about(weights: set[str]) -> str:
    if any(w.startswith("random") for w in weights):
        return " (random: torchvision's initialisation with a fixed seed, untouched)"
    return ""


def _costs(finished: Finished) -> list[str]:
    """Parameters and training time of what the table trains, where the spec asks for them."""
    if not finished.spec.cost:
        return []
    lines = []
    for settings in dict.fromkeys(c.settings for c in cells(finished.spec)):
        cost: dict[str, Any] = finished.runner.evaluator(settings).checkpoint.cost()
        epochs = f", {sum(cost['epochs'])} epochs over all folds" if "epochs" in cost else ""
        lines.append(
            f"Cost of {' + '.join(settings.tasks)}: {cost['n_parameters']:,} parameters a network{epochs}"
            f" (processor time in {finished.spec.name}-cost.json)."
        )
    return lines
