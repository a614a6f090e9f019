"""The catalogue says of each set all that a user needs, and nothing in a form that cannot be used."""

import re
from urllib.parse import urljoin, urlsplit

import pytest

from mmbio.data.fetch.catalogue import CATALOGUE
from mmbio.data.readers.librispeech import PUBLISHED
from mmbio.data.readers.registry import READERS

EACH = pytest.mark.parametrize("name", CATALOGUE)


@EACH
def test_each_field_is_there(name: str) -> None:
    dataset = CATALOGUE[name]
    assert dataset.name == name
    for text in (dataset.title, dataset.purpose, dataset.licence, dataset.page, dataset.folder, dataset.base):
        assert text == text.strip() != ""
    assert dataset.parts
    assert set(dataset.modalities) <= {"ecg", "face", "finger", "voice"}
    assert dataset.base.endswith("/")


@EACH
def test_a_set_is_fetched_or_has_steps(name: str) -> None:
    dataset = CATALOGUE[name]
    assert bool(dataset.steps) != bool(dataset.files or dataset.sums)
    if dataset.steps:
        assert any(f"mmbio download {name} --from" in step for step in dataset.steps)


@EACH
def test_addresses_are_whole_and_tls_but_for_the_one_site_that_has_none(name: str) -> None:
    dataset = CATALOGUE[name]
    for url in (dataset.page, dataset.base, *(urljoin(dataset.base, file.url) for file in dataset.files)):
        parts = urlsplit(url)
        assert parts.scheme == "https" or parts.hostname in ("bias.csr.unibo.it", "atvs.ii.uam.es")


@EACH
def test_hashes_are_of_their_length(name: str) -> None:
    for file in (*CATALOGUE[name].files, *CATALOGUE[name].archives):
        assert file.hash is None or re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.hash)
        assert ".." not in file.path
        assert not file.path.startswith("/")


def test_no_hash_stands_twice() -> None:
    hashes = [f.hash for d in CATALOGUE.values() for f in (*d.files, *d.archives) if f.hash]
    assert len(hashes) == len(set(hashes))


@EACH
def test_the_folder_is_one_that_the_reader_looks_in(name: str) -> None:
    dataset = CATALOGUE[name]
    if dataset.reader is not None:
        assert dataset.folder.split("/")[0] in READERS[dataset.reader].folders


@EACH
def test_genders_add_up(name: str) -> None:
    people = CATALOGUE[name].subjects
    if people.female is not None and people.male is not None:
        assert people.female + people.male == people.n


@EACH
def test_the_citation_is_bibtex_fit_for_80_columns(name: str) -> None:
    text = CATALOGUE[name].citation
    assert re.match(r"@\w+\{\w+,\n", text)
    assert text.count("{") == text.count("}")
    assert max(len(line) for line in text.splitlines()) <= 77


@pytest.mark.parametrize("part", PUBLISHED)
def test_librispeech_counts_are_the_readers(part: str) -> None:
    dataset = CATALOGUE[f"librispeech-{part}"]
    assert (dataset.subjects.n, dataset.parts[0].counts) == (PUBLISHED[part][0], (PUBLISHED[part][1],))
