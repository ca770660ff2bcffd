"""The bundled sample: found in the package, true to the real papers, in our own words."""

import re
from collections.abc import Iterable
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from index.papers import Paper
from index.readers import Problem, read

LONGEST_SHARED_RUN = 7
"""Consecutive words a sample abstract may have in common with the original one."""


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


def papers_in(paths: Iterable[Path]) -> list[Paper]:
    return [item for item in read(list(paths), format="digest") if isinstance(item, Paper)]


@pytest.fixture(scope="module")
def sample_files() -> list[Path]:
    folder = resources.files("index.sample")
    return sorted(Path(str(file)) for file in folder.iterdir() if file.name.endswith(".txt"))


@pytest.fixture(scope="module")
def real_abstracts(shared: Path) -> dict[str, list[str]]:
    by_title: dict[str, list[str]] = {}
    for paper in papers_in(sorted((shared / "digests").glob("*.txt"))):
        by_title.setdefault(paper.title, []).append(paper.abstract)
    return by_title


def test_the_sample_is_read_whole_and_some_papers_are_in_both_digests(
    sample_files: list[Path],
) -> None:
    assert not [item for item in read(sample_files, format="digest") if isinstance(item, Problem)]
    found: list[dict[str, str]] = []
    for file, day in zip(sample_files, (date(2025, 3, 14), date(2025, 4, 22)), strict=True):
        papers = papers_in([file])
        assert {source.date for paper in papers for source in paper.sources} == {day}
        found.append({paper.title: paper.abstract for paper in papers})
    march, april = found
    assert min(len(march), len(april)) >= 20
    assert len(march | april) >= 30
    assert len(both := march.keys() & april.keys()) >= 6
    assert all(march[title] == april[title] for title in both)


def test_no_sample_abstract_repeats_the_original_wording(
    sample_files: list[Path], real_abstracts: dict[str, list[str]]
) -> None:
    length = LONGEST_SHARED_RUN + 1
    for paper in papers_in(sample_files):
        mine = runs(paper.abstract, length) - runs(paper.title, length)
        for original in real_abstracts[paper.title]:
            assert not mine & runs(original, length), paper.title
