"""No verb but download opens a connection: an audit hook in every process notes each that is tried."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from mmbio.cli.main import VERBS

# In every Python process below, before anything of mmbio; connections are noted and refused.
HOOK: Final = """
import os, sys

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto",
           "socket.sendmsg", "urllib.Request", "http.client.connect", "ftplib.connect", "smtplib.connect")


def hook(event, args):
    if event in NETWORK:
        with open(os.environ["NOTED"], "a") as noted:
            noted.write(f"{event} {args[1:]}\\n")
        raise OSError("no network here")


sys.addaudithook(hook)
"""
# Runs the lines of a file as `mmbio WORDS` in one process, an evaluation's hash put in place of {result}.
DRIVER: Final = """
import json, sys
from pathlib import Path
from click.testing import CliRunner
from mmbio.cli.main import main
from mmbio.fuse import config

config.OPTIMISERS = {name: config.replace(how, epochs=1, steps=1) for name, how in config.OPTIMISERS.items()}
found = []
for line in Path("lines.txt").read_text().splitlines():
    words = [word.format(*found) for word in line.split()]
    result = CliRunner().invoke(main, words, catch_exceptions=False, prog_name="mmbio")
    assert result.exit_code in (0, 1), (line, result.output)
    if words[0] == "eval":
        found.append(json.loads(result.stdout)[0]["result"])
"""
AV: Final = "--protocol audiovisual --out runs"
LINES: Final = f"""
build-virtual --data ROOT --triplets 5 --folds 2 --out runs
extract --noise finger=0.05 --out runs
train --modalities ecg --out runs
eval --json --out runs
eval --noise ecg=0.1 --json --out runs
compare {{0}} {{1}} --out runs
reproduce {{0}} --from-checkpoint --out runs
audit --out runs
corrupt --noise ecg=0.1 --number 1 --out runs
tables own.toml --data ROOT --folds 1 --out runs
import --modality face=v.npz --out mine
train --data VECTORS {AV}
attention --permutations 0 --out runs
score --embeddings v.npz --trials trials.txt --out scores.csv
metrics scores.csv --out figures
report --out runs
datasets --out runs
doctor --out runs
"""
SPEC: Final = """
protocol = "multitask"
name = "own"
title = "Own"
keys = ["what"]
[[columns]]
key = "gender"
header = "gender"
task = "gender"
metric = "accuracy"
[[rows]]
key = { what = "beats" }
set = { modalities = ["ecg"] }
"""
# `download` is asked to by its name; `purge` has a test of its own, since it takes away what others read.
APART: Final = ("download", "purge")


@pytest.fixture
def lines(tmp_path: Path, tiny_root: Path, av_set: Path) -> list[str]:
    """What is run, in a folder with vectors, trials and a spec."""
    np.savez(tmp_path / "v.npz", ids=np.array(["a/1", "a/2", "b/1"]), vectors=np.eye(3, dtype=np.float32))
    (tmp_path / "trials.txt").write_text("1 a/1 a/2\n0 a/1 b/1\n")
    (tmp_path / "own.toml").write_text(SPEC)
    text = LINES.replace("ROOT", str(tiny_root)).replace("VECTORS", str(av_set))
    return [line for line in text.strip().splitlines() if line.split()[0] in VERBS]


def test_every_verb_is_tried(lines: list[str]) -> None:
    assert {line.split()[0] for line in lines} | set(APART) >= set(VERBS)


def test_no_verb_opens_a_connection(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    (tmp_path / "driver.py").write_text(DRIVER)
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    noted = tmp_path / "noted.txt"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MMBIO_")}
    environment |= {"PYTHONPATH": str(tmp_path), "NOTED": str(noted), "MMBIO_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "driver.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not noted.exists(), noted.read_text()


def test_the_hook_notes(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NOTED": str(tmp_path / "noted.txt")}
    words = "import urllib.request as r; r.urlopen('http://127.0.0.1:9')"
    subprocess.run([sys.executable, "-c", words], env=environment, capture_output=True, timeout=60)
    assert "urllib.Request" in (tmp_path / "noted.txt").read_text()
