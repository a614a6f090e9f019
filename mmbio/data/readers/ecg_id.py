"""ECG-ID 1.0.0: ecg-id-database-1.0.0/Person_NN/rec_N.hea, 90 subjects, 310 records of 20 s at 500 Hz."""

from pathlib import Path

from mmbio.data.readers.counts import counted
from mmbio.data.readers.listing import subfolders
from mmbio.data.readers.records import record_samples
from mmbio.data.samples import SampleSet
from mmbio.errors import MmbioError


def read(folder: Path) -> SampleSet:
    """Read the set; gender and age stand in each header, and a header without them is an error."""
    people = [entry for entry in subfolders(folder) if entry.name.lower().startswith("person_")]
    samples = record_samples(folder, people)
    for sample in samples:
        for value, expected in ((sample.age, "# Age: 25"), (sample.gender, "# Sex: female")):
            if value is None:
                raise MmbioError(
                    f"{folder / sample.path}: no line such as '{expected}' where each header has one; "
                    "take the header from the set's archive again"
                )
    layout = "Person_NN/rec_N.hea"
    nouns = ("subject", "record")
    return counted("ecg-id", folder, samples, layout=layout, n_subjects=90, n_samples=310, nouns=nouns)
