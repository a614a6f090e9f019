"""The options that several verbs share: the condition behind --noise and --missing."""

import pytest

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL, MULTITASK


@pytest.mark.parametrize(
    ("noises", "missing", "modalities", "expected"),
    [
        ((), (), None, "clean"),
        (("paper",), (), None, "ecg=0.1,face=0.97,finger=0.05"),
        (("paper",), (), ("face", "finger"), "face=0.97,finger=0.05"),
        (("paper",), ("ecg",), None, "missing=ecg,face=0.97,finger=0.05"),
        (("paper",), ("ecg", "finger"), None, "missing=ecg,face=0.97,missing=finger"),
        (("paper",), ("ecg",), ("ecg", "face"), "missing=ecg,face=0.97"),
        (("face=0.5,ecg=0.3",), ("finger",), None, "ecg=0.3,face=0.5,missing=finger"),
    ],
)
def test_the_condition(
    noises: tuple[str, ...], missing: tuple[str, ...], modalities: tuple[str, ...] | None, expected: str
) -> None:
    assert str(options.condition(noises, missing, MULTITASK, modalities)) == expected


def test_a_protocol_without_levels_says_so() -> None:
    with pytest.raises(MmbioError, match="the protocol audiovisual has nulls and no levels"):
        options.condition(("voice=random,paper",), ("face",), AUDIOVISUAL)


def test_a_modality_that_is_not_in_use_is_refused() -> None:
    with pytest.raises(MmbioError, match="condition 'missing=ecg': only face in use here; leave it out"):
        options.condition(("paper",), ("ecg",), MULTITASK, ("face",))
