"""Synthetic faces in the on-disk layout of Faces95: faces95/<subject>/<subject>.N.jpg.

A face is painted in layers (curtain, back hair, neck, clothes, ears, head, features, hair), each
with a colour and a relief; one light then shades the reliefs. Coordinates (u, v) are those of the
face: u to the right, v down, the eyes' line at v = 0, half the mean head's width = 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Field: TypeAlias = NDArray[np.floating]  # (height, width), or (3, height, width) for colours
Values: TypeAlias = Mapping[str, float]

FOLDER: Final = "faces95"
N_SUBJECTS: Final = 72
N_IMAGES: Final = 20
WIDTH, HEIGHT = 180, 200
JPEG_QUALITY: Final = 92
UNIT: Final = 46.0  # pixels for half a head's width, in the middle of the step
IDENTITY_SPREAD: Final = 1.6  # benchmarks/calibrate_synthetic.py

WIDEST: Final = 3**0.5  # deviations: traits are drawn evenly up to here, so that every kind of person is there
LARGEST_DEVIATION: Final = 3.0  # traits saturate softly here, so that no face falls apart
# fmt: off
# Trait: its mean, its standard deviation at spread 1, and its tilt (+ towards M, in deviations).
TRAITS: Final[Mapping[str, tuple[float, float, float]]] = {
    "size": (1.0, 0.07, 0.2),          "width": (0.97, 0.05, 0.2),       "skull": (1.30, 0.06, 0.0),
    "chin": (1.36, 0.08, 0.3),         "squareness": (2.7, 0.35, 0.7),   "taper": (0.21, 0.05, -0.5),
    "cheeks": (0.09, 0.04, -0.2),      "neck": (0.58, 0.06, 0.6),        "melanin": (0.42, 0.36, 0.0),
    "redness": (0.3, 0.5, 0.0),        "stripe_light": (.44, .30, 0.0),  "beard": (-0.25, 0.30, 0.9),
    "hair_dark": (0.50, 0.36, 0.0),    "hair_red": (0.30, 0.35, 0.0),    "hair_length": (0.80, 0.50, -1.1),
    "hair_volume": (0.22, 0.09, -0.2), "hairline": (0.86, 0.12, 0.3),    "parting": (0.0, 0.40, 0.0),
    "curl": (0.5, 0.5, -0.2),          "eye_distance": (0.42, 0.03, 0.), "eye_width": (0.19, 0.02, -0.2),
    "eye_height": (0.08, 0.014, -.2),  "eye_slant": (0.0, 0.08, 0.0),    "eye_blue": (0.35, 0.35, 0.0),
    "brow_height": (0.26, 0.03, -.5),  "brow_width": (0.045, 0.012, .7), "brow_arch": (0.04, 0.025, -0.3),
    "brow_slant": (0.0, 0.10, 0.0),    "nose_end": (0.50, 0.05, 0.2),    "nose_width": (0.155, 0.03, 0.3),
    "nose_height": (0.30, 0.07, 0.2),  "mouth": (0.83, 0.05, 0.0),       "mouth_width": (0.35, 0.045, 0.0),
    "lips": (0.10, 0.025, -0.4),       "lip_red": (0.45, 0.18, -0.4),    "cloth_light": (0.44, 0.36, 0.0),
    "cloth_red": (0.0, 0.27, 0.0),     "cloth_blue": (0.03, 0.27, 0.0),  "stripes": (-1.2, 0.50, 0.0),
}
# What differs between the images of one subject: its mean, standard deviation and bounds.
SHOT: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "x": (90, 2, 75, 105),             "y": (78, 2, 68, 88),             "scale": (1, 0.01, 0.9, 1.1),
    "tilt": (0, 0.05, -0.2, 0.2),      "yaw": (0, 0.07, -0.2, 0.2),      "azimuth": (0, 0.10, -1.0, 1.0),
    "elevation": (.45, .04, 0, 0.9),    "ambient": (0.5, .015, 0.3, 0.7), "exposure": (0, .012, -0.2, 0.2),
    "warmth": (0, .003, -.05, .05),    "smile": (0.3, 0.45, -0.4, 1.3),   "open": (-0.45, 0.9, 0, 1),
    "brows": (0, 0.025, -0.06, 0.06),  "lid": (1.1, 0.25, 0.15, 1),      "gaze": (0, 0.03, -0.07, 0.07),
}
# fmt: on
SKINS: Final = ((0.92, 0.68, 0.56), (0.78, 0.52, 0.38), (0.50, 0.30, 0.20), (0.25, 0.15, 0.11))  # fair to dark
BLACK: Final = (0.0, 0.0, 0.0)
HAIRS: Final = ((0.88, 0.83, 0.74), (0.74, 0.56, 0.32), (0.42, 0.26, 0.15), (0.19, 0.11, 0.07), (0.05, 0.045, 0.045))


@dataclass(frozen=True)
class _Person:
    """One identity: trait values, and textures fixed to the face and the hair."""

    traits: Values
    mottle: Field  # (256, 256), about standard normal
    strands: Field  # (1024,), standard normal


@dataclass(frozen=True)
class _Canvas:
    """Colours, slopes and gloss that layers are painted over, and a light that shades them."""

    colour: Field  # (3, height, width)
    relief: Field  # (3, height, width): slopes along y and x, gloss
    u: Field
    v: Field
    unit: float  # pixels per face unit

    def paint(self, mask: Field, colour: ArrayLike, height: Field | None = None, gloss: float = 0.0) -> None:
        """Blend a colour, (3,) or (3, height, width), over the canvas; with a height, its slopes too."""
        tone = np.asarray(colour, np.float32)
        self.colour[...] += mask * ((tone[:, None, None] if tone.ndim == 1 else tone) - self.colour)
        if height is not None:
            for layer, new in zip(self.relief, (*np.gradient(height, 1 / self.unit), np.float32(gloss)), strict=True):
                layer += mask * (new - layer)

    def shaded(self, shot: Values) -> Field:
        """The colours under the shot's light: ambient, diffuse and a soft highlight."""
        azimuth, up, level = shot["azimuth"], np.sin(shot["elevation"]), np.cos(shot["elevation"])
        light = np.array([-up, np.sin(azimuth) * level, np.cos(azimuth) * level])
        half = np.add(light, (0, 0, 1)) / np.linalg.norm(light + np.array([0, 0, 1]))
        down, right, gloss = self.relief
        length, ways = np.sqrt(1 + down**2 + right**2), (light.tolist(), half.tolist())
        diffuse, highlight = (np.maximum((z - y * down - x * right) / length, 0) for y, x, z in ways)
        tint = np.exp(shot["exposure"]) * np.array([1 + shot["warmth"], 1, 1 - shot["warmth"]])
        lit: Field = self.colour * (shot["ambient"] + (1.15 - shot["ambient"]) * diffuse)
        lit += gloss * (((highlight**2) ** 2) ** 2) ** 2
        lit *= tint[:, None, None]
        return lit


def subject_name(index: int) -> str:
    """The subject's name in the set, counted from 1: `synth01` for index 0."""
    if not 0 <= index < N_SUBJECTS:
        raise ValueError(f"index {index}: expected 0 to {N_SUBJECTS - 1}")
    return f"synth{index + 1:02d}"


def genders_csv(n_subjects: int = N_SUBJECTS) -> str:
    """The text of genders.csv for the first subjects: even indices are F, odd ones M."""
    return "subject,gender\n" + "".join(f"{subject_name(i)},{'FM'[i % 2]}\n" for i in range(n_subjects))


def write_subject(folder: Path, index: int, seed: int, spread: float = IDENTITY_SPREAD) -> None:
    """Write the subject's 20 JPEGs (180 wide, 200 high, RGB) to folder/<subject>/.

    `spread` scales how far identities lie from the mean face; the same seed, index and spread
    give identical bytes. A whole set is written at once or not at all by whoever calls this.
    """
    name = subject_name(index)
    person = _person(np.random.default_rng([seed, index, 0]), index, spread)
    (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(1, N_IMAGES + 1):
        image = Image.fromarray(_photograph(person, number, np.random.default_rng([seed, index, number])))
        image.save(folder / name / f"{name}.{number}.jpg", quality=JPEG_QUALITY)


def _person(rng: np.random.Generator, index: int, spread: float) -> _Person:
    sign, limit, traits = 1 if index % 2 else -1, LARGEST_DEVIATION, {}
    for name, (mean, sd, tilt) in TRAITS.items():
        deviation = spread * (rng.uniform(-WIDEST, WIDEST) + sign * tilt)
        traits[name] = float(mean + sd * limit * np.tanh(deviation / limit))
    coarse = Image.fromarray(rng.standard_normal((24, 24)).astype(np.float32))
    mottle = 1.2 * np.asarray(coarse.resize((256, 256), Image.Resampling.BICUBIC))
    return _Person(traits, mottle, rng.standard_normal(1024).astype(np.float32))


def _photograph(person: _Person, number: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    shot = {name: float(np.clip(rng.normal(mean, sd), low, high)) for name, (mean, sd, low, high) in SHOT.items()}
    step = (number - 1) / (N_IMAGES - 1) - 0.5  # one step towards the camera
    unit = UNIT * person.traits["size"] * (shot["scale"] + 0.08 * step)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    dx, dy = (x - shot["x"]) / unit, (y - shot["y"] - 4 * step) / unit
    cos, sin = np.cos(shot["tilt"]).item(), np.sin(shot["tilt"]).item()
    folds = np.sin(x / 5.3 + 0.8 * np.sin(x / 17 + y / 140)) + 0.5 * np.sin(x / 2.9 + 1)
    curtain = np.array([0.34, 0.16, 0.15], np.float32)[:, None, None] * (1 + 0.10 * folds)
    canvas = _Canvas(curtain, np.zeros_like(curtain), cos * dx + sin * dy, cos * dy - sin * dx, unit)
    _paint_person(canvas, person, shot)
    lit = canvas.shaded(shot)  # then a film's shoulder, so that no light burns out, and its grain
    image = 1 - np.exp(-1.6 * lit * (1 + 0.35 * lit)) + 0.012 * rng.standard_normal(lit.shape, np.float32)
    return np.ascontiguousarray((255 * np.clip(image, 0, 1)).astype(np.uint8).transpose(1, 2, 0))


def _paint_person(canvas: _Canvas, person: _Person, shot: Values) -> None:
    t, u, v, a = person.traits, canvas.u, canvas.v, np.abs(canvas.u)
    skin = _tone(SKINS, t["melanin"]) * (1 + t["redness"] * np.array([0.02, -0.06, -0.05], np.float32))
    hair = _tone(HAIRS, t["hair_dark"] + 0.8 * max(t["melanin"] - 0.4, 0))
    hair *= 1 + np.clip(t["hair_red"], 0, 1) * np.array([0.25, -0.2, -0.4], np.float32)
    outer, opening, strands = _hair(person, u, v)
    lock = np.clip(1 + 0.16 * strands, 0.4, 1.7) * hair[:, None, None]
    bulge = 1.1 * np.sqrt(np.clip(1.2 - (u / 1.5) ** 2 - (v / 2.2) ** 2, 0.02, None)) + 0.012 * strands
    canvas.paint(_inside(outer, 0.10), 0.6 * lock, bulge)
    neck = _inside(np.maximum(a - t["neck"] - 0.12 * np.clip(v - 1.3, 0, 1), 0.9 - v), 0.04)
    canvas.paint(neck, 0.88 * skin, np.sqrt(np.clip(0.5 - u**2, 0.01, None)))
    canvas.paint(0.6 * neck * _bump(u, v - t["chin"], 0.7, 0.3), BLACK)
    collar = np.maximum(1.86 - 0.62 * a, 1.30 + 0.18 * a) - v
    canvas.paint(_inside(collar, 0.04), _cloth(t, a, v), 0.25 * np.cos(u) + 0.04 * np.sin(5 * u + 3 * v) - 0.2 * v)
    ears = np.hypot((a - t["width"] - 0.02) / 0.15, (v - 0.18) / 0.30) - 1
    canvas.paint(_inside(ears, 0.15), skin * [0.95, 0.85, 0.83], 0.15 * ears)
    down = np.clip(v / t["chin"], 0, 1.3)
    along = np.where(v > 0, down ** np.float32(t["squareness"]), (v / t["skull"]) ** 2)
    outline = np.sqrt((u / (t["width"] * (1 - t["taper"] * down**2))) ** 2 + along)
    turned = u - shot["yaw"] * np.sqrt(np.clip(1 - outline**2, 0, 1))
    head = _inside(outline - 1, 0.035)
    canvas.paint(head, _complexion(person, skin, turned, v), _relief(t, shot, outline, turned, v), 0.08)
    rows, columns = np.nonzero((head > 0) & (v > -0.6))
    box = ..., slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    face = _Canvas(canvas.colour[box], canvas.relief[box], turned[box], v[box], canvas.unit)
    _paint_mouth_and_nose(face, t, shot, skin)
    _paint_facial_hair(face, t, shot, 0.65 * lock[box], head[box])
    _paint_eyes(face, t, shot)
    canvas.paint(0.35 * head * _inside(np.abs(opening + 0.03) - 0.03, 0.12), BLACK)
    canvas.paint(_inside(np.maximum(outer, -opening), 0.07), lock, bulge, 0.10)


def _inside(distance: Field, edge: float) -> Field:
    """1 where distance < 0, 0 where it is > 0, with a soft edge of this width."""
    mask: Field = np.clip(0.5 - distance / np.float32(edge), 0, 1)
    return mask


def _bump(x: Field, y: Field, width: float, height: float) -> Field:
    bump: Field = np.exp(-((x / width) ** 2) - (y / height) ** 2)
    return bump


def _tone(shades: ArrayLike, at: float) -> Field:
    """The colour, (3,), at this place in 0..1 of a row of shades."""
    return np.array([np.interp(at, np.linspace(0, 1, len(row)), row) for row in np.transpose(shades)], np.float32)


def _cloth(t: Values, a: Field, v: Field) -> Field:
    """The jumper's colours, (3, height, width): plain, or striped with its complementary colour."""
    tint = np.array([t["cloth_red"], 0, t["cloth_blue"]], np.float32)
    shades = np.array([t["cloth_light"] + tint, t["stripe_light"] - 0.5 * tint])[..., None, None]
    ground, stripe = 0.47 + 0.46 * np.tanh((shades - 0.47) / 0.46)
    colours: Field = ground + _inside(np.sin(14 * (v - 0.18 * a)) - np.float32(t["stripes"]), 0.5) * (stripe - ground)
    return colours


def _hair(person: _Person, u: Field, v: Field) -> tuple[Field, Field, Field]:
    """The hair's outer distance, that of the opening for the face, and the strands' brightness."""
    t = person.traits
    length, volume, curl = max(t["hair_length"], 0.1), max(t["hair_volume"], 0.03), max(t["curl"], 0)
    way = (u - 0.4 * t["parting"]) / (v + 2.6) + 0.02 * curl * np.sin(13 * v + 5 * u)
    fine, coarse = (person.strands[(way * n).astype(np.int32) % 1024] for n in (120, 40))
    strands = 0.5 * fine + 0.8 * coarse
    ragged = (0.02 + 0.02 * curl) * strands
    side = t["width"] + 0.05 + (0.06 + 0.5 * volume) * min(length, 1)
    across = u / (side * (1 + 0.12 * np.clip(v / 1.6, 0, None)))
    top = np.hypot(across, np.minimum(v, 0) / (t["skull"] + volume)) - 1
    outer = np.maximum(top, v - length - 0.15 * np.abs(u)) + ragged
    half = 0.35 + t["hairline"] + 0.12 * t["parting"] * u
    opening = np.hypot(u / (0.93 * t["width"]), np.minimum(v - 0.35, 0) / half) - 1 + 1.5 * ragged
    return outer, opening, strands


def _relief(t: Values, shot: Values, outline: Field, u: Field, v: Field) -> Field:
    a, below = np.abs(u), v - t["nose_end"]
    rise = np.clip(1 + below / (t["nose_end"] + 0.2), 0, 1) ** 1.4 * _inside(below - 0.04, 0.12)
    height: Field = 0.95 * np.sqrt(np.clip(1 - outline**2, 0, 1) + 0.03)
    height -= 0.11 * _bump(a - t["eye_distance"] + 0.04, v + 0.02, 0.26, 0.15)  # sockets
    height += t["cheeks"] * _bump(a - 0.55, v - 0.34 + 0.04 * shot["smile"], 0.22, 0.22)
    height += t["nose_height"] * rise * np.exp(-((u / (0.07 + 0.6 * t["nose_width"] * rise)) ** 2))
    height += 0.09 * _bump(a - 0.8 * t["nose_width"], below + 0.06, 0.07, 0.08)
    height += 0.07 * _bump(u, v - t["mouth"], 0.8 * t["mouth_width"], 1.3 * t["lips"])
    height -= 0.06 * _bump(u, v - t["mouth"] - 2.2 * t["lips"], 0.25, 0.06)
    height += 0.08 * _bump(u, v - t["chin"] + 0.22, 0.22, 0.14)
    return height


def _complexion(person: _Person, skin: Field, u: Field, v: Field) -> Field:
    t, a = person.traits, np.abs(u)
    rows, columns = (np.clip(90 * w + 128, 0, 255).astype(np.int32) for w in (v, u))
    blush = 0.10 * _bump(a - 0.58, v - 0.45, 0.25, 0.22) + 0.06 * _bump(u, v - t["nose_end"], 0.15, 0.15)
    colour: Field = skin[:, None, None] + (skin * np.array([0.1, -0.9, -0.8], np.float32))[:, None, None] * blush
    colour *= 1 + 0.025 * person.mottle[rows, columns]
    return colour


def _paint_mouth_and_nose(face: _Canvas, t: Values, shot: Values, skin: Field) -> None:
    u, v, a = face.u, face.v, np.abs(face.u)
    below = v - t["nose_end"] - 0.03
    face.paint(0.6 * _bump(a - 0.52 * t["nose_width"], below, 0.05, 0.028), BLACK)  # nostrils
    face.paint(0.28 * _bump(u, below - 0.03, 1.1 * t["nose_width"], 0.05), BLACK)
    half = t["mouth_width"] * (1 + 0.10 * shot["smile"] - 0.08 * shot["open"])
    arch = np.clip(1 - (u / half) ** 2, 0, 1)
    line = v - t["mouth"] - 0.05 * shot["smile"] * (arch - 0.6)
    gap = 0.09 * shot["open"] * arch
    upper = -line - gap - t["lips"] * 0.75 * np.sqrt(arch) * (1 - 0.3 * np.exp(-((u / 0.07) ** 2)))
    lips = _inside(np.maximum(upper, line - gap - t["lips"] * arch), 0.035) * np.clip(4 * arch, 0, 1)
    face.paint(0.85 * lips, skin * [0.88, 0.60, 0.60] * (1 + t["lip_red"] * np.array([0.1, -0.25, -0.15])))
    face.paint(0.6 * np.exp(-((line / 0.02) ** 2)) * np.clip(3 * arch, 0, 1), BLACK)
    inner = _inside(np.abs(line) - gap, 0.02) * np.clip(8 * arch * shot["open"], 0, 1)
    face.paint(inner, [0.20, 0.06, 0.06])
    face.paint(0.8 * inner * _inside(line + 0.3 * gap, 0.03), [0.80, 0.78, 0.72])  # teeth
    fold = _bump(a - t["nose_width"] - 0.12 - 0.45 * below, v - 0.5 * (t["nose_end"] + t["mouth"]), 0.03, 0.16)
    face.paint((0.12 + 0.12 * max(shot["smile"], 0)) * fold, BLACK)


def _paint_facial_hair(face: _Canvas, t: Values, shot: Values, colour: Field, head: Field) -> None:
    u, v, a = face.u, face.v, np.abs(face.u)
    beard = _inside(0.62 - v - 0.35 * np.maximum(a - 0.3, 0), 0.22) * head * (1 - _bump(u, v - 0.5, 0.25, 0.14))
    beard *= 1 - 0.8 * _bump(u, v - t["mouth"], 0.9 * t["mouth_width"], 0.9 * t["lips"])
    face.paint(float(np.clip(1.3 * t["beard"], 0, 0.8)) * beard, colour)
    x = (a - t["eye_distance"] - 0.01) / 0.29
    curve = v + t["brow_height"] + shot["brows"] + t["brow_arch"] * (1 - x * x) - 0.29 * t["brow_slant"] * x
    curve /= t["brow_width"] * np.clip(1.05 - 0.45 * x, 0.3, 1.4)
    face.paint(0.85 * np.clip(4 - 4 * np.abs(x), 0, 1) * np.exp(-(curve**2)), colour)


def _paint_eyes(face: _Canvas, t: Values, shot: Values) -> None:
    v, outward = face.v, np.abs(face.u) - t["eye_distance"]
    across, w = outward * np.sign(face.u), v + t["eye_slant"] * outward
    arch = 1 - (outward / t["eye_width"]) ** 2
    lid = -w - t["eye_height"] * (1.15 * shot["lid"] - 0.25) * arch
    low = w - 0.75 * t["eye_height"] * arch
    opening = _inside(np.maximum(lid, low), 0.03)
    face.paint(0.22 * _bump(outward + 0.03, v - 0.02, 0.26, 0.15), BLACK)
    face.paint(opening, [0.80, 0.77, 0.75])
    iris = np.hypot(across - shot["gaze"], v + 0.012)
    colour = _tone(((0.27, 0.15, 0.07), (0.38, 0.52, 0.62)), t["eye_blue"] - 0.4 * t["melanin"])
    for radius, ring in ((0.088, 0.55 * colour), (0.072, colour), (0.036, BLACK)):
        face.paint(opening * _inside(iris - radius, 0.03), ring)
    face.paint(opening * _inside(np.hypot(across - shot["gaze"] + 0.03, v + 0.04) - 0.016, 0.02), (1.0, 1.0, 1.0))
    lashes = np.clip(4 * (arch + 0.12), 0, 1)
    for line, darkness in ((lid, 0.8), (low, 0.22), (lid - 0.06, 0.25)):
        face.paint(darkness * lashes * np.exp(-((line / 0.022) ** 2)), BLACK)
