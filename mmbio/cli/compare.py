"""mmbio compare."""

import json
from typing import TYPE_CHECKING, Any, Final

import click

from mmbio.cli import options
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.measure.compared import Compared
    from mmbio.measure.stored import Stored

NAMES: Final = {"accuracy": "accuracy", "eer": "EER", "min_dcf": "minDCF", "act_dcf": "actDCF", "cllr": "Cllr",
                "min_cllr": "min Cllr"}  # fmt: skip
DOES: Final = {"identification": ("identifies {} more", "identifies {} less"),
               "gender": ("tells gender {} more often", "tells gender {} less often")}  # fmt: skip


@click.command("compare", short_help="Tell whether two results differ by more than chance.")
@click.argument("result_a", metavar="RESULT_A")
@click.argument("result_b", metavar="RESULT_B")
@click.option("--draws", type=click.IntRange(100, 100_000), default=1000, show_default=True,
              help="Draws of subjects in the bootstrap.")  # fmt: skip
@options.seed
@click.option(
    "--out", metavar="DIR", help="Folder below which the results were written.  [default: $MMBIO_HOME, else ./runs]"
)
@options.as_json
@options.quiet
def command(result_a: str, result_b: str, draws: int, seed: int, out: str | None, as_json: bool, quiet: bool) -> None:
    """Whether two results differ by more than chance.

    RESULT_A is a result of mmbio eval or mmbio tables: its hash (the column result of results.csv), the first four or
    more digits of it, or its folder; RESULT_B is another one on the same items or trials, matched by their ids.
    Differences are B minus A: with a 95 % interval and a p from a paired bootstrap, in which both meet the same draws
    of subjects, and for accuracies with the exact test of McNemar. Nothing is trained or written.

    \b
    Examples:
      mmbio compare 3ee5 81c2
      mmbio compare 3ee5 ../other/runs/results/81c2d0a7c4fe9b13 --draws 10000
      mmbio compare 3ee5 81c2 --json
    """
    from mmbio.files import home
    from mmbio.measure import compared, stored

    place = home(out)
    a, b = stored.read(result_a, place), stored.read(result_b, place)
    found = compared.compare(a, b, seed, draws)
    differences = compared.differences(a, b)
    if as_json:
        click.echo(json.dumps(_plain(a, b, found, differences, seed, draws), allow_nan=False))
    elif not quiet:
        _show(a, b, found, differences, draws)


def _plain(
    a: "Stored", b: "Stored", found: "list[Compared]", differences: dict[str, tuple[str, str]], seed: int, draws: int
) -> dict[str, Any]:
    """Rates as fractions, differences as B minus A."""
    figures = [
        {
            "task": one.task,
            "metric": one.metric,
            "parameters": one.parameters,
            "n": one.n,
            "n_subjects": one.n_subjects,
            "a": one.found.a,
            "b": one.found.b,
            "difference": one.found.value,
            "low": one.found.low,
            "high": one.found.high,
            "p": one.found.p,
            "draws": one.found.n_draws,
            "told_apart": one.found.is_told,
            "mcnemar": one.mcnemar and one.mcnemar._asdict(),
            "sentence": sentence(one),
        }
        for one in found
    ]
    return {"a": a.hash, "b": b.hash, "differ_in": differences, "seed": seed, "draws": draws, "figures": figures}


def _show(
    a: "Stored", b: "Stored", found: "list[Compared]", differences: dict[str, tuple[str, str]], draws: int
) -> None:
    from rich.console import Console

    on = _data(a), _data(b)
    for name, stored, data in zip("AB", (a, b), on, strict=True):
        click.echo(f"{name}  {_about(stored)}{'' if on[0] == on[1] else f'; {data}'}")
    for line in ["A and B are one and the same result"] if a.hash == b.hash else _respects(differences):
        click.echo(line)
    if on[0] == on[1]:
        click.echo(on[0])
    Console(width=None if Console().is_terminal else 110).print(_table(found))
    for line in (*_notes(a, b, found, draws), "", *map(sentence, found)):
        click.echo(line)


def _about(stored: "Stored") -> str:
    row = stored.rows[0]
    tested = "and" if row.train_condition == row.test_condition else f"under {row.train_condition},"
    return f"{stored.hash[:8]}  {row.fusion} of {row.modalities}, trained {tested} tested under {row.test_condition}"


def _data(stored: "Stored") -> str:
    row = stored.rows[0]
    speech = f", {row.segment_s} s of speech" if row.segment_s else ""
    what = plural(row.n, "trial" if stored.verifies else "decision")
    return f"{row.data} data, {plural(row.n_subjects, 'subject')}, {row.split} split{speech}, {what}"


def _respects(differences: dict[str, tuple[str, str]]) -> list[str]:
    """In what A and B differ, and a warning where that is several things at once."""
    if not differences:
        return ["they differ in nothing that a result row names"]
    told = "; ".join(f"{name}: {one or '-'} | {other or '-'}" for name, (one, other) in differences.items())
    names = f"{', '.join(list(differences)[:-1])} and {list(differences)[-1]}"
    warned = [f"warning: they differ in {names} at once, so what makes the difference cannot be told"]
    return [f"they differ in {told}", *(warned if len(differences) > 1 else [])]


def _table(found: "list[Compared]") -> Any:
    from rich.table import Table

    from mmbio.tables.metrics import METRICS

    of_items = found[0].mcnemar is not None
    table = Table("figure", "A", "B", "B - A", "95 % interval", "p", *(["McNemar"] if of_items else []))
    for column in table.columns:
        column.no_wrap = True
    for one in found:
        metric, apart = METRICS[one.metric], one.found
        low, high = (_number(one, x, signed=True) for x in (apart.low, apart.high))
        name = one.task if of_items else f"{NAMES[one.metric]} {one.parameters}".strip()
        table.add_row(
            name,
            *(f"{metric.scale * x:.{metric.decimals}f}{' %' if metric.unit else ''}" for x in (apart.a, apart.b)),
            _number(one, apart.value, signed=True),
            f"{low} to {high}",
            _p(apart.p),
            *([f"{one.mcnemar.b} : {one.mcnemar.c}, p {_p(one.mcnemar.p)}"] if one.mcnemar else []),
        )
    return table


def _notes(a: "Stored", b: "Stored", found: "list[Compared]", draws: int) -> list[str]:
    """What stands behind the table."""
    from mmbio.measure.paired import FEW_SUBJECTS

    first = found[0]
    lines = [f"p: paired bootstrap, {draws} draws of the {first.n_subjects} subjects"]
    if first.n_subjects < FEW_SUBJECTS:
        lines.append(f"so few as {first.n_subjects} subjects make intervals too narrow and p too small")
    if first.mcnemar:
        lines.append("McNemar: decisions that A alone has right : that B alone has; it takes all as independent,")
        lines.append("  where several are of one subject, so go by the bootstrap")
    if max(first.n_models) > 1:
        models = " and ".join(str(n) for n in dict.fromkeys(first.n_models))
        lines.append(f"  right: by more than half of {models} fold models, where the bootstrap takes their mean")
    if a.costs != b.costs:
        lines.append(f"minDCF with A's {a.cost_text}; B was measured with {b.cost_text}")
    return lines


def sentence(one: "Compared") -> str:
    """What a person may conclude of one figure."""
    from mmbio.tables.metrics import METRICS

    apart, what = one.found, "decisions" if one.mcnemar else "trials"
    points = " points" if METRICS[one.metric].unit else ""
    if not apart.is_told:
        name = one.task if one.metric == "accuracy" else NAMES[one.metric]
        why = (
            "no draw of subjects makes a difference"
            if apart.is_nothing
            else f"the difference of {_number(one, apart.value)}{points} {_interval(one, apart.low, apart.high)} holds"
            f" 0 (p {_p(apart.p, equals=True)})"
        )
        return f"A and B cannot be told apart in {name} on these {one.n} {what}: {why}."
    ends = (apart.low, apart.high) if apart.value > 0 else (-apart.high, -apart.low)
    much = f"{_number(one, abs(apart.value))}{points}"
    more = apart.value > 0
    if one.metric == "accuracy":
        said = f"B {DOES[one.task][not more].format(much)} than A"
    else:
        better = more == (METRICS[one.metric].better == "higher")
        said = f"B is {'better' if better else 'worse'} than A in {NAMES[one.metric]} by {much}"
    return f"{said} {_interval(one, *ends)}: more than chance allows (p {_p(apart.p, equals=True)})."


def _interval(one: "Compared", low: float, high: float) -> str:
    return f"[{_number(one, low)}, {_number(one, high)}]"


def _number(one: "Compared", value: float, signed: bool = False) -> str:
    """A difference with as many decimals as its metric has, or as it takes to see that its interval does not hold 0."""
    from mmbio.tables.metrics import METRICS

    metric = METRICS[one.metric]
    nearest = min(abs(one.found.low), abs(one.found.high)) if one.found.is_told else 1.0
    decimals = next((d for d in range(metric.decimals, 7) if round(metric.scale * nearest, d)), 7)
    rounded = round(metric.scale * value, decimals) + 0.0  # no -0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{decimals}f}"


def _p(p: float, equals: bool = False) -> str:
    if p < 0.0005:
        return "< 0.001"
    return f"{'= ' if equals else ''}{p:.3f}"
