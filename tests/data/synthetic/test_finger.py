from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbio.data.synthetic import finger
from mmbio.data.synthetic.finger import draw_finger, grow_ridges, orientation_field, press, write_subject

SEED = 7


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root") / finger.FOLDER
    for index in (0, 1, 71):
        write_subject(folder, index, SEED)
    return folder


def pixels(root: Path, subject: int, impression: int) -> np.ndarray:
    with Image.open(root / "DB1_A" / f"{subject}_{impression}.bmp") as image:
        return np.asarray(image, dtype=float)


def apart(first: float, second: float) -> float:
    """The angle between two orientations, which are the same after half a turn."""
    return abs((first - second + np.pi / 2) % np.pi - np.pi / 2)


def turn(field: np.ndarray, at: complex, radius: float = 6) -> float:
    """How far the orientation turns, in radians, on one counter-clockwise round about a point."""
    middle = (len(field) - 1) / 2
    round_about = at + radius * np.exp(2j * np.pi * np.arange(65) / 64)
    rows, columns = np.rint(middle - round_about.imag).astype(int), np.rint(middle + round_about.real).astype(int)
    return float(np.diff(np.unwrap(field[rows, columns], period=np.pi)).sum())


def test_layout(root: Path) -> None:
    expected = {f"DB1_A/{s}_{i}.bmp" for s in (1, 2, 72) for i in range(1, 13)}
    assert {path.relative_to(root).as_posix() for path in root.rglob("*.*")} == expected


def test_images_are_8_bit_grey(root: Path) -> None:
    for path in root.rglob("*.bmp"):
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("BMP", "L", (96, 96))


def test_dark_ridges_on_a_light_sensor(root: Path) -> None:
    image = pixels(root, 1, 1)
    dark, light = np.percentile(image, (5, 95))
    assert light - dark > 40


def test_same_bytes(root: Path, tmp_path: Path) -> None:
    write_subject(tmp_path, 1, SEED)
    for path in sorted((tmp_path / "DB1_A").iterdir()):
        assert path.read_bytes() == (root / "DB1_A" / path.name).read_bytes()


@pytest.mark.parametrize(("seed", "spread"), [(SEED + 1, finger.IDENTITY_SPREAD), (SEED, finger.IDENTITY_SPREAD / 2)])
def test_seed_and_spread_change_the_bytes(root: Path, tmp_path: Path, seed: int, spread: float) -> None:
    write_subject(tmp_path, 0, seed, spread)
    assert np.any(pixels(tmp_path, 1, 1) != pixels(root, 1, 1))


def test_impressions_of_a_finger_differ(root: Path) -> None:
    images = [pixels(root, 1, i) for i in range(1, 13)]
    assert min(np.abs(a - b).mean() for k, a in enumerate(images) for b in images[:k]) > 5


def test_fingers_differ_more_than_impressions(root: Path) -> None:
    def coarse(subject: int) -> np.ndarray:  # (12, 36): mean grey levels of 16 x 16 blocks
        images = np.stack([pixels(root, subject, i) for i in range(1, 13)])
        blocks: np.ndarray = images.reshape(12, 6, 16, 6, 16).mean(axis=(2, 4))
        return blocks.reshape(12, 36)

    first, second = coarse(1), coarse(2)
    within = np.linalg.norm(first - first.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > within


@pytest.mark.parametrize(("index", "spread"), [(-1, 1.0), (0, -0.1)])
def test_refuses_values_below_0(tmp_path: Path, index: int, spread: float) -> None:
    with pytest.raises(ValueError, match="below 0"):
        write_subject(tmp_path, index, SEED, spread)


# A core at the centre, above a delta 20 pixels below it: half of (angle from core - angle from delta).
@pytest.mark.parametrize(
    ("at", "degrees"),
    [
        (30j, 0),  # above both: 90 - 90, ridges arch over the core
        (-10j, 90),  # between them: (-90 - 90) / 2, upright
        (-40j, 0),  # below both: (-90 + 90) / 2
        (20 + 0j, 157.5),  # level with the core: (0 - 45) / 2, falling to the right
        (-20 + 0j, 22.5),  # (180 - 135) / 2, rising from the left
    ],
)
def test_orientation_by_hand(at: complex, degrees: float) -> None:
    field = orientation_field([0j], [-20j], 101)
    assert apart(field[50 - int(at.imag), 50 + int(at.real)], np.deg2rad(degrees)) < 1e-9


def test_orientation_is_level_far_from_the_singularities() -> None:
    field = orientation_field([0j], [3 - 4j], 1001)
    assert max(apart(corner, 0.0) for corner in field[[0, 0, -1, -1], [0, -1, 0, -1]]) < 0.01


@pytest.mark.parametrize(
    ("cores", "deltas", "at", "expected"),
    [
        ([0j], [], 0j, np.pi),
        ([], [0j], 0j, -np.pi),
        ([0j], [30 - 30j], 0j, np.pi),
        ([0j], [30 - 30j], 30 - 30j, -np.pi),
        ([0j], [30 - 30j], -30 + 30j, 0),
        ([2j, -2j], [], 0j, 2 * np.pi),  # a whorl's two cores
    ],
)
def test_orientation_turns_by_pi_around_a_core(
    cores: list[complex], deltas: list[complex], at: complex, expected: float
) -> None:
    assert turn(orientation_field(cores, deltas, 121), at) == pytest.approx(expected)


@pytest.mark.parametrize("name", finger.PATTERNS)
def test_every_pattern_is_level_far_away(name: str) -> None:
    pattern = finger.PATTERNS[name]
    field = orientation_field(pattern.cores, pattern.deltas, 1201)
    assert apart(field[0, 0], 0.0) < 0.08


def test_pattern_shares_sum_to_1() -> None:
    assert sum(pattern.share for pattern in finger.PATTERNS.values()) == pytest.approx(1)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
@pytest.mark.parametrize("period", [4.5, 8.0])
def test_ridges_follow_orientation_and_period(degrees: float, period: float) -> None:
    side = 128
    ridges = grow_ridges(np.full((side, side), np.deg2rad(degrees)), period, np.random.default_rng(SEED))
    power = np.abs(np.fft.rfft2(ridges))
    row, column = np.unravel_index(power.argmax(), power.shape)
    up, right = -np.fft.fftfreq(side)[row], np.fft.rfftfreq(side)[column]
    assert 1 / np.hypot(up, right) == pytest.approx(period, rel=0.1)
    assert apart(np.arctan2(up, right) + np.pi / 2, np.deg2rad(degrees)) < np.deg2rad(8)


def test_ridges_and_valleys_are_balanced() -> None:
    ridges = grow_ridges(np.zeros((96, 96)), 6.0, np.random.default_rng(SEED))
    assert abs(ridges.mean()) < 0.05
    assert 0.5 < np.abs(ridges).mean() <= np.abs(ridges).max() <= 1


def test_spread_0_leaves_only_the_pattern_class() -> None:
    drawn = {draw_finger(np.random.default_rng([SEED, i]), 0.0) for i in range(60)}
    assert len(drawn) == len(finger.PATTERNS)


@pytest.mark.parametrize("spread", [0.0, 1.0, 20.0])
def test_fingers_stay_possible(spread: float) -> None:
    for i in range(20):
        drawn = draw_finger(np.random.default_rng([SEED, i]), spread)
        assert 4 - 1e-9 <= drawn.period <= 11 + 1e-9
        assert 0 < drawn.ridge < drawn.valley <= 255
        assert min(drawn.contact) >= 24


def test_more_pressure_prints_darker() -> None:
    master = grow_ridges(np.zeros((144, 144)), 6.0, np.random.default_rng(SEED))
    whole = {"cores": (), "deltas": (), "period": 6.0, "tilt": 0.0, "contact": (72.0, 80.0), "centre": 0j, "lean": 0j}
    light, firm = (
        finger.Finger(**whole, pressure=pressure, ridge=60.0, valley=220.0)  # type: ignore[arg-type]
        for pressure in (-0.5, 0.5)
    )
    means = [press(drawn, master, np.random.default_rng(SEED)).mean() for drawn in (light, firm)]
    assert means[1] < means[0] - 10
