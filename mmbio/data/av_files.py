"""Audio and video files: a wav, m4a, mp4 or the like to 16 kHz sound, or to the frames shown at given times.

Time 0 is a stream's own first frame or first sound, so a clip's face and voice lie on one axis
even where its file lets one of them start late.
"""

import math
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from mmbio.data.images import Pixels
from mmbio.errors import MmbioError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Sound = NDArray[np.float32]

RATE: Final = 16_000  # Hz
RATES: Final = (4_000, 384_000)  # Hz; a header that says other than this is broken
MAX_PIXELS: Final = 2**26  # a frame; twice 8K video
SLACK: Final = 0.1  # s by which a file may end before its header says: a codec's frame or two
TICK_SHARE: Final = 1e-6  # of a tick by which a time in floating point may miss its frame
# FFmpeg's names of what is read. No playlists and no protocols: those would open other files and addresses.
FORMATS: Final = "mov,mp4,m4a,3gp,wav,flac,ogg,matroska,webm,avi"
OPTIONS: Final = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
CURE: Final = "take it from the set's archive again, or delete it"
UNKNOWN_SIZES: Final = (0, 0x7FFFFFFF, 0xFFFFFFFF)  # what programs that stream a wav leave in its header


def duration(path: Path) -> float:
    """How long a file says it is, in seconds: its header's word, nothing is decoded.

    Raises MmbioError for a file that is not there, is empty, cut short or broken, or does not say.
    """
    with _opened(path) as container:
        length = container.duration
    if length is None or length <= 0:
        raise MmbioError(f"{path}: does not say how long it is; {CURE}")
    return length / 1_000_000


def has_audio(path: Path) -> bool:
    """True where a file has a sound stream; raises what `duration` raises of files that cannot be opened."""
    with _opened(path) as container:
        return _audio(container) is not None


def has_video(path: Path) -> bool:
    """True where a file has a video stream, a cover picture being none; raises what `has_audio` raises."""
    with _opened(path) as container:
        return _video(container) is not None


def audio(path: Path) -> Sound:
    """A file's first sound stream at RATE, its channels averaged: float32 (n,), full scale being 1.

    Raises MmbioError for a file that cannot be opened, has no sound, ends before its header
    says or holds values that are not finite.
    """
    with _opened(path) as container:
        stream = _audio(container)
        if stream is None:
            raise MmbioError(f"{path}: no sound in it where speech was expected; {CURE}")
        if not RATES[0] <= stream.sample_rate <= RATES[1]:
            raise MmbioError(f"{path}: a sampling rate of {stream.sample_rate} Hz is not one of speech; {CURE}")
        promised = _seconds(stream)
        sound = _resampled(container, stream)
    if not len(sound) or len(sound) / RATE < promised - SLACK:
        raise MmbioError(
            f"{path}: {len(sound) / RATE:.2f} s of sound where its header promises {promised:.2f} s; {CURE}"
        )
    if not np.isfinite(sound).all():
        raise MmbioError(f"{path}: holds sound values that are not finite; {CURE}")
    return sound


def frame(path: Path, at_s: float) -> Pixels:
    """The frame shown at a time in seconds: RGB, uint8 (H, W, 3); raises what `frames` raises."""
    return frames(path, [at_s])[0]


def frames(path: Path, times: Sequence[float]) -> list[Pixels]:
    """The frames shown at times in seconds, in the order asked for, decoded in one pass: RGB, uint8 (H, W, 3) each.

    The last frame is shown until the end of the file. Raises ValueError for a time that is
    negative or not finite, and MmbioError for a file that cannot be opened, has no video, ends
    before its header says or before a time, or is damaged at one.
    """
    if not all(math.isfinite(at) and at >= 0 for at in times):
        raise ValueError(f"times must be finite and not negative, not {list(times)}")
    if not times:
        return []
    with _opened(path) as container:
        stream = _video(container)
        if stream is None or stream.time_base is None:
            raise MmbioError(f"{path}: no video in it where a face was expected; {CURE}")
        if stream.width * stream.height > MAX_PIXELS:
            raise MmbioError(f"{path}: frames of {stream.width} x {stream.height} are too large for a clip; {CURE}")
        end = max(_seconds(stream), (container.duration or 0) / 1_000_000)
        if max(times) > end + SLACK:
            raise MmbioError(
                f"{path}: no frame at {max(times):g} s, since it ends at {end:.2f} s; ask for earlier ones"
            )
        ticks = [(stream.start_time or 0) + math.floor(at / float(stream.time_base) + TICK_SHARE) for at in times]
        shown = _shown(_decoded_from(container, stream, min(ticks)), _last_tick(stream), ticks)
        missing = [at for at, tick in zip(times, ticks, strict=True) if tick not in shown]
        if missing:
            raise MmbioError(f"{path}: no whole frame at {min(missing):g} s, so it is cut short or damaged; {CURE}")
    return [shown[tick] for tick in ticks]


def _shown(decoded: Iterable["VideoFrame"], last_tick: int, ticks: Iterable[int]) -> dict[int, Pixels]:
    """The frame shown at each tick; a tick past a cut or at a damaged frame has none."""
    wanted = deque(sorted(set(ticks)))
    shown: dict[int, Pixels] = {}
    for now, after in pairwise(chain(decoded, (None,))):
        assert now is not None
        ends = (now.pts or 0) + max(now.duration or 0, 1)
        until = after.pts or 0 if after else ends if ends < last_tick else math.inf
        due = []
        while wanted and wanted[0] < until:
            due.append(wanted.popleft())
        if due and not now.is_corrupt:
            shown.update(dict.fromkeys(due, np.asarray(now.to_ndarray(format="rgb24"), np.uint8)))
        if not wanted:
            break
    return shown


def _decoded_from(container: "InputContainer", stream: "VideoStream", tick: int) -> Iterator["VideoFrame"]:
    """The frames from the key frame before a tick on, in the order they are shown in."""
    stream.codec_context.thread_count = 1  # callers work on many files at once
    container.seek(tick, stream=stream)
    decoded = (picture for picture in container.decode(stream) if picture.pts is not None)
    first = next(decoded, None)
    start = stream.start_time or 0
    if first is None or (first.pts or 0) > tick > start:  # some formats seek by another clock than the frames bear
        container.seek(start, stream=stream)
        first, decoded = None, (picture for picture in container.decode(stream) if picture.pts is not None)
    if first is not None:
        yield first
    yield from decoded


def _last_tick(stream: "VideoStream") -> int:
    """The tick before which a whole file cannot end, 0 where its header does not say."""
    slack = math.ceil(SLACK / float(stream.time_base or 1))
    return (stream.start_time or 0) + (stream.duration or 0) - slack


def _resampled(container: "InputContainer", stream: "AudioStream") -> Sound:
    from av.audio.resampler import AudioResampler

    # Interleaved, since PyAV crashes on more than 8 planes; its own downmix to one channel would add 3 dB.
    resampler = AudioResampler(format="flt", rate=RATE)
    blocks: list[Sound] = []
    for sound in chain(container.decode(stream), (None,)):  # None asks for what the filter still holds
        for block in resampler.resample(sound):
            channels = block.to_ndarray().reshape(-1, block.layout.nb_channels)  # (n, channels)
            blocks.append(channels.mean(axis=1, dtype=np.float32))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _audio(container: "InputContainer") -> "AudioStream | None":
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def _video(container: "InputContainer") -> "VideoStream | None":
    from av.stream import Disposition

    clips = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
    return next((stream for stream in clips if stream.codec_context is not None), None)


def _seconds(stream: "AudioStream | VideoStream") -> float:
    """A stream's length after its header, 0 where that does not say."""
    return float((stream.duration or 0) * (stream.time_base or 0))


@contextmanager
def _opened(path: Path) -> Iterator["InputContainer"]:
    """An open file; what FFmpeg makes of broken ones, here or in the block, becomes an MmbioError."""
    try:
        import av
    except ImportError as error:
        raise MmbioError(f"{path}: reading it takes PyAV; pip install 'mmbio[video]'") from error
    try:
        _check_size(path)
        with av.open(f"file:{path}", metadata_errors="ignore", options=OPTIONS) as container:
            yield container
    except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MmbioError(f"{path}: cut short, or not a sound or video file ({reason}); {CURE}") from error


def _check_size(path: Path) -> None:
    """Check that a file is not empty, and that a wav is as long as its header says, which FFmpeg does not."""
    with path.open("rb") as file:
        head = file.read(8)
    size = path.stat().st_size
    if not size:
        raise MmbioError(f"{path}: zero bytes where sound or video was expected; {CURE}")
    if head[:4] == b"RIFF" and len(head) == 8:
        (promised,) = struct.unpack("<I", head[4:])
        if promised not in UNKNOWN_SIZES and size + 1 < promised + 8:  # some leave out the last byte's padding
            raise MmbioError(
                f"{path}: {size} bytes where its header promises {promised + 8}, so it is cut short; {CURE}"
            )
