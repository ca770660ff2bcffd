"""What each paragraph of a digest is for, told by how it reads and by what is around it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise, zip_longest

from index.normalise import DOI, canonical
from index.papers import arxiv_id
from index.readers.dates import date_of, is_date
from index.readers.furniture import is_authors, is_furniture, is_name
from index.readers.pages import Page
from index.readers.paragraphs import Kind, Paragraph, Stands, paragraphs

_LABEL = re.compile(r"(?P<label>[A-Za-z][A-Za-z -]{1,24}?)\s*(?P<sign>[:：]|[.—–](?=\s|$)|$)\s*")
_TITLE_MARK = re.compile(
    r"(?:title\s*:|\d\ufe0f?\u20e3|#{1,6}(?=\s)|\[?\d{1,3}[.)\]](?=\s)|[-*•](?=\s)|\[(?:pdf|html|book|citation)\]"
    r"|[^\w\s(\[“\"'‘«¿¡<$\\]+(?=\s))\s*",
    re.IGNORECASE,
)
_TITLE_TAIL = re.compile(
    r"\s*(?:\(\s*\d+\s+min(?:ute)?s?(?:\s+read)?\s*\)|(?-i:\((?:[A-Z]+ ){0,2}[A-Z]{4,}\))"
    r"|\[(?:pdf|html|link|\d{1,3})\])$",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\[(?P<number>\d{1,3})\]:?\s+(?P<address>https?://\S+)\s*")
"""A line that says where a link leads: "[4] https://arxiv.org/abs/…"."""
_NOTED = re.compile(r"\[(?P<number>\d{1,3})\]\s*$")
_AFFILIATED = re.compile(
    r"universi|institut|college|school|laborator|department|academy|hospital|\blabs?\b|\binc\b",
    re.I,
)
_BOLD = re.compile(r"(?P<sign>\*\*|__|\*|_)(?P<inside>[^*_].*)(?P=sign)")
_SECTION = re.compile(
    r"(?:background|introduction|context|motivation|purpose|aims?|objectives?|goals?|importance"
    r"|rationale|hypothesis|design|setting|patients|participants|population|data sources?|methods?"
    r"|materials and methods|methodology|approach|interventions?|measurements?|main outcomes?"
    r"|results?|findings|main results|observations|evaluation|discussion|limitations?|conclusions?"
    r"|interpretation|significance|implications|relevance|originality|contributions?|summary)"
    r"(?:\s*(?:and|/|&)\s*\w+)?:?",
    re.IGNORECASE,
)
_SUMMARY = re.compile(
    r"(?:(?:ai[- ]generated |ai )?summary|tl;?dr|in short|key (?:points|findings))[:.]?", re.I
)
_SUMMARISED = re.compile(
    r"[\s*_]*(?:(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*|tl;?dr\s+(?=.{60}))", re.I
)
_ABSTRACT = re.compile(r"[\s*_]*abstract\s*[:：.—–]+\s*(?=\S)", re.IGNORECASE)
_OPENS_ID = re.compile(r"(?:arxiv\s*:|doi\s*:|pmid\s*:|10\.\d{4,9}/)", re.IGNORECASE)
BYLINE = re.compile(
    r"(?P<names>(?:[^-–—·|]|(?<=\w)-(?=\w)){3,300}?)\s+[-–—·|]\s+(?P<where>.*\b(?:19|20)\d\d\b.*)$"
)
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)
_OFTEN = 3
_LEAST_TITLE = 3
"""Words that a line needs to read as a title whatever is around it."""


class Role(Enum):
    """What a paragraph is for."""

    PROSE = "prose"
    SENTENCE = "sentence"
    """A sentence by itself: a part of an abstract, or a title with a stop."""
    LINE = "line"
    """A title, unless a better one is near."""
    TITLE = "title"
    """A title that is marked as one."""
    SECTION = "section"
    """A heading inside an abstract."""
    ABSTRACT = "abstract"
    """The word above an abstract."""
    SUMMARY = "summary"
    """A word above what is no abstract."""
    DATE = "date"
    FIELD = "field"
    """What is known of a paper: authors, ids, links, its own date."""
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Item:
    """A paragraph with its role."""

    role: Role
    paragraph: Paragraph
    field: str = ""
    value: str = ""
    is_heading: bool = False
    links: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its lines in one."""
        return self.paragraph.text


def read_items(page: Page) -> list[Item]:
    """The paragraphs with their roles, each seen with those around it."""
    found = list(paragraphs(page.text, _stands))
    recurring = _recurring(found)
    labels = Counter(label for each in found if (label := _label(each.text)))
    often = {label for label, count in labels.items() if count > 1}
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    items: list[Item] = []
    for each, below in zip_longest(found, found[1:]):
        links = tuple(page.links.get(each.line, ()))
        if noted := _NOTED.search(each.text):
            links += tuple(filter(None, [notes.get(noted["number"])]))
        over_prose = below is not None and below.kind is Kind.PROSE
        around = _Around(recurring, often, over_prose)
        items += _roles(each, each.line in page.headings, links, around)
    return _resolved(items)


@dataclass(frozen=True, slots=True)
class _Around:
    """What the file says of a paragraph."""

    recurring: set[str]
    """Lines that come again and again."""
    labels: set[str]
    """Labels that come more than once."""
    over_prose: bool
    """Whether prose comes next: a title stands there."""


def _label(text: str) -> str | None:
    match = _LABEL.match(re.sub(r"^[^\w(\[<]+", "", text))
    if match is None or match["sign"] not in (":", "：") or "//" in text[match.end() :][:2]:
        return None
    return match["label"].casefold()


def is_labelled(text: str) -> bool:
    """Whether a text opens with the name of a field."""
    return _label(text) is not None


def _stands(line: str) -> Stands | None:
    """How a line stands among those around it: it opens a field, or is one of its own."""
    text = line.strip()
    if _URL.match(text) or _OPENS_ID.match(text):
        return "alone"
    if _is_byline(text) or is_authors(without_more(text)):
        return "alone"
    return "opens" if _labelled(line) else None


def _is_byline(text: str) -> bool:
    """Whether a line says who wrote a paper, and where and in which year it came out."""
    line = BYLINE.fullmatch(text)
    return line is not None and is_authors(f"{without_more(line['names'])}, Ann Other")


def _labelled(text: str) -> tuple[str, int] | None:
    """The field that a text opens with, and where what it says begins."""
    if abstract := _ABSTRACT.match(text):
        return "abstract", abstract.end()
    opening = re.match(r"[^\w(\[<]*", text)
    at = opening.end() if opening else 0
    match = _LABEL.match(text, at)
    if match is None or (
        match["sign"] not in ":："
        and match.end() < len(text)
        and match["label"].casefold() != "abstract"
    ):
        return None
    label = match["label"].strip()
    known = "header" if label.casefold() in _HEADERS else canonical(label)
    known = known or ("other" if _is_other(label) else None)
    is_bare = match["sign"] == "" or match.end() == len(text)
    if known is None or (is_bare and known not in ("abstract", "authors", "other")):
        return None
    if known == "abstract" and label.casefold() not in ("abstract", "summary"):
        return None
    if known in ("other", "header") and not match["sign"]:
        return None
    return known, re.compile(r"[\s*_]*").match(text, match.end()).end()  # type: ignore[union-attr]


_HEADERS = frozenset("from to cc bcc subject reply-to".split())
"""Labels of a mail's head."""
_OTHER = frozenset(
    "subjects comments comment categories category keywords"
    " tags topics topic license report-no msc-class acm-class pmcid affiliations affiliation code"
    " github website project projects contact github-repo citations upvotes score".split()
)


def _is_other(label: str) -> bool:
    return label.casefold().replace(" ", "-") in _OTHER


def _recurring(found: Sequence[Paragraph]) -> set[str]:
    """Lines that stand before several different paragraphs, as "Read more" does."""
    followers: dict[str, list[str]] = {}
    for paragraph, following in zip_longest(found, found[1:]):
        if paragraph.kind is Kind.LINE and not is_date(paragraph.text):
            after = following.text if following else ""
            followers.setdefault(paragraph.text, []).append(after)
    return {
        text for text, texts in followers.items() if len(texts) >= _OFTEN and len(set(texts)) > 1
    }


def _roles(
    paragraph: Paragraph,
    is_heading: bool,
    links: tuple[str, ...],
    around: _Around,
) -> list[Item]:
    """A paragraph with its role, as far as it tells it itself; a label and its value are two."""
    text = paragraph.text.strip()

    def item(role: Role, name: str = "", value: str = "", of: Paragraph = paragraph) -> list[Item]:
        return [Item(role, of, name, value, is_heading, links)]

    bare = text.strip(" *_:.#-").casefold()
    if bare == "abstract":
        return item(Role.ABSTRACT)
    if _SUMMARY.fullmatch(text.strip(" *_#")) and bare != "summary":
        return item(Role.SUMMARY)
    if _SECTION.fullmatch(text.strip(" *_#")):
        return item(Role.SECTION)
    if summarised := _SUMMARISED.match(text):
        inside = replace(
            paragraph, kind=Kind.PROSE, start=paragraph.start + summarised.end(),
            text=text[summarised.end() :],
        )  # fmt: skip
        return [*item(Role.SUMMARY), *item(Role.PROSE, of=inside)]
    if labelled := _labelled(text):
        name, at = labelled
        value = text[at:].strip(" *_")
        if name == "abstract" and value:
            inside = replace(paragraph, kind=Kind.PROSE, start=paragraph.start + at, text=value)
            return [*item(Role.ABSTRACT), *item(Role.PROSE, of=inside)]
        if name == "title" and value:
            return item(Role.TITLE, "title", value)
        is_often = _label(text) in around.labels
        if name == "header":
            return item(Role.NOISE, name)
        if name in ("abstract", "other", "id"):
            if is_often or not around.over_prose:
                return item(Role.NOISE)
        elif is_often or _is_plausible(name, value):
            return item(Role.FIELD, name, value)
    if _label(text) in around.labels and not around.over_prose and paragraph.kind is not Kind.PROSE:
        return item(Role.NOISE)
    role, name, value = _role(paragraph, text in around.recurring)
    return item(role, name, value)


def _role(paragraph: Paragraph, recurs: bool) -> tuple[Role, str, str]:
    """The role of a paragraph without a label, and the field that it fills."""
    text = paragraph.text.strip()
    if is_date(text):
        return Role.DATE, "", ""
    if _NOTE.fullmatch(text) or re.fullmatch(r"[-=_*]{3,}.*[-=_*]{3,}", text):
        return Role.NOISE, "", ""
    if recurs and not is_authors(text):
        return Role.SUMMARY if len(text.split()) < 5 else Role.NOISE, "", ""
    if paragraph.kind is Kind.PROSE:
        return Role.NOISE if is_furniture(text) else Role.PROSE, "", ""
    if known := _known(text):
        return Role.FIELD, *known
    by = re.sub(r"^by:?\s+", "", text, flags=re.IGNORECASE)
    if by != text and (is_authors(without_more(by)) or is_name(by)):
        return Role.FIELD, "authors", by
    if is_furniture(text):
        return Role.NOISE, "", ""
    names = without_more(text)
    if is_authors(names) or (names != text and is_name(names)):
        return Role.FIELD, "authors", names
    if _AFFILIATED.search(names) and "," in names:
        first = names.split(",")[0]
        is_known = is_name(first) and not _AFFILIATED.search(first)
        return (Role.FIELD, "authors", first) if is_known else (Role.NOISE, "", "")
    if _is_byline(text):
        return Role.FIELD, "byline", text
    is_item = re.fullmatch(r"\s*[-*•‣]\s+[a-z].*", text)
    return Role.SENTENCE if paragraph.kind is Kind.SENTENCE or is_item else Role.LINE, "", ""


def _is_plausible(name: str, value: str) -> bool:
    """Whether a value is what its label says, though the label comes but once."""
    if name == "date":
        return is_date(value) or date_of(value) is not None
    if name == "authors":
        return is_authors(without_more(value)) or is_name(value)
    return name != "venue" and _known(value) is not None


def without_more(text: str) -> str:
    """Names without affiliations, marks of footnotes, and "and 12 more authors"."""
    text = re.sub(r"\([^()]*\)|\+?\s*\d+\s+(?:more\s+)?authors?|\bet al\.?|…|\.\.\.", "", text)
    return re.sub(r"(?:\s*,){2,}", ",", re.sub(r"[\d*†‡§]+(?=\s*,|\s*$)", "", text)).strip(" ,")


def _known(text: str) -> tuple[str, str] | None:
    """The id or link that a line is about, if it holds hardly anything else."""
    if len(text) > 160:
        return None
    rest = re.sub(r"\([^()]*\)", "", _URL.sub("", text))
    rest = re.sub(r"(?:arxiv|doi|pmid|pmcid|pmc)\b:?", "", rest, flags=re.IGNORECASE)
    rest = re.sub(
        r"10\.\d{4,9}/\S+|\d{4}\.\d{4,5}(?:v\d+)?|\[[\w ,.;/()-]*\]|\bPMC\d+|\b\d{6,9}\b", "", rest
    )
    if sum(c.isalpha() for c in rest) > 3 or rest == text:
        return None
    shown = re.sub(r"\([^()]*\)|\s*\[[\w ,.;/()-]*\]|^\d+\.\s", "", text).strip()
    if found := arxiv_id(shown.removeprefix("arXiv:").strip()) or arxiv_id(text):
        return "arxiv", found
    if doi := DOI.search(text):
        return "doi", doi[0]
    if pmid := re.search(r"pmid:?\s*(\d+)", text, re.IGNORECASE):
        return "pmid", pmid[1]
    if url := _URL.fullmatch(text.strip("<>() ")):
        return "url", url[0]
    return None


def _resolved(items: list[Item]) -> list[Item]:
    """Sentences by themselves as titles or as prose, by what stands around them."""
    pairs = list(pairwise([each for each in items if each.role is not Role.NOISE]))
    body = (Role.PROSE, Role.SENTENCE)
    over = [
        a.role for a, b in pairs if b.role is Role.PROSE and a.role in (Role.LINE, Role.SENTENCE)
    ]
    titles_end_in_stops = over.count(Role.SENTENCE) * 2 > len(over)
    resolved: list[Item] = []
    has_title = False
    names_authors = any(each.field == "authors" for each in items)
    for at, item in enumerate(items):
        role, name, value = item.role, item.field, item.value
        if role is Role.SENTENCE:
            below = items[at + 1] if at + 1 < len(items) else None
            over_it = resolved[-1].role if resolved else None
            is_title = (
                below is not None
                and over_it is not Role.SUMMARY
                and below.role in (*body, Role.ABSTRACT, Role.FIELD)
            )
            is_title = is_title and not item.paragraph.opens_sentence and title_like(item) > 0
            if is_title and not titles_end_in_stops:
                is_title = not has_title
            role = Role.LINE if is_title else Role.PROSE
        above = next((each for each in reversed(resolved) if each.role is not Role.NOISE), None)
        is_below = above is not None and (
            above.role in (Role.LINE, Role.TITLE) or above.field == "authors"
        )
        if role is Role.FIELD and not _label(item.text) and item.field in ("authors", "byline"):
            role = Role.FIELD if _has_title_above(resolved) else Role.LINE  # "Read, Look, Sing"
        is_over = at + 1 < len(items) and items[at + 1].field in ("authors", "byline")
        is_last = is_below and not (is_over and above and above.field != "authors")
        if names_authors and role is Role.LINE and is_last and is_name(item.text):
            role, name, value = Role.FIELD, "authors", item.text
        resolved.append(replace(item, role=role, field=name, value=value))
        if role not in (Role.NOISE, Role.FIELD):
            has_title = role in (Role.LINE, Role.TITLE, Role.ABSTRACT, Role.SECTION)
    return resolved


def _has_title_above(resolved: Sequence[Item]) -> bool:
    """Whether a title stands between the last text and what comes next."""
    for item in reversed(resolved):
        if item.role in (Role.PROSE, Role.DATE):
            return False
        if item.role in (Role.TITLE, Role.LINE):
            return True
    return False


def title_like(item: Item) -> float:
    """How much a line reads as a title; above 0 it may be one, above 2 it surely tells enough."""
    if item.role is Role.TITLE:
        return 20
    text = bare_title(item.text)
    words = text.split()
    if not any(c.isalpha() for c in text):
        return -9
    score = 2.5 if len(words) >= _LEAST_TITLE else 1.0
    score += 4 * item.is_heading
    score -= 3 * (text[0].islower() or text.endswith(("!", "…", "...")))
    score -= 1 * is_name(text) + 5 * is_authors(without_more(text))
    score -= 1 * text.endswith(".") + 2 * (len(words) > 40)
    score -= 2 * bool(re.search(r"\S\s[·|•]\s\S|@\w", text)) + 1 * text.endswith(":")
    score -= 4 * bool(re.search(r"\w\(\)|[;{}]$|^[\\@<]|\s[:=]?=\s", text))
    return score


def bare_title(text: str) -> str:
    """A title without the marks of a list, a heading or bold type around it."""
    before = ""
    while before != text:
        before = text
        text = _TITLE_MARK.sub("", text, count=1) if _TITLE_MARK.match(text) else text
        bold = _BOLD.fullmatch(text.strip())
        text = bold["inside"].strip() if bold else text.strip()
    while (shorter := _TITLE_TAIL.sub("", text).rstrip()) not in ("", text):
        text = shorter
    return text
