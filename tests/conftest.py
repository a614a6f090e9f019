"""What the tests share: a tiny synthetic root, a manifest on it, and where real data may be."""

import os
from pathlib import Path

import hypothesis
import pytest

from mmbio.data import virtual
from mmbio.data.manifest import Manifest
from mmbio.data.sources import resolve
from mmbio.data.synthetic.root import generate
from mmbio.data.virtual import Plan
from mmbio.embed.settings import Settings
from mmbio.protocols import MULTITASK

N_SUBJECTS = 6

hypothesis.settings.register_profile("mmbio", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("mmbio")


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic root of six subjects, as the product writes it."""
    root = tmp_path_factory.mktemp("synthetic") / "root"
    generate(root, seed=0, n_subjects=N_SUBJECTS)
    return root


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder that tests share, so that vectors are extracted once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def tiny_manifest(tiny_root: Path, tiny_home: Path) -> Manifest:
    """Six virtual subjects, 15 triplets each, 8 folds."""
    return virtual.build(resolve(MULTITASK.modalities, str(tiny_root), {}, tiny_home), Plan(MULTITASK), tiny_home)


@pytest.fixture(scope="session")
def tiny_settings(tiny_home: Path) -> Settings:
    """Random ResNet-50 weights, which need no network."""
    return Settings(tiny_home, weights="random", device="cpu")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real public sets; skips where there is none."""
    folder = Path(os.environ.get("MMBIO_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real data: set MMBIO_TEST_DATA to a folder with the public sets")
    return folder
