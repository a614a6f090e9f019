"""Gated: the sets behind a form or a licence, and the plain steps to them."""

from typing import Final

from mmbio.data.fetch import citations
from mmbio.data.fetch.dataset import Dataset, File, Part, Subjects

FVC2006: Final = Dataset(
    name="fvc2006",
    title="FVC2006",
    modalities=("finger",),
    purpose="four databases of 150 fingers, twelve impressions each; the first paper's",
    licence="signed agreement with the Universidad Autonoma de Madrid, for research, two years",
    citation=citations.FVC2006,
    page="http://atvs.ii.uam.es/atvs/fvc2006.html",
    folder="fvc2006",
    base="http://atvs.ii.uam.es/atvs/",
    steps=(
        "Open http://atvs.ii.uam.es/atvs/fvc2006.html (BiDA Lab, formerly ATVS) and download the license agreement.",
        "Let someone with a permanent post sign it, and send the scan to the address on that page, with the subject"
        " '[DATABASE download: FVC2006]' and the details it asks for.",
        "You get a user name, a password and a time slot by e-mail; download the databases (DB1_A to DB4_A; the B"
        " databases are ten fingers each).",
        "mmbio download fvc2006 --from DIR_OR_ARCHIVE",
    ),
    size=979_000_000,  # 1,800 images a sensor, a byte a pixel
    subjects=Subjects(150, noun="finger"),
    parts=tuple(
        Part(f"DB{i}_{letter}", f"DB{i}_{letter}/*.bmp", (n,), optional=True)
        for letter, n in (("A", 1_680), ("B", 120))  # http://bias.csr.unibo.it/fvc2006/databases.asp
        for i in (1, 2, 3, 4)
    ),
    reader="fvc2006",
)
SOCOFING: Final = Dataset(
    name="socofing",
    title="SOCOFing",
    modalities=("finger",),
    purpose="ten fingers of 600 people with gender, real and altered in three degrees",
    licence="non-commercial research; see the page",
    citation=citations.SOCOFING,
    page="https://www.kaggle.com/datasets/ruizgara/socofing",
    folder="socofing",
    base="https://www.kaggle.com/datasets/ruizgara/",
    steps=(
        "Make an account at https://www.kaggle.com and sign in.",
        "Open https://www.kaggle.com/datasets/ruizgara/socofing, read the licence, and press Download: archive.zip.",
        "mmbio download socofing --from archive.zip",
    ),
    subjects=Subjects(600),
    parts=(
        Part("Real", "Real/*.bmp", (6_000,)),  # arXiv:1807.10609: ten fingers of 600 people
        *(
            Part(f"Altered-{level}", f"Altered/Altered-{level}/*.bmp", optional=True)
            for level in ("Easy", "Medium", "Hard")
        ),
    ),
    reader="socofing",
)
# As the set's page says; its first home, at Oxford, has CC BY-SA 4.0 for the metadata.
VOXCELEB_LICENCE: Final = "CC BY 4.0, for research; the videos' copyright stays with their owners"
_ASK: Final = (
    "Open https://mm.kaist.ac.kr/datasets/voxceleb/ and ask for access with the form there; the answer holds a key"
    " for the downloads."
)
# Counts of clips: the table of the set's page.
VOXCELEB1: Final = Dataset(
    name="voxceleb1",
    title="VoxCeleb1",
    modalities=("voice", "face"),
    purpose="interviews of 1,251 celebrities: voices, and cropped faces",
    licence=VOXCELEB_LICENCE,
    citation=citations.VOXCELEB1,
    page="https://mm.kaist.ac.kr/datasets/voxceleb/",
    folder="voxceleb/voxceleb1",
    base="https://mm.kaist.ac.kr/datasets/voxceleb/",
    steps=(
        _ASK,
        "Download vox1_dev_wav_partaa to partad and vox1_test_wav.zip; faces: the archive of cropped faces"
        " (unzippedFaces).",
        "Join the parts: cat vox1_dev_wav_parta? > vox1_dev_wav.zip",
        "mmbio download voxceleb-lists",
        "mmbio download voxceleb1 --from DIR_OR_ARCHIVE, with all archives in one folder",
    ),
    # PaddleSpeech's dataset/voxceleb/voxceleb1.py and WeSpeaker's download_data.sh
    archives=(
        File("vox1_dev_wav.zip", "", None, "md5:ae63e55b951748cc486645f532ba230b"),
        File("vox1_test_wav.zip", "", None, "md5:185fdc63c3c739954633d50379a3d102"),
    ),
    subjects=Subjects(1_251, 561, 690),  # vox1_meta.csv
    parts=(
        Part("voices", "**/id1????/*/*.wav", (153_516, 148_642, 4_874), optional=True),
        Part("faces", "**/unzippedFaces/*/1.6/*/*.jpg", optional=True),
    ),
    reader="voxceleb",
)
VOXCELEB2: Final = Dataset(
    name="voxceleb2",
    title="VoxCeleb2",
    modalities=("voice", "face"),
    purpose="interviews of 6,114 celebrities: voices, and videos of cropped faces; the second paper's data",
    licence=VOXCELEB_LICENCE,
    citation=citations.VOXCELEB2,
    page="https://mm.kaist.ac.kr/datasets/voxceleb/",
    folder="voxceleb/voxceleb2",
    base="https://mm.kaist.ac.kr/datasets/voxceleb/",
    steps=(
        _ASK,
        "Download vox2_dev_aac_partaa to partah and vox2_test_aac.zip; faces: vox2_dev_mp4_partaa to partai and"
        " vox2_test_mp4.zip (the test part alone is enough for a trial).",
        "Join the parts: cat vox2_dev_aac_parta? > vox2_dev_aac.zip, and the same with mp4.",
        "mmbio download voxceleb-lists",
        "mmbio download voxceleb2 --from DIR_OR_ARCHIVE, with all archives in one folder",
    ),
    # SpeechBrain's and WeSpeaker's preparation scripts
    archives=(
        File("vox2_dev_aac.zip", "", None, "md5:bbc063c46078a602ca71605645c2a402"),
        File("vox2_test_aac.zip", "", None, "md5:0d2b3ea430a821c33263b5ea37ede312"),
    ),
    subjects=Subjects(6_114, 2_351, 3_763),  # vox2_meta.csv
    parts=(
        Part("voices", "**/id0????/*/*.m4a", (1_128_246, 1_092_009, 36_237), optional=True),
        Part("faces", "**/id0????/*/*.mp4", (1_128_246, 1_092_009, 36_237), optional=True),
    ),
    reader="voxceleb",
)
