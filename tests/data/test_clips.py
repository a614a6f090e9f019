"""Clips: items with face and voice, and trials of them, from vectors, from two sets, and from joined clips."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmbio.data import clips, vector_sets
from mmbio.data.manifest import Manifest, read
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.data.virtual import build
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL

soundfile = pytest.importorskip("soundfile")

PLAN = Plan(AUDIOVISUAL)
Root = dict[str, str]  # a source of each modality


def noise(path: Path, seconds: float, seed: int, rate: int = 16_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate))
    soundfile.write(str(path), samples.astype(np.float32), rate)


def image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (20, 18, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def chimera(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """LibriSpeech of 4 test and 6 train speakers, two chapters of two clips; Faces94 of 12 people, five images."""
    root = tmp_path_factory.mktemp("chimera")
    lines = ["; ID | SEX | SUBSET"]
    for number in range(10):
        subset, speaker = "test-clean" if number < 4 else "train-clean-100", str(100 + number)
        lines.append(f"{speaker} | {'FM'[number % 2]} | {subset} | 1 | Somebody")
        for chapter in ("7", "8"):
            for clip in range(2):
                name = f"{speaker}-{chapter}-{clip:04d}.flac"
                noise(root / "LibriSpeech" / subset / speaker / chapter / name, 3.2, 10 * number + clip)
    noise(root / "LibriSpeech" / "test-clean" / "100" / "8" / "100-8-0002.flac", 0.9, 99)
    (root / "LibriSpeech" / "SPEAKERS.TXT").write_text("\n".join(lines))
    for number in range(12):
        for k in range(5):
            image(root / "faces94" / ("female", "male")[number % 2] / f"f{number}" / f"f{number}.{k + 1}.jpg", k)
    return {"face": str(root / "faces94"), "voice": str(root / "LibriSpeech")}


def made(sources: Root, home: Path, **changes: Any) -> Manifest:
    plan = replace(PLAN, **changes)
    return read(build(resolve(AUDIOVISUAL, None, sources, home), plan, home).folder)


def owners(manifest: Manifest, modality: str) -> list[str]:
    """The set's subject that each item's sample is of, as samples.csv says; empty where there is none."""
    known = manifest.samples[manifest.samples["modality"] == modality].set_index("sample")["subject"]
    return [known[name] if name else "" for name in manifest.items[f"{modality}_sample"]]


def pairs(manifest: Manifest, part: str, genuine: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items of each side of some trials."""
    by_number = manifest.items.set_index("item")
    asked = manifest.trials[(manifest.trials["part"] == part) & (manifest.trials["genuine"] == genuine)]
    return by_number.loc[asked["enrolment"]].reset_index(), by_number.loc[asked["probe"]].reset_index()


def test_a_vector_set_is_an_item_a_row(av_manifest: Manifest, av_set: Path) -> None:
    items, table = av_manifest.items, vector_sets.read(av_set).samples.set_index("id")
    assert len(items) == len(table) == 216
    assert items["split"].value_counts().to_dict() == {"train": 114, "test": 72, "dev": 30}
    for modality in ("face", "voice"):
        assert set(items[f"{modality}_sample"]) == {f"tiny/{modality}"}
        assert items[f"{modality}_draw"].tolist() == [f"#{row}" for row in table.loc[items["id"], modality]]
    assert items["video"].tolist() == table.loc[items["id"], "video"].tolist()
    assert av_manifest.info["n_subjects"] == {"all": 12, "F": 6, "M": 6, "dev": 24}
    assert (av_manifest.info["data"], av_manifest.info["scale"]) == ("tiny", "whole")
    assert not av_manifest.info["chimeric"]
    assert av_manifest.info["segments"] == ["0.115", "1.015"]


def test_subjects_of_the_items_are_those_of_the_table(av_manifest: Manifest) -> None:
    sources = av_manifest.subjects.set_index("subject")["face"]
    expected = [name.rpartition("/")[2] for name in sources[av_manifest.items["subject"]]]
    assert [one.partition("/")[0] for one in av_manifest.items["id"]] == expected


@pytest.mark.parametrize(("part", "differs"), [("test", "video"), ("dev", "clip")])
def test_trials_name_items_of_their_part(av_manifest: Manifest, part: str, differs: str) -> None:
    enrolment, probe = pairs(av_manifest, part, 1)
    assert (enrolment["subject"] == probe["subject"]).all()
    assert (enrolment[differs] != probe[differs]).all()
    others, impostors = pairs(av_manifest, part, 0)
    assert (others["subject"] != impostors["subject"]).all()
    for side in (enrolment, probe, others, impostors):
        assert len(side)
        assert ((side["split"] == "test") == (part == "test")).all()


def test_attributes_are_those_of_the_test_items(av_manifest: Manifest, av_set: Path) -> None:
    test = av_manifest.items[av_manifest.items["split"] == "test"]
    assert sorted(av_manifest.attributes["id"]) == sorted(test["id"])
    known = vector_sets.read(av_set).samples.set_index("id")["Smiling"]
    assert av_manifest.attributes["Smiling"].tolist() == known[av_manifest.attributes["id"]].tolist()


def altered(av_set: Path, folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """The tiny vector set with another table, in another folder."""
    found = vector_sets.read(av_set)
    names = {"face": [""], "voice": ["0.115", "1.015"]}
    vectors = {m: {s: np.load(av_set / vector_sets.file_name(m, s)) for s in of} for m, of in names.items()}
    vector_sets.write(folder, "tiny", change(found.samples.copy()), vectors, notes=("a remark",))
    return folder


def without_some(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table["id"] == "test00/v0/c0", "voice"] = -1
    table.loc[table["subject"] == "dev00", "face"] = -1
    return table


def test_samples_may_miss_a_modality(av_set: Path, tmp_path: Path) -> None:
    folder = altered(av_set, tmp_path / "set", without_some)
    manifest = build(resolve(AUDIOVISUAL, str(folder), {}, tmp_path), PLAN, tmp_path)
    items = read(manifest.folder).items
    one = items[items["id"] == "test00/v0/c0"].iloc[0]
    assert one[["face_sample", "face_draw", "voice_sample", "voice_draw"]].tolist() == ["tiny/face", "#0", "", ""]
    assert len(items) == 216
    assert (~manifest.has("face")).sum() == 6
    enrolment, probe = pairs(manifest, "dev", 1)
    assert "dev00" not in {name.partition("/")[0] for name in [*enrolment["id"], *probe["id"]]}
    tested, _ = pairs(manifest, "test", 1)
    assert "test00/v0/c0" in set(tested["id"]) | set(pairs(manifest, "test", 1)[1]["id"])
    assert manifest.info["notes"] == ["a remark"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"part": "test"}, "all 36 subjects test and none is left to train on; mark some as dev"),
        ({"part": "dev"}, "no subject is in part test; mark some subjects as test"),
        ({"video": "one"}, "0 of 12 subjects have a genuine pair of different videos.*--genuine clip or segment"),
    ],
)
def test_a_vector_set_that_cannot_be_tested(av_set: Path, tmp_path: Path, change: Mapping[str, str], told: str) -> None:
    folder = altered(av_set, tmp_path / "set", lambda table: table.assign(**change))
    with pytest.raises(MmbioError, match=told):
        build(resolve(AUDIOVISUAL, str(folder), {}, tmp_path), PLAN, tmp_path)
    assert not (tmp_path / "manifests").exists()


def test_dev_needs_two_complete_subjects(av_set: Path, tmp_path: Path) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[(table["part"] == "dev") & (table["subject"] != "dev00"), "face"] = -1
        return table

    folder = altered(av_set, tmp_path / "set", change)
    with pytest.raises(MmbioError, match=r"^1 subject with all modalities left to train .*; test fewer subjects"):
        build(resolve(AUDIOVISUAL, str(folder), {}, tmp_path), PLAN, tmp_path)


@pytest.mark.parametrize(
    ("genuine", "test", "dev"),
    [
        ("video", "of different videos or chapters", clips.RULES["clip"]),
        ("clip", "of different clips, which may share a video or chapter", clips.RULES["clip"]),
        ("segment", "of different segments, which may share a clip", clips.RULES["segment"]),
    ],
)
def test_the_words_beside_trials(av_set: Path, tmp_path: Path, genuine: str, test: str, dev: str) -> None:
    sets = resolve(AUDIOVISUAL, str(av_set), {}, tmp_path)
    info = build(sets, replace(PLAN, genuine=genuine), tmp_path).info
    assert (info["trials"], info["dev_trials"]) == (test, dev)


def test_impostors_of_the_same_gender(av_set: Path, tmp_path: Path) -> None:
    sets = resolve(AUDIOVISUAL, str(av_set), {}, tmp_path)
    manifest = build(sets, replace(PLAN, same_gender=True, n_impostor=20), tmp_path)
    gender = manifest.subjects["gender"].to_numpy()
    enrolment, probe = pairs(manifest, "test", 0)
    assert (gender[enrolment["subject"]] == gender[probe["subject"]]).all()
    assert manifest.info["trials"].endswith("; impostors of the same gender")


def test_a_face_of_one_set_and_a_voice_of_another(chimera: Root, tmp_path: Path) -> None:
    manifest = made(chimera, tmp_path)
    items, subjects = manifest.items, manifest.subjects
    assert manifest.info["chimeric"]
    assert manifest.info["data"] == "faces94 + librispeech"
    assert manifest.info["dropped"] == {"voice: clips shorter than 1.015 s": 1}
    assert manifest.info["n_subjects"] == {"all": 4, "F": 2, "M": 2, "dev": 8}
    for modality in ("face", "voice"):
        expected = [subjects[modality][s] for s in items["subject"]]
        assert all(name in ("", one) for name, one in zip(owners(manifest, modality), expected, strict=True))
        assert manifest.has(modality)[items["split"] == "test"].all()
        people = items[manifest.has(modality)].assign(
            owner=np.array(owners(manifest, modality))[manifest.has(modality)]
        )
        tested = set(people["owner"][people["split"] == "test"])
        assert not tested & set(people["owner"][people["split"] != "test"])
    assert all("test-clean" in one for one in items["voice_sample"][items["split"] == "test"])
    assert items["id"].is_unique


def test_a_test_clip_gives_one_frame_and_a_dev_clip_one_a_second(chimera: Root, tmp_path: Path) -> None:
    items = made(chimera, tmp_path).items
    test, dev = (items[(items["split"] == "test") == which] for which in (True, False))
    assert test["voice_sample"].is_unique
    assert len(test) == 16
    assert test["voice_draw"].astype(float).between(0.5075, 3.2 - 0.5074).all()
    assert test["voice_draw"].nunique() > 12
    voiced = dev[dev["voice_sample"] != ""]
    assert set(voiced.groupby("voice_sample")["voice_draw"].agg(" ".join)) == {"0.507 1.507 2.507"}
    assert test["id"].iloc[0] == test["clip"].iloc[0]
    assert voiced["id"].str.contains("#").all()


def test_more_frames_of_a_test_clip_lie_in_stretches_of_it(chimera: Root, tmp_path: Path) -> None:
    manifest = made(chimera, tmp_path, frames=2)
    test = manifest.items[manifest.items["split"] == "test"]
    assert manifest.info["scale"] == "2 frames a clip"
    early, late = (test[test["id"].str.endswith(end)]["voice_draw"].astype(float) for end in ("#0", "#1"))
    middle = 3.2 / 2
    assert len(early) == len(late) == 16
    assert early.max() <= middle <= late.min()


def test_images_are_dealt_before_any_comes_again(chimera: Root, tmp_path: Path) -> None:
    items = made(chimera, tmp_path).items
    faces = items[items["face_sample"] != ""]
    assert faces[faces["split"] == "test"].groupby("subject")["face_sample"].nunique().tolist() == [4] * 4
    others = faces[faces["split"] != "test"]
    assert others["face_sample"].is_unique
    assert set(others.groupby("subject").size()) == {5}
    assert set(faces["face_draw"]) == {""}


@pytest.mark.parametrize("changes", [{}, {"seed": 1}, {"match": "none"}, {"subjects": 2}])
def test_the_same_choices_give_the_same_bytes(chimera: Root, tmp_path: Path, changes: dict[str, Any]) -> None:
    one, other = (made(chimera, tmp_path / home, **changes) for home in ("a", "b"))
    assert one.hash == other.hash
    for name in ("subjects", "samples", "items", "trials"):
        assert (one.folder / f"{name}.csv").read_bytes() == (other.folder / f"{name}.csv").read_bytes()
    assert (made(chimera, tmp_path / "a").hash == one.hash) == (not changes)


def test_fewer_subjects_test(chimera: Root, tmp_path: Path) -> None:
    manifest = made(chimera, tmp_path, subjects=2)
    assert manifest.n_subjects == 2
    assert set(manifest.items["subject"][manifest.items["split"] == "test"]) == {0, 1}


def test_without_matching_genders_mix(chimera: Root, tmp_path: Path) -> None:
    mixed = False
    for seed in range(4):
        subjects = made(chimera, tmp_path, match="none", seed=seed).subjects
        tested = subjects[:4]
        female_face = tested["face"].str.extract(r"f(\d+)$")[0].astype(int) % 2 == 0
        mixed |= bool((female_face != (tested["gender"] == "F")).any())
    assert mixed


def test_no_clip_is_long_enough(chimera: Root, tmp_path: Path) -> None:
    for speaker in range(4):
        for chapter in ("7", "8"):
            path = tmp_path / "LibriSpeech" / "test-clean" / f"{speaker}" / chapter / f"{speaker}-{chapter}-0.flac"
            noise(path, 0.5, 0)
    (tmp_path / "LibriSpeech" / "SPEAKERS.TXT").write_text("".join(f"{i} | F | x\n" for i in range(4)))
    sources = chimera | {"voice": str(tmp_path / "LibriSpeech")}
    with pytest.raises(MmbioError, match=r"^no clip of the 4 test subjects is as long as 1.015 s; add longer ones$"):
        made(sources, tmp_path / "home")


def test_a_vector_set_beside_another_set(chimera: Root, av_set: Path, tmp_path: Path) -> None:
    sets = resolve(AUDIOVISUAL, None, chimera, tmp_path)
    vectors = resolve(AUDIOVISUAL, str(av_set), {}, tmp_path)
    with pytest.raises(MmbioError, match="--source: vectors of librispeech and tiny are of different people; import"):
        clips.check(PLAN, {"face": vectors["face"], "voice": sets["voice"]})


def clip_with_sound(path: Path, seconds: float) -> None:
    """An mp4 of grey frames with a tone, as VoxCeleb2 has them."""
    av = pytest.importorskip("av")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("libx264", rate=10), container.add_stream("aac", rate=16_000)
        video.height, video.width, video.pix_fmt, sound.layout = 32, 32, "yuv420p", "mono"
        for i in range(round(10 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 5 * i, np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start in range(0, round(16_000 * seconds), 1024):
            block = av.AudioFrame.from_ndarray(np.full((1, 1024), 0.1, np.float32), format="fltp", layout="mono")
            block.sample_rate, block.pts = 16_000, start
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VoxCeleb2 of four subjects, two videos of a clip each, mp4 and its sound as m4a's stand-in, wav."""
    if find_spec("av") is None:
        pytest.skip("needs PyAV")
    root = tmp_path_factory.mktemp("sets") / "voxceleb2"
    rows = ["VoxCeleb2 ID,VGGFace2 ID,Gender,Set"]
    for number in range(4):
        part, subject = ("test", "dev")[number // 2], f"id0001{number}"
        rows.append(f"{subject},n00001{number},{'fm'[number % 2]},{part}")
        for video in ("a", "b"):
            clip_with_sound(root / part / "mp4" / subject / video / "00001.mp4", 2.4)
            noise(root / part / "wav" / subject / video / "00001.wav", 2.4, number)
    (root / "vox2_meta.csv").write_text("\n".join(rows))
    return root


def test_face_and_voice_of_a_clip_are_joined_at_one_moment(videos: Path, tmp_path: Path) -> None:
    manifest = build(resolve(AUDIOVISUAL, str(videos), {}, tmp_path), PLAN, tmp_path)
    items = manifest.items
    assert not manifest.info["chimeric"]
    assert manifest.info["data"] == "voxceleb"
    assert manifest.info["n_subjects"] == {"all": 2, "F": 1, "M": 1, "dev": 2}
    assert items["face_draw"].tolist() == items["voice_draw"].tolist()
    stems = [[name.rpartition(".")[0] for name in items[f"{m}_sample"]] for m in ("face", "voice")]
    assert stems[0] == stems[1]
    assert items["split"].value_counts()["test"] == 4
    assert items[items["split"] == "test"]["id"].tolist()[0] == "id00010/a/00001.wav"
    assert len(items[items["split"] != "test"]) == 4 * 2
    enrolment, probe = pairs(manifest, "test", 1)
    assert (enrolment["video"] != probe["video"]).all()


def test_a_subject_moved_to_another_part_is_built_again(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "voxceleb2").mkdir()
    for part in ("dev", "test"):
        for kind in ("mp4", "wav"):
            for subject in (videos / part / kind).iterdir():
                below = tmp_path / "voxceleb2" / kind / subject.name
                below.parent.mkdir(exist_ok=True)
                below.symlink_to(subject)
    meta = (videos / "vox2_meta.csv").read_text()
    hashes = []
    for text in (meta, meta.replace("f,test", "f,what").replace("f,dev", "f,test").replace("what", "dev"), meta):
        (tmp_path / "voxceleb2" / "vox2_meta.csv").write_text(text)
        sets = resolve(AUDIOVISUAL, str(tmp_path / "voxceleb2"), {}, tmp_path)
        hashes.append(build(sets, PLAN, tmp_path).hash)
    assert hashes[0] != hashes[1]
    assert hashes[0] == hashes[2]


def test_frames_that_only_share_a_video_with_the_clips(videos: Path, tmp_path: Path) -> None:
    root = tmp_path / "voxceleb1"
    rows = ["VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet"]
    for number in range(4):
        rows.append(f"id1000{number}\tName_{number}\t{'fm'[number % 2]}\tx\t{('test', 'dev')[number // 2]}")
        for video in ("a", "b"):
            noise(root / "wav" / f"id1000{number}" / video / "00001.wav", 2.4, number)
            if (number, video) != (3, "b"):
                image(root / "unzippedFaces" / f"Name_{number}" / "1.6" / video / "0000001.jpg", number)
    (root / "vox1_meta.csv").write_text("\n".join(rows))
    manifest = build(resolve(AUDIOVISUAL, str(root), {}, tmp_path), PLAN, tmp_path)
    items = manifest.items
    there = manifest.has("face")
    assert set(items["id"][~there]) == {"id10003/b/00001.wav#0", "id10003/b/00001.wav#1"}
    for voice, face in zip(items["voice_sample"][there], items["face_sample"][there], strict=True):
        assert voice.rpartition("/")[0] == face.rpartition("/")[0]
    assert set(items["face_draw"]) == {""}
