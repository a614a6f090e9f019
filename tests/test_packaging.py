"""The wheel carries what a user without the repository needs."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_spec_and_the_reported_figures_travel_in_the_wheel() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = content["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    wanted = {f"tables/{path.name}" for path in (ROOT / "tables").glob("*.toml")} | {"tables/reported"}
    assert included == {name: f"mmbio/tables/specs/{name.removeprefix('tables/')}" for name in wanted}


def test_torch_and_torchvision_are_pinned_together() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {line.split("==")[0] for line in pins} >= {"torch", "torchvision"}
