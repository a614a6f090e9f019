"""Nothing that mmbio reads is run: the package calls nothing that could, and this search finds each such call.

tests/cli/test_hostile_files.py feeds it malicious files of each kind.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PACKAGE = Path(__file__).parents[1] / "mmbio"

# Modules that run or build code from data; none may be imported.
MODULES: Final = (
    *("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "yaml", "ruamel"),
    *("numexpr", "runpy", "code", "codeop", "pty", "imp", "subprocess", "ctypes", "cffi", "webbrowser", "xmlrpc"),
    *("telnetlib", "sentry_sdk", "posthog", "analytics"),  # these report home
)
BUILTINS: Final = ("eval", "exec", "compile", "__import__", "breakpoint", "execfile")
# Functions by their whole name; a dot at the end stands for all of a module.
FUNCTIONS: Final = (
    *("os.system", "os.popen", "os.startfile", "os.posix_spawn", "os.posix_spawnp", "os.fork", "os.forkpty"),
    *("asyncio.create_subprocess_shell", "asyncio.create_subprocess_exec", "tempfile.mktemp", "shutil.unpack_archive"),
    *("pandas.read_pickle", "pandas.eval", "pandas.read_hdf", "torch.hub.load", "torch.jit.load", "torch.package."),
    *("torch.serialization.add_safe_globals", "logging.config.", "pooch.Unzip", "pooch.Untar", "click.launch"),
    *("ssl._create_unverified_context", "pydoc.", "numpy.lib.npyio.NpzFile", "wfdb.dl_database", "wfdb.dl_files"),
    *("numpy.load", "numpy.fromfile"),  # mmbio/data/numpy_files.py reads NumPy's files, and it alone
    *("importlib.reload", "importlib.util.spec_from_file_location"),
)
STARTS: Final = ("os.exec", "os.spawn")
METHODS: Final = ("query", "extractall", "extract", "Unpickler", "add_safe_globals")  # of whatever object
# name -> the keyword that makes it safe, and its value
SAFE_WITH: Final = {
    "numpy.lib.format.read_array": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
    "torch.hub.load_state_dict_from_url": ("weights_only", True),
}
NEVER: Final = {"shell": True, "verify": False, "allow_pickle": True, "weights_only": False}  # keywords of any call
IMPORTERS: Final = ("importlib.import_module", "importlib.__import__")

# (file, what) -> why it may stand there. An entry that nothing needs any more fails, too.
ALLOWED: Final = {
    ("cli/main.py", "importlib.import_module of a variable"): "a verb's module, of the fixed list VERBS",
    ("fuse/fusions.py", "importlib.import_module of a variable"): "a user's own fusion, where they named it: `allow`",
    ("embed/backbones/resnet50.py", "import pickle"): "to catch UnpicklingError of torch's reader; loads nothing",
}
# Of others' making, which may come and go: programs by fixed names, no shell, nothing read from a file in them.
MAY: Final = {
    ("files.py", "import ctypes"): "renameat2 of the C library, which Python has no function for",
    ("cli/doctor.py", "import subprocess"): "asks this Python of its installation",
    ("cli/doctor.py", "subprocess.run"): "asks this Python of its installation",
}


def findings(source: str) -> Iterator[str]:
    """What in a module's text could run what it reads; one text for each finding."""
    tree = ast.parse(source)
    names = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node)
        elif isinstance(node, ast.Call):
            yield from _call(node, _dotted(node.func, names))
        elif isinstance(node, ast.Attribute | ast.Name) and _is_forbidden(_dotted(node, names)):
            yield _dotted(node, names)  # also where it is only passed on


def _imported(tree: ast.AST) -> dict[str, str]:
    """Name in the module -> what it stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            first = {a.name.split(".")[0] for a in node.names if not a.asname}
            found |= {name: name for name in first} | {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def _dotted(node: ast.AST, names: dict[str, str]) -> str:
    """The whole name of an expression such as np.load, "?" for what is none."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    whole = [*modules, *(f"{m}.{a.name}" for m in modules for a in node.names if isinstance(node, ast.ImportFrom))]
    yield from (f"import {m}" for m in modules if m.split(".")[0] in MODULES)
    yield from (f"import {name}" for name in whole if _is_forbidden(name) and name.split(".")[0] not in MODULES)


def _is_forbidden(name: str) -> bool:
    module = name.split(".")[0]
    return (
        name in FUNCTIONS
        or name.startswith(STARTS)
        or any(name.startswith(f) for f in FUNCTIONS if f.endswith("."))
        or (module in MODULES and name.rpartition(".")[2] in ("load", "loads", "Unpickler", "run", "Popen", "call"))
    )


def _call(node: ast.Call, name: str) -> Iterator[str]:
    given = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
    last = name.rpartition(".")[2]
    if name in BUILTINS or name in [f"builtins.{b}" for b in BUILTINS]:
        yield f"{last}()"
    if (
        "." in name
        and not name.startswith("mmbio.")
        and (last in METHODS or (last == "eval" and (node.args or node.keywords)))
    ):
        yield f".{last}()"
    if name in SAFE_WITH and given.get(SAFE_WITH[name][0]) is not SAFE_WITH[name][1]:
        yield f"{name} without {SAFE_WITH[name][0]}={SAFE_WITH[name][1]}"
    if name in IMPORTERS and not (node.args and isinstance(node.args[0], ast.Constant)):
        yield f"{name} of a variable"
    yield from (f"{k}={v}" for k, v in NEVER.items() if given.get(k) is v)


def test_the_package_runs_nothing_that_it_reads() -> None:
    found = {
        (str(path.relative_to(PACKAGE)), what)
        for path in PACKAGE.rglob("*.py")
        for what in findings(path.read_text(encoding="utf-8"))
    }
    assert found - set(MAY) == set(ALLOWED)


def test_pickle_only_names_its_error() -> None:
    text = (PACKAGE / "embed/backbones/resnet50.py").read_text()
    uses = [node for node in ast.walk(ast.parse(text)) if _dotted(node, {}).startswith("pickle.")]
    assert {ast.unparse(node) for node in uses} == {"pickle.UnpicklingError"}


BAD: Final = {
    "import pickle": "import pickle",
    "from pickle import load as read\nread(f)": "pickle.load",
    "import pickle as p\np.Unpickler(f).load()": "pickle.Unpickler",
    "import dill": "import dill",
    "from joblib import load": "import joblib",
    "import shelve, marshal": "import marshal",
    "import yaml": "import yaml",
    "from ruamel.yaml import YAML": "import ruamel.yaml",
    "def f(x):\n    return eval(x)": "eval()",
    "exec(x)": "exec()",
    "compile(x, '', 'exec')": "compile()",
    "import builtins\nbuiltins.eval(x)": "eval()",
    "__import__(x)": "__import__()",
    "import os\nos.system(x)": "os.system",
    "from os import popen\npopen(x)": "os.popen",
    "from os import popen": "import os.popen",
    "import os\nrun = os.system": "os.system",
    "import os\nos.execvp(x, y)": "os.execvp",
    "import os as o\no.spawnl(0, x)": "os.spawnl",
    "import subprocess": "import subprocess",
    "from subprocess import run\nrun(x)": "subprocess.run",
    "f(x, shell=True)": "shell=True",
    "import numpy as np\nnp.load(x)": "numpy.load",
    "import numpy as np\nnp.load(x, allow_pickle=False, mmap_mode='r')": "numpy.load",
    "import numpy as np\nnp.lib.format.read_array(x)": "numpy.lib.format.read_array without allow_pickle=False",
    "import numpy as np\nread = np.fromfile": "numpy.fromfile",
    "import numpy as np\nnp.load(x, allow_pickle=True)": "allow_pickle=True",
    "from numpy import load\nload(x, mmap_mode='r')": "numpy.load",
    "import numpy as np\nnp.lib.format.read_array(x, allow_pickle=given)":
        "numpy.lib.format.read_array without allow_pickle=False",
    "import torch\ntorch.load(x)": "torch.load without weights_only=True",
    "import torch\ntorch.load(x, weights_only=False)": "weights_only=False",
    "import torch\ntorch.hub.load(x, y)": "torch.hub.load",
    "import torch\ntorch.hub.load_state_dict_from_url(x)":
        "torch.hub.load_state_dict_from_url without weights_only=True",
    "import torch\ntorch.jit.load(x)": "torch.jit.load",
    "import pandas as pd\npd.read_pickle(x)": "pandas.read_pickle",
    "import pandas as pd\npd.eval(x)": "pandas.eval",
    "table.query(x)": ".query()",
    "table.eval(x)": ".eval()",
    "table.eval(expr=x)": ".eval()",
    "import importlib\nimportlib.import_module(x)": "importlib.import_module of a variable",
    "from importlib import import_module as get\nget(f'mmbio.{x}')": "importlib.import_module of a variable",
    "import importlib.util as u\nu.spec_from_file_location(x, y)": "importlib.util.spec_from_file_location",
    "import runpy": "import runpy",
    "import requests\nrequests.get(x, verify=False)": "verify=False",
    "import ssl\nssl._create_unverified_context()": "ssl._create_unverified_context",
    "import tempfile\ntempfile.mktemp()": "tempfile.mktemp",
    "import numexpr": "import numexpr",
    "import tarfile\nwith tarfile.open(x) as t:\n    t.extractall(y)": ".extractall()",
    "import zipfile\nzipfile.ZipFile(x).extract(y)": ".extract()",
    "import shutil\nshutil.unpack_archive(x)": "shutil.unpack_archive",
    "import logging.config\nlogging.config.fileConfig(x)": "logging.config.fileConfig",
    "import ctypes": "import ctypes",
    "import webbrowser": "import webbrowser",
    "import pooch\npooch.retrieve(x, None, processor=pooch.Untar())": "pooch.Untar",
    "if x:\n    def f():\n        import pickle": "import pickle",
}  # fmt: skip
GOOD: Final = (
    "import re\nre.compile(x)",
    "network.eval()",
    "import numpy as np\nnp.lib.format.read_array(x, allow_pickle=False)",
    "import torch\ntorch.load(x, map_location='cpu', weights_only=True)",
    "import importlib\nimportlib.import_module('dlib')",
    "import json\njson.loads(x)",
    "import tomllib\ntomllib.load(x)",
    "'pickle.load(x)'",
    "from mmbio.embed.extract import extract\nextract(x)",
    "import requests\nrequests.get(x, verify=True)",
)


@pytest.mark.parametrize("snippet", BAD, ids=list(BAD.values()))
def test_the_search_finds(snippet: str) -> None:
    assert BAD[snippet] in list(findings(snippet))


@pytest.mark.parametrize("snippet", GOOD)
def test_the_search_lets_pass(snippet: str) -> None:
    assert list(findings(snippet)) == []


def test_the_search_has_something_to_search() -> None:
    assert len(list(PACKAGE.rglob("*.py"))) > 150
