"""The command that builds a manifest again repeats what its description knows of the choices."""

from pathlib import Path
from typing import Any

import pytest

from mmbio.purge import again

INFO: dict[str, Any] = {"protocol": "audiovisual", "split": "clip", "scale": "whole", "seed": 3, "sources": {}}


@pytest.mark.parametrize(
    ("known", "options"),
    [
        ({}, ""),
        ({"trials": "another video; impostors of the same gender"}, " --same-gender"),
        ({"dropped": {"ecg: records not readable or with fewer than 15 beats": 2}}, " --skip-unusable"),
        ({"dropped": {"face: gender not known": 2}, "trials": "another video", "match": "none"}, " --match none"),
    ],
)
def test_choices_of_a_manifest(known: dict[str, Any], options: str) -> None:
    assert again.of_manifest(INFO | known, Path("runs")) == (
        f"mmbio build-virtual --protocol audiovisual{options} --seed 3"
    )
