"""Dataset: what mmbio knows of a public set before a byte of it is here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file that is fetched.

    `url` stands below the set's `base`, or is absolute. An archive is unpacked into the folder `into`
    below the set's folder; a top folder of the same name that all of its entries lie in is that folder.
    """

    path: str  # below the set's folder
    url: str
    size: int | None = None  # bytes, where a public source says so
    hash: str | None = None  # "sha256:..." or "md5:..." from a public source; None: trust on first use
    unpack: bool = False
    into: str = ""


@dataclass(frozen=True)
class Part:
    """Files that a set on disk is told by.

    `pattern` is below the set's folder: `*` within a name, `**` across folders, in upper or lower case.
    One of the numbers in `counts` makes the part whole; without any, one file does.
    """

    what: str  # "records"
    pattern: str
    counts: tuple[int, ...] = ()
    optional: bool = False  # one of the set's optional parts is enough where none is required
    shared: bool = False  # with other sets, so that it does not tell that this one is here


@dataclass(frozen=True)
class Subjects:
    """How many people (of fingerprints: fingers) a set has; None where it is not published."""

    n: int | None = None
    female: int | None = None
    male: int | None = None
    noun: str = "subject"


@dataclass(frozen=True)
class Dataset:
    """A public set: what it is, whence and how it is got, and how it lies on disk."""

    name: str
    title: str
    modalities: tuple[str, ...]
    purpose: str
    licence: str
    citation: str  # BibTeX
    page: str
    folder: str  # below the data root, where its reader looks
    base: str  # the address that --mirror replaces
    files: tuple[File, ...] = ()  # what is fetched, where it is a short list
    sums: str | None = None  # below base, the set's own list of hashes, which then names all files
    steps: tuple[str, ...] = ()  # of a set behind a form or a licence; nothing is fetched then
    archives: tuple[File, ...] = ()  # that such a set is got as, where a public source gives their hashes
    size: int | None = None  # bytes on disk, about
    subjects: Subjects = Subjects()
    parts: tuple[Part, ...] = ()
    reader: str | None = None  # in mmbio.data.readers.registry
