"""Read bibliographies: tagged lines (RIS, PubMed, …), arXiv's mailings, BibTeX, XML.

Each takes one pass over the lines or elements, so that a file of any size needs the memory of one
record. No XML entity is expanded, and nothing is loaded from a network.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from types import SimpleNamespace
from xml.etree.ElementTree import Element, ParseError

from index.papers import arxiv_id
from index.readers.files import Text
from index.readers.records import Problem, Raw, ReadError, Records
from index.readers.values import Dated, read_date
from index.text import clean_text


@dataclass(frozen=True, slots=True)
class Dialect:
    """One format of tagged lines."""

    tagged: str  # a regular expression for a line with a tag (group 1) and its value (2)
    fields: Mapping[str, str]  # tag → field; the first tag of a field that has a value wins
    first: str  # the tag that begins a record
    last: str = ""  # the tag that ends a record; empty if the format has none

    def score(self, head: str) -> float:
        """Return how likely the beginning of a file is of this format, 0 to 1."""
        lines = [line.rstrip() for line in head.split("\n", 9)[:9] if line.strip()]
        first, *rest = [re.fullmatch(self.tagged, line) for line in lines[:2]] or [None]
        begins = first is not None and first[1] in (self.first, "FN")
        return 0.96 * (begins and (all(rest) or self.first == "PMID"))

    def read(self, text: Text, name: str) -> Records:
        """Yield the records of a file, in order."""
        began, tag = 0, ""
        values: dict[str, list[str]] | None = None  # of the current record
        for number, line in text.lines():
            if found := re.fullmatch(self.tagged, line.rstrip()):
                tag, value = found[1], (found[2] or "").strip()
                if tag in (self.first, self.last):
                    if values:
                        yield self._raw(began, values)
                    began, values = number, {} if tag == self.first else None
                if values is not None:
                    values.setdefault(tag, []).append(value)
            elif values and tag in values and line.strip():
                # Web of Science has one name per line; in PubMed's format no name is continued.
                is_name = tag in ("AU", "AF") and line[:1].isspace()
                before = "" if is_name else values[tag].pop()
                values[tag].append(f"{before} {line.strip()}".strip())
        if values:
            if self.last:
                reason = f"the file ends inside a record: no {self.last} line"
                yield Problem(name, began, reason, is_damage=True, is_warning=True)
            yield self._raw(began, values)

    def _raw(self, line: int, values: Mapping[str, list[str]]) -> Raw:
        fields: dict[str, object] = {}
        for tag, field in self.fields.items():
            found = [value for value in values.get(tag, []) if value]
            if found and field not in fields:
                if field == "doi":
                    found = [value.split(" [")[0] for value in found if "10." in value][:1]
                fields[field] = found if field == "authors" else "\n".join(found)
        title, key = str(fields.get("title", "")), str(fields.pop("abstractqa id", ""))
        if self is PUBMED and not title.endswith(".."):
            fields["title"] = _title_of_pubmed(title)
        if key.startswith("abstractqa:"):  # any other is the key of another program
            fields["id"] = key.removeprefix("abstractqa:")
        return Raw(line, fields)


RIS = Dialect(
    r"([A-Z][A-Z0-9])\s*-(?:\s+(.*))?",
    {"TI": "title", "T1": "title", "CT": "title", "AB": "abstract", "N2": "abstract",
     "AU": "authors", "A1": "authors", "PY": "year", "Y1": "date", "DA": "date",
     "T2": "venue", "JO": "venue", "JF": "venue", "JA": "venue", "UR": "url", "DO": "doi",
     "ID": "abstractqa id", "C7": "arxiv", "AN": "pmid"},
    "TY", "ER",
)  # fmt: skip
PUBMED = Dialect(
    r"(?=[A-Z0-9\s]{4})([A-Z][A-Z0-9]{1,3})\s*-(?:\s+(.*))?",
    {"TI": "title", "BTI": "title", "TT": "title", "AB": "abstract", "OAB": "abstract",
     "FAU": "authors", "AU": "authors", "CN": "authors", "DP": "date", "JT": "venue", "TA": "venue",
     "LID": "doi", "AID": "doi", "PMID": "pmid"},
    "PMID",
)  # fmt: skip
WOS = Dialect(
    r"([A-Z0-9]{2})(?: (.*))?",
    {"TI": "title", "AB": "abstract", "AF": "authors", "AU": "authors", "PD": "date", "PY": "year",
     "SO": "venue", "DI": "doi", "PM": "pmid"},
    "PT", "ER",
)  # fmt: skip
ENDNOTE = Dialect(
    r"%([^\sa-z])(?: (.*))?",
    {"T": "title", "X": "abstract", "A": "authors", "8": "date", "D": "year", "J": "venue",
     "B": "venue", "U": "url", "R": "doi", "M": "doi"},
    "0",
)  # fmt: skip


def _title_of_pubmed(title: str) -> str:
    """Return a title without its full stop and the brackets that mark it as translated."""
    title = title.removesuffix(".")
    inside = title[1:-1]
    is_translated = title == f"[{inside}]" and "[" not in inside and "]" not in inside
    return inside.removesuffix(".") if inside and is_translated else title


def arxiv_score(head: str) -> float:
    """Return how likely the beginning of a file is an arXiv mailing, 0 to 1."""
    return 0.98 * bool(re.search(r"^\\\\\n(?:arXiv:|Paper: )\S+", head, re.MULTILINE))


def read_arxiv(text: Text, name: str) -> Records:
    r"""Yield the papers of a mailing: `\\`, fields, `\\`, abstract (unless replaced), `\\`.

    The first field of a paper begins it even if no `\\` is above.
    """
    first = r"(?:Paper: *)?(?:arXiv:\S+|[a-z-]+/\d{7})(?: *\(.*\))? *$"
    second = r"[A-Z][A-Za-z-]{2,20}: ?|replaced |\(\*"
    listed, began = None, 0
    parts: list[list[str]] = []  # lines of the current paper: its fields, its abstract
    lines = chain(text.lines(), [(0, "\\\\ end"), (0, "")])
    for (number, line), (_, following) in pairwise(lines):
        if re.match(first, line) and re.match(second, following):
            yield from _mailed(parts, name, began, listed)
            began, parts = began if parts == [[]] else number, [[line]]
        elif not line.startswith("\\\\"):
            if parts:
                parts[-1] += [line] * (len(line) < 20 or set(line.strip()) != {"-"})
            elif line.startswith("Date: "):
                listed = read_date(line.removeprefix("Date: ")) or listed
        elif parts and (len(parts) == 2 or line.strip() != "\\\\"):
            yield from _mailed(parts, name, began, listed)
            parts = []
        elif line.strip() == "\\\\":
            began = began if parts else number
            parts.append([])


def _mailed(parts: list[list[str]], name: str, line: int, listed: Dated | None) -> Records:
    fields_at, text_at = [*parts, [], []][:2]
    head, abstract = "\n".join(filter(str.strip, fields_at)), "\n".join(text_at).strip()
    if not head and not abstract:
        return
    found = re.findall(r"(?m)^([A-Z][A-Za-z-]{2,20}): ?(.*(?:\n[^\S\n].*)*)", head)
    fields = {tag.casefold(): re.sub(r"\s*\n\s*", " ", value).strip() for tag, value in found}
    if known := re.search(r"(?m)^(?:Paper:\s*)?(arXiv:\S+|[a-z-]+/\d{7})", head):
        fields["arxiv"] = known[1]
    if revised := re.search(r"(?m)^replaced with revised version (.*)", head):
        fields["date"] = revised[1]
    if not abstract:
        title = fields.get("title", "a paper")
        yield Problem(name, line, f"{title[:80]!r} has no abstract in this mailing")
        return
    date = re.sub(r"\s*\(\d+kb.*$", "", fields.get("date", ""))
    yield Raw(line, {**fields, "date": date, "abstract": abstract}, listed=listed)


_CITED = re.compile(r"\d{1,5}\. \S.*\d{4}.*(?:[;:.]|doi)")
_NOT_ABSTRACT = re.compile(
    r"(?i)(?:Author information|Comment (?:in|on)|Erratum in|Update (?:in|of)|Collaborators?"
    r"|Conflict of interest|Copyright|©|\(c\) ?\d{4}|DOI:|PMC?ID:|Free (?:PMC|full))"
)


def pubmed_text_score(head: str) -> float:
    """Return how likely the beginning of a file is PubMed's "Abstract (text)", 0 to 1."""
    return 0.96 * bool(_CITED.match(head.lstrip()) and re.search(r"^PMID: \d+", head, re.MULTILINE))


def read_pubmed_text(text: Text, _name: str) -> Records:
    """Yield the records of PubMed's "Abstract (text)": blocks in a fixed order, ids at the end."""
    began, lines = 0, list[str]()
    for number, line in chain(text.lines(), [(0, None)]):
        is_apart = not any(lines) or (
            not lines[-1] and any(line.startswith("PMID:") for line in lines)
        )
        if line is None or (is_apart and _CITED.match(line)):
            if any(lines):
                yield _pubmed_record(began, re.split(r"\n\n+", "\n".join(lines).strip()))
            began, lines = number, []
        lines.append((line or "").strip())


def _pubmed_record(began: int, blocks: list[str]) -> Raw:
    """Make a record of its blocks: citation, title, perhaps authors, abstract, remarks and ids."""
    citation, title = (block.replace("\n", " ") for block in [*blocks, ""][:2])
    fields: dict[str, object] = {"title": _title_of_pubmed(title)}
    if where := re.match(r"\d+\. (?P<venue>.+?)\. (?P<date>\d{4}[^;:.(]*)", citation):
        fields |= {"venue": where["venue"], "date": where["date"].strip()}
    texts = [block for block in blocks[2:] if not block.startswith("[Article in")]
    if texts and not _NOT_ABSTRACT.match(texts[0]):
        names = re.sub(r"\([\d#)(,]+\)|[*†‡]", "", texts[0].replace("\n", " ").rstrip("."))
        if len(names) < 2_000 and all(len(each.split()) < 6 for each in names.split(",")):
            fields["authors"] = names
            del texts[0]
    kept = [block for block in texts if not _NOT_ABSTRACT.match(block)]
    ids = re.findall(r"(?m)^(DOI|PMID): (\S+)", "\n".join(blocks[1:]))
    return Raw(began, {**fields, "abstract": "\n".join(kept), **{k.casefold(): v for k, v in ids}})


_SIGNS = {
    "\\textbackslash{}": "\\", "\\textbraceleft{}": "{", "\\textbraceright{}": "}",
    "\\textasciitilde{}": "~", "\\textasciicircum{}": "^", "\\$": "$", "\\_": "_", "\\%": "%",
    "\\{": "{", "\\}": "}",
}  # fmt: skip
"""LaTeX command → the sign that it prints, for signs that are part of LaTeX's syntax."""


def bibtex_score(head: str) -> float:
    """Return how likely the beginning of a file is BibTeX, 0 to 1."""
    found = re.search(r"^\s*@\s*[A-Za-z]+\s*[{(]\s*[^\s,={}]*\s*,", head, re.MULTILINE)
    return 0.96 * bool(found and found.start() < len(head) / 2)


def read_bibtex(text: Text, name: str) -> Records:
    """Yield the entries of a file; report a broken one as damage, and go on with the next."""
    # Imported here: most files are not BibTeX.
    from bibtexparser import middlewares
    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # problems are reported below
    stack = [
        middlewares.ResolveStringReferencesMiddleware(),
        middlewares.RemoveEnclosingMiddleware(),
        middlewares.NormalizeFieldKeys(),
        middlewares.SeparateCoAuthors(),
    ]
    strings: list[str] = []
    for line, kind, entry in _entries(text):
        if kind == "string":
            strings.append(entry)
        if kind in ("string", "preamble", "comment"):
            continue
        library = parse_string("\n".join([*strings, entry]), parse_stack=stack)
        if not library.entries:
            yield Problem(name, line, "a broken entry: its braces do not match", is_damage=True)
        for found in library.entries:
            fields = {field.key: _latex_plain(field.value) for field in found.fields}
            if "month" in fields and "year" in fields:
                fields.setdefault("date", f"{fields['month']} {fields['year']}")
            yield Raw(line, {**fields, "bibtexkey": found.key})


def _entries(text: Text) -> Iterator[tuple[int, str, str]]:
    """Yield each entry's first line, kind (lower case), and text with any comment after it."""
    lines: list[str] = []
    began, kind = 0, ""
    for number, line in chain(text.lines(), [(0, "@end{")]):
        if match := re.match(r"\s*@\s*([A-Za-z]+)\s*[{(]", line):
            if lines:
                yield began, kind, "\n".join(lines)
            lines, began, kind = [], number, match[1].casefold()
        if began and len(lines) < 5_000:
            lines.append(line)


def _latex_plain(value: object) -> object:
    """Return a field without LaTeX; authors as a list, in which names in braces stay literal."""
    if not isinstance(value, list):
        return _latex_text(str(value))
    braced = [(name, re.fullmatch(r"\{(.*)\}", name, re.DOTALL)) for name in value]
    return [{"literal": _latex_text(one[1])} if one else _latex_text(name) for name, one in braced]


def _latex_text(value: str) -> str:
    """Convert LaTeX to text; keep the signs of `_SIGNS` as private-use characters meanwhile."""
    private = dict(enumerate(_SIGNS.values(), start=0xE000))
    for written, character in zip(_SIGNS, private, strict=True):
        value = value.replace(written, chr(character))
    plain = clean_text(value).replace("{", "").replace("}", "")
    return plain.translate(private)


_FEED = {"title": "title", "abstract": "summary|description|abstract", "doi": "doi",
         "date": "published|pubDate|date", "authors": "author/name|creator",
         "arxiv": "id|link", "url": "id|link|url", "venue": "journal_ref"}  # fmt: skip
_PUBMED = {
    "title": ".//Article/ArticleTitle|.//ArticleTitle|.//BookTitle",
    "abstract": ".//Article/Abstract/AbstractText|.//Abstract/AbstractText",
    "authors": ".//Article/AuthorList/Author|.//AuthorList/Author", "venue": ".//Journal/Title",
    "date": ".//PubDate/MedlineDate|.//PubDate", "pmid": "MedlineCitation/PMID|.//PMID",
    "doi": "PubmedData/ArticleIdList/ArticleId[@IdType='doi']|.//ELocationID[@EIdType='doi']",
}  # fmt: skip
_RECORDS: Mapping[str, Mapping[str, str]] = {
    "PubmedArticle": _PUBMED,
    "PubmedBookArticle": _PUBMED,
    "entry": _FEED,
    "item": _FEED,
    "record": {
        "title": ".//title", "abstract": ".//abstract|.//description", "doi": ".//doi",
        "authors": ".//author|.//authors|.//creator",
        "date": ".//created|.//version/date|.//date|.//year",
        "arxiv": ".//identifier", "url": ".//identifier", "venue": ".//journal-ref|.//journal",
    },
    "paper": {**_FEED, "authors": "author"},
}  # fmt: skip
"""Tag of a record's element → field → ElementTree paths separated by `|`; the first match wins."""
_VOLUME = {"venue": "booktitle", "year": "year"}  # that papers of an ACL Anthology volume share


def xml_score(head: str) -> float:
    """Return how likely the beginning of a file is XML of records, not a page, 0 to 1."""
    is_xml = re.match(r"\s*(?:<\?xml\b|<!DOCTYPE (?!html)|<[A-Za-z][\w:.-]*(?:\s|>))", head)
    roots = ("<Pubmed", "<feed", "<rss", "<OAI-PMH", "<collection", "<volume", "<record", "<entry")
    return 0.93 * bool(is_xml and any(root in head for root in roots))


def read_xml(text: Text, name: str) -> Records:
    """Yield the records of a file; raise `ReadError` if it declares entities or has no record."""
    # Imported here: most files are not XML.
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    def content() -> Iterator[bytes]:
        """Yield the text as UTF-8, without an XML declaration or characters that XML forbids."""
        for number, line in text.lines():
            bare = re.sub(r"\s*<\?xml[^>]*\?>", "", line) if number == 1 else line
            bare = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", " ", bare)
            yield bare.encode() + b"\n"

    chunks = content()
    stream = SimpleNamespace(read=lambda _size: next(chunks, b""))
    record: Element | None = None  # the current one
    volume: Mapping[str, object] = {}
    seen = False
    try:
        for event, element in iterparse(stream, events=("start", "end")):
            if event == "start":
                record = element if record is None and _tag(element) in _RECORDS else record
            elif record is not None and element is record:
                fields = _fields(record, _RECORDS[_tag(record)])
                if "title" in fields or "abstract" in fields:
                    seen = True
                    yield Raw(None, {**volume, **fields})
                record = None
            elif _tag(element) == "meta":
                volume = _fields(element, _VOLUME)
            if event == "end" and record is None and _tag(element) not in _VOLUME.values():
                element.clear()
    except DefusedXmlException as error:
        raise ReadError("the XML declares entities: not read") from error
    except ParseError as error:
        reason = f"broken XML: {str(error).split(':')[0]}"
        yield Problem(name, error.position[0], reason, is_damage=True)
    if not seen:
        raise ReadError("XML without paper records of a known kind")


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _fields(element: Element, places: Mapping[str, str]) -> Mapping[str, object]:
    fields: dict[str, object] = {}
    for field, paths in places.items():
        anywhere = re.sub(r"(?<![@\w'-])(?=[A-Za-z])", "{*}", paths)
        values = (_value(field, element.findall(path)) for path in anywhere.split("|"))
        if value := next(filter(None, values), None):
            fields[field] = value
    return fields


def _value(field: str, found: list[Element]) -> object:
    texts = [_text(each) or each.get("href", "") for each in found]
    if field == "authors":
        parts = ({_tag(child): _text(child) for child in each} for each in found)
        return [name or text for name, text in zip(parts, texts, strict=True)]
    if field == "abstract":
        labels = [f"{each.get('Label')}: " if each.get("Label") else "" for each in found]
        labelled = (label + text for label, text in zip(labels, texts, strict=True) if text)
        # arXiv's feeds put the id and the kind of announcement in front.
        return re.sub(r"^(?:arXiv:)?.{0,80}?\bAbstract: ", "", "\n".join(labelled))
    if field == "arxiv":
        bare = (text.removeprefix("oai:arXiv.org:") for text in texts)
        known = (arxiv_id(id_, is_known=id_ != text) for id_, text in zip(bare, texts, strict=True))
        return next(filter(None, known), "")
    if field == "url":
        texts = [text for text in texts if text.startswith("http")]
    if field == "date" and found and len(found[0]):
        return {_tag(part).casefold(): _text(part) for part in found[0]}
    return next(filter(None, texts), "")


def _text(element: Element) -> str:
    """Return the text of an element; keep `<sub>` and `<sup>` as tags."""

    def content(at: Element) -> str:
        pieces = [at.text or ""]
        for child in at:
            tag, inside = _tag(child), content(child)
            pieces.append(f"<{tag}>{inside}</{tag}>" if tag in ("sub", "sup") else inside)
            pieces.append(child.tail or "")
        return "".join(pieces)

    return " ".join(content(element).split())
