"""Help: an example for each verb, a word on each option, a line in the README, and nothing heavy behind it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from mmbio.cli.main import VERBS, main

Call = Callable[..., Result]

README = Path(__file__).parents[2] / "README.md"
HEAVY = (
    "torch",
    "torchvision",
    "pandas",
    "sklearn",
    "numpy",
    "scipy",
    "matplotlib",
    "neurokit2",
    "wfdb",
    "PIL",
    "rich",
)


def command(verb: str) -> click.Command:
    found = main.get_command(click.Context(main), verb)
    assert found is not None
    return found


def examples(text: str) -> list[str]:
    """The lines of a help text's section of examples."""
    section = re.split(r"\n *Examples?:\n", text)[1]
    return [line.strip() for line in section.split("\n\n")[0].splitlines() if line.strip()]


def test_the_group_lists_every_verb_with_a_sentence(good: Call) -> None:
    told = good("--help").stdout
    for verb in VERBS:
        assert re.search(rf"^  {verb} +[A-Z].*\.$", told, re.MULTILINE)
        assert command(verb).short_help


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples_that_begin_with_mmbio(good: Call, verb: str) -> None:
    told = good(verb, "--help").stdout
    assert told == good(verb, "-h").stdout
    assert told.startswith(f"Usage: mmbio {verb} ")
    given = examples(told)
    assert given
    assert all(line.split()[:2] == ["mmbio", verb] for line in given)


@pytest.mark.parametrize("verb", VERBS)
def test_each_example_parses(verb: str) -> None:
    for line in examples(command(verb).help or ""):
        command(verb).make_context(verb, shlex.split(line)[2:])


@pytest.mark.parametrize("verb", VERBS)
def test_each_option_has_help(verb: str) -> None:
    options = [p for p in command(verb).params if isinstance(p, click.Option)]
    assert {"--json", "--quiet", "--out"} <= {name for option in options for name in option.opts}
    for option in options:
        assert option.help, option.opts


@pytest.mark.parametrize("verb", VERBS)
def test_each_argument_is_explained(verb: str) -> None:
    for argument in command(verb).params:
        if isinstance(argument, click.Argument):
            name = (argument.metavar or "").strip("[].")
            assert f"{name} is" in (command(verb).help or "")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_line_in_the_readme(verb: str) -> None:
    assert re.search(rf"^(\| `)?mmbio {verb}\b", README.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([verb, "--help"] for verb in VERBS)])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = f"""if True:
        import sys
        from mmbio.cli.main import main
        main({words!r}, standalone_mode=False)
        loaded = {{name.partition(".")[0] for name in sys.modules}}
        print("loaded:", *sorted(loaded & set({HEAVY!r})))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_a_verb_that_does_not_exist(mmbio: Call) -> None:
    result = mmbio("fly")
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.stderr
