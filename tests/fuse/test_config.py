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
from mmbio.fuse.config import SCORE_RULES, Config, Optimiser
from mmbio.protocols import MULTITASK

WHOLE = Config("multitask", "concat", MULTITASK.modalities, MULTITASK.tasks)
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


@given(configs())
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
