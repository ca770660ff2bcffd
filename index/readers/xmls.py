"""XML of papers: PubMed, arXiv (Atom, OAI), the ACL Anthology, JATS, EndNote, an element at a time.

Neither entities nor anything from a network is taken in.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError

from index.papers import arxiv_id
from index.readers.decoding import Text
from index.readers.records import Problem, Raw, ReadError, canonical

_RECORDS = frozenset(
    "pubmedarticle pubmedbookarticle entry record paper article item mods doc".split()
)
_PARTS: Mapping[str, str] = {
    tag: part
    for part, tags in {
        "person": "author creator contrib contributor name individualname",
        "people": "authors authorlist creators contribgroup contributors",
        "abstract": "abstract summary abstracts description otherabstract",
        "title": "title articletitle booktitle vernaculartitle",
        "date": "published pubdate articledate date created issued datepublished pubdates"
        " datecompleted",
        "id": "pmid doi elocationid",
        "link": "link",
        "of others": "referencelist reflist reference commentscorrectionslist meta",
    }.items()
    for tag in tags.split()
}
"""What an element holds, by its name."""
_SHARED = {"booktitle": "venue", "year": "year", "month": "month"}
"""What the papers of a volume of the ACL Anthology share: element → field."""
_WRITERS = ("", "author", "personal")
"""What the type of a person says, if it says something, who wrote the paper."""
_NO_WRITERS = ("secondary", "editor", "tertiary", "subsidiary", "translat")
_IDS = {"pubmed": "pmid", "pmid": "pmid", "doi": "doi", "arxiv": "arxiv"}
_OF_JOURNALS = ("journal", "book", "secondary", "periodical")
"""Names of elements whose titles are not those of papers."""
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

    def read(self, _size: int = -1) -> bytes:
        number, line = next(self._lines, (0, None))
        if line is None:
            return b""
        line = re.sub(r"\s*<\?xml[^>]*\?>", "", line) if number == 1 else line
        line = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", " ", line)
        return line.encode() + b"\n"


def read_xml(text: Text, name: str) -> Iterator[Raw | Problem]:
    """The records of a file, in order.

    Raises:
        ReadError: it has entities of its own, which may hold anything.
    """
    # Imported here: most files are no XML.
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    depth, shared, seen = 0, dict[str, str](), False
    try:
        for event, element in iterparse(_Characters(text), events=("start", "end")):
            tag = _tag(element)
            if event == "start":
                depth += tag in _RECORDS
                continue
            depth -= tag in _RECORDS
            if tag == "meta":
                shared = {_SHARED[_tag(e)]: _text(e) for e in element if _tag(e) in _SHARED}
            if depth or tag in ("meta", *_SHARED):
                continue
            if tag in _RECORDS and (fields := _fields(element)):
                seen = True
                yield Raw(None, {**shared, **fields})
            element.clear()
    except DefusedXmlException as error:
        raise ReadError("XML with entities of its own: not read") from error
    except ParseError as error:
        reason = f"broken XML: {str(error).split(':')[0]}"
        yield Problem(name, error.position[0], reason, is_damage=True)
    if not seen:
        raise ReadError("XML without records of papers that are known here")


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


def _fields(element: Element) -> Mapping[str, object]:
    """The fields of a record; none if it has neither a title nor an abstract."""
    said: dict[str, list[object]] = defaultdict(list)
    titles: dict[str, str] = {}
    _gather(element, said, titles)
    own = [title for where, title in titles.items() if "articletitle" in where]
    own += [t for where, t in titles.items() if not any(each in where for each in _OF_JOURNALS)]
    fields = {
        "venue": titles.get("journal title") or titles.get("booktitle"),
        **{name: values[0] for name, values in said.items()},
        "title": next(iter((*own, *titles.values())), ""),
        "authors": said["authors"],
    }
    fields = {name: value for name, value in fields.items() if value}
    return fields if "title" in fields or "abstract" in fields else {}


def _gather(
    element: Element, said: dict[str, list[object]], titles: dict[str, str], inside: str = ""
) -> None:
    """Take what the elements in a record say, the outermost of a name first.

    Args:
        element: The record, or an element in it.
        said: Field → what was said of it, which is added to.
        titles: The titles by the names of their elements and of those around them, added to.
        inside: The name of the element, if it is not the record itself.
    """
    for child in element:
        tag, kind = _tag(child), _kind(child)
        part = _PARTS.get(tag, "id" if kind in _IDS else "")
        match part:
            case "person" if kind in _WRITERS and not inside.startswith(_NO_WRITERS):
                said["authors"].append(_person(child))
            case "people":
                _gather(child, said, titles, tag)
            case "abstract":
                said["abstract"].append(_abstract(child))
            case "title":
                titles.setdefault(f"{inside} {tag}".strip(), _text(child))
            case "date":
                said["date"].append(_date(child))
            case "id" if name := _IDS.get(kind or tag):
                said[name].append(_text(child))
            case "link" if child.get("rel", "alternate") == "alternate":
                said["url"].append(child.get("href") or _text(child))
            case "" if not _is_leaf(child):
                _gather(child, said, titles, tag)
            case "" if field := _other(child, tag):
                said[field[0]].append(field[1])


def _other(element: Element, tag: str) -> tuple[str, str] | None:
    """The field that a text belongs to whose element has no meaning of its own, and the text."""
    text = _text(element)
    if tag in ("identifier", "id", "guid"):
        return _identified(text)
    name = canonical(tag)
    return (name, text) if name and name not in ("id", "title", "abstract") else None


def _identified(given: str) -> tuple[str, str] | None:
    """The field that an identifier without a type belongs to, and what it says."""
    lowered = given.casefold()
    arxiv = re.sub(r"^oai:arxiv\.org:", "", given, flags=re.IGNORECASE)
    if known := arxiv_id(arxiv, is_known="arxiv" in lowered):
        return "arxiv", known
    if "doi.org" in lowered or lowered.startswith(("10.", "doi:")):
        return "doi", given
    return ("url", given) if lowered.startswith("http") else None


def _kind(element: Element) -> str:
    """The type that an attribute gives an element."""
    types = (value for key, value in element.attrib.items() if "type" in key.casefold())
    return next(types, "").casefold()


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
        text, label = _text(child), child.get("Label") or child.get("label")
        if _tag(child) == "sec":
            head, cut, rest = _abstract(child).partition("\n")
            text, label = (rest, head.rstrip(":")) if cut else (head, None)
        is_heading = _tag(child) == "title" and text.casefold() in ("abstract", "summary")
        if text and not is_heading:
            said.append(f"{label}: {text}" if label else text)
    return "\n".join(said)


def _date(element: Element) -> object:
    parts = {_tag(child): _text(child) for child in element}
    if "year" in parts:
        return {key: parts.get(key) for key in ("year", "month", "day")}
    return parts.get("medlinedate") or _text(element)
