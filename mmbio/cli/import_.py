"""mmbio import."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mmbio.cli import options
from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES
from mmbio.words import plural

if TYPE_CHECKING:
    from mmbio.data.embedding_files import EmbeddingFile
    from mmbio.data.imported import Imported
    from mmbio.data.vector_sets import VectorSet

NAMED: Final = re.compile(r"([^@]*)(?:@([0-9]{1,4}(?:\.[0-9]{1,6})?))?")
Keys = tuple[str, str]  # modality, and segment length in seconds or ""


@click.command("import", short_help="Make a set of your own embeddings.")
@click.option(
    "--modality",
    "modalities",
    multiple=True,
    required=True,
    metavar="MODALITY[@SECONDS]=FILE",
    help="A modality's embeddings: .npz with ids and vectors, .npy, .safetensors, Kaldi's .scp or .ark;"
    " voice@1.015 says the segments' length. Repeatable.",
)
@click.option(
    "--ids",
    multiple=True,
    metavar="MODALITY[@SECONDS]=FILE",
    help="The ids of an .npy's rows, as .npy or one a line. Repeatable.",
)
@click.option(
    "--subjects",
    metavar="FILE",
    help="CSV with the columns id, subject and optionally gender, video, clip, part (dev or test) and attributes."
    "  [default: read off ids like SUBJECT/VIDEO/CLIP]",
)
@click.option(
    "--strip-suffix",
    "suffixes",
    multiple=True,
    metavar="SUFFIX",
    help="Taken off all ids, so that those of a face and its voice match, such as .wav. Repeatable.",
)
@click.option(
    "--out", required=True, metavar="NAME", help="The set's folder, whose name is the set's; an older set is replaced."
)
@options.as_json
@options.quiet
def command(
    modalities: tuple[str, ...],
    ids: tuple[str, ...],
    subjects: str | None,
    suffixes: tuple[str, ...],
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a set of your own embeddings, to train, eval and make tables on.

    Embeddings of one sample have the same id in each file. The samples are all ids of any file; a modality
    that a sample misses is masked and counted. Nothing in the files is unpickled or run.

    \b
    Examples:
      mmbio import --modality face=faces.npz --modality voice=voices.npz --out mine
      mmbio import --modality voice@0.115=short.scp --modality voice@1.015=long.scp --subjects who.csv --out mine
      mmbio import --modality face=faces.npy --ids face=faces.txt --strip-suffix .jpg --out mine
    """
    from mmbio.data import embedding_files, imported, vector_sets
    from mmbio.files import home

    folder = _target(out)
    named, beside = _named(modalities, "--modality"), _named(ids, "--ids")
    for key in beside:
        if key not in named:
            raise MmbioError(f"--ids {_text(key)}: no --modality {_text(key)} is given; name one that is")
    _check_lengths(named)
    home(folder.parent)
    table = imported.read_subjects(Path(subjects)) if subjects else None
    files: dict[str, dict[str, EmbeddingFile]] = {}
    for key, path in named.items():
        files.setdefault(key[0], {})[key[1]] = embedding_files.read(path, beside.get(key))
    joined = imported.together(files, table, suffixes)
    _check_shared(joined)
    written = vector_sets.write(
        folder, folder.name, joined.samples, joined.vectors, made={"subjects": "--subjects" if subjects else "ids"}
    )
    told = _told(out, written, files, joined)
    if as_json:
        click.echo(json.dumps(told))
    elif not quiet:
        _show(told)


def _target(out: str) -> Path:
    """The folder to write; raises MmbioError for one that holds anything but an older set."""
    from mmbio.data.vector_sets import is_set

    folder = Path(out).absolute()
    if not folder.name or folder.name == "..":
        raise MmbioError(f"--out {out}: has no name; give the set's folder one, such as mine")
    if folder.is_dir() and any(folder.iterdir()) and not is_set(folder):
        raise MmbioError(f"--out {out}: holds other files, which would be replaced; give another folder")
    if folder.is_file():
        raise MmbioError(f"--out {out}: a file; give the name of a folder")
    return folder


def _named(pairs: tuple[str, ...], option: str) -> dict[Keys, Path]:
    """(modality, segment length) -> file of MODALITY[@SECONDS]=FILE texts."""
    found: dict[Keys, Path] = {}
    for name, value in options.assignments(pairs, option).items():
        match = NAMED.fullmatch(name)
        if match is None or (match[2] is not None and not float(match[2])):
            raise MmbioError(
                f"{option} {name}={value}: expected MODALITY=FILE or MODALITY@SECONDS=FILE, as voice@1.015"
            )
        if match[1] not in MODALITIES:
            raise MmbioError(f"{option} {name}=...: unknown modality '{match[1]}'; choose from {', '.join(MODALITIES)}")
        key = (match[1], f"{float(match[2]):.6f}".rstrip("0").rstrip(".") if match[2] else "")
        if key in found:
            raise MmbioError(f"{option} {name}={value}: given twice; give each modality and length once")
        found[key] = Path(value)
    return found


def _check_lengths(named: Mapping[Keys, Path]) -> None:
    for modality, segment in named:
        if not segment and any(m == modality and s for m, s in named):
            raise MmbioError(f"--modality {modality}: with and without a length; write {modality}@SECONDS for all")


def _check_shared(joined: "Imported") -> None:
    """Refuse modalities of which no two have an id in common."""
    from mmbio.data.trial_lists import some

    modalities = list(joined.vectors)
    here = joined.samples[modalities].to_numpy() >= 0
    if len(modalities) > 1 and not (here.sum(axis=1) > 1).any():
        ids = joined.samples["id"].to_numpy()
        shown = ", ".join(f"{m} has {some(ids[of])}" for m, of in zip(modalities, here.T, strict=True))
        raise MmbioError(
            f"--modality: no id is in two of the files ({shown}); strip what they differ by with --strip-suffix"
        )


def _text(key: Keys) -> str:
    return "@".join(filter(None, key))


def _told(
    out: str, written: "VectorSet", files: "Mapping[str, Mapping[str, EmbeddingFile]]", joined: "Imported"
) -> dict[str, Any]:
    samples = written.samples
    here = samples[list(written.modalities)] >= 0
    counts = {
        _text((modality, segment)): {
            "n": len(file.ids),
            "dim": file.vectors.shape[1],
            "n_zero_vectors": file.n_zeros_single,
            "n_repeated": file.n_repeated,
        }
        for modality in written.modalities
        for segment, file in files[modality].items()
    }
    return {
        "set": out,
        "n_samples": len(samples),
        "n_all_modalities": int(here.all(axis=1).sum()),
        "n_subjects": int(samples["subject"].nunique()),
        "n_videos": len(samples[["subject", "video"]].drop_duplicates()),
        "n_by_part": {part: int((samples["part"] == part).sum()) for part in ("dev", "test", "")},
        "n_left_out": joined.n_left_out,
        "subjects_from": written.info["made"]["subjects"],
        "modalities": counts,
        "attributes": list(written.attributes),
        "hash": written.info["hash"],
    }


def _show(told: dict[str, Any]) -> None:
    click.echo(
        f"samples: {told['n_samples']} of {plural(told['n_subjects'], 'subject')} in"
        f" {plural(told['n_videos'], 'video')},"
        f" {told['n_all_modalities']} with all modalities"
    )
    if told["subjects_from"] == "ids":
        click.echo("subjects: read off the ids, the text before the first '/'; videos: the text before the last")
    else:
        click.echo(f"samples: {plural(told['n_left_out'], 'row')} of --subjects without any vector, left out")
    for name, counts in told["modalities"].items():
        click.echo(
            f"{name}: {plural(counts['n'], 'vector')} of {counts['dim']},"
            f" {plural(told['n_samples'] - counts['n'], 'sample misses', 'samples miss')} it,"
            f" {plural(counts['n_zero_vectors'], 'zero vector')},"
            f" {plural(counts['n_repeated'], 'repeated row')} left out"
        )
    click.echo(f"written: {told['set']}; next:")
    click.echo(f"  mmbio train --protocol audiovisual --data {told['set']}")
    click.echo(f"  mmbio tables --data {told['set']}")
