"""fitting: the specs cut to what the data have, and what to tell of the rest."""

from collections.abc import Iterable

from mmbio.data.attributes import of_table
from mmbio.errors import MmbioError
from mmbio.tables.cut import for_attributes, for_lengths
from mmbio.tables.run import Runner
from mmbio.tables.spec import TableSpec, cells
from mmbio.words import plural


def fitting(specs: Iterable[TableSpec], runner: Runner) -> tuple[list[TableSpec], list[str]]:
    """The specs that the data can fill, cut to their segment lengths and attributes, and a sentence on what is not."""
    fit, told = [], []
    for spec in specs:
        whole, cut = _cut(spec, runner)
        why = _obstacle(whole, cut, runner)
        if why:
            told.append(f"{spec.name}: left out, for {why}")
        else:
            fit.append(cut)
            told += left_out(whole, cut)
    return fit, told


def left_out(whole: TableSpec, cut: TableSpec) -> list[str]:
    """A sentence on the rows that are not in the cut spec, if there are any."""
    gone = [row.id for row in whole.rows if row not in cut.rows]
    return [f"{cut.name}: {plural(len(gone), 'row')} left out, for the data have no {'; '.join(gone)}"] if gone else []


def _cut(spec: TableSpec, runner: Runner) -> tuple[TableSpec, TableSpec]:
    """The spec cut to the data's segment lengths, and to their attributes too."""
    if not spec.protocol.verifies:
        return spec, spec
    table = runner.manifest.attributes
    whole = for_lengths(spec, tuple(float(s) for s in runner.manifest.info["segments"]))
    return whole, for_attributes(whole, frozenset(of_table(table).flags if len(table) else ()))


def _obstacle(whole: TableSpec, cut: TableSpec, runner: Runner) -> str:
    """Why a table cannot be made of the data; empty where it can."""
    lacking = {m for cell in cells(whole) for m in cell.settings.modalities} - set(runner.manifest.modalities)
    if lacking:
        return f"the data have no {', '.join(sorted(lacking))}"
    if not whole.rows:
        return "the data have none of its segment lengths"
    if not cut.rows:
        return "the data come without its attributes"
    try:
        for settings in dict.fromkeys(cell.settings for cell in cells(cut)):
            runner.manifest_of(settings)
    except MmbioError as error:
        return f"the data do not allow one of its splits ({error})"
    return ""
