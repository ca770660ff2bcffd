"""XML of papers: PubMed, arXiv (Atom, OAI), the ACL Anthology, JATS, EndNote, an element at a time.

Neither entities nor anything from a network is taken in.
"""

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from index.normalise import canonical
from index.papers import arxiv_id
from index.readers.opening import Text
from index.readers.records import Problem, Raw, ReadError

_RECORDS = frozenset(
    "pubmedarticle pubmedbookarticle entry record paper article item mods doc".split()
)
_HOLDERS = frozenset("author creator contrib contributor name individualname".split())
_PEOPLE = frozenset("authors authorlist creators contribgroup contributors".split())
_WRITERS = ("", "author", "personal")
"""What the type of a person says, if it says something, who wrote the paper."""
_NO_WRITERS = ("secondary", "editor", "tertiary", "subsidiary", "translat")
_DATES = frozenset(
    "published pubdate articledate date created issued datepublished pubdates datecompleted".split()
)
_PARAGRAPHS = frozenset("abstracttext p sec title".split())
_KEPT = frozenset(("sub", "sup"))
_INLINE = frozenset("sub sup i b em strong u italic bold sc style fixedcase span emph tt".split())


def score(head: str) -> float:
    """How much the beginning of a file looks like XML that is no page, 0 to 1."""
    is_xml = re.match(r"\s*(?:<\?xml\b|<!DOCTYPE (?!html)|<[A-Za-z][\w:.-]*(?:\s|>))", head)
    known = re.search(
        r"<(?:[\w-]+:)?(?:PubmedArticle|feed|OAI-PMH|collection|volume|article|records?|entry|mods)\b",
        head,
    )
    return 0.93 * bool(is_xml and known)


class _Characters:
    """The text of a file as a stream that an XML parser reads: its encoding is settled already."""

    def __init__(self, text: Text) -> None:
        self._lines = text.lines()
        self._is_first = True

    def read(self, _size: int = -1) -> bytes:
        line = next(self._lines, None)
        if line is None:
            return b""
        content = line[1]
        if self._is_first:
            content = re.sub(r"\s*<\?xml[^>]*\?>", "", content)
            self._is_first = False
        content = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", " ", content)
        return content.encode() + b"\n"


def read_xml(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of a file, in order.

    Raises:
        ReadError: it has entities of its own, which may hold anything.
    """
    # Imported here: most files are no XML.
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    depth, context = 0, dict[str, str]()
    stream: Any = _Characters(text)
    seen = False
    try:
        for event, element in iterparse(_as_file(stream), events=("start", "end")):
            tag = _tag(element)
            if event == "start":
                depth += tag in _RECORDS
                continue
            if tag == "meta":  # of a volume of the ACL Anthology: what its papers share
                context = {
                    key: _text(child)
                    for child in element
                    if (
                        key := {"booktitle": "venue", "year": "year", "month": "month"}.get(
                            _tag(child)
                        )
                    )
                }
            if tag in _RECORDS:
                depth -= 1
                if depth == 0:
                    fields = _fields(element)
                    if fields.get("title") or fields.get("abstract"):
                        seen = True
                        yield Raw(None, {**context, **fields})
                    element.clear()
            elif depth == 0 and tag not in ("meta", "booktitle", "year", "month"):
                element.clear()
    except DefusedXmlException as error:
        raise ReadError("XML with entities of its own: not read") from error
    except ParseError as error:
        line = error.position[0] if hasattr(error, "position") else None
        yield Problem(name, line, f"broken XML: {str(error).split(':')[0]}", is_damage=True)
    if not seen:
        raise ReadError("XML without records of papers that are known here")


def _as_file(stream: object) -> IO[bytes]:
    return stream  # type: ignore[return-value] # its `read` is all that is used


def _tag(element: Element) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return re.sub(r"[\W_]", "", tag.rpartition("}")[2]).casefold()


def _text(element: Element) -> str:
    """What an element says; raised and lowered letters stay marked."""

    def said(at: Element) -> str:
        pieces = [at.text or ""]
        for child in at:
            tag, inside = _tag(child), said(child)
            pieces.append(f"<{tag}>{inside}</{tag}>" if tag in _KEPT else inside)
            pieces.append(child.tail or "")
        return "".join(pieces)

    return " ".join(said(element).split())


def _is_leaf(element: Element) -> bool:
    """Whether an element holds text alone, be it in other type."""
    return all(_tag(child) in _INLINE and _is_leaf(child) for child in element)


def _fields(record: Element) -> Mapping[str, object]:
    """The fields of a record, by the names of its elements, the outermost of a name first."""
    found: dict[str, Any] = {}
    titles: dict[str, str] = {}

    def walk(element: Element, inside: str) -> None:  # noqa: PLR0912 - a case an element
        for child in element:
            tag, kind = (
                _tag(child),
                next(
                    (value for key, value in child.attrib.items() if "type" in key.casefold()), ""
                ).casefold(),
            )
            if tag in _HOLDERS:
                if kind in _WRITERS and not inside.startswith(_NO_WRITERS):
                    found.setdefault("authors", []).append(_person(child))
            elif tag in _PEOPLE:
                walk(child, tag)
            elif tag in ("abstract", "summary", "abstracts", "description", "otherabstract"):
                found.setdefault("abstract", _abstract(child))
            elif tag in ("title", "articletitle", "booktitle", "vernaculartitle"):
                titles.setdefault(f"{inside} {tag}".strip(), _text(child))
            elif tag in _DATES:
                found.setdefault("date", _date(child))
            elif tag in (
                "referencelist",
                "reflist",
                "reference",
                "commentscorrectionslist",
                "meta",
            ):
                continue
            elif tag == "link":
                if child.get("rel", "alternate") == "alternate":
                    found.setdefault("url", child.get("href") or _text(child))
            elif kind in ("doi", "pubmed", "pmid", "arxiv") or tag in (
                "pmid",
                "doi",
                "elocationid",
            ):
                name = {"pubmed": "pmid", "elocationid": kind}.get(kind or tag, kind or tag)
                if name in ("pmid", "doi", "arxiv"):
                    found.setdefault(name, _text(child))
            elif not _is_leaf(child):
                walk(child, tag)
            elif tag in ("identifier", "id", "guid"):
                found.setdefault("identifiers", []).append(_text(child))
            elif (called := canonical(tag)) and called not in ("id", "title", "abstract"):
                found.setdefault(called, _text(child))

    walk(record, "")
    own = [t for where, t in titles.items() if "articletitle" in where]
    others = ("journal", "book", "secondary", "periodical")
    own += [t for where, t in titles.items() if not any(each in where for each in others)]
    found["title"] = own[0] if own else next(iter(titles.values()), "")
    found.setdefault("venue", titles.get("journal title") or titles.get("booktitle") or "")
    for given in found.pop("identifiers", []):
        lowered = given.casefold()
        is_arxiv = "arxiv" in lowered
        if known := arxiv_id(re.sub(r"^oai:arxiv\.org:", "", given, flags=re.I), is_known=is_arxiv):
            found.setdefault("arxiv", known)
        elif "doi.org" in lowered or lowered.startswith(("10.", "doi:")):
            found.setdefault("doi", given)
        elif lowered.startswith("http"):
            found.setdefault("url", given)
    return {key: value for key, value in found.items() if value}


def _person(element: Element) -> object:
    """A name: its text, or its parts by the names of their elements."""
    parts = {_tag(child): _text(child) for child in element.iter() if child is not element}
    return _text(element) if _is_leaf(element) else parts


def _abstract(element: Element) -> str:
    """An abstract's paragraphs, one a line, with the labels that they have."""
    paragraphs = [child for child in element if _tag(child) in _PARAGRAPHS]
    if not paragraphs:
        # A feed of arXiv puts a line of its own in front.
        return re.sub(r"^(?:arXiv:)?.{0,80}?\bAbstract: ", "", _text(element))
    said: list[str] = []
    for child in paragraphs:
        if _tag(child) == "sec":
            inside = _abstract(child)
            head, cut, rest = inside.partition("\n")
            said.append(f"{head.rstrip(':')}: {rest}" if cut else inside)
            continue
        label = child.get("Label") or child.get("label")
        text = _text(child)
        if _tag(child) == "title" and text.casefold() in ("abstract", "summary"):
            continue
        said.append(f"{label}: {text}" if label and text else text)
    return "\n".join(filter(None, said))


def _date(element: Element) -> object:
    parts = {_tag(child): _text(child) for child in element}
    if "year" in parts:
        return {key: parts.get(key) for key in ("year", "month", "day")}
    return parts.get("medlinedate") or _text(element)
