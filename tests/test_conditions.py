"""Conditions: a text and its condition are each other's inverse; every other text is told so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.conditions import DEFAULT, KINDS, NULLS, SIDES, Condition, Effect, combine, of_levels, parse
from mmbio.data import degrade
from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES, MULTITASK

levels = st.sampled_from(sorted(DEFAULT)).flatmap(
    lambda m: st.builds(Effect, st.just(m), st.floats(0.0, KINDS[m][DEFAULT[m]].largest).map(lambda level: level + 0.0))
)
OTHERS = [(m, kind) for m, kinds in KINDS.items() for kind in kinds if DEFAULT.get(m) != kind]
kinds = st.sampled_from(OTHERS).flatmap(
    lambda which: st.floats(KINDS[which[0]][which[1]].least, KINDS[which[0]][which[1]].largest).map(
        lambda level: parse(f"{which[0]}={which[1]}:{level!r}").effects[0]
    )
)
replaced = st.builds(
    Effect, st.sampled_from(MODALITIES), st.sampled_from([*NULLS, "missing"]), st.sampled_from(["both", *SIDES])
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    effects = draw(st.lists(levels | kinds | replaced, max_size=4, unique_by=lambda effect: effect.modality))
    return combine(effects)


@given(conditions())
def test_parse_is_the_inverse_of_str(condition: Condition) -> None:
    assert parse(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", "clean"),
        ("clean", "clean"),
        ("face=0.97", "face=0.97"),
        ("face=.5", "face=0.5"),
        ("face=1", "face=1"),
        ("face=1.0", "face=1"),
        ("face=-0.0", "face=0"),
        ("ecg=1e-5", "ecg=1e-05"),
        ("finger=0.05, ecg=0.1", "ecg=0.1,finger=0.05"),
        ("face=0.5,face=0.5", "face=0.5"),
        ("voice=random@probe,voice=zeros@enrolment", "voice=zeros@enrolment,voice=random@probe"),
        ("missing=ecg,clean", "missing=ecg"),
        ("face=blur:4.0", "face=blur:4"),
        ("face=lowres:.9", "face=lowres:0.9"),
        ("face=crop:1e-5", "face=crop:1e-05"),
        ("face=blur:-0.0", "face=blur:0"),
        ("voice=snr:10", "voice=snr:10"),
        ("voice=snr:-20", "voice=snr:-20"),
        ("voice=snr:-0.0", "voice=snr:0"),
        ("face=black:0.97", "face=0.97"),
        ("ecg=gaussian:0.1", "ecg=0.1"),
        ("face=black:0.5,face=0.5", "face=0.5"),
    ],
)
def test_texts_and_their_canonical_form(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("face=1.5", "condition 'face=1.5': expected a number from 0 to 1 .*not '1.5'"),
        ("face=abc", "condition 'face=abc': expected a number from 0 to 1 .*not 'abc'"),
        ("face=nan", "expected a number from 0 to 1 .*not 'nan'"),
        ("face=inf", "expected a number from 0 to 1 .*not 'inf'"),
        ("face=-0.1", "expected a number from 0 to 1 .*not '-0.1'"),
        ("face=", "expected a number from 0 to 1 .*not ''"),
        ("ecg=10.5", "expected a number from 0 to 10 .*Gaussian"),
        ("nose=0.1", "unknown modality 'nose'; choose from ecg, face, finger, voice"),
        ("missing=nose", "unknown modality 'nose'; choose from ecg, face"),
        ("missing", "expected MODALITY=VALUE, such as face=0.97 or missing=ecg"),
        ("face=0.1@probe", "sample noise has no side; write face=0.1"),
        ("face=random@nowhere", "unknown side 'nowhere'; use @enrolment or @probe"),
        ("face=random@", "unknown side ''"),
        ("voice=0.5", "expected voice=random, voice=zeros or voice=snr:LEVEL$"),
        ("voice=", "expected voice=random, voice=zeros or voice=snr:LEVEL$"),
        ("voice=snr:81", "expected a number from -40 to 80 .*dB.*, random or zeros, not '81'"),
        ("voice=snr:-41", "expected a number from -40 to 80 .*not '-41'"),
        ("voice=snr:", "expected a number from -40 to 80 .*not ''"),
        ("voice=blur:4", "expected voice=random, voice=zeros or voice=snr:LEVEL$"),
        ("face=fog:4", "expected face=random, face=zeros or face=black:LEVEL, face=blur:LEVEL, face=lowres:LEVEL"),
        ("face=:4", "expected face=random, face=zeros or face=black:LEVEL"),
        ("face=blur:a", "expected a number from 0 to 75 .*pixels.*not 'a'"),
        ("face=blur:nan", "expected a number from 0 to 75 .*not 'nan'"),
        ("face=blur:4:5", "expected face=random, face=zeros or"),
        ("face=random:4", "expected face=random, face=zeros or"),
        ("face=blur:4@probe", "sample noise has no side; write face=blur:4"),
        ("face=blur:4,face=0.5", "both change face; give one of them"),
        ("face=0.1,face=0.2", "'face=0.1' and 'face=0.2' both change face; give one of them"),
        ("face=random@probe,missing=face", "both change face"),
    ],
)
def test_every_bad_text_is_one_sentence_with_its_cure(text: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        parse(text)


def test_a_protocol_knows_its_own_modalities_only() -> None:
    with pytest.raises(MmbioError, match=r"unknown modality 'voice'; choose from ecg, face, finger$"):
        parse("missing=voice", MULTITASK.modalities)


def test_the_papers_levels() -> None:
    assert str(of_levels(MULTITASK.noise)) == "ecg=0.1,face=0.97,finger=0.05"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("paper", "ecg=0.1,face=0.97,finger=0.05"),
        ("paper,missing=ecg", "missing=ecg,face=0.97,finger=0.05"),
        ("missing=ecg, missing=face, paper, paper", "missing=ecg,missing=face,finger=0.05"),
        ("clean,paper", "ecg=0.1,face=0.97,finger=0.05"),
    ],
)
def test_paper_stands_for_the_levels_of_what_is_there(text: str, expected: str) -> None:
    found = parse(text, MULTITASK.modalities, MULTITASK.noise)
    assert str(found) == expected
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("paper,face=0.5", "both change face; give one of them"),
        ("paper,face=zeros", "both change face; give one of them"),
        ("paper,missing=ecg@probe", "both change ecg; give one of them"),
    ],
)
def test_paper_beside_another_effect_on_its_modality_is_refused(text: str, told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        parse(text, MULTITASK.modalities, MULTITASK.noise)


def test_paper_is_a_word_only_where_there_are_levels() -> None:
    with pytest.raises(MmbioError, match="condition 'paper': expected MODALITY=VALUE"):
        parse("paper")


def test_what_a_condition_says_of_each_modality() -> None:
    condition = parse("face=0.97,voice=random@probe,missing=ecg")
    assert [condition.noise(m) for m in MODALITIES] == [0.0, 0.97, 0.0, 0.0]
    assert [condition.null(m) for m in MODALITIES] == [None, None, None, "random"]
    assert [condition.missing(m) for m in MODALITIES] == [True, False, False, False]
    assert condition.null("voice", "enrolment") is None
    assert condition.missing("ecg", "enrolment")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("face=0.97", ("black", 0.97)),
        ("face=blur:4", ("blur", 4.0)),
        ("face=0", None),
        ("face=blur:0", None),
        ("ecg=0.1", ("gaussian", 0.1)),
        ("voice=snr:10", ("snr", 10.0)),
        ("voice=snr:0", ("snr", 0.0)),  # as loud as the speech, where 0 of the others is nothing
        ("face=random", None),
        ("missing=face", None),
        ("clean", None),
    ],
)
def test_the_noise_that_a_sample_gets(text: str, expected: tuple[str, float] | None) -> None:
    condition = parse(text)
    modality = condition.effects[0].modality if condition.effects else "face"
    assert condition.degraded(modality) == expected
    assert [condition.degraded(m) for m in MODALITIES if m != modality] == [None] * 3


def test_a_level_of_another_kind_is_none_of_the_default_one() -> None:
    assert parse("face=blur:4").noise("face") == 0


def test_a_face_is_degraded_in_the_kinds_that_a_condition_names() -> None:
    named = {kind: about.largest for kind, about in KINDS["face"].items()}
    assert named == {kind: about.largest for kind, about in degrade.KINDS.items()}


def test_a_default_is_one_of_the_kinds() -> None:
    assert all(kind in KINDS[modality] for modality, kind in DEFAULT.items())
