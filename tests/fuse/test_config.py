"""Config: text and back, canonical order, and settings that contradict each other."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.conditions import Condition, parse
from mmbio.errors import MmbioError
from mmbio.fuse.config import LOGISTIC, OF_CLASSES, OF_PAIRS, OPTIMISERS, SCORE_RULES, Config, Optimiser
from mmbio.protocols import AUDIOVISUAL, MULTITASK, PROTOCOLS

WHOLE = Config("multitask", "concat", MULTITASK.modalities, MULTITASK.tasks)
PAIRED = Config("audiovisual", "attention", AUDIOVISUAL.modalities, AUDIOVISUAL.tasks, segment_s=0.115)
NAMES = st.lists(st.sampled_from(MULTITASK.modalities), min_size=1, unique=True).map(tuple)
TASKS = st.lists(st.sampled_from(MULTITASK.tasks), min_size=1, unique=True).map(tuple)
CONDITIONS = st.sampled_from(["clean", "ecg=0.1,face=0.97,finger=0.05", "missing=face", "ecg=zeros,finger=random"])


@st.composite
def configs(draw: st.DrawFn) -> Config:
    fusion = draw(st.sampled_from(["concat", "sum", "my.package:Own", *SCORE_RULES]))
    modalities, tasks = draw(NAMES), draw(TASKS)
    share = st.floats(0.001, 10)
    return Config(
        "multitask",
        fusion,
        modalities,
        tasks,
        parse(draw(CONDITIONS)),
        seed=draw(st.integers(0, 99)),
        folds=draw(st.none() | st.integers(1, 8)),
        unseen=draw(st.booleans()) and tasks == ("gender",),
        task_weights={t: draw(share) for t in MULTITASK.tasks},
        rule_weights={m: draw(share) for m in modalities} if fusion in SCORE_RULES and draw(st.booleans()) else None,
        optimiser=Optimiser(rate=draw(share), epochs=draw(st.integers(1, 9))),
    )


@st.composite
def paired(draw: st.DrawFn) -> Config:
    names = st.lists(st.sampled_from(("ecg", "face", "finger", "voice")), min_size=1, unique=True).map(tuple)
    return Config(
        "audiovisual",
        draw(st.sampled_from([*OF_PAIRS, "my.package:Own"])),
        draw(names),
        AUDIOVISUAL.tasks,
        parse(draw(st.sampled_from(["clean", "voice=random", "missing=face"]))),
        segment_s=draw(st.sampled_from([None, 0.115, 1.015])),
    )


@given(configs() | paired())
def test_json_and_back(config: Config) -> None:
    assert Config.from_json(json.loads(json.dumps(config.to_json(), allow_nan=False))) == config


def test_names_come_in_the_protocols_order() -> None:
    config = replace(WHOLE, modalities=("finger", "ecg"), tasks=("gender", "identification"))
    assert config.modalities == ("ecg", "finger")
    assert config.tasks == ("identification", "gender")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("ecg=0.1,face=0.97", "ecg=0.1"), ("missing=face", "clean"), ("finger=zeros", "finger=zeros"), ("clean", "clean")],
)
def test_what_happens_to_other_modalities_changes_nothing(text: str, kept: str) -> None:
    config = replace(WHOLE, modalities=("ecg", "finger"), condition=parse(text))
    assert str(config.condition) == kept
    assert config == replace(config, condition=parse(kept))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"modalities": ("ecg", "nose")}, "--modalities ecg,nose: expected one or more of ecg, face, finger"),
        ({"modalities": ("ecg", "voice")}, "--modalities ecg,voice"),
        ({"modalities": ("ecg", "ecg")}, "each once"),
        ({"modalities": ()}, "--modalities"),
        ({"tasks": ("age",)}, "--tasks age: expected one or more of identification, gender"),
        ({"tasks": ()}, "--tasks"),
        ({"unseen": True}, "--unseen: subjects not trained on cannot be identified; use --tasks gender"),
        ({"rule_weights": {"ecg": 1.0, "face": 1.0, "finger": 1.0}}, "only score rules take weights and concat is"),
        ({"fusion": "score-sum", "rule_weights": {"ecg": 1.0}}, "--rule-weights ecg=1: expected a number >= 0 for"),
        ({"fusion": "score-sum", "rule_weights": {"ecg": 1.0, "face": 1.0, "finger": -1.0}}, "finger=-1"),
        ({"fusion": "score-max", "rule_weights": {"ecg": 1.0, "face": 1.0, "finger": float("nan")}}, "finger=nan"),
        ({"fusion": "score-max", "rule_weights": {"ecg": 1.0, "face": 1.0, "finger": float("inf")}}, "finger=inf"),
        ({"fusion": "score-max", "rule_weights": {"ecg": 0.0, "face": 0.0, "finger": 0.0}}, "not all of them 0"),
        ({"task_weights": {"identification": 1.0}}, "--loss-weights identification=1: expected a number >= 0 for each"),
        ({"task_weights": {"identification": 1.0, "gender": 1.0, "age": 1.0}}, "--loss-weights"),
        ({"task_weights": {"identification": 0.0, "gender": 0.0}}, "not all of them 0"),
        ({"task_weights": {"identification": 0.0, "gender": 1.0}, "tasks": ("identification",)}, "not all of them 0"),
        ({"task_weights": {"identification": -1.0, "gender": 1.0}}, "identification=-1"),
        ({"fusion": "cosine"}, "--fusion cosine: not for the protocol multitask; choose from concat, sum, attention,"),
        ({"fusion": LOGISTIC}, "--fusion score-logistic: not for the protocol multitask"),
        ({"condition": parse("ecg=zeros@probe")}, "'ecg=zeros@probe': training has no sides; leave @probe out"),
    ],
)
def test_contradictions(change: Mapping[str, Any], words: str) -> None:
    with pytest.raises(MmbioError) as caught:
        replace(WHOLE, **change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fusion", ["concat", "attention", "my.package:Own"])
def test_feature_level_trains_itself(fusion: str) -> None:
    config = replace(WHOLE, fusion=fusion)
    assert not config.is_score_level
    assert config.members() == (config,)


@pytest.mark.parametrize("rule", SCORE_RULES)
def test_score_level_trains_one_group_a_modality(rule: str) -> None:
    config = Config(
        "multitask",
        rule,
        ("finger", "ecg"),
        ("gender",),
        parse("ecg=0.1"),
        seed=3,
        rule_weights={"ecg": 1, "finger": 2},
    )
    assert config.is_score_level
    alone = Config("multitask", "concat", ("ecg",), ("gender",), seed=3)
    assert config.members() == (
        replace(alone, condition=parse("ecg=0.1")),
        replace(alone, modalities=("finger",), condition=Condition()),
    )


def test_weights_of_the_rule_are_equal_unless_given() -> None:
    config = replace(WHOLE, fusion="score-sum", modalities=("ecg", "face"))
    assert config.weights_of_rule() == {"ecg": 0.5, "face": 0.5}
    assert replace(config, rule_weights={"face": 3, "ecg": 1}).weights_of_rule() == {"ecg": 1, "face": 3}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fusion": "score-sum"}, "--fusion score-sum: not for the protocol audiovisual; choose from concat, sum,"),
        ({"fusion": "score-max"}, "attention, cosine, score-logistic or give your own class"),
        ({"tasks": ("gender",)}, "--tasks gender: expected one or more of verification"),
        ({"modalities": ("face", "nose")}, "expected one or more of ecg, face, finger, voice, each once"),
        ({"unseen": True}, "--unseen: verification always tests on subjects not trained on; leave it out"),
        ({"fusion": LOGISTIC, "rule_weights": {"face": 1.0, "voice": 1.0}}, "and score-logistic is none; leave it out"),
        ({"condition": parse("voice=random@enrolment")}, "training has no sides; leave @enrolment out"),
    ],
)
def test_contradictions_of_verification(change: Mapping[str, Any], words: str) -> None:
    with pytest.raises(MmbioError) as caught:
        replace(PAIRED, **change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("protocol", "fusions"), [("multitask", OF_CLASSES), ("audiovisual", OF_PAIRS)])
def test_every_protocol_has_its_fusions(protocol: str, fusions: tuple[str, ...]) -> None:
    which = PROTOCOLS[protocol]
    for fusion in (*fusions, "my.package:Own"):
        config = Config(protocol, fusion, which.modalities, which.tasks)
        assert config.verifies is which.verifies
        assert config.is_score_level is fusion.startswith("score-")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_protocol_says_how_to_train_unless_told_otherwise(protocol: str) -> None:
    which = PROTOCOLS[protocol]
    config = Config(protocol, "sum", which.modalities, which.tasks)
    assert config.how == config.optimiser == OPTIMISERS[protocol]
    assert (config.how.steps > 0) is which.verifies  # pairs have no end
    assert replace(config, optimiser=Optimiser(epochs=1)).how == Optimiser(epochs=1)


def test_a_logistic_fusion_is_of_one_cosine_a_modality() -> None:
    members = replace(PAIRED, fusion=LOGISTIC, condition=parse("voice=random"), seed=4).members()
    assert [(m.fusion, m.modalities, str(m.condition)) for m in members] == [
        ("cosine", ("face",), "clean"),
        ("cosine", ("voice",), "voice=random"),
    ]
    assert {(m.segment_s, m.seed) for m in members} == {(0.115, 4)}
