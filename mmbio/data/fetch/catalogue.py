"""Catalogue: the public sets, where they are got, and what is known of their bytes.

A hash or a size stands here only where a public source gives it; the comment beside it says which.
All else is None: what comes first is trusted, recorded, and compared with ever after.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mmbio.data.fetch import citations, gated
from mmbio.data.fetch.dataset import Dataset, File, Part, Subjects

__all__ = ["CATALOGUE", "Dataset", "File", "Part", "Subjects"]

ODC_BY: Final = "Open Data Commons Attribution 1.0"
RESEARCH: Final = "research use; the page names no licence"

ECG_ID: Final = Dataset(
    name="ecg-id",
    title="ECG-ID 1.0.0",
    modalities=("ecg",),
    purpose="identification and gender; the first paper's ECGs",
    licence=ODC_BY,
    citation=citations.ECG_ID,
    page="https://physionet.org/content/ecgiddb/1.0.0/",
    folder="ecg-id-database-1.0.0",
    base="https://physionet.org/files/ecgiddb/1.0.0/",
    sums="SHA256SUMS.txt",
    size=13_000_000,  # the 310 records, measured
    subjects=Subjects(90, 46, 44),  # the set's page
    parts=(
        Part("headers", "Person_*/rec_*.hea", (310,)),
        Part("signals", "Person_*/rec_*.dat", (310,)),
    ),
    reader="ecg-id",
)
PTB: Final = Dataset(
    name="ptb",
    title="PTB Diagnostic ECG 1.0.0",
    modalities=("ecg",),
    purpose="more subjects, healthy and ill",
    licence=ODC_BY,
    citation=citations.PTB,
    page="https://physionet.org/content/ptbdb/1.0.0/",
    folder="ptbdb",
    base="https://physionet.org/files/ptbdb/1.0.0/",
    sums="SHA256SUMS.txt",
    size=1_700_000_000,  # the set's page
    subjects=Subjects(290, 81, 209),  # the set's page
    parts=(
        Part("headers", "patient*/s*.hea", (549,)),
        Part("signals", "patient*/s*.dat", (549,)),
    ),
    reader="ptb",
)


def _faces(year: int, about: str, subjects: Subjects, *patterns: str) -> Dataset:
    name = f"faces{year}"
    return Dataset(
        name=name,
        title=f"Faces{year}",
        modalities=("face",),
        purpose=about,
        licence=RESEARCH,
        citation=citations.FACES,
        page=f"https://cmp.felk.cvut.cz/~spacelib/faces/{name}.html",
        folder=name,
        # The collection moved with its author from cswww.essex.ac.uk/mv/allfaces to this address.
        base="https://cmp.felk.cvut.cz/~spacelib/faces/",
        files=(File(f"{name}.zip", f"{name}.zip", unpack=True),),
        size=19_000_000 if year == 94 else None,  # measured
        subjects=subjects,
        # The archives' own counts of images differ a little from the page's 20 a subject.
        parts=tuple(Part(f"images of {p.split('/')[0]}" if p.count("/") > 1 else "images", p) for p in patterns),
        reader=name,
    )


def _fvc(year: int, citation: str) -> Dataset:
    """The free B databases; the site is known by http only, so the first bytes' hashes are what guards later ones."""
    name = f"fvc{year}"
    databases = [f"DB{i}_B" for i in (1, 2, 3, 4)]
    return Dataset(
        name=name,
        title=f"FVC{year} DB1_B to DB4_B",
        modalities=("finger",),
        purpose="four databases of ten fingers, eight impressions each, four sensors",
        licence="free for research; the page names no licence",
        citation=citation,
        page=f"http://bias.csr.unibo.it/fvc{year}/download.asp",
        folder=name,
        base=f"http://bias.csr.unibo.it/fvc{year}/Downloads/",
        files=tuple(File(f"{db}.zip", f"{db}.zip", unpack=True, into=db) for db in databases),
        size={2000: 38_000_000, 2002: 41_000_000, 2004: 54_000_000}[year],  # 80 images a sensor, a byte a pixel
        subjects=Subjects(10, noun="finger"),
        parts=tuple(Part(db, f"{db}/*.tif", (80,), optional=True) for db in databases),
        reader=name,
    )


# Sizes: the `sizes_new` of Kaldi's egs/librispeech/s5/local/download_and_untar.sh, in the order of its `parts`;
# hashes: https://www.openslr.org/resources/12/md5sum.txt; clips and speakers: SPEAKERS.TXT and the set's paper.
_LIBRISPEECH: Final[Mapping[str, tuple[int, str, int, Subjects]]] = MappingProxyType(
    {
        "dev-clean": (337_926_286, "42e2234ba48799c1f50f24a7926300a1", 2_703, Subjects(40, 20, 20)),
        "dev-other": (314_305_928, "c8d0bcc9cca99d4f8b62fcc847357931", 2_864, Subjects(33, 16, 17)),
        "test-clean": (346_663_984, "32fa31d27d2e1cad72775fee3f4849a9", 2_620, Subjects(40, 20, 20)),
        "test-other": (328_757_843, "fb5a50374b501bb3bac4815ee91d3135", 2_939, Subjects(33, 17, 16)),
        "train-clean-100": (6_387_309_499, "2a93770f6d5c6c964bc36631d331a522", 28_539, Subjects(251, 125, 126)),
        "train-clean-360": (23_049_477_885, "c0e676e450a7ff2f54aeade5171606fa", 104_014, Subjects(921, 439, 482)),
        "train-other-500": (30_593_501_606, "d1a0fd59409feb2c614ce4d30c387708", 148_688, Subjects(1_166, 564, 602)),
    }
)


def _librispeech(part: str) -> Dataset:
    size, md5, n_clips, subjects = _LIBRISPEECH[part]
    archive = File(f"{part}.tar.gz", f"{part}.tar.gz", size, f"md5:{md5}", unpack=True)
    return Dataset(
        name=f"librispeech-{part}",
        title=f"LibriSpeech {part}",
        modalities=("voice",),
        purpose="read English, "
        + {"test": "to test on", "dev": "to tune on", "train": "to train on"}[part.partition("-")[0]],
        licence="CC BY 4.0",
        citation=citations.LIBRISPEECH,
        page="https://www.openslr.org/12/",
        folder="LibriSpeech",
        base="https://www.openslr.org/resources/12/",
        files=(archive,),
        size=size,  # FLAC files pack no smaller
        subjects=subjects,
        parts=(Part("clips", f"{part}/*/*/*.flac", (n_clips,)), Part("genders", "SPEAKERS.TXT", (1,), shared=True)),
        reader="librispeech",
    )


# MD5s of these lists stand in other people's recipes only, so they are trusted on first use. Sizes: measured on copies.
_OPENSLR: Final = "https://www.openslr.org/resources/49/"
_LISTS: Final = (
    File("vox1_meta.csv", f"{_OPENSLR}vox1_meta.csv", 40_782),
    File("vox2_meta.csv", f"{_OPENSLR}vox2_meta.csv", 254_277),
    File("veri_test.txt", "veri_test.txt"),
    File("veri_test2.txt", "veri_test2.txt", 2_331_882),
    File("list_test_hard.txt", "list_test_hard.txt"),
    File("list_test_hard2.txt", "list_test_hard2.txt"),
    File("list_test_all.txt", "list_test_all.txt"),
    File("list_test_all2.txt", "list_test_all2.txt"),
    File("iden_split.txt", "iden_split.txt"),
)
VOXCELEB_LISTS: Final = Dataset(
    name="voxceleb-lists",
    title="VoxCeleb metadata and trial lists",
    modalities=("voice", "face"),
    purpose="genders and parts of the speakers; trials of VoxCeleb1-O, E and H",
    licence=gated.VOXCELEB_LICENCE,
    citation=f"{citations.VOXCELEB1}\n{citations.VOXCELEB2}",
    page="https://mm.kaist.ac.kr/datasets/voxceleb/",
    folder="voxceleb",
    base="https://mm.kaist.ac.kr/datasets/voxceleb/meta/",
    files=_LISTS,
    size=150_000_000,  # seven lists of up to 581,480 trials
    subjects=Subjects(7_365, 2_912, 4_453),  # the two metadata files
    parts=tuple(Part(file.path, file.path, (1,), optional=True) for file in _LISTS),
)

_ALL: Final = (
    ECG_ID,
    PTB,
    _faces(
        94,
        "frontal faces that speak, even light",
        Subjects(153, 20, 133),
        *(f"{group}/*/*.jpg" for group in ("female", "male", "malestaff")),
    ),
    _faces(95, "subjects step towards the camera; the first paper's faces", Subjects(72), "*/*.jpg"),
    _faces(96, "as Faces95, before a complex background", Subjects(152), "*/*.jpg"),
    _fvc(2000, citations.FVC2000),
    _fvc(2002, citations.FVC2002),
    _fvc(2004, citations.FVC2004),
    gated.FVC2006,
    gated.SOCOFING,
    *(_librispeech(part) for part in _LIBRISPEECH),
    VOXCELEB_LISTS,
    gated.VOXCELEB1,
    gated.VOXCELEB2,
)
CATALOGUE: Final[Mapping[str, Dataset]] = MappingProxyType({each.name: each for each in _ALL})
