"""The formats: what each covers, how it is recognised, and which reader opens it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from index.readers import bibtex, jsons, pages, tables, tagged, xmls
from index.readers.digest import read_digest
from index.readers.files import Text
from index.readers.pages import Page
from index.readers.records import How, Problem, Raw

Records = Iterator[Raw | Problem]


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that is open: what it was taken for, and its records as they come."""

    described: str
    records: Records


@dataclass(frozen=True, slots=True)
class Reader:
    """One format."""

    name: str
    """What it is called; `families` holds the names under which a user may ask for it."""
    covers: str
    """What it reads, for people."""
    endings: str
    """Its usual file endings; none of them is needed."""
    score: Callable[[str], float]
    """How much a file with this beginning looks like it, 0 to 1."""
    open: Callable[[Text, str, How], Reading]
    """Begin to read a file: its text, what the papers' sources are called, what else is known.

    Raises `ReadError` if the file is not of this format after all.
    """
    families: tuple[str, ...]


def _plain(
    described: str, read: Callable[[Text, str], Records]
) -> Callable[[Text, str, How], Reading]:
    """The opening of a format of which a file's text says everything."""
    return lambda text, name, _how: Reading(described, read(text, name))


_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
"""What some editors put before a text: it is about the file."""


def _table(text: Text, name: str, how: How) -> Reading:
    table = tables.Table(text, name, how.columns)
    return Reading(f"csv ({table.described})", table.read())


def _digest(text: Text, name: str, how: How) -> Reading:
    whole = _FRONT_MATTER.sub(lambda front: "\n" * front[0].count("\n"), text.whole())
    if pages.markdown_score(whole[:20_000]) > 0:
        return Reading("digest (Markdown)", _of_page(pages.markdown_page(whole), whole, name, how))
    return Reading("digest", read_digest(Page(whole), name, how))


def _page(text: Text, name: str, how: How) -> Reading:
    whole = text.whole()
    page = pages.html_page(whole)
    if described := pages.described_paper(page):
        return Reading("html (the paper that the page describes)", iter([described]))
    return Reading("html (a page as a digest)", _of_page(page, whole, name, how))


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


def _mails(text: Text, name: str, how: How) -> Reading:
    return Reading("mail", _mailed(text, name, how))


def _mailed(text: Text, name: str, how: How) -> Records:
    """The papers of mails, each read as what its text is."""
    for mail in pages.read_mails(text):
        dated = replace(how, listed=mail.date or how.listed)
        if not mail.text.strip():
            yield Problem(name, mail.line, "a mail without text")
            continue
        body = Text.of_string(mail.text)
        reader = _BY_NAME["html"] if mail.is_html else reader_of(body.head) or _BY_NAME["digest"]
        if reader.name == "mail":
            reader = _BY_NAME["digest"]
        for found in reader.open(body, name, dated).records:
            line = (found.line or 1) + mail.body if mail.body else mail.line
            yield replace(found, line=line)


READERS: tuple[Reader, ...] = (
    Reader(
        "digest",
        "digests pasted from mails and pages, alerts, newsletters, labelled texts, Markdown",
        ".txt .md", lambda _head: 0.1, _digest, ("digest", "markdown", "text"),
    ),
    Reader("mail", "mails and mailboxes, quoted-printable or HTML, read as what is in them",
           ".eml .mbox", pages.mail_score, _mails, ("mail", "eml", "mbox")),
    Reader("html", "saved pages: digests, listings, one paper's page", ".html",
           pages.html_score, _page, ("html",)),
    Reader("jsonl", "JSON lines, arrays and objects: arXiv snapshot, OpenAlex, Semantic Scholar,"
           " Crossref, CSL, OpenReview, BEIR", ".jsonl .json .ndjson", jsons.score,
           _plain("jsonl", jsons.read_json), ("jsonl", "json", "arxiv", "beir")),
    Reader("csv", "tables: CSV, TSV, Markdown; delimiter and columns are told", ".csv .tsv",
           tables.score, _table, ("csv", "tsv", "table")),
    Reader("bibtex", "BibTeX and BibLaTeX", ".bib", bibtex.score,
           _plain("bibtex", bibtex.read_bibtex), ("bibtex",)),
    Reader("ris", "RIS, as Zotero, Scopus and publishers export it", ".ris",
           tagged.score(tagged.RIS), _plain("ris", tagged.reader(tagged.RIS)), ("ris",)),
    Reader("pubmed", "PubMed's format with tags (nbib)", ".nbib .txt",
           tagged.score(tagged.PUBMED), _plain("pubmed (tags)", tagged.reader(tagged.PUBMED)),
           ("pubmed", "nbib")),
    Reader("pubmed-text", "PubMed's “Abstract (text)”", ".txt", tagged.pubmed_text_score,
           _plain("pubmed (text)", tagged.read_pubmed_text), ("pubmed",)),
    Reader("wos", "Web of Science, plain text", ".ciw .txt", tagged.score(tagged.WOS),
           _plain("Web of Science", tagged.reader(tagged.WOS)), ("wos",)),
    Reader("endnote", "EndNote's format with tags", ".enw", tagged.score(tagged.ENDNOTE),
           _plain("EndNote", tagged.reader(tagged.ENDNOTE)), ("endnote",)),
    Reader("arxiv", "arXiv's daily mailings", ".txt", tagged.arxiv_score,
           _plain("arXiv mailing", tagged.read_arxiv), ("arxiv",)),
    Reader("xml", "XML: PubMed, arXiv (Atom, OAI), ACL Anthology, JATS, EndNote", ".xml",
           xmls.score, _plain("xml", xmls.read_xml), ("xml", "acl", "arxiv", "pubmed", "endnote")),
)  # fmt: skip
FORMATS = tuple(dict.fromkeys(name for reader in READERS for name in reader.families))
"""The names of formats that a user may ask for, beside "auto"."""
_BY_ENDING = 0.2
_ANY_TEXT = ("", ".txt", ".md")
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
        return reader.score(head) + _BY_ENDING * bool(
            suffix in reader.endings.split() and suffix not in _ANY_TEXT
        )

    among = [reader for reader in READERS if format == "auto" or format in reader.families]
    if format == "auto" and sum(c.isalpha() for c in head) < len(head) / 4:
        among = [reader for reader in among if reader.name != "digest"]
    best = max(among, key=score)
    return best if score(best) > 0 or format != "auto" else None


def markdown_table() -> str:
    """The formats as a Markdown table, for README and docs."""
    rows = [f"| `{r.name}` | {r.covers} | {r.endings} |" for r in READERS]
    return "\n".join(["| format | what it covers | usual endings |", "|---|---|---|", *rows])
