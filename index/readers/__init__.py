"""Read papers from files: recognise each file's format by its content, and open its reader."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePath
from typing import TypedDict, Unpack

from index.errors import InputError
from index.readers import bibliographies as bib
from index.readers import data_files, pages
from index.readers.digest import plausible, read_digest
from index.readers.files import Found, Text, Upload, find_files, members
from index.readers.pages import Page
from index.readers.records import How, Papers, Problem, ReadError, Records, normalise
from index.readers.values import YEARS
from index.sources import Origin, source_name

__all__ = [
    "FORMATS", "READERS", "FileRead", "Options", "Problem", "Upload", "check_options",
    "find_files", "read", "read_files",
]  # fmt: skip

_FOLDER_TEXTS = ("", ".txt", ".text", ".md", ".markdown", ".eml", ".mail", ".html", ".htm")
"""Endings of files in a folder that may be read as digests: other text there may be anything."""

Open = Callable[[Text, str, How], tuple[str, Records]]
"""Opens a file, given its text and the name of its papers' sources; returns its format, in words,
and its records, or raises `ReadError` if it is not of this format after all."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One format that can be read."""

    name: str
    covers: str  # what it reads, in words for users
    endings: str  # its usual file endings, separated by spaces; a file needs none of them
    score: Callable[[str], float]  # how likely a file with this beginning is of the format, 0 to 1
    open: Open
    families: tuple[str, ...]  # the names by which a user can choose it


def _opener(described: str, read: Callable[[Text, str], Records]) -> Open:
    """Return the `Open` of a format whose reader needs only a file's text and name."""
    return lambda text, name, _how: (described, read(text, name))


def _open_digest(text: Text, name: str, how: How) -> tuple[str, Records]:
    # Some editors put metadata between two lines of --- before a text.
    front = r"(?s)\A---\n.*?\n---\n"
    whole = re.sub(front, lambda front: "\n" * front[0].count("\n"), text.whole())
    if pages.markdown_score(whole[:20_000]) > 0:
        return "digest (Markdown)", _read_page(pages.markdown_page(whole), whole, name, how)
    return "digest", read_digest(Page(whole), name, how)


def _open_page(text: Text, name: str, how: How) -> tuple[str, Records]:
    html = text.whole()
    return "html (a page as a digest)", _read_page(pages.html_page(html), html, name, how)


def _read_page(page: Page, source: str, name: str, how: How) -> Records:
    """Read a digest from a page; line numbers are those of `source`, None where not found in it."""
    lines = page.text.split("\n")
    at = line = 0
    for found in read_digest(page, name, how):
        words = lines[(found.line or 1) - 1][:40]
        position = source.find(words, at) if words else -1
        if position >= 0:
            line, at = line + source.count("\n", at, position), position
        yield replace(found, line=line + 1 if position >= 0 else None)


def _read_mailbox(text: Text, name: str, how: How) -> Records:
    """Read the papers of mails, each mail in the format of its text."""
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
    Reader("digest", "digests pasted from mails and pages, alerts, newsletters, labelled texts,"
           " Markdown", ".txt .md", lambda _: 0.1, _open_digest, ("digest", "markdown", "text")),
    Reader("mail", "mails and mailboxes, quoted-printable or HTML, read by their content",
           ".eml .mbox", pages.mail_score, lambda *file: ("mail", _read_mailbox(*file)),
           ("mail", "eml", "mbox")),
    Reader("html", "saved pages: digests and listings", ".html",
           pages.html_score, _open_page, ("html",)),
    Reader("jsonl", "JSON lines, arrays and objects: arXiv snapshot, OpenAlex, Semantic Scholar,"
           " Crossref, CSL, OpenReview, BEIR", ".jsonl .json .ndjson", data_files.json_score,
           _opener("jsonl", data_files.read_json), ("jsonl", "json", "arxiv", "beir")),
    Reader("csv", "tables: CSV, TSV, Markdown; delimiter and columns are detected", ".csv .tsv",
           data_files.table_score, data_files.open_table, ("csv", "tsv", "table")),
    Reader("bibtex", "BibTeX and BibLaTeX", ".bib", bib.bibtex_score,
           _opener("bibtex", bib.read_bibtex), ("bibtex",)),
    Reader("ris", "RIS, as Zotero, Scopus and publishers export it", ".ris",
           bib.RIS.score, _opener("ris", bib.RIS.read), ("ris",)),
    Reader("pubmed", "PubMed's format with tags (nbib)", ".nbib .txt",
           bib.PUBMED.score, _opener("pubmed (tags)", bib.PUBMED.read), ("pubmed", "nbib")),
    Reader("pubmed-text", "PubMed's “Abstract (text)”", ".txt", bib.pubmed_text_score,
           _opener("pubmed (text)", bib.read_pubmed_text), ("pubmed",)),
    Reader("wos", "Web of Science, plain text", ".ciw .txt", bib.WOS.score,
           _opener("Web of Science", bib.WOS.read), ("wos",)),
    Reader("endnote", "EndNote's format with tags", ".enw", bib.ENDNOTE.score,
           _opener("EndNote", bib.ENDNOTE.read), ("endnote",)),
    Reader("arxiv", "arXiv's daily mailings", ".txt", bib.arxiv_score,
           _opener("arXiv mailing", bib.read_arxiv), ("arxiv",)),
    Reader("xml", "XML: PubMed, arXiv (Atom, RSS, OAI), ACL Anthology", ".xml",
           bib.xml_score, _opener("xml", bib.read_xml), ("xml", "acl", "arxiv", "pubmed")),
)  # fmt: skip
FORMATS = tuple(dict.fromkeys(name for reader in READERS for name in reader.families))
"""The names of formats that a user can choose, other than "auto"."""
_BY_NAME = {reader.name: reader for reader in READERS}


def reader_of(head: str, format_: str = "auto", suffix: str = "") -> Reader | None:
    """Return the reader for a file that begins with `head`, among those of `format_`, or None.

    The content decides; a usual ending (`suffix`, in lower case) only adds 0.2 to a reader's score.
    """
    is_auto = format_ == "auto"
    has_letters = sum(c.isalpha() for c in head) >= len(head) / 4  # even a digest has

    def score(reader: Reader) -> float:
        is_usual = suffix in reader.endings.split() and suffix not in (".txt", ".md")
        is_possible = reader.name != "digest" or has_letters or not is_auto
        return reader.score(head) * is_possible + 0.2 * is_usual

    best = max((each for each in READERS if is_auto or format_ in each.families), key=score)
    return best if score(best) > 0 or not is_auto else None


def markdown_table() -> str:
    """Return the formats as a Markdown table, for README and docs."""
    rows = [f"| `{r.name}` | {r.covers} | {r.endings} |" for r in READERS]
    return "\n".join(["| format | what it covers | usual endings |", "|---|---|---|", *rows])


@dataclass
class FileRead:
    """A file, or one file of an archive, with an iterator of its papers."""

    file: Found
    origin: Origin | None  # None if the file could not be read
    found: Papers  # and problems, in order; iterate over them before you take the next file
    format: str = ""  # in words, with the columns of a table; "" if the file could not be read


class Options(TypedDict, total=False):
    """How files are read; each option may be omitted."""

    format: str  # one of `FORMATS`, or "auto", the default: recognise each file by its content
    # The year of digest dates that have none, 1900 to 2100; default: that of the file's other
    # dates, or else the year in which the file was last modified (UTC).
    year: int | None
    columns: Mapping[str, str] | None  # field → heading, for tables with unknown headings
    merge: bool  # whether an index merges the sightings of a paper; by default it does


def read(paths: Sequence[Path | Upload], **options: Unpack[Options]) -> Papers:
    """Iterate over the papers and problems of all files; see `read_files`."""
    return chain.from_iterable(reading.found for reading in read_files(paths, options))


def read_files(
    paths: Sequence[Path | Upload], options: Options, leave_out: Path | None = None
) -> Iterator[FileRead]:
    """Read the papers of files and folders, and report what could not be read, in order.

    A paper that occurs twice is returned twice; see `index.papers.identify`. In folders, hidden
    files are skipped, and so is the folder `leave_out`, such as the store itself. A path, format
    or year that cannot be used is an `InputError` at once.
    """
    check_options(options)
    files = find_files(paths, leave_out)
    return (each for file in files for each in _open(file, options))


def check_options(options: Options) -> None:
    """Raise an `InputError` if the format or the year cannot be used."""
    format_, year = options.get("format", "auto"), options.get("year")
    known = ("auto", *FORMATS)
    if format_ not in known:
        raise InputError(f"format {format_!r} is not supported; choose one of {', '.join(known)}")
    if year is not None and year not in YEARS:
        raise InputError(f"year {year} is not between {YEARS[0]} and {YEARS[-1]}")


def _open(file: Found, options: Options) -> Iterator[FileRead]:
    """Open a file, or each file of an archive; yield what cannot be opened as a problem."""
    try:
        if isinstance(file.source, Path) and file.is_read_once:
            file = replace(file, source=file.source.read_bytes())
        how = How(options.get("year"), file.year(), options.get("columns") or {})
        digest = file.digest()
        member = None
        for inside, opened in members(file.source):
            # Of a file that is no archive, `inside` is empty.
            inner, member = f"!{inside}" * bool(inside), file
            if inside:
                member = replace(file, name=f"{file.name}/{source_name(PurePath(inside))}")
            place = file.place + inner.encode("utf-8", "surrogateescape")
            origin = Origin(
                content=hashlib.sha256((digest + inner).encode()).hexdigest() if inner else digest,
                place=hashlib.sha256(place).hexdigest(),
            )
            suffix = PurePath(inside or file.name).suffix.casefold()
            try:
                with closing(Text.of(opened)) as text:
                    format_, papers = _recognise(text, member, suffix, options, how)
                    yield FileRead(member, origin, papers, format_)
            except ReadError as error:
                yield _unreadable(member, str(error), error.line)
        if member is None:
            yield _unreadable(file, "an empty archive")
    except ReadError as error:
        yield _unreadable(file, str(error))
    except OSError as error:
        yield _unreadable(file, f"cannot be read: {error.strerror or error}")


def _unreadable(file: Found, reason: str, line: int | None = None) -> FileRead:
    return FileRead(file, None, iter([Problem(file.name, line, reason)]))


def _recognise(
    text: Text, file: Found, suffix: str, options: Options, how: How
) -> tuple[str, Papers]:
    """Recognise the format of a text, and open its reader; refuse unknown text in a folder."""
    if not text.head.strip():
        raise ReadError("empty file")
    format_ = options.get("format", "auto")
    reader = reader_of(text.head, format_, suffix)
    is_known = file.is_named or format_ != "auto" or suffix in _FOLDER_TEXTS
    if reader is None or (reader.name == "digest" and not is_known):
        hint = f"it begins with {' '.join(text.head.split())[:40]!r}; name it with --format"
        raise ReadError(f"unknown format: {hint}")
    described, records = reader.open(text, file.name, how)
    found = normalise(file.name, reader.name, records, text.warnings)
    if reader.name in ("digest", "html", "mail"):
        found = plausible(file.name, found, is_named=format_ != "auto")
    return described, found
