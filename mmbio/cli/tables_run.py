"""What the options of mmbio tables ask for, of one protocol on one split: a run, its data, and what computes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mmbio.cli import folds, options
from mmbio.protocols import PROTOCOLS

if TYPE_CHECKING:
    from mmbio.data.manifest import Manifest
    from mmbio.data.plan import Plan
    from mmbio.data.virtual import Sets
    from mmbio.report import Report
    from mmbio.tables.run import Runner
    from mmbio.tables.spec import TableSpec
    from mmbio.tables.standing import Asked

# What decides no figure, and what stands for the run in another form.
ELSEWHERE: Final = (
    *("out", "explain", "reported_only", "quiet", "as_json", "workers", "scheduler"),
    *("protocol", "splits", "specs"),
)


@dataclass(frozen=True)
class Run:
    """The tables of one protocol on one split, as `given` on the command line."""

    given: dict[str, Any]
    protocol: str
    split: str
    home: Path
    report: "Report"
    _read: "dict[int, Sets]" = field(default_factory=dict, init=False, compare=False, repr=False)

    def asked(self, specs: "Mapping[Path, TableSpec]") -> "Asked | None":
        """What stands for the run; None where code or weights decide it that are not part of mmbio."""
        from mmbio.tables.spec import cells
        from mmbio.tables.standing import Asked

        choices = {name: value for name, value in self.given.items() if name not in ELSEWHERE}
        choices |= {"protocol": self.protocol, "split": self.split, "names": [spec.name for spec in specs.values()]}
        weights = Path(self.given["backbone_weights"])
        if weights.is_file():
            choices["weights"] = str(weights.resolve()), weights.stat().st_size, weights.stat().st_mtime_ns
        foreign = any(":" in cell.settings.fusion for spec in specs.values() for cell in cells(spec))
        if foreign or any("facenet" in named for named in self.given["backbones"]):
            return None
        return Asked(self.home, choices, tuple(specs), self._fingerprint)

    def _fingerprint(self, split: str, seed: int) -> str:
        from mmbio.data.virtual import fingerprint

        return fingerprint(self._sets(seed), replace(self._plan, split=split, seed=seed))

    def _sets(self, seed: int) -> "Sets":
        from mmbio.data.sources import resolve

        given, protocol = self.given, PROTOCOLS[self.protocol]
        if seed not in self._read:
            sources = options.assignments(given["sources"], "--source")
            found = resolve(protocol, given["data"], sources, self.home, self.report, given["scale"], seed)
            self._read[seed] = found
        return self._read[seed]

    @cached_property
    def _plan(self) -> "Plan":
        from mmbio.cli.build_virtual import parse_ages
        from mmbio.data.plan import Plan

        given = self.given
        return Plan(
            PROTOCOLS[self.protocol],
            self.split,
            given["scale"],
            subjects=given["subjects"],
            ages=parse_ages(given["ages"]),
            seed=given["seed"],
            skip_unusable=given["skip_unusable"],
            match=given["match"],
            genuine=given["genuine"],
            frames=given["frames"],
        )

    def runner(self, alone: bool) -> "Runner":
        from mmbio.data.virtual import build
        from mmbio.measure.verify import Options
        from mmbio.tables.run import Runner

        given, plan = self.given, self._plan
        named = ("out", "backbone_weights", "precision", "device", "backbones")
        settings = options.settings(*(given[name] for name in named))
        under = options.condition(given["unders"], (), plan.protocol)

        def manifest_of(split: str, seed: int) -> "Manifest":
            return build(self._sets(seed), replace(plan, split=split, seed=seed), settings.home, self.report)

        manifest = manifest_of(plan.split, plan.seed)
        if alone:
            options.check_extraction(manifest, settings)
        if not plan.protocol.verifies:
            folds.look(manifest, given["folds"])
        how = Options(skip_missing=given["missing_trials"] == "skip")
        return Runner(manifest, settings, given["seed"], given["folds"], under, how, manifest_of)
