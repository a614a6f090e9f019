"""Audio and video files: which frame is shown when, what sound comes out, and what broken files say."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmbio.data import av_files
from mmbio.errors import MmbioError

av = pytest.importorskip("av")
soundfile = pytest.importorskip("soundfile")

N_FRAMES, FPS, GOP = 30, 25, 12
SIZE = (36, 48)
SECONDS = N_FRAMES / FPS
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(SECONDS * 16_000)) / 16_000)).astype(np.float32)
READERS: tuple[Callable[[Path], object], ...] = (
    av_files.duration,
    av_files.has_audio,
    av_files.has_video,
    av_files.audio,
    lambda path: av_files.frames(path, [0.0, 0.5, 1.15]),
)


def drain(container: Any, stream: Any, frame: Any) -> None:
    for packet in stream.encode(frame):
        container.mux(packet)


def add_sound(container: Any, sound: NDArray[np.float32]) -> Callable[[], None]:
    stream = container.add_stream("aac", rate=16_000)
    stream.layout = "mono"

    def write() -> None:
        for at in range(0, len(sound), 1024):
            block = av.AudioFrame.from_ndarray(sound[None, at : at + 1024].copy(), format="fltp", layout="mono")
            block.sample_rate, block.pts = 16_000, at
            drain(container, stream, block)
        drain(container, stream, None)

    return write


def write_clip(path: Path, codec: str = "libx264", sound: bool = True, **options: str) -> Path:
    """N_FRAMES of one grey each, 8 levels apart, with or without the tone."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=FPS, options={"bf": "2"})
        stream.height, stream.width, stream.pix_fmt, stream.codec_context.gop_size = *SIZE, "yuv420p", GOP
        write_sound = add_sound(container, TONE) if sound else None
        for i in range(N_FRAMES):
            pixels = np.full((*SIZE, 3), 8 * i, np.uint8)
            drain(container, stream, av.VideoFrame.from_ndarray(pixels, format="rgb24"))
        drain(container, stream, None)
        if write_sound is not None:
            write_sound()
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("av")
    found = {
        "clip": write_clip(folder / "clip.mp4"),
        "mpeg4": write_clip(folder / "mpeg4.mp4", "mpeg4"),
        "faststart": write_clip(folder / "faststart.mp4", movflags="faststart"),
        "matroska": write_clip(folder / "clip.mkv"),
        "mute": write_clip(folder / "mute.mp4", sound=False),
        "m4a": folder / "voice.m4a",
        "wav": folder / "voice.wav",
        "flac": folder / "voice.flac",
    }
    with av.open(str(found["m4a"]), "w", format="mp4") as container:
        add_sound(container, TONE)()
    for kind in ("wav", "flac"):
        soundfile.write(found[kind], TONE, 16_000, subtype="PCM_16")
    return found


def all_frames(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("kind", ["clip", "mpeg4", "faststart", "matroska", "mute"])
def test_a_frame_is_the_one_shown_at_its_time(files: dict[str, Path], kind: str) -> None:
    whole = all_frames(files[kind])
    assert len(whole) == N_FRAMES
    for i in (0, 1, GOP - 1, GOP, GOP + 1, 2 * GOP - 1, 2 * GOP, N_FRAMES - 1):
        for late in (0.0, 0.5, 0.95):
            shown = av_files.frame(files[kind], (i + late) / FPS)
            assert shown.shape == (*SIZE, 3)
            assert shown.dtype == np.uint8
            np.testing.assert_array_equal(shown, whole[i])


def test_frames_come_in_the_order_asked_for(files: dict[str, Path]) -> None:
    times = [0.8, 0.0, 0.41, 0.8, 0.4]
    shown = av_files.frames(files["clip"], times)
    for picture, i in zip(shown, (20, 0, 10, 20, 10), strict=True):
        assert abs(float(picture.mean()) - 8 * i) < 4
    for picture, at in zip(shown, times, strict=True):
        np.testing.assert_array_equal(picture, av_files.frame(files["clip"], at))
    assert av_files.frames(files["clip"], []) == []


def test_the_last_frame_is_shown_until_the_end(files: dict[str, Path]) -> None:
    np.testing.assert_array_equal(av_files.frame(files["clip"], SECONDS), all_frames(files["clip"])[-1])
    with pytest.raises(MmbioError, match=r"no frame at 9 s, since it ends at 1.20 s; ask for earlier ones"):
        av_files.frames(files["clip"], [0.0, 9.0])


@pytest.mark.parametrize("at", [-0.1, float("nan"), float("inf")])
def test_an_impossible_time_is_the_callers_mistake(files: dict[str, Path], at: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        av_files.frame(files["clip"], at)


@pytest.mark.parametrize(
    ("kind", "sound", "video"),
    [("clip", True, True), ("mute", False, True), ("m4a", True, False), ("wav", True, False)],
)
def test_what_a_file_holds(files: dict[str, Path], kind: str, sound: bool, video: bool) -> None:
    assert av_files.has_audio(files[kind]) is sound
    assert av_files.has_video(files[kind]) is video
    assert av_files.duration(files[kind]) == pytest.approx(SECONDS, abs=0.02)


def test_a_cover_picture_is_no_video(files: dict[str, Path], tmp_path: Path) -> None:
    covered = tmp_path / "covered.m4a"
    with av.open(str(covered), "w", format="mp4") as container:
        write_sound = add_sound(container, TONE)
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = *SIZE, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        drain(container, cover, av.VideoFrame.from_ndarray(np.zeros((*SIZE, 3), np.uint8), format="rgb24"))
        drain(container, cover, None)
        write_sound()
    assert not av_files.has_video(covered)
    assert len(av_files.audio(covered)) >= len(TONE)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_sound_at_16_khz_comes_out_as_it_is(files: dict[str, Path], kind: str) -> None:
    expected, _ = soundfile.read(files[kind], dtype="float32")
    np.testing.assert_array_equal(av_files.audio(files[kind]), expected)


@pytest.mark.parametrize("kind", ["m4a", "clip", "faststart", "matroska"])
def test_compressed_sound_is_in_its_place(files: dict[str, Path], kind: str) -> None:
    sound = av_files.audio(files[kind])
    assert sound.dtype == np.float32
    assert abs(len(sound) - len(TONE)) <= 1024
    np.testing.assert_allclose(sound[2000:16_000], TONE[2000:16_000], atol=0.03)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_other_rates_are_resampled_and_channels_averaged(tmp_path: Path, rate: int) -> None:
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(tmp_path / "stereo.wav", np.stack([tone, 0.5 * tone], axis=1), rate, subtype="FLOAT")
    sound = av_files.audio(tmp_path / "stereo.wav")
    assert len(sound) == 16_000
    expected = 0.3 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(sound[200:-200], expected[200:-200], atol=2e-3)


@pytest.mark.parametrize("channels", [1, 2, 6, 9, 64])
def test_any_number_of_channels(tmp_path: Path, channels: int) -> None:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (1600, channels)).astype(np.float32)
    soundfile.write(tmp_path / "many.wav", sound, 16_000, subtype="FLOAT")
    np.testing.assert_allclose(av_files.audio(tmp_path / "many.wav"), sound.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("kind", ["clip", "m4a", "wav"])
def test_the_same_file_gives_the_same_bytes(files: dict[str, Path], kind: str) -> None:
    assert av_files.audio(files[kind]).tobytes() == av_files.audio(files[kind]).tobytes()
    if kind == "clip":
        assert av_files.frame(files[kind], 0.7).tobytes() == av_files.frame(files[kind], 0.7).tobytes()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.mp4", b"", "zero bytes where sound or video was expected"),
        ("words.m4a", b"not a film\n" * 40, "cut short, or not a sound or video file"),
        ("list.mp4", b"ffconcat version 1.0\nfile clip.mp4\n", "cut short, or not a sound or video file"),
        ("absent.mp4", None, r"not a sound or video file \(No such file or directory\)"),
    ],
)
@pytest.mark.parametrize("read", READERS)
def test_what_is_no_such_file(
    tmp_path: Path, read: Callable[[Path], object], name: str, content: bytes | None, told: str
) -> None:
    write_clip(tmp_path / "clip.mp4", "mpeg4", sound=False)  # what a playlist would lead to
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MmbioError, match=f"{name}: .*{told}"):
        read(tmp_path / name)


def test_what_a_file_lacks(files: dict[str, Path]) -> None:
    with pytest.raises(MmbioError, match="no video in it where a face was expected"):
        av_files.frame(files["wav"], 0.0)
    with pytest.raises(MmbioError, match="no sound in it where speech was expected"):
        av_files.audio(files["mute"])


@pytest.mark.parametrize(
    ("sound", "rate", "told"),
    [
        (np.zeros(100), 100, "a sampling rate of 100 Hz is not one of speech"),
        (np.full(16_000, np.nan), 16_000, "sound values that are not finite"),
        (np.zeros(0), 16_000, "0.00 s of sound|does not say|cut short"),
    ],
)
def test_sound_that_is_none(tmp_path: Path, sound: NDArray[np.float64], rate: int, told: str) -> None:
    soundfile.write(tmp_path / "odd.wav", sound, rate, subtype="FLOAT")
    with pytest.raises(MmbioError, match=told):
        av_files.audio(tmp_path / "odd.wav")


@pytest.mark.parametrize("kind", ["clip", "faststart", "m4a", "wav", "flac"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.8])
def test_a_file_that_is_cut_short(files: dict[str, Path], tmp_path: Path, kind: str, share: float) -> None:
    content = files[kind].read_bytes()
    cut = tmp_path / f"cut{files[kind].suffix}"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(MmbioError, match="cut"):
        av_files.audio(cut)


def test_a_wav_whose_length_nobody_filled_in(files: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(files["wav"].read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "streamed.wav").write_bytes(content)
    np.testing.assert_array_equal(av_files.audio(tmp_path / "streamed.wav"), av_files.audio(files["wav"]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_is_told_in_one_sentence(files: dict[str, Path], tmp_path: Path, data: st.DataObject) -> None:
    path = files[data.draw(st.sampled_from(["clip", "faststart", "m4a", "wav", "flac"]))]
    content = bytearray(path.read_bytes())
    places = st.one_of(st.integers(0, min(len(content), 2500) - 1), st.integers(0, len(content) - 1))
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[place] = value
    broken = tmp_path / f"broken{path.suffix}"
    broken.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(1, len(content))))])
    for read in READERS:
        try:
            read(broken)
        except MmbioError as error:
            assert "\n" not in str(error)
            assert broken.name in str(error)


@pytest.mark.parametrize("read", READERS)
def test_without_pyav_the_cure_is_told(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MmbioError, match=r"pip install 'mmbio\[video\]'"):
        read(files["clip"])
