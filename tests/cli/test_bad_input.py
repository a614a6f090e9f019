"""Bad input: one sentence that names what is wrong, exit code 2, and everything as it was before."""

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mmbio.cli.main import VERBS, main

Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]

# (words, what the sentence says); {home} holds a manifest and a checkpoint, {root} the tiny root.
WORDS = [
    # conditions
    ("eval --noise face=1.5", r"'face=1\.5': expected a number from 0 to 1 .*, not '1\.5'"),
    ("eval --noise face=abc", r"'face=abc': expected a number .*, not 'abc'"),
    ("eval --noise nose=0.1", r"'nose=0\.1': unknown modality 'nose'; choose from ecg, face, finger"),
    ("eval --noise face=nan", r"'face=nan': expected a number"),
    ("eval --noise face", r"'face': expected MODALITY=VALUE"),
    ("eval --noise face=0.1@probe", "sample noise has no side"),
    ("eval --noise face=zeros@probe", "sides belong to verification trials"),
    ("eval --noise face=0.1 --noise face=0.2", "'face=0.1' and 'face=0.2' both change face"),
    ("eval --missing nose", "unknown modality 'nose'"),
    ("eval --missing face --noise face=0.1", "both change face"),
    ("train --noise voice=random", "unknown modality 'voice'"),
    ("extract --noise face=1.5", r"expected a number from 0 to 1"),
    ("corrupt --noise face=-0.1", r"expected a number from 0 to 1"),
    ("corrupt --noise face=zeros", "face=zeros: only sample noise can be seen in a sample"),
    ("corrupt --noise face=0", "give levels above 0"),
    # what is trained
    ("train --fusion nose", "--fusion nose: unknown; choose from concat, sum, attention, score-sum"),
    ("train --fusion no.such:Class", r"--fusion no\.such:Class: cannot be imported"),
    ("train --fusion json:loads", "--fusion json:loads: unknown"),
    ("train --fusion torch.nn:Linear", r"--fusion torch\.nn:Linear: cannot be called with \(dims, sizes, norm\)"),
    ("train --modalities nose", "--modalities nose: expected one or more of ecg, face, finger"),
    ("train --modalities ecg,ecg", "--modalities ecg,ecg: .*each once"),
    ("train --tasks x", "--tasks x: expected one or more of identification, gender"),
    ("train --unseen --tasks identification", "--unseen: subjects not trained on cannot be identified"),
    ("train --loss-weights x", "--loss-weights x: expected MODALITY=VALUE"),
    ("train --loss-weights identification=1", "--loss-weights identification=1: expected a number"),
    ("train --loss-weights identification=x,gender=1", "--loss-weights .*: expected numbers"),
    ("train --rule-weights ecg=1", "--rule-weights: only score rules take weights and concat is none"),
    ("train --fusion score-sum --rule-weights ecg=1", "--rule-weights ecg=1: expected .* each of ecg, face, finger"),
    ("train --fusion score-max --rule-weights ecg=-1,face=1,finger=1", "--rule-weights ecg=-1"),
    ("train --folds 0", "'--folds': 0 is not in the range"),
    ("train --seed x", "'--seed': 'x' is not a valid integer"),
    ("train --manifest {root}", "manifest.json: not a readable manifest"),
    ("train --protocol nose", "'--protocol': 'nose' is not"),
    # extraction
    ("train --weights nofile", "--weights nofile: expected imagenet, random, or a file of weights; no such file"),
    ("extract --weights {root}/synthetic.json", "synthetic.json: not a readable state dict"),
    ("train --precision fp8", "'--precision': 'fp8' is not one of"),
    ("extract --precision fp8", "'--precision': 'fp8' is not one of"),
    ("train --device nowhere", "--device nowhere: not to be had on this machine"),
    ("extract --device meta", "--device meta: not to be had on this machine"),
    ("eval --device cuda:99", "--device cuda:99: not to be had on this machine"),
    ("extract --manifest {home}/nowhere", "manifest.json: not a readable manifest"),
    ("extract --protocol nose", "'--protocol': 'nose' is not"),
    # what is evaluated
    ("eval --out {home}/empty", "empty: no checkpoint of protocol multitask there; run mmbio train first"),
    ("eval --checkpoint nofile", "nofile: not a readable mmbio checkpoint"),
    ("eval --checkpoint {root}", "root: not a readable mmbio checkpoint"),
    ("eval --manifest {home}/nowhere", "manifest.json: not a readable manifest"),
    ("eval --weights nofile", "--weights nofile: expected imagenet, random, or the path"),
    ("eval --weights imagenet", "trained on the weights random-0; leave --weights out"),
    ("eval --protocol nose", "'--protocol': 'nose' is not"),
    # samples to look at
    ("corrupt --number 0", "'--number': 0 is not in the range"),
    ("corrupt --format gif", "'--format': 'gif' is not one of"),
    ("corrupt --to {root}/synthetic.json/below", "below/ecg-4.csv: cannot be written"),
    ("corrupt --manifest nowhere", "manifest.json: not a readable manifest"),
    ("corrupt --protocol nose", "'--protocol': 'nose' is not"),
    # data
    ("build-virtual --data nowhere", "nowhere: no such folder; give another root with --data"),
    ("build-virtual --data {home}", "no ecg set there .looked for the folders"),
    ("build-virtual --data {root} --source x", "--source x: expected MODALITY=VALUE"),
    ("build-virtual --data {root} --source nose=synthetic", "--source nose=...: unknown modality"),
    ("build-virtual --data {root} --source finger=nowhere", "nowhere: no such folder"),
    ("build-virtual --data {root} --source finger=faces95", "set 'faces95': no finger set of this name"),
    ("build-virtual --data {root} --subjects 7", "--subjects 7: at most 6 virtual subjects fit"),
    ("build-virtual --data {root} --subjects 0", "--subjects 0: at most 6 virtual subjects fit"),
    ("build-virtual --data {root} --ages 39-13", "--ages 39-13: expected FROM-TO in years, the smaller first"),
    ("build-virtual --data {root} --ages x", "--ages x: expected FROM-TO in years"),
    ("build-virtual --data {root} --ages 100-120", "at most 0 virtual subjects fit .*; widen --ages"),
    ("build-virtual --data {root} --triplets 3", "--triplets 3: the triplet split needs at least"),
    ("build-virtual --data {root} --triplets 3 --split source", "--triplets 3: the source split needs at least 10"),
    ("build-virtual --split x", "'--split': 'x' is not one of"),
    ("build-virtual --scale x", "'--scale': 'x' is not one of"),
    ("build-virtual --folds 1", "'--folds': 1 is not in the range"),
    ("build-virtual --seed -1", "'--seed': -1 is not in the range"),
    ("build-virtual --protocol nose", "'--protocol': 'nose' is not"),
    ("download x", "'x' is not 'synthetic'"),
    ("download synthetic --seed -1", "'--seed': -1 is not in the range"),
    ("download synthetic --to {root}/faces95", "faces95: holds other files, which would be replaced"),
    ("download synthetic --to {root}/synthetic.json/below", "synthetic.json: cannot be written to"),
    # tables
    ("tables nowhere", "SPEC nowhere: no such table; give a TOML file or one of multitask-table1"),
    ("tables nowhere.toml", "nowhere.toml: not a readable table spec"),
    ("tables --data nowhere", "nowhere: no such folder"),
    ("tables --source x", "--source x: expected MODALITY=VALUE"),
    ("tables --split x", "'--split': 'x' is not one of"),
    ("tables --scale x", "'--scale': 'x' is not one of"),
    ("tables --data {root} --subjects 7", "--subjects 7: at most 6 virtual subjects fit"),
    ("tables --data {root} --ages x", "--ages x: expected FROM-TO"),
    ("tables --folds 0", "'--folds': 0 is not in the range"),
    ("tables --seed -1", "'--seed': -1 is not in the range"),
    ("tables --weights nofile", "--weights nofile: expected imagenet, random, or a file of weights"),
    ("tables --precision x", "'--precision': 'x' is not one of"),
    ("tables --device nowhere", "--device nowhere: not to be had on this machine"),
    *((f"{verb} --out {{root}}/synthetic.json/runs", "runs: cannot be written to .Not a directory") for verb in VERBS),
    ("tables --reported-only --out {root}/synthetic.json", "synthetic.json: cannot be written to"),
]


@pytest.mark.parametrize(("text", "told"), WORDS, ids=[f"{i}-{text}" for i, (text, _) in enumerate(WORDS)])
def test_words(refused: Refused, home: Path, tiny_root: Path, listing: Listing, text: str, told: str) -> None:
    before, root = listing(home), listing(tiny_root)
    refused(told, text, home, root=tiny_root)
    assert listing(home) == before
    assert listing(tiny_root) == root


@pytest.mark.parametrize("verb", VERBS)
def test_each_option_with_a_value_has_a_case(verb: str) -> None:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    tried = {word for text, _ in WORDS for word in text.split() if text.split()[0] == verb}
    wanted = {p.opts[0] for p in command.params if isinstance(p, click.Option) and not p.is_flag}
    assert wanted <= tried


@pytest.mark.parametrize(
    ("text", "told"), [("train", "MMBIO_THREADS=x"), ("extract", "MMBIO_THREADS=x"), ("eval", "MMBIO_THREADS=x")]
)
def test_threads(
    refused: Refused, home: Path, listing: Listing, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.setenv("MMBIO_THREADS", "x")
    before = listing(home)
    refused(told, text, home)
    assert listing(home) == before


def test_data_that_the_environment_names(refused: Refused, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMBIO_DATA", "nowhere")
    refused("nowhere: no such folder", "build-virtual", home)


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_that_is_read_only(refused: Refused, tmp_path: Path, verb: str) -> None:
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write everywhere")
    for words in (f"{verb} --out {tmp_path}", f"{verb} --out {tmp_path}/runs"):
        refused("cannot be written to .Permission denied.; give a writable folder with --out", words, tmp_path)
    assert list(tmp_path.iterdir()) == []
