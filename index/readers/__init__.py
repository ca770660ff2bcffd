"""From files to papers: the format of a file is recognised by its content, and has a reader."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePath
from typing import TypedDict, Unpack

from index.errors import InputError
from index.papers import Paper
from index.readers import bibliographies as bib
from index.readers import data_files, pages
from index.readers.digest import plausible, read_digest
from index.readers.files import Found, Member, Text, Upload, find_files, members
from index.readers.pages import Page
from index.readers.records import How, Normaliser, Problem, Raw, ReadError
from index.readers.values import YEARS
from index.sources import Origin, source_name

__all__ = [
    "FORMATS", "READERS", "FileRead", "Options", "Problem", "Upload", "find_files", "read",
    "read_files",
]  # fmt: skip

_FOLDER_TEXTS = ("", ".txt", ".text", ".md", ".markdown", ".eml", ".mail", ".html", ".htm")
"""What is read as a digest though only found in a folder: other text there may be anything."""

Records = Iterator[Raw | Problem]
Opened = tuple[str, Records]
"""What a file was taken for, in words, and its records as they come."""
Open = Callable[[Text, str, How], Opened]
"""Begin to read a file: its text, what the papers' sources are called, what else is known.

Raises `ReadError` if the file is not of this format after all.
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """One format."""

    name: str
    covers: str
    """What it reads, for people."""
    endings: str
    """Its usual file endings; none of them is needed."""
    score: Callable[[str], float]
    """How much a file with this beginning looks like it, 0 to 1."""
    open: Open
    families: tuple[str, ...]
    """The names under which a user may ask for it."""


def _plain(described: str, read: Callable[[Text, str], Records]) -> Open:
    """The opening of a format of which a file's text says everything."""
    return lambda text, name, _how: (described, read(text, name))


def _digest(text: Text, name: str, how: How) -> Opened:
    # Some editors put lines about the file before a text.
    front = r"(?s)\A---\n.*?\n---\n"
    whole = re.sub(front, lambda front: "\n" * front[0].count("\n"), text.whole())
    if pages.markdown_score(whole[:20_000]) > 0:
        return "digest (Markdown)", _of_page(pages.markdown_page(whole), whole, name, how)
    return "digest", read_digest(Page(whole), name, how)


def _page(text: Text, name: str, how: How) -> Opened:
    whole = text.whole()
    return "html (a page as a digest)", _of_page(pages.html_page(whole), whole, name, how)


def _of_page(page: Page, source: str, name: str, how: How) -> Records:
    """A digest out of a page; its lines are those of the source where they are found there."""
    lines = page.text.split("\n")
    at = line = 0
    for found in read_digest(page, name, how):
        words = lines[(found.line or 1) - 1][:40]
        there = source.find(words, at) if words else -1
        if there >= 0:
            line, at = line + source.count("\n", at, there), there
        yield replace(found, line=line + 1 if there >= 0 else None)


def _mailed(text: Text, name: str, how: How) -> Records:
    """The papers of mails, each read as what its text is."""
    for mail in pages.read_mails(text):
        if not mail.text.strip():
            yield Problem(name, mail.line, "a mail without text")
            continue
        body = Text.of_string(mail.text)
        reader = _BY_NAME["html"] if mail.is_html else reader_of(body.head)
        if reader is None or reader.name == "mail":
            reader = _BY_NAME["digest"]
        _, records = reader.open(body, name, replace(how, listed=mail.date or how.listed))
        for found in records:
            yield replace(found, line=(found.line or 1) + mail.body if mail.body else mail.line)


READERS: tuple[Reader, ...] = (
    Reader(
        "digest",
        "digests pasted from mails and pages, alerts, newsletters, labelled texts, Markdown",
        ".txt .md", lambda _head: 0.1, _digest, ("digest", "markdown", "text"),
    ),
    Reader("mail", "mails and mailboxes, quoted-printable or HTML, read as what is in them",
           ".eml .mbox", pages.mail_score, lambda *file: ("mail", _mailed(*file)),
           ("mail", "eml", "mbox")),
    Reader("html", "saved pages: digests and listings", ".html",
           pages.html_score, _page, ("html",)),
    Reader("jsonl", "JSON lines, arrays and objects: arXiv snapshot, OpenAlex, Semantic Scholar,"
           " Crossref, CSL, OpenReview, BEIR", ".jsonl .json .ndjson", data_files.json_score,
           _plain("jsonl", data_files.read_json), ("jsonl", "json", "arxiv", "beir")),
    Reader("csv", "tables: CSV, TSV, Markdown; delimiter and columns are told", ".csv .tsv",
           data_files.table_score, data_files.open_table, ("csv", "tsv", "table")),
    Reader("bibtex", "BibTeX and BibLaTeX", ".bib", bib.bibtex_score,
           _plain("bibtex", bib.read_bibtex), ("bibtex",)),
    Reader("ris", "RIS, as Zotero, Scopus and publishers export it", ".ris",
           bib.RIS.score, _plain("ris", bib.RIS.read), ("ris",)),
    Reader("pubmed", "PubMed's format with tags (nbib)", ".nbib .txt",
           bib.PUBMED.score, _plain("pubmed (tags)", bib.PUBMED.read),
           ("pubmed", "nbib")),
    Reader("pubmed-text", "PubMed's “Abstract (text)”", ".txt", bib.pubmed_text_score,
           _plain("pubmed (text)", bib.read_pubmed_text), ("pubmed",)),
    Reader("wos", "Web of Science, plain text", ".ciw .txt", bib.WOS.score,
           _plain("Web of Science", bib.WOS.read), ("wos",)),
    Reader("endnote", "EndNote's format with tags", ".enw", bib.ENDNOTE.score,
           _plain("EndNote", bib.ENDNOTE.read), ("endnote",)),
    Reader("arxiv", "arXiv's daily mailings", ".txt", bib.arxiv_score,
           _plain("arXiv mailing", bib.read_arxiv), ("arxiv",)),
    Reader("xml", "XML: PubMed, arXiv (Atom, RSS, OAI), ACL Anthology", ".xml",
           bib.xml_score, _plain("xml", bib.read_xml), ("xml", "acl", "arxiv", "pubmed")),
)  # fmt: skip
FORMATS = tuple(dict.fromkeys(name for reader in READERS for name in reader.families))
"""The names of formats that a user may ask for, beside "auto"."""
_BY_NAME = {reader.name: reader for reader in READERS}


def reader_of(
    head: str,
    format: str = "auto",  # noqa: A002 - as in the command
    suffix: str = "",
) -> Reader | None:
    """The reader for a file with this beginning; among those of a format if one is named.

    The content decides; the file's ending, in small letters, only where the content says nothing.
    None if nothing is like it: not even a digest, which has words.
    """

    def score(reader: Reader) -> float:
        is_usual = suffix in reader.endings.split() and suffix not in (".txt", ".md")
        return reader.score(head) + 0.2 * is_usual

    among = [reader for reader in READERS if format == "auto" or format in reader.families]
    if format == "auto" and sum(c.isalpha() for c in head) < len(head) / 4:
        among = [reader for reader in among if reader.name != "digest"]
    best = max(among, key=score)
    return best if score(best) > 0 or format != "auto" else None


def markdown_table() -> str:
    """The formats as a Markdown table, for README and docs."""
    rows = [f"| `{r.name}` | {r.covers} | {r.endings} |" for r in READERS]
    return "\n".join(["| format | what it covers | usual endings |", "|---|---|---|", *rows])


@dataclass
class FileRead:
    """A file, or a file of an archive, and what is in it."""

    file: Found
    origin: Origin | None
    """None if the file could not be read."""
    found: Iterator[Paper | Problem]
    """Its papers, and what could not be used, in order; to be iterated before the next file's."""
    format: str = ""
    """The format that was taken, and how; empty of a file that could not be read."""


class Options(TypedDict, total=False):
    """How files are read; whatever is left out has its default."""

    format: str
    """One of `FORMATS`, or "auto" to tell by each file's content, the default."""
    year: int | None
    """The year of digest dates that have none, 1900 to 2100; default: that of the other dates of
    the file, or else the one in which it was last modified, in UTC."""
    columns: Mapping[str, str] | None
    """Field → heading of its column, for tables whose headings do not tell."""
    merge: bool
    """Whether, in an index, sightings of one paper become one; by default they do."""


def read(paths: Sequence[Path | Upload], **options: Unpack[Options]) -> Iterator[Paper | Problem]:
    """What `read_files` reads, one after the other."""
    return chain.from_iterable(reading.found for reading in read_files(paths, options))


def read_files(
    paths: Sequence[Path | Upload], options: Options, leave_out: Path | None = None
) -> Iterator[FileRead]:
    """The papers of files and folders, and what could not be read, in order.

    A paper met twice comes twice; see `index.papers.identify`. Of folders all but hidden files are
    read, and nothing of the folder `leave_out`, such as the store itself.

    Raises:
        InputError: at once, if a path, the format, a column or the year cannot be used.
    """
    format_, year = options.get("format", "auto"), options.get("year")
    if format_ != "auto" and format_ not in FORMATS:
        known = ", ".join(("auto", *FORMATS))
        raise InputError(f"format {format_!r} is not read by this version; choose one of {known}")
    if year is not None and year not in YEARS:
        raise InputError(f"year {year} is not between {YEARS[0]} and {YEARS[-1]}")
    files = find_files(paths, leave_out)
    how = How(year=year, columns=options.get("columns") or {})
    return (each for file in files for each in _open(file, format_, how))


def _open(file: Found, format_: str, how: How) -> Iterator[FileRead]:
    try:
        if file.is_read_once:
            file = replace(file, content=file.path.read_bytes())
        how = replace(how, usual_year=file.year())
        digest = file.digest()
        member = None
        for member in members(file.source):
            yield from _member(file, member, digest, format_, how)
        if member is None:
            yield _unread(file, "an empty archive")
    except ReadError as error:
        yield _unread(file, str(error))
    except OSError as error:
        yield _unread(file, f"cannot be read: {error.strerror or error}")


def _unread(file: Found, reason: str, line: int | None = None) -> FileRead:
    return FileRead(file, None, iter([Problem(file.name, line, reason)]))


def _member(file: Found, member: Member, digest: str, format_: str, how: How) -> Iterator[FileRead]:
    """A file, or one of an archive: its format is recognised, its papers come as they are read."""
    inner = f"!{member.name}" if member.name else ""
    if member.name:
        file = replace(file, name=f"{file.name}/{source_name(PurePath(member.name))}")
    origin = Origin(
        content=hashlib.sha256((digest + inner).encode()).hexdigest() if inner else digest,
        place=hashlib.sha256(file.place + inner.encode("utf-8", "surrogateescape")).hexdigest(),
    )
    try:
        with closing(Text.of(member)) as text:
            suffix = PurePath(member.name or file.path).suffix.casefold()
            reader = _reader(text.head, file, suffix, format_)
            described, records = reader.open(text, file.name, how)
            found = _normalised(file.name, text, records)
            if reader.name in ("digest", "html", "mail"):
                found = plausible(file.name, found, is_named=format_ != "auto")
            yield FileRead(file, origin, _never_silent(file.name, reader, found), described)
    except ReadError as error:
        yield _unread(file, str(error), error.line)


def _reader(head: str, file: Found, suffix: str, format_: str) -> Reader:
    """The reader of a file with this beginning; other text found in a folder may be anything."""
    if not head.strip():
        raise ReadError("empty file")
    reader = reader_of(head, format_, suffix)
    is_guess = reader is None or (reader.name == "digest" and not file.is_named)
    if reader is None or (is_guess and format_ == "auto" and suffix not in _FOLDER_TEXTS):
        told = f"it begins with {' '.join(head.split())[:40]!r}; --format names one"
        raise ReadError(f"no known format: {told}")
    return reader


def _normalised(name: str, text: Text, records: Records) -> Iterator[Paper | Problem]:
    normaliser = Normaliser(name)
    shown = 0
    try:
        for record in records:
            yield from [record] if isinstance(record, Problem) else normaliser.papers(record)
            for line, reason in text.warnings[shown:]:
                yield Problem(name, line, reason, is_warning=True)
            shown = len(text.warnings)
    except ReadError as error:
        yield Problem(name, error.line, str(error), is_damage=True)


def _never_silent(
    name: str, reader: Reader, found: Iterator[Paper | Problem]
) -> Iterator[Paper | Problem]:
    is_silent = True
    for each in found:
        is_silent &= isinstance(each, Problem) and each.is_warning
        yield each
    if is_silent:
        yield Problem(name, None, f"no paper found in it, read as {reader.name}")
