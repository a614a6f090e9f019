"""Citations: BibTeX of the public sets, as their pages ask to be cited."""

from typing import Final

PHYSIONET: Final = """\
@article{goldberger2000physionet,
  author = {Goldberger, A. L. and Amaral, L. A. N. and Glass, L. and
    Hausdorff, J. M. and Ivanov, P. Ch. and Mark, R. G. and Mietus, J. E.
    and Moody, G. B. and Peng, C.-K. and Stanley, H. E.},
  title = {{PhysioBank, PhysioToolkit, and PhysioNet}: Components of a new
    research resource for complex physiologic signals},
  journal = {Circulation},
  volume = {101},
  number = {23},
  pages = {e215--e220},
  year = {2000}
}"""
ECG_ID: Final = f"""\
@mastersthesis{{lugovaya2005biometric,
  author = {{Lugovaya, T. S.}},
  title = {{Biometric human identification based on electrocardiogram}},
  school = {{Faculty of Computing Technologies and Informatics,
    Electrotechnical University LETI, Saint-Petersburg}},
  year = {{2005}}
}}
{PHYSIONET}"""
PTB: Final = f"""\
@article{{bousseljot1995nutzung,
  author = {{Bousseljot, R. and Kreiseler, D. and Schnabel, A.}},
  title = {{Nutzung der {{EKG}}-Signaldatenbank {{CARDIODAT}} der {{PTB}} {{\\"u}}ber
    das Internet}},
  journal = {{Biomedizinische Technik}},
  volume = {{40}},
  number = {{s1}},
  pages = {{317--318}},
  year = {{1995}}
}}
{PHYSIONET}"""
FACES: Final = """\
@misc{spacek2007faces,
  author = {Spacek, Libor},
  title = {Collection of facial images: {Faces94}, {Faces95}, {Faces96},
    {Grimace}},
  year = {2007},
  howpublished = {\\url{https://cmp.felk.cvut.cz/~spacelib/faces/}}
}"""
FVC2000: Final = """\
@article{maio2002fvc2000,
  author = {Maio, D. and Maltoni, D. and Cappelli, R. and Wayman, J. L. and
    Jain, A. K.},
  title = {{FVC2000}: Fingerprint verification competition},
  journal = {IEEE Transactions on Pattern Analysis and Machine
    Intelligence},
  volume = {24},
  number = {3},
  pages = {402--412},
  year = {2002}
}"""
FVC2002: Final = """\
@inproceedings{maio2002fvc2002,
  author = {Maio, D. and Maltoni, D. and Cappelli, R. and Wayman, J. L. and
    Jain, A. K.},
  title = {{FVC2002}: Second fingerprint verification competition},
  booktitle = {International Conference on Pattern Recognition},
  volume = {3},
  pages = {811--814},
  year = {2002}
}"""
FVC2004: Final = """\
@inproceedings{maio2004fvc2004,
  author = {Maio, D. and Maltoni, D. and Cappelli, R. and Wayman, J. L. and
    Jain, A. K.},
  title = {{FVC2004}: Third fingerprint verification competition},
  booktitle = {International Conference on Biometric Authentication},
  pages = {1--7},
  year = {2004}
}"""
FVC2006: Final = """\
@article{cappelli2007fvc2006,
  author = {Cappelli, R. and Ferrara, M. and Franco, A. and Maltoni, D.},
  title = {Fingerprint verification competition 2006},
  journal = {Biometric Technology Today},
  volume = {15},
  number = {7--8},
  pages = {7--9},
  year = {2007}
}"""
SOCOFING: Final = """\
@article{shehu2018sokoto,
  author = {Shehu, Y. I. and Ruiz-Garcia, A. and Palade, V. and James, A.},
  title = {Sokoto {Coventry} Fingerprint Dataset},
  journal = {arXiv preprint arXiv:1807.10609},
  year = {2018}
}"""
LIBRISPEECH: Final = """\
@inproceedings{panayotov2015librispeech,
  author = {Panayotov, V. and Chen, G. and Povey, D. and Khudanpur, S.},
  title = {{Librispeech}: An {ASR} corpus based on public domain audio
    books},
  booktitle = {International Conference on Acoustics, Speech and Signal
    Processing},
  pages = {5206--5210},
  year = {2015}
}"""
VOXCELEB1: Final = """\
@inproceedings{nagrani2017voxceleb,
  author = {Nagrani, A. and Chung, J. S. and Zisserman, A.},
  title = {{VoxCeleb}: A large-scale speaker identification dataset},
  booktitle = {Interspeech},
  pages = {2616--2620},
  year = {2017}
}"""
VOXCELEB2: Final = """\
@inproceedings{chung2018voxceleb2,
  author = {Chung, J. S. and Nagrani, A. and Zisserman, A.},
  title = {{VoxCeleb2}: Deep speaker recognition},
  booktitle = {Interspeech},
  pages = {1086--1090},
  year = {2018}
}"""
