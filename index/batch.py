"""What a run of indexing has read: the papers of its files, and what could not be used."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import InputError
from index.papers import Paper
from index.readers import Problem, Upload, read_files
from index.sources import SourceFile


@dataclass(frozen=True, slots=True)
class Batch:
    """The papers of a run's files, in the order in which they were found, and the problems."""

    papers: tuple[Paper, ...]
    files: tuple[SourceFile, ...]
    """The files that the papers come from."""
    problems: tuple[Problem, ...]
    formats: tuple[tuple[str, str], ...] = ()
    """What each file was taken for: its name, and the format."""

    @property
    def rejected(self) -> int:
        """Entries and files that could not be read; what is odd but was read does not count."""
        return sum(not problem.is_warning for problem in self.problems)

    @property
    def is_damaged(self) -> bool:
        """Whether one of the problems is damage (`Problem.is_damage`)."""
        return any(problem.is_damage for problem in self.problems)


def read_batch(
    paths: Sequence[Path | Upload],
    store: Path,
    *,
    format: str = "auto",  # noqa: A002 - the name of the command's option
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Batch:
    """Read files, folders and uploads that are to be indexed into `store`.

    Args:
        paths: What to read; nothing is taken from the store itself.
        store: The index's folder.
        format: A reader's name, or "auto" to tell by the file.
        year: The year of digest dates that have none; default: as `index.readers` says.
        columns: Field → heading of its column, for tables whose headings do not tell.
        progress: Told how many papers were found so far.

    Raises:
        InputError: a path or format cannot be used, or no paper was found.
    """
    papers: list[Paper] = []
    problems: list[Problem] = []
    files: list[SourceFile] = []
    formats: list[tuple[str, str]] = []
    readings = read_files(paths, format=format, year=year, columns=columns, leave_out=store)
    for reading in readings:
        if reading.format:
            formats.append((reading.file.name, reading.format))
        papers_before, problems_before = len(papers), len(problems)
        for found in reading.found:
            if isinstance(found, Problem):
                problems.append(found)
            else:
                papers.append(found)
                if progress:
                    progress(len(papers))
        if reading.origin and len(papers) > papers_before:
            is_whole = not any(problem.is_damage for problem in problems[problems_before:])
            file = reading.file
            path = file.path if file.content is None and file.path.is_file() else None
            files.append(SourceFile(file.name, path, reading.origin, is_whole=is_whole))
    if not papers:
        reasons = [problem for problem in problems if not problem.is_warning]
        if reasons:
            raise InputError(f"no paper could be read: {reasons[0]}")
        named = (path.name if isinstance(path, Upload) else str(path) for path in paths)
        raise InputError(f"no papers in {', '.join(named)}")
    return Batch(tuple(papers), tuple(files), tuple(problems), tuple(formats))
