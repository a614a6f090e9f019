"""PTB Diagnostic 1.0.0: ptbdb/patientNNN/sNNNN_re.hea, 290 subjects, 549 records at 1 kHz."""

from pathlib import Path

from mmbio.data.readers.counts import counted
from mmbio.data.readers.listing import subfolders
from mmbio.data.readers.records import record_samples
from mmbio.data.samples import SampleSet
from mmbio.words import plural


def read(folder: Path) -> SampleSet:
    """Read the set; age and sex are None where a header does not say, which a note counts."""
    patients = [entry for entry in subfolders(folder) if entry.name.lower().startswith("patient")]
    samples = record_samples(folder, patients)
    unknown = {sample.subject for sample in samples if sample.age is None or sample.gender is None}
    return counted(
        "ptb",
        folder,
        samples,
        layout="patientNNN/*.hea",
        n_subjects=290,
        n_samples=549,
        nouns=("subject", "record"),
        notes=[f"ptb: {plural(len(unknown), 'subject')} without age or sex"] if unknown else [],
    )
