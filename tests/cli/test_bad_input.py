"""Bad input: one sentence that names what is wrong, exit code 2, and everything as it was before."""

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mmbio.cli.main import VERBS, main

Listing = Callable[[Path], dict[str, bytes]]
Refused = Callable[..., None]

# These write one thing, want no home, or want a name first.
NOT_HOMELY = ("import", "metrics", "score", "reproduce", "compare", "doctor", "datasets", "purge")
LOOKED_AT = {"doctor": {"--data", "--out"}, "datasets": {"--out"}}  # folders that are told of, whatever is wrong there
HOMELY = tuple(verb for verb in VERBS if verb not in NOT_HOMELY)
SCORE = "score --embeddings e --trials x --out {home}/s.csv"
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
    ("train --fusion nose", "--fusion nose: unknown; choose from concat, sum, attention, cosine, score-sum"),
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
    # the audit
    ("audit --near 0", "--near 0: expected a cosine above 0 and at most 1"),
    ("audit --near x", "'--near': 'x' is not a valid float"),
    ("audit --manifest nowhere", "manifest.json: not a readable manifest"),
    ("audit --protocol nose", "'--protocol': 'nose' is not"),
    ("audit --trials x", "--trials: belongs to the protocol audiovisual"),
    ("audit --strip-suffix .wav", "--strip-suffix: belongs to the protocol audiovisual"),
    ("audit --missing-trials nose", "'--missing-trials': 'nose' is not one of"),
    ("audit --weights nofile", "--weights nofile: expected imagenet, random, or a file of weights"),
    ("audit --precision x", "'--precision': 'x' is not one of"),
    ("audit --device nowhere", "--device nowhere: not to be had on this machine"),
    # a result run again
    ("reproduce abcd --device nowhere", "--device nowhere: not to be had on this machine"),
    ("reproduce nonsense", r"RESULT nonsense: (no result of|.*holds no result)"),
    ("reproduce abcd --out {home}/empty", "RESULT abcd: .*results holds no result; run mmbio eval first"),
    ("reproduce abcd --out {root}/synthetic.json/runs", "runs: cannot be written to .Not a directory"),
    ("reproduce abcd --manifest {home}/nowhere", "RESULT abcd: "),
    ("reproduce abcd --weights nofile", "RESULT abcd: "),
    # two results compared
    ("compare aaaa bbbb", "RESULT aaaa: "),
    ("compare aa bbbb", "RESULT aa: "),
    ("compare aaaa", "Missing argument 'RESULT_B'"),
    ("compare {home} bbbb", r"RESULT .*: a folder without rows\.csv; give a result's folder, or its hash"),
    ("compare aaaa bbbb --draws 10", "'--draws': 10 is not in the range"),
    ("compare aaaa bbbb --seed -1", "'--seed': -1 is not in the range"),
    ("compare aaaa bbbb --out {root}/synthetic.json/runs", "runs: cannot be written to .Not a directory"),
    # the report
    ("report --to {root}", "--to .*: a folder, which would be replaced; give the name of a file"),
    ("report --title x --out {home}/empty", "tables: no tables there; run mmbio tables first"),
    ("report nowhere --out {home}/empty", "LABEL nowhere: no tables of this label or folder; run mmbio tables first"),
    # spread
    ("tables --seeds 1", "'--seeds': 1 is not in the range"),
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
    ("download x", "SET x: no such set; choose from synthetic, ecg-id"),
    ("download ecgid", "SET ecgid: no such set; did you mean ecg-id"),
    ("download ecg-id --mirror x", "--mirror x: expected the address of a folder, such as https://"),
    ("download fvc2006 --from {home}/nowhere", "nowhere: no such file or folder; give the folder or archive"),
    ("download ecg-id --jobs 0", "'--jobs': 0 is not in the range"),
    ("datasets x", "SET x: no such set; choose from"),
    (
        "datasets --data {home}/nowhere",
        "--data .*nowhere: no such folder; give the folder that holds the sets' folders",
    ),
    # who goes
    ("purge nobody --yes", "SUBJECT 'nobody': nobody of this name in"),
    ("purge nobody --yes --out {home}/empty", "SUBJECT 'nobody': nobody of this name in"),
    ("purge Person_01 --out {home}/nosuch --yes", "nosuch: no such folder; give the home folder that names the person"),
    ("purge Person_01", "nobody can be asked here; add --yes, or --dry-run"),
    ("purge x --data {home}/nowhere", "--data .*nowhere: no such folder"),
    # a class of one's own
    ("eval --fusion concat", "--fusion concat: here it only names a class of your own"),
    ("tables --fusion concat", "--fusion concat: here it only names a class of your own"),
    ("reproduce x --fusion concat", "--fusion concat: here it only names a class of your own"),
    ("download synthetic --seed -1", "'--seed': -1 is not in the range"),
    ("download synthetic --to {root}/faces95", "faces95: holds other files, which would be replaced"),
    ("download synthetic --to {root}/synthetic.json/below", "synthetic.json: cannot be written to"),
    # tables
    ("tables nowhere", "SPEC nowhere: no such table; give a TOML file or one of audiovisual-calibration"),
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
    ("tables --protocol nose", "'--protocol': 'nose' is not"),
    ("tables --match nose", "'--match': 'nose' is not one of"),
    ("tables --genuine nose", "'--genuine': 'nose' is not one of"),
    ("tables --missing-trials nose", "'--missing-trials': 'nose' is not one of"),
    ("tables --missing-trials nose", "'--missing-trials': 'nose' is not one of"),
    ("tables --frames 0", "'--frames': 0 is not in the range"),
    ("tables --under nose=1 audiovisual-table1", "'nose=1': unknown modality 'nose'"),
    ("tables --backbone face=nose", "--backbone face=nose: unknown; choose from"),
    # the second protocol
    ("build-virtual --match nose", "'--match': 'nose' is not one of"),
    ("build-virtual --genuine nose", "'--genuine': 'nose' is not one of"),
    ("build-virtual --frames 0", "'--frames': 0 is not in the range"),
    (
        "build-virtual --protocol audiovisual --split record",
        "--split record: the protocol audiovisual has subject alone",
    ),
    ("extract --segment 0", "'--segment': 0.0 is not in the range"),
    ("extract --segment 1", "--segment 1: the data of .* have no segments of speech"),
    ("extract --backbone face=nose", "--backbone face=nose: unknown; choose from"),
    ("train --segment 1", "--segment 1: the data of .* have no segments of speech"),
    ("train --backbone face", "--backbone face: expected MODALITY=VALUE"),
    ("train --data {root} --manifest {home}", "--data and --manifest: a manifest names its data"),
    ("train --fusion score-logistic", "--fusion score-logistic: not for the protocol multitask"),
    (
        "eval --trials {root}/synthetic.json",
        "--trials: belongs to the protocol audiovisual; add --protocol audiovisual",
    ),
    ("eval --strip-suffix .wav", "--strip-suffix: belongs to the protocol audiovisual"),
    ("eval --missing-trials nose", "'--missing-trials': 'nose' is not one of"),
    ("eval --eer nose", "'--eer': 'nose' is not one of"),
    ("eval --protocol audiovisual --p-target 0", r"--p-target 0\.0: expected a probability between 0 and 1"),
    ("eval --preset nose", "'--preset': 'nose' is not one of"),
    ("attention", "no checkpoint of protocol audiovisual there; run mmbio train --protocol audiovisual"),
    ("attention --protocol nose", "'--protocol': 'nose' is not"),
    ("attention --checkpoint nofile", "nofile: not a readable mmbio checkpoint"),
    ("attention --protocol multitask", "its items have no ids to match attributes by"),
    ("attention --protocol multitask --attributes nofile", "nofile: "),
    ("attention --protocol multitask --noise face=x", "'face=x': expected a number"),
    ("attention --protocol multitask --levels face=x", "'face=x': expected a number"),
    ("attention --permutations -1", "'--permutations': -1 is not in the range"),
    ("attention --device nowhere", "--device nowhere: not to be had on this machine"),
    # own embeddings and scores; their files are made in test_import.py, test_metrics.py and test_score.py
    ("import --modality nose=x.npz --out {home}/mine", r"--modality nose=\.\.\.: unknown modality 'nose'"),
    ("import --modality face@x=f.npz --out {home}/mine", "expected MODALITY=FILE or MODALITY@SECONDS=FILE"),
    ("import --modality face=f.npz --ids voice=x --out {home}/mine", "--ids voice: no --modality voice is given"),
    ("import --modality face=f.npz --subjects nowhere --out {home}/mine", "nowhere: not a readable CSV of subjects"),
    ("import --modality face=nowhere.npz --strip-suffix .x --out {home}/mine", "nowhere.npz: cannot be read"),
    ("import --modality face=f.npz --out {root}", "holds other files, which would be replaced"),
    ("metrics x --p-target 0", r"--p-target 0\.0: expected a probability between 0 and 1"),
    ("metrics x --p-target 1", r"--p-target 1\.0: expected a probability between 0 and 1"),
    ("metrics x --eer x", "'--eer': 'x' is not one of"),
    ("metrics x --preset x", "'--preset': 'x' is not one of"),
    ("metrics x --seed -1", "'--seed': -1 is not in the range"),
    ("metrics x --seed 1", "--seed 1: only intervals are drawn; add --intervals, or leave it out"),
    ("metrics x --missing-trials x", "'--missing-trials': 'x' is not one of"),
    ("metrics {home}/nowhere.npy --labels {home}/no.npy", r"nowhere\.npy: cannot be read .No such file"),
    ("metrics x --out {home}/there", "x: cannot be read"),
    # workers
    *((f"{verb} --workers 0", "'--workers': 0 is not in the range") for verb in ("extract", "train", "eval", "tables")),
    *(
        (f"{verb} --scheduler there", "--scheduler there: expected tcp://HOST:PORT")
        for verb in ("extract", "train", "eval", "tables")
    ),
    # scores put on a scale
    ("eval --score-norm as-norm", "belongs to the protocol audiovisual"),
    ("eval --top 200", "belongs to the protocol audiovisual"),
    (f"{SCORE} --score-norm z-norm", "--score-norm z-norm: takes a cohort"),
    (f"{SCORE} --cohort c.npz", "nothing is normalised"),
    (f"{SCORE} --cohort-ids c", "are of a cohort"),
    (f"{SCORE} --score-norm z-norm --cohort c.npz --top 2", "belongs to as-norm"),
    ("score --embeddings e --trials x --out {home}/s.csv", "x: cannot be read"),
    ("score --embeddings e --trials x --missing-trials y", "'--missing-trials': 'y' is not one of"),
    ("score --embeddings e --ids i --trials x --strip-suffix .wav --out {home}/s.csv", "x: cannot be read"),
    *((f"{verb} --out {{root}}/synthetic.json/runs", "runs: cannot be written to .Not a directory") for verb in HOMELY),
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
    assert wanted - LOOKED_AT.get(verb, set()) <= tried


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


@pytest.mark.parametrize("verb", HOMELY)
def test_a_folder_that_is_read_only(refused: Refused, tmp_path: Path, verb: str) -> None:
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write everywhere")
    for words in (f"{verb} --out {tmp_path}", f"{verb} --out {tmp_path}/runs"):
        refused("cannot be written to .Permission denied.; give a writable folder with --out", words, tmp_path)
    assert list(tmp_path.iterdir()) == []
