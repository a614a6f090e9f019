"""mmbio doctor: each check says what it found, and the cure where something is wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mmbio import provenance
from mmbio.cli import checks_data, checks_installed, checks_machine
from mmbio.cli.findings import Finding, fail, ok, warn

Call = Callable[..., Result]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the checks find these things."""

    def set_to(*findings: Finding) -> None:
        monkeypatch.setattr(checks_installed, "installed", lambda: iter(findings[:1]))
        monkeypatch.setattr(checks_machine, "machine", lambda _: iter(findings[1:]))
        monkeypatch.setattr(checks_data, "data", lambda _: iter(()))

    return set_to


def test_all_checks_of_this_machine(mmbio: Call, tmp_path: Path) -> None:
    result = mmbio("doctor", "--json", "--out", tmp_path / "runs")
    told = json.loads(result.stdout)
    states = {check["check"]: check["state"] for check in told["checks"]}
    assert len(states) == len(told["checks"])
    assert {states[name] for name in ("Python", "home folder", "a network's numbers", "torchvision's operators")} == {
        "ok"
    }
    assert all(bool(check["cure"]) is (check["state"] != "ok") for check in told["checks"])
    assert (result.exit_code, result.stderr) == (0 if told["ok"] else 1, "")
    assert told["ok"] is ("fail" not in states.values())
    assert list(tmp_path.iterdir()) == []


def test_the_table(mmbio: Call, found: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found(ok("Python", "3.11"), warn("disk", "full " * 30, "free some"), fail("locks", "none", "another disk"))
    result = mmbio("doctor")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0].split() == ["ok", "Python", "3.11"]
    assert [line.split("-> ")[1].strip() for line in lines if "-> " in line] == ["free some", "another disk"]
    assert lines[-1] == "1 ok, 1 to look at, 1 failed: mend these first"
    assert max(map(len, lines)) <= 80


def test_json_and_quiet(mmbio: Call, found: Callable[..., None]) -> None:
    found(ok("Python", "3.11"), warn("disk", "little", "free some"))
    assert json.loads(mmbio("doctor", "--json").stdout) == {
        "ok": True,
        "checks": [
            {"check": "Python", "state": "ok", "found": "3.11", "cure": ""},
            {"check": "disk", "state": "warn", "found": "little", "cure": "free some"},
        ],
    }
    assert mmbio("doctor", "--quiet").output == ""
    assert mmbio("doctor").exit_code == 0


def states(findings: object) -> dict[str, Finding]:
    assert hasattr(findings, "__iter__")
    return {finding.check: finding for finding in findings}


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let libraries be of other versions; '' is not there."""
    really = checks_installed._version

    def set_to(**given: str) -> None:
        monkeypatch.setattr(
            checks_installed, "_version", lambda name: given.get(name.replace("-", "_"), "") or (
                "" if name.replace("-", "_") in given else really(name))
        )  # fmt: skip

    return set_to


def test_a_library_that_is_too_old(versions: Callable[..., None]) -> None:
    versions(numpy="1.26.4", wfdb="")
    finding = checks_installed._libraries()
    assert finding.state == "fail"
    assert "numpy 1.26.4 (needs >=" in finding.found
    assert "wfdb is not there (needs >=" in finding.found
    assert finding.cure.startswith("pip install -U '")


def test_torch_that_is_not_torchvisions(versions: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_installed, "requires", lambda _: ["numpy", "torch==2.6.0"])
    versions(torch="2.7.0", torchvision="0.21.0")
    finding = checks_installed._pair()
    assert (finding.state, finding.found) == ("fail", "2.7.0 and 0.21.0, which is for torch==2.6.0")
    assert finding.cure == "pip install 'torch==2.6.0' torchvision==0.21.0"
    versions(torch="2.6.0+cpu", torchvision="0.21.0")
    assert checks_installed._pair().state == "ok"
    versions(torch="")
    assert checks_installed._pair().cure == checks_installed.TORCH


def test_an_extra_that_is_not_there(versions: Callable[..., None]) -> None:
    versions(resemblyzer="", av="")
    assert checks_installed._extra("voice", "voices").cure == "pip install 'mmbio[voice]'"
    assert checks_installed._extra("video", "films").state == "warn"


def test_the_weights_of_resnet50(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    assert checks_installed._imagenet().state == "warn"
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet50-0676ba61.pth").write_bytes(b"half")
    assert checks_installed._imagenet().state == "fail"


def test_where_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks_installed, "PYPROJECT", tmp_path / "none")
    monkeypatch.setattr(checks_installed, "requires", lambda _: None)
    monkeypatch.setattr(provenance, "CPUINFO", tmp_path / "none")
    monkeypatch.setattr(checks_machine, "MEMINFO", tmp_path / "none")
    assert checks_installed._libraries().state == "warn"
    assert (checks_machine._processor().state, checks_machine._memory().state) == ("ok", "ok")
    monkeypatch.setattr(checks_installed, "find_spec", lambda _: None)
    assert [finding.state for finding in checks_installed.installed()] == ["ok", "fail"]


@pytest.mark.parametrize(("value", "state"), [("x", "fail"), ("0", "fail"), ("1024", "warn")])
def test_threads(monkeypatch: pytest.MonkeyPatch, value: str, state: str) -> None:
    monkeypatch.setenv("MMBIO_THREADS", value)
    assert checks_machine._threads().state == state


def test_processors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(provenance, "CPUINFO", tmp_path / "cpuinfo")
    for flags, state, told in (
        ("sse avx2", "warn", "AVX2, no bf16"),
        ("avx512f amx_bf16", "ok", "AVX-512, bf16 (amx_bf16)"),
    ):
        (tmp_path / "cpuinfo").write_text(f"model name : A\nflags : {flags}\n")
        finding = checks_machine._processor()
        assert finding.state == state
        assert told in finding.found


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert checks_machine._home(tmp_path / "file").state == "fail"
    assert checks_machine._home(tmp_path / "a" / "b").found == f"{tmp_path / 'a' / 'b'}: can be made"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbio.cli.checks_machine.fcntl.flock", lambda *_: None)
    finding = checks_machine._home(tmp_path)
    assert (finding.state, "does not keep locks" in finding.found) == ("fail", True)


@pytest.mark.parametrize(("free", "state"), [(0, "fail"), (2**31, "warn"), (2**40, "ok")])
def test_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr("mmbio.cli.checks_machine.shutil.disk_usage", lambda _: Usage())
    assert checks_machine._disk(tmp_path).state == state


@pytest.mark.parametrize(("limit", "free", "state"), [("max", "5.0 of 8.0", "ok"), (str(2**30), "1.0 of 1.0", "warn")])
def test_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, free: str, state: str) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: {8 * 2**20} kB\nMemAvailable: {5 * 2**20} kB\n")
    (tmp_path / "max").write_text(f"{limit}\n")
    monkeypatch.setattr(checks_machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(checks_machine, "LIMITS", (tmp_path / "none", tmp_path / "max"))
    assert checks_machine._memory() == Finding("memory", state, f"{free} GiB free", checks_machine._memory().cure)


def test_data_roots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_root: Path, av_set: Path) -> None:
    for root, state, told in (
        (tmp_path / "no", "fail", "no such folder"),
        (tmp_path, "warn", "no set there"),
        (tiny_root, "ok", "synthetic, ecg-id, faces95, fvc2006"),
        (av_set, "ok", "imported vectors of face, voice"),
        ("synthetic", "ok", "mmbio makes it"),
    ):
        for option, environment in ((str(root), "nowhere"), (None, str(root))):
            monkeypatch.setenv("MMBIO_DATA", environment)
            (finding,) = checks_data.data(option)
            assert (finding.state, told in finding.found) == (state, True)
            assert finding.found.startswith("--data" if option else "MMBIO_DATA=")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Ten fingers of FVC2000, half of Faces94, and a folder of one's own."""
    for finger in range(101, 111):
        for impression in range(1, 9):
            path = tmp_path / f"root/fvc2000/DB1_B/{finger}_{impression}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
    for name in ("faces94/male/someone/someone.1.jpg", "finger/me/1.png"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True)
        path.write_text("x")
    return tmp_path / "root"


def test_each_set_at_a_root(root: Path) -> None:
    first, *found = checks_data.data(str(root))
    assert first == ok("data root", f"--data {root}: faces94, fvc2000, finger-folders")
    assert states(found) == {
        "set faces94": warn(
            "set faces94",
            f"{root}/faces94, 1 file, 1 of 3 parts; not whole: images of female: none (female/*/*.jpg); images of"
            " malestaff: none (malestaff/*/*.jpg)",
            f"no action is needed to use it as it is; else mmbio datasets faces94 --data {root}",
        ),
        "set fvc2000": ok("set fvc2000", f"{root}/fvc2000, 80 files, 1 of 4 parts; no fault by names and counts"),
        "set finger-folders": ok("set finger-folders", f"{root}/finger, 1 subject"),
    }


def test_a_file_that_cannot_be_read(root: Path, mmbio: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = root / "fvc2000/DB1_B/101_1.tif"
    monkeypatch.setattr("mmbio.data.fetch.state.os.access", lambda path, _: path != closed)
    finding = states(checks_data.data(str(root)))["set fvc2000"]
    assert finding.state == "fail"
    assert "DB1_B/101_1.tif: cannot be read; give yourself the right to" in finding.found
    (root / "faces94/male/someone/someone.1.jpg").write_bytes(b"")
    assert states(checks_data.data(str(root)))["set faces94"].state == "fail"
    result = mmbio("doctor", "--data", root, "--json")
    assert result.exit_code == 1
    assert "set faces94" in {check["check"] for check in json.loads(result.stdout)["checks"]}


def test_a_proxy_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example.org:3128")
    told = checks_machine._proxies().found
    assert "HTTPS_PROXY=http://***@proxy.example.org:3128" in told
    assert "secret" not in told


def test_another_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    assert checks_machine._texts().state == "warn"


def test_numbers_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    class Broken:
        def __init__(self, _weights: str, _precision: str, _device: str, execution: str = "") -> None:
            self.sign = -1 if execution else 1

        def embed(self, images: np.ndarray) -> np.ndarray:
            return np.full((len(images), 4), self.sign, dtype=np.float32)

    monkeypatch.setattr("mmbio.embed.backbones.resnet50.ResNet50", Broken)
    finding = checks_machine._numbers()
    assert (finding.state, "cosine -1.00000" in finding.found) == ("fail", True)
