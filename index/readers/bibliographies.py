"""Bibliographies: BibTeX, and records as lines with tags (RIS, PubMed, Web of Science, EndNote).

arXiv's mailings are such lines, too. One pass over the lines for all of them, so that records have
line numbers and a file of any size needs the memory of one record.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from index.readers.decoding import Text
from index.readers.records import Problem, Raw
from index.readers.values import Dated, read_date
from index.text import clean_text


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one format writes its tags."""

    tag: re.Pattern[str]
    """A line that opens a field: groups `tag` and `value`."""
    sign: re.Pattern[str]
    """What a file of the format begins with."""
    fields: Mapping[str, str]
    """Tag → field; a field of several tags takes the first in this order that a record has."""
    first: tuple[str, ...]
    """Tags that begin a record."""
    last: tuple[str, ...] = ()
    """Tags that end one."""


_RIS_TAG = re.compile(r"(?P<tag>[A-Z][A-Z0-9]) {1,2}-(?: (?P<value>.*))?$")
RIS = Dialect(
    _RIS_TAG,
    re.compile(r"\s*(?:\d+\.\s*)?TY {1,2}- "),
    {"TI": "title", "T1": "title", "CT": "title", "AB": "abstract", "N2": "abstract",
     "AU": "authors", "A1": "authors", "PY": "year", "Y1": "date", "DA": "date",
     "T2": "venue", "JO": "venue", "JF": "venue", "JA": "venue", "UR": "url", "DO": "doi",
     "ID": "abstractqa id", "C7": "arxiv", "AN": "pmid"},
    ("TY",), ("ER",),
)  # fmt: skip
PUBMED = Dialect(
    re.compile(r"(?P<tag>[A-Z]{2,4}) *- (?P<value>.*)$"),
    re.compile(r"\s*PMID- *\d"),
    {"TI": "title", "BTI": "title", "TT": "title", "AB": "abstract", "OAB": "abstract",
     "FAU": "authors", "AU": "authors", "CN": "authors", "DP": "date", "JT": "venue", "TA": "venue",
     "LID": "doi", "AID": "doi", "PMID": "pmid"},
    ("PMID",),
)  # fmt: skip
WOS = Dialect(
    re.compile(r"(?P<tag>[A-Z][A-Z0-9])(?: (?P<value>.*))?$"),
    re.compile(r"\s*(?:FN .*\n(?:VR .*\n)?|PT [JCBPS]\s*\n(?:[A-Z][A-Z0-9] |   ))"),
    {"TI": "title", "AB": "abstract", "AF": "authors", "AU": "authors", "PD": "date", "PY": "year",
     "SO": "venue", "DI": "doi", "PM": "pmid"},
    ("PT",), ("ER",),
)  # fmt: skip
ENDNOTE = Dialect(
    re.compile(r"%(?P<tag>[0-9A-Z@!~^+])(?: (?P<value>.*))?$"),
    re.compile(r"\s*%[0-9A-Z] \S.*\n%[0-9A-Z@]"),
    {"T": "title", "X": "abstract", "A": "authors", "8": "date", "D": "year", "J": "venue",
     "B": "venue", "U": "url", "R": "doi", "M": "doi"},
    ("0",),
)  # fmt: skip
_NAME_A_LINE = ("AU", "AF")
"""Tags of Web of Science whose lines are a name each; in PubMed's format none go on."""
_ONE_EACH = ("authors",)
"""Fields of which each tag is one value; others go on over lines and tags."""


def score(dialect: Dialect) -> Callable[[str], float]:
    """The test of how much the beginning of a file looks like a dialect, 0 to 1."""
    return lambda head: 0.96 * bool(dialect.sign.match(head.lstrip("\ufeff \n")))


def reader(dialect: Dialect) -> Callable[[Text, str], Iterator[Raw | Problem]]:
    """The reader of a dialect."""
    return partial(_read, dialect)


def _read(dialect: Dialect, text: Text, name: str) -> Iterator[Raw | Problem]:
    began, tag = 0, ""
    values: dict[str, list[str]] | None = None  # of the record that is open
    for number, line in text.lines():
        match = dialect.tag.match(line.rstrip())
        if match is None:
            if values and tag in values and line.strip():
                _go_on(values[tag], tag, line)
            continue
        tag = match["tag"]
        if tag in (*dialect.first, *dialect.last):
            if values:
                yield _raw(dialect, began, values)
            began, values = number, {} if tag in dialect.first else None
        if values is not None:
            values.setdefault(tag, []).append((match["value"] or "").strip())
    if values:
        if dialect.last:
            reason = f"the file ends inside a record: no {dialect.last[0]} line"
            yield Problem(name, began, reason, is_damage=True, is_warning=True)
        yield _raw(dialect, began, values)


def _go_on(values: list[str], tag: str, line: str) -> None:
    """Add a line without a tag to the field that is open."""
    if line[:1].isspace() and tag in _NAME_A_LINE:
        values.append(line.strip())
    else:
        values[-1] = f"{values[-1]} {line.strip()}".strip()


def _raw(dialect: Dialect, line: int, values: Mapping[str, list[str]]) -> Raw:
    fields: dict[str, object] = {}
    for tag, field in dialect.fields.items():
        said = [value for value in values.get(tag, []) if value]
        if said and field not in fields:
            if field == "doi":
                said = [value for value in said if "10." in value][:1]
                said = [value.split(" [")[0] for value in said]
            fields[field] = said if field in _ONE_EACH else "\n".join(said)
    if dialect is PUBMED and not str(fields.get("title", "")).endswith(".."):
        fields["title"] = _unbracketed(str(fields.get("title", "")).removesuffix("."))
    given = str(fields.pop("abstractqa id", ""))
    if given.startswith("abstractqa:"):  # any other is the key of another program
        fields["id"] = given.removeprefix("abstractqa:")
    return Raw(line, fields)


def _unbracketed(title: str) -> str:
    """A title that PubMed translated, without the brackets that say so."""
    return title[1:-1].removesuffix(".") if re.fullmatch(r"\[[^\[\]]+\]", title) else title


_MAIL_FIELD = re.compile(r"(?P<tag>[A-Z][A-Za-z-]{2,20}): ?(?P<value>.*)$")
_MAIL_ID = re.compile(r"(?:Paper:\s*)?(?P<id>arXiv:\S+|[a-z-]+/\d{7})")
_REPLACED = "replaced with revised version "


def arxiv_score(head: str) -> float:
    """How much the beginning of a file looks like a mailing of arXiv, 0 to 1."""
    return 0.98 * bool(re.search(r"^\\\\\n(?:arXiv:|Paper: )\S+", head, re.MULTILINE))


def read_arxiv(text: Text, name: str) -> Iterator[Raw | Problem]:
    r"""The papers of a mailing: `\\`, fields, `\\`, the abstract, `\\`; a replaced one has none."""
    listed, began = None, 0
    parts: list[list[str]] = []  # of the paper that is open: its fields, its abstract
    for number, line in text.lines():
        if not line.startswith("\\\\"):
            if parts:
                parts[-1].append(line)
            elif line.startswith("Date: "):
                listed = read_date(line.removeprefix("Date: ")) or listed
            continue
        began = began if parts else number
        if len(parts) == 2 or (parts and line.strip() != "\\\\"):
            yield _mailed(parts, name, began, listed)
            parts = []
        else:
            parts.append([])


def _mailed(
    parts: Sequence[list[str]], name: str, line: int, listed: Dated | None
) -> Raw | Problem:
    fields = _mail_fields(parts[0])
    abstract = "\n".join(parts[1]).strip() if len(parts) > 1 else ""
    if not abstract:
        title = fields.get("title", "a paper")
        return Problem(name, line, f"{title[:80]!r} has no abstract in this mailing")
    date = re.sub(r"\s*\(\d+kb.*$", "", fields.get("date", ""))
    return Raw(line, {**fields, "date": date, "abstract": abstract}, listed=listed)


def _mail_fields(lines: Iterable[str]) -> dict[str, str]:
    """The fields above an abstract; an indented line goes on the one before."""
    fields: dict[str, str] = {}
    tag = ""
    for line in lines:
        if known := _MAIL_ID.match(line):
            fields["arxiv"] = known["id"]
            continue
        if line.startswith(_REPLACED):
            fields["date"] = line.removeprefix(_REPLACED)
        elif match := _MAIL_FIELD.match(line):
            tag = match["tag"].casefold()
            fields[tag] = match["value"].strip()
        elif tag and line[:1].isspace():
            fields[tag] = f"{fields[tag]} {line.strip()}".strip()
    return fields


_CITED = re.compile(r"\d{1,5}\. \S.*\d{4}.*(?:[;:.]|doi)")
_NOT_ABSTRACT = re.compile(
    r"(?:Author information|Comment (?:in|on)|Erratum in|Update (?:in|of)|Collaborators?"
    r"|Conflict of interest|Copyright|©|\(c\) ?\d{4}|DOI:|PMC?ID:|Free (?:PMC|full))",
    re.I,
)


def pubmed_text_score(head: str) -> float:
    """How much the beginning of a file looks like PubMed's "Abstract (text)", 0 to 1."""
    return 0.96 * bool(_CITED.match(head.lstrip()) and re.search(r"^PMID: \d+", head, re.MULTILINE))


def read_pubmed_text(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of PubMed's "Abstract (text)": blocks in a fixed order, then lines of ids."""
    del name
    blocks: list[tuple[int, list[str]]] = []
    is_open = False
    for number, line in text.lines():
        if _CITED.match(line) and not is_open and (not blocks or _has_pmid(blocks)):
            if blocks:
                yield _pubmed(blocks)
            blocks = []
        if not line.strip():
            is_open = False
        elif is_open:
            blocks[-1][1].append(line.strip())
        else:
            blocks.append((number, [line.strip()]))
            is_open = True
    if blocks:
        yield _pubmed(blocks)


def _has_pmid(blocks: list[tuple[int, list[str]]]) -> bool:
    return any(line.startswith("PMID:") for _, lines in blocks for line in lines)


def _pubmed(blocks: list[tuple[int, list[str]]]) -> Raw:
    citation = " ".join(blocks[0][1])
    texts = [lines for _, lines in blocks[1:]]
    title = " ".join(texts[0]).removesuffix(".") if texts else ""
    fields: dict[str, object] = {"title": _unbracketed(title)}
    where = re.match(r"\d+\. (?P<venue>.+?)\. (?P<date>\d{4}[^;:.(]*)", citation)
    if where:
        fields["venue"], fields["date"] = where["venue"], where["date"].strip()
    rest = [lines for lines in texts[1:] if not lines[0].startswith("[Article in")]
    if rest and not _NOT_ABSTRACT.match(rest[0][0]) and len(" ".join(rest[0])) < 2_000:
        names = re.sub(r"\([\d#)(,]+\)|[*†‡]", "", " ".join(rest[0]).rstrip("."))
        if all(len(each.split()) < 6 for each in names.split(",")):
            fields["authors"] = names
            rest = rest[1:]
    kept = ["\n".join(lines) for lines in rest if not _NOT_ABSTRACT.match(lines[0])]
    fields["abstract"] = "\n".join(kept)
    for lines in texts:
        for line in lines:
            if match := re.match(r"(?P<key>DOI|PMID): (?P<value>\S+)", line):
                fields[match["key"].casefold()] = match["value"]
    return Raw(blocks[0][0], fields)


_ENTRY = re.compile(r"\s*@\s*(?P<kind>[A-Za-z]+)\s*[{(]")
_LONGEST = 5_000
"""Lines of one entry."""
_AT_ONCE = 50
"""Entries given to the parser together."""
_SIGNS = {
    "\\textbackslash{}": "\ue000", "\\textbraceleft{}": "\ue001", "\\textbraceright{}": "\ue002",
    "\\textasciitilde{}": "\ue003", "\\textasciicircum{}": "\ue004", "\\$": "\ue005",
    "\\_": "\ue006",
    "\\%": "\ue007", "\\{": "\ue008", "\\}": "\ue009",
}  # fmt: skip
_HELD = {ord(held): sign for held, sign in zip(_SIGNS.values(), "\\{}~^$_%{}", strict=True)}
_NO_PAPERS = ("string", "preamble", "comment")


def bibtex_score(head: str) -> float:
    """How much the beginning of a file looks like BibTeX, 0 to 1."""
    found = re.search(r"^\s*@\s*[A-Za-z]+\s*[{(]\s*[^\s,={}]*\s*,", head, re.MULTILINE)
    before = head[: found.start()] if found else ""
    return 0.96 * bool(found and len(before) < len(head) / 2)


def read_bibtex(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The entries of a file; one that cannot be parsed is damage and does not spoil the next."""
    strings: list[str] = []
    batch: list[tuple[int, str]] = []
    for line, kind, entry in _entries(text):
        if kind == "string":
            strings.append(entry)
        elif kind not in _NO_PAPERS:
            batch.append((line, entry))
        if len(batch) == _AT_ONCE:
            yield from _parsed(batch, strings, name)
            batch = []
    yield from _parsed(batch, strings, name)


def _entries(text: Text) -> Iterator[tuple[int, str, str]]:
    """Each entry with its first line and its kind, in small letters; other text is a comment."""
    lines: list[str] = []
    began, kind = 0, ""
    for number, line in text.lines():
        if match := _ENTRY.match(line):
            if lines:
                yield began, kind, "\n".join(lines)
            lines, began, kind = [], number, match["kind"].casefold()
        if began and len(lines) < _LONGEST:
            lines.append(line)
    if lines:
        yield began, kind, "\n".join(lines)


def _parsed(
    entries: list[tuple[int, str]], strings: list[str], name: str
) -> Iterator[Raw | Problem]:
    # Imported here: most files are no BibTeX.
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.middlewares import (
        RemoveEnclosingMiddleware,
        ResolveStringReferencesMiddleware,
    )

    stack = [ResolveStringReferencesMiddleware(), RemoveEnclosingMiddleware()]
    for line, entry in entries:
        library = parse_string("\n".join([*strings, entry]), parse_stack=stack)
        if not library.entries:
            yield Problem(name, line, "a broken entry: its braces do not match", is_damage=True)
        for found in library.entries:
            fields = {
                field.key.casefold(): _latex_plain(field.key, str(field.value))
                for field in found.fields
            }
            if "month" in fields and "year" in fields:
                fields.setdefault("date", f"{fields['month']} {fields['year']}")
            yield Raw(line, {**fields, "bibtexkey": found.key})


def _latex_plain(key: str, value: str) -> object:
    """A field without LaTeX; authors stay apart where `and` stands outside of braces."""
    # Imported here, as below.
    from bibtexparser.middlewares.names import split_multiple_persons_names

    if key.casefold() not in ("author", "editor"):
        return _latex_text(value)
    return [_latex_name(name) for name in split_multiple_persons_names(value)]


def _latex_name(value: str) -> object:
    """One name; one in braces is not turned around."""
    held = re.fullmatch(r"\{(.*)\}", value, re.DOTALL)
    return {"literal": _latex_text(held[1])} if held else _latex_text(value)


def _latex_text(value: str) -> str:
    """LaTeX as text; a sign that is written by its name is no LaTeX of the text."""
    for written, held in _SIGNS.items():
        value = value.replace(written, held)
    return re.sub("[{}]", "", clean_text(value)).translate(_HELD)
