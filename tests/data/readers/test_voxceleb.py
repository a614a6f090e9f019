"""VoxCeleb: which file is taken of a clip, what it is called, and which part its subject is in."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbio.data import av_files
from mmbio.data.readers.voxceleb import read_face, read_voice
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
REAL = DATA / "voxceleb"
META1 = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tA.J._Buckley\tm\tIreland\tdev\n"
    "id10270\tEartha_Kitt\tf\tUSA\ttest\n"
)
META2 = (
    "Name \tVoxCeleb2 ID \tVGGFace2 ID \tGender \tSet \n"
    "Aaron_Ashmore \tid00012 \tn000012 \tm \tdev \n"
    "Žydrūnas \tid00017 \tn000017 \tf \ttest \n"
)


def tree(folder: Path, *paths: str, vox1: str | None = None, vox2: str | None = None) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    for name, text in (("vox1_meta.csv", vox1), ("vox2_meta.csv", vox2)):
        if text is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def rows(found: SampleSet) -> list[tuple[str, int, str, str | None, str, str]]:
    return [(s.sample, s.order, s.path, s.gender, s.session, s.part) for s in found.samples]


def test_voxceleb1_as_its_archives_unpack(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "vox1_dev_wav/wav/id10001/1zcIwhmdeo4/00001.wav",
        "vox1_test_wav/wav/id10270/x6uYqmx31kE/00002.wav",
        "vox1_test_wav/wav/id10270/x6uYqmx31kE/00001.wav",
        "vox1_test_wav/wav/id10270/5r0dWxy17C8/00003.wav",
        "vox1_test_wav/wav/id10270/5r0dWxy17C8/notes.txt",
        "vox1_test_wav/__MACOSX/id10270/x6uYqmx31kE/00001.wav",
        vox1=META1,
    )
    found = read_voice(tmp_path)
    test = "vox1_test_wav/wav/id10270"
    assert rows(found) == [
        (
            "id10001/1zcIwhmdeo4/00001.wav",
            0,
            "vox1_dev_wav/wav/id10001/1zcIwhmdeo4/00001.wav",
            "M",
            "id10001/1zcIwhmdeo4",
            "dev",
        ),
        *(
            (f"id10270/{name}", order, f"{test}/{name}", "F", f"id10270/{name[:11]}", "test")
            for order, name in enumerate(
                ("5r0dWxy17C8/00003.wav", "x6uYqmx31kE/00001.wav", "x6uYqmx31kE/00002.wav")  # by name
            )
        ),
    ]
    assert {(s.modality, s.subject) for s in found.samples} == {("voice", "id10001"), ("voice", "id10270")}
    assert (found.name, found.folder, found.notes) == ("voxceleb", tmp_path, ())


def test_a_clips_face_and_voice_share_a_name(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "vox2_dev_aac/dev/aac/id00012/21Uxsk56VDQ/00001.m4a",
        "vox2_dev_mp4/dev/mp4/id00012/21Uxsk56VDQ/00001.mp4",
        "vox2_test_aac/aac/id00017/01dfn2spqyE/00001.m4a",
        "vox2_test_mp4/mp4/id00017/01dfn2spqyE/00001.mp4",
        vox2=META2,
    )
    voice, face = read_voice(tmp_path), read_face(tmp_path)
    assert [s.sample for s in voice.samples] == ["id00012/21Uxsk56VDQ/00001.m4a", "id00017/01dfn2spqyE/00001.m4a"]
    assert [s.sample.removesuffix(".mp4") for s in face.samples] == [
        s.sample.removesuffix(".m4a") for s in voice.samples
    ]
    assert face.samples[1].path == "vox2_test_mp4/mp4/id00017/01dfn2spqyE/00001.mp4"
    for found in (voice, face):
        assert [(s.gender, s.part) for s in found.samples] == [("M", "dev"), ("F", "test")]
        assert (found.name, found.notes) == ("voxceleb", ())


def test_a_voice_is_taken_from_the_mp4_where_there_is_no_other(tmp_path: Path) -> None:
    clips = [f"aac/id00017/v/0000{i}{suffix}" for i, suffix in ((1, ".m4a"), (2, ".m4a"), (2, ".wav"))]
    clips += [f"mp4/id00017/v/0000{i}.mp4" for i in (1, 2, 3)]
    found = read_voice(tree(tmp_path, *clips, vox2=META2))
    assert [s.path for s in found.samples] == [
        "aac/id00017/v/00001.m4a",
        "aac/id00017/v/00002.wav",
        "mp4/id00017/v/00003.mp4",
    ]
    assert [s.sample for s in found.samples][2] == "id00017/v/00003.mp4"
    assert found.notes == ("voxceleb: voice from the mp4's own sound for 1 clip without a wav or m4a",)
    assert [s.path for s in read_face(tmp_path).samples] == clips[3:]


def test_voxceleb1_faces_by_name(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0001375.jpg",
        "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0000350.jpg",
        "wav/id10270/x6uYqmx31kE/00001.wav",
        "mp4/id00012/21Uxsk56VDQ/00001.mp4",
        vox1=META1,
        vox2=META2,
    )
    clip, first, second = read_face(tmp_path).samples
    assert clip.sample == "id00012/21Uxsk56VDQ/00001.mp4"
    assert (first.subject, first.sample, first.order) == ("id10270", "id10270/x6uYqmx31kE/0000350.jpg", 0)
    assert second.path == "unzippedFaces/Eartha_Kitt/1.6/x6uYqmx31kE/0001375.jpg"
    assert (second.gender, second.part) == ("F", "test")
    (voice,) = (s for s in read_voice(tmp_path).samples if s.subject == "id10270")
    assert voice.session == first.session == second.session
    (tmp_path / "vox1_meta.csv").unlink()
    with pytest.raises(MmbioError, match=r"no VGGFace1 ID 'Eartha_Kitt', .* put that file into the folder"):
        read_face(tmp_path)


@pytest.mark.parametrize(
    ("given", "folder", "part"),
    [
        ("", "vox1_dev_wav/wav", "dev"),
        ("", "Vox1_Test/wav", "test"),
        ("", "voxceleb1/test/wav", "test"),
        ("", "test", "test"),
        ("vox1_test_wav", "wav", "test"),
        ("dev", "", "dev"),
        ("dev", "vox1_test_wav/wav", "test"),  # the folder nearest to the files counts
    ],
)
def test_without_metadata_folders_tell_the_part(tmp_path: Path, given: str, folder: str, part: str) -> None:
    tree(tmp_path / given / folder, "id10001/v/00001.wav")
    found = read_voice(tmp_path / given)
    assert [(s.part, s.gender) for s in found.samples] == [(part, None)]
    assert found.notes == ("voxceleb: no gender for 1 subject (id10001), which no metadata file lists",)


@pytest.mark.parametrize("place", ["root", "root/wav", "."])
def test_where_metadata_may_lie(tmp_path: Path, place: str) -> None:
    tree(tmp_path / place, vox1=META1)
    found = read_voice(tree(tmp_path / "root", "wav/id10270/v/00001.wav"))
    assert [(s.gender, s.part) for s in found.samples] == [("F", "test")]


def test_metadata_with_commas_and_in_two_places(tmp_path: Path) -> None:
    tree(tmp_path, vox2=META2)
    tree(tmp_path / "root", "aac/id00017/v/00001.m4a", vox2=META2.replace("\t", ","))
    assert [s.part for s in read_voice(tmp_path / "root").samples] == ["test"]


@pytest.mark.parametrize("read", [read_voice, read_face])
@pytest.mark.parametrize(
    ("paths", "vox2", "told"),
    [
        ((), META2, "holds no "),
        (("txt/id00017/v/00001.txt",), META2, "holds no "),
        (
            ("mp4/id00017/v/1.mp4",),
            None,
            r"no vox1_meta.csv or vox2_meta.csv and no folder such as vox1_dev_wav says whether 1 subject \(id00017\) "
            "are dev or test; put the set's metadata file into the folder",
        ),
        (("mp4/id00099/v/1.mp4",), META2, r"1 subject \(id00099\)"),
        (("dev/mp4/id00017/v/1.mp4", "test/mp4/id00017/w/1.mp4"), None, "'id00017' is in both dev and test"),
        (("dev/mp4/id00017/v/1.mp4",), META2, "'id00017' is in both dev and test"),
        (
            ("a/dev/id00012/v/1.mp4", "b/dev/id00012/v/1.mp4"),
            META2,
            "the same clip lies at a/dev/id00012/v/1.mp4 and at b/dev/id00012/v/1.mp4; keep one of them",
        ),
        (("mp4/id00017/v/1.mp4",), "", "row 1 is '', without one of VoxCeleb2 ID, Gender and Set"),
        (("mp4/id00017/v/1.mp4",), META1, "row 1 is 'VoxCeleb1 ID,VGGFace1 ID,"),
        (("mp4/id00017/v/1.mp4",), META2.replace("f \ttest", "? \ttest"), r"row 3 is 'Žydrūnas,id00017,n000017,\?,"),
        (("mp4/id00017/v/1.mp4",), META2.replace("test", "both"), "row 3 is .* a set dev or test were expected"),
        (("mp4/id00017/v/1.mp4",), META2 + "A\tid00012\n", "row 4 is 'A,id00012' where an id"),
        (("mp4/id00017/v/1.mp4",), META2 + "A\n", "row 4 is 'A' where an id"),
        (
            ("mp4/id00017/v/1.mp4",),
            META2 + "A \tid00012 \tn1 \tf \tdev \n",
            "row 4: 'id00012' has another row that says otherwise; keep one of them",
        ),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, read: Callable[[Path], SampleSet], paths: tuple[str, ...], vox2: str | None, told: str
) -> None:
    with pytest.raises(MmbioError, match=told):
        read(tree(tmp_path, *paths, vox2=vox2))


def test_metadata_that_is_not_text(tmp_path: Path) -> None:
    tree(tmp_path, "wav/id10270/v/00001.wav")
    (tmp_path / "vox1_meta.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MmbioError, match=r"vox1_meta.csv: not a readable CSV file"):
        read_voice(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match=r"absent: cannot be listed \(No such file or directory\)"):
        read_voice(tmp_path / "absent")


def test_a_path_leads_to_the_sound(tmp_path: Path) -> None:
    pytest.importorskip("av")
    soundfile = pytest.importorskip("soundfile")
    tree(tmp_path, "wav/id10270/x6uYqmx31kE/00001.wav", vox1=META1)
    sound = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    soundfile.write(tmp_path / "wav/id10270/x6uYqmx31kE/00001.wav", sound, 16_000, subtype="FLOAT")
    found = read_voice(tmp_path)
    np.testing.assert_array_equal(av_files.audio(found.folder / found.samples[0].path), sound)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real VoxCeleb metadata is there")
def test_the_real_trial_list_names_our_samples(tmp_path: Path) -> None:
    lines = (REAL / "veri_test2.txt").read_text(encoding="utf-8").splitlines()[:200]
    wanted = sorted({name for line in lines for name in line.split()[1:]})
    tree(tmp_path, *(f"wav/{name}" for name in wanted), "aac/id00012/v/00001.m4a")
    for name in ("vox1_meta.csv", "vox2_meta.csv"):
        (tmp_path / name).symlink_to((REAL / name).resolve())
    *test, dev = sorted(read_voice(tmp_path).samples, key=lambda s: (s.part == "dev", s.sample))
    assert [s.sample for s in test] == wanted
    assert {s.part for s in test} == {"test"}
    assert {s.gender for s in test} <= {"F", "M"}
    assert (dev.part, dev.gender) == ("dev", "M")
