"""Uploads and pasted text: files that lie nowhere, known again by what they hold."""

from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder

from index.build import BuildReport, build
from index.errors import InputError
from index.readers import Upload
from index.store import Index

DIGEST = "Mar 14\n\n{title}\n\nWe looked at this for a year. It is always the same.\n"


def pasted(title: str, name: str = "pasted.txt") -> Upload:
    return Upload(name, DIGEST.format(title=title).encode())


def index(store: Path, *paths: Path | Upload) -> BuildReport:
    return build(paths, store, HashingEncoder())


def names(store: Path) -> dict[str, list[str]]:
    return {p.title: [source.name for source in p.sources] for p in Index.open(store).papers}


OWLS, KETTLES, MAPS = "Counting Owls at Night", "Why Do Kettles Sing", "Paper Maps That Disagree"


def test_other_text_under_the_same_name_is_another_source_and_replaces_nothing(
    tmp_path: Path,
) -> None:
    for title in (OWLS, KETTLES, MAPS):
        assert (index(tmp_path, pasted(title)).new, index(tmp_path, pasted(title)).new) == (1, 0)
    assert names(tmp_path) == {
        OWLS: ["pasted.txt"],
        KETTLES: ["pasted (2).txt"],
        MAPS: ["pasted (3).txt"],
    }


def test_the_same_text_again_is_known_under_any_name_and_writes_nothing(tmp_path: Path) -> None:
    first = index(tmp_path, pasted(OWLS))
    for name in ("pasted.txt", "again.txt"):
        again = index(tmp_path, pasted(OWLS, name))
        assert (again.unchanged, again.updated, again.generation) == (1, 0, first.generation)
    assert names(tmp_path) == {OWLS: ["pasted.txt"]}


def test_an_upload_does_not_replace_the_file_of_its_name(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (tmp_path / "march.txt").write_bytes(pasted(OWLS).content)
    index(store, tmp_path / "march.txt")
    assert index(store, pasted(KETTLES, "march.txt")).removed == 0
    assert names(store) == {OWLS: ["march.txt"], KETTLES: ["march (2).txt"]}


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "a/b.txt", "/etc/passwd", "x" * 201, "\ud800.txt", "a/"]
)
def test_what_is_not_a_file_name_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match="is not the name of a file") as caught:
        Upload(name, b"")
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("name", ["a\0b.txt", "two\nlines.txt", "Übersicht März.txt", "C:\\x.txt"])
def test_any_other_name_is_spelled_out(tmp_path: Path, name: str) -> None:
    index(tmp_path, pasted(OWLS, name))
    ((given,),) = names(tmp_path).values()
    assert given.isprintable()
