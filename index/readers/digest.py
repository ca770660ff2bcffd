"""Digests as people paste them from mails and pages: titles and abstracts, and what is around them.

Nothing marks a title or an abstract for sure, so every paragraph gets a role by how it reads, and
the titles of a file are chosen together: what stands where the titles of its other papers stand is
more likely one. A line that is only a date begins a digest; a file may hold several.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise, zip_longest

from index.normalise import canonical
from index.papers import arxiv_id
from index.readers.dates import Dated, date_of, is_date, read_date
from index.readers.furniture import is_authors, is_footer, is_furniture, is_name
from index.readers.pages import Page
from index.readers.paragraphs import Kind, Paragraph, paragraphs
from index.readers.records import LONGEST_ABSTRACT, Problem, Raw

_LABEL = re.compile(r"(?P<label>[A-Za-z][A-Za-z -]{1,24}?)\s*(?P<sign>[:：]|[.—–](?=\s|$)|$)\s*")
_TITLE_MARK = re.compile(
    r"(?:title\s*:|#{1,6}(?=\s)|\[?\d{1,3}[.)\]](?=\s)|[-*•](?=\s)|\[(?:pdf|html|book|citation)\]"
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
_BOLD = re.compile(r"(?P<sign>\*\*|__)(?P<inside>.+)(?P=sign)")
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
_SUMMARISED = re.compile(r"[\s*_]*(?:ai[- ]generated summary|tl;?dr)\s*[:：]\W*", re.I)
_QUOTED = re.compile(r"^(?:>\s?)+", re.MULTILINE)
_BYLINE = re.compile(r"(?P<names>[^-–—·|]{3,300}?)\s+[-–—·|]\s+(?P<where>.*\b(?:19|20)\d\d\b.*)$")
_WROTE = re.compile(
    r"(?:on|am|le|el|il)\b(?P<when>.{6,80}?)(?:wrote|schrieb|a écrit|escribió|ha scritto)\s*:", re.I
)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)
_OFTEN = 3
_SUMMARISES = 2
"""The rank of a run of prose below a word that says it is a summary."""
_LONGEST_HEAD = 120
"""Characters of a line above all papers that may say their date."""
_LOWER = 0.9
"""What a line above another one of a gap has to read better, to be the title."""
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
class _Item:
    role: Role
    paragraph: Paragraph
    field: str = ""
    value: str = ""
    is_heading: bool = False
    links: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.paragraph.text


@dataclass
class _Entry:
    """A title, or none, and all that follows it up to the next."""

    title: _Item | None
    items: list[_Item] = field(default_factory=list)
    listed: Dated | None = None
    position: int = 0


def read_digest(
    page: Page, name: str, year: int | None, usual_year: int, listed: Dated | None = None
) -> Iterator[Raw | Problem]:
    r"""The papers of a digest, in order, and what could not be read.

    Args:
        page: The digest, with `\n` line ends.
        name: What the papers' sources are called.
        year: The year of dates that have none, if a user gave it.
        usual_year: Their year if no date of the file says one.
        listed: The date of the mail that it came in.
    """
    text = _unquoted(page.text)
    if listed is None and (wrote := _WROTE.search(text[:2000])):
        listed = _first_date(wrote["when"])
        text = text[: wrote.start()] + " " * (wrote.end() - wrote.start()) + text[wrote.end() :]
    items = _items(Page(text, page.headings, page.links))
    yield from _Digest(text, name, year, usual_year, listed, items).read()


def _unquoted(text: str) -> str:
    """A text without the signs of a quoted mail, if most of it is quoted; its lines stay."""
    lines = [line for line in text.split("\n") if line.strip()]
    quoted = sum(line.startswith(">") for line in lines)
    return _QUOTED.sub("", text) if quoted * 2 > len(lines) else text


def _first_date(text: str) -> Dated | None:
    words = text.replace(",", " ").split()
    for start in range(len(words)):
        for end in range(min(len(words), start + 4), start, -1):
            found = date_of(" ".join(words[start:end]))
            if found and found.precision == "day":
                return found
    return None


def _items(page: Page) -> list[_Item]:
    """The paragraphs with their roles, each seen with those around it."""
    found = list(paragraphs(page.text, _is_label))
    recurring = _recurring(found)
    labels = Counter(label for each in found if (label := _label(each.text)))
    often = {label for label, count in labels.items() if count > 1}
    notes = {note["number"]: note["address"] for each in found if (note := _NOTE.match(each.text))}
    items: list[_Item] = []
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
    match = _LABEL.match(text.lstrip(" *_•-"))
    if match is None or match["sign"] not in (":", "：") or "//" in text[match.end() :][:2]:
        return None
    return match["label"].casefold()


def _is_label(line: str) -> bool:
    """Whether a line opens with the name of a field, so that it does not go on the one before."""
    return _labelled(line) is not None


def _labelled(text: str) -> tuple[str, int] | None:
    """The field that a text opens with, and where what it says begins."""
    opening = re.match(r"[\s*_•-]*", text)
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
) -> list[_Item]:
    """A paragraph with its role, as far as it tells it itself; a label and its value are two."""
    text = paragraph.text.strip()

    def item(role: Role, name: str = "", value: str = "", of: Paragraph = paragraph) -> list[_Item]:
        return [_Item(role, of, name, value, is_heading, links)]

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
    if by != text and (is_authors(_without_more(by)) or is_name(by)):
        return Role.FIELD, "authors", by
    if is_furniture(text):
        return Role.NOISE, "", ""
    names = _without_more(text)
    is_affiliated = _AFFILIATED.search(text) and is_name(names.split(",")[0])
    if is_authors(names) or is_affiliated:
        return Role.FIELD, "authors", names.split(",")[0] if is_affiliated else names
    line = _BYLINE.fullmatch(text)
    if line and is_authors(f"{_without_more(line['names'])}, Ann Other"):
        return Role.FIELD, "byline", text
    is_item = re.fullmatch(r"\s*[-*•‣]\s+[a-z].*", text)
    return Role.SENTENCE if paragraph.kind is Kind.SENTENCE or is_item else Role.LINE, "", ""


def _is_plausible(name: str, value: str) -> bool:
    """Whether a value is what its label says, though the label comes but once."""
    if name == "date":
        return is_date(value) or date_of(value) is not None
    if name == "authors":
        return is_authors(_without_more(value)) or is_name(value)
    return name != "venue" and _known(value) is not None


def _without_more(text: str) -> str:
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
    if doi := _DOI.search(text):
        return "doi", doi[0]
    if pmid := re.search(r"pmid:?\s*(\d+)", text, re.IGNORECASE):
        return "pmid", pmid[1]
    if url := _URL.fullmatch(text.strip("<>() ")):
        return "url", url[0]
    return None


def _resolved(items: list[_Item]) -> list[_Item]:
    """Sentences by themselves as titles or as prose, by what stands around them."""
    pairs = list(pairwise([each for each in items if each.role is not Role.NOISE]))
    body = (Role.PROSE, Role.SENTENCE)
    over = [
        a.role for a, b in pairs if b.role is Role.PROSE and a.role in (Role.LINE, Role.SENTENCE)
    ]
    titles_end_in_stops = over.count(Role.SENTENCE) * 2 > len(over)
    resolved: list[_Item] = []
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
            is_title = is_title and not item.paragraph.opens_sentence and _title_like(item) > 0
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


def _has_title_above(resolved: Sequence[_Item]) -> bool:
    """Whether a title stands between the last text and what comes next."""
    for item in reversed(resolved):
        if item.role in (Role.PROSE, Role.DATE):
            return False
        if item.role in (Role.TITLE, Role.LINE):
            return True
    return False


def _title_like(item: _Item) -> float:
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
    score -= 1 * is_name(text) + 5 * is_authors(_without_more(text))
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


@dataclass
class _Digest:
    """One pass over the items of a file."""

    text: str
    name: str
    year: int | None
    usual_year: int
    listed: Dated | None
    items: list[_Item]
    first_date: int = 0
    """Where the first date line is among the items."""
    first_long: int = 0
    """Where the first prose as long as abstracts is."""
    places: dict[int, int] = field(default_factory=dict)
    """Where an item is among the items, by where it begins in the text."""
    head: set[str] = field(default_factory=set)
    """Lines of the page's head, which come again where digests are pasted in one file."""

    def read(self) -> Iterator[Raw | Problem]:
        """Every paper and problem, in the file's order."""
        if self.year is None:
            said = (self._dated(item, None) for item in self.items if item.role is Role.DATE)
            stated = next((each.day.year for each in said if each), None)
            stated = stated or self._latest_year()
            self.usual_year = stated or (self.listed.day.year if self.listed else self.usual_year)
        places = {role: [at for at, i in enumerate(self.items) if i.role is role] for role in Role}
        self.first_date = next(iter(places[Role.DATE]), 0)
        self.places = {item.paragraph.start: at for at, item in enumerate(self.items)}
        long = (at for at in places[Role.PROSE] if self.items[at].paragraph.is_long)
        self.first_long = next(long, len(self.items))
        titles = self._titles()
        entry = _Entry(None, listed=self.listed)
        position = 0
        started = False
        for at, item in enumerate(self.items):
            if at in titles:
                yield from self._paper(entry, started=started)
                started, position = True, position + 1
                entry = _Entry(item, [], entry.listed, position)
                carried = self._above(at, titles)
                entry.items += carried
            elif item.role is Role.DATE and not self._is_papers_own(at, entry):
                yield from self._paper(entry, started=started)
                started, position = True, 0
                entry = _Entry(None, listed=self.listed)
                try:
                    entry.listed = self._dated(item, self.usual_year)
                    if entry.listed and self.year is None:
                        self.usual_year = entry.listed.day.year
                except ValueError as error:
                    reason = f"{error}: its papers are kept without a date"
                    yield Problem(self.name, item.paragraph.line, reason)
                    entry.listed = None
            else:
                if not started and entry.listed is None and len(item.text) < _LONGEST_HEAD:
                    entry.listed = _first_date(item.text)
                if item.field == "date" and self._is_header(at):  # a mail in the mail
                    yield from self._paper(entry, started=started)
                    entry, position = _Entry(None, listed=self._said(item.value)), 0
                    continue
                if item.field == "date" and entry.title is None and not started:
                    entry.listed = self._said(item.value) or entry.listed
                entry.items.append(item)
        yield from self._paper(entry, started=started)

    def _is_header(self, at: int) -> bool:
        """Whether an item stands in the head of a mail, beside its sender or subject."""
        return any(each.field == "header" for each in self.items[max(0, at - 1) : at + 2])

    def _said(self, text: str) -> Dated | None:
        """The date of a field, in the year of the file if it has none."""
        try:
            return read_date(text, self.year or self.usual_year) or date_of(text)
        except ValueError:
            return None

    def _dated(self, item: _Item, year: int | None) -> Dated | None:
        if year is None:
            try:
                return read_date(item.text)
            except ValueError:
                return None
        return read_date(item.text, self.year or year)

    def _latest_year(self) -> int | None:
        """The latest year of the papers' own dates and ids: the digest is not older."""
        fields = [item for item in self.items if item.role is Role.FIELD]
        dates = [date_of(item.value) for item in fields if item.field == "date"]
        years = [each.day.year for each in dates if each and each.precision != "year"]
        links = [link for item in self.items for link in item.links]
        ids = [i.value for i in fields if i.field == "arxiv"] + [arxiv_id(each) for each in links]
        years += [2000 + int(known[:2]) for known in ids if known and known[:4].isdigit()]
        return max(years, default=None)

    def _titles(self) -> set[int]:
        """Where the titles are: one line, or none, above each run of prose."""
        labelled = {at for at, item in enumerate(self.items) if item.role is Role.TITLE}
        if len(labelled) > 1:
            return labelled
        gaps: list[tuple[list[int], int]] = []
        lines: list[int] = []
        in_run = False
        for at, item in enumerate(self.items):
            if item.role is Role.LINE and in_run and self._goes_on(at):
                continue
            if item.role in (Role.LINE, Role.TITLE):
                if item.role is Role.TITLE and lines and self.items[lines[-1]].role is Role.TITLE:
                    gaps.append((lines, at))
                    lines = []
                lines.append(at)
            elif item.role is Role.PROSE and not self._is_intro(at):
                if lines:
                    gaps.append((lines, at))
                lines = []
            elif item.role is Role.DATE and not (lines and self._is_above_prose(at)):
                if not gaps:
                    self.head |= {each.text for each in self.items[:at]}
                lines = []
            in_run = item.role in (Role.PROSE, Role.SECTION)
        if lines and self.items[lines[-1]].role is Role.TITLE:
            gaps.append((lines, len(self.items)))
        return self._chosen(gaps)

    def _is_above_prose(self, at: int) -> bool:
        """Whether nothing stands between an item and the abstract below it but what is known."""
        for item in self.items[at + 1 : at + 7]:
            if item.role in (Role.PROSE, Role.ABSTRACT, Role.SUMMARY):
                return True
            if item.role in (Role.LINE, Role.TITLE, Role.DATE):
                return False
        return False

    def _chosen(self, gaps: list[tuple[list[int], int]]) -> set[int]:
        """The best line of each gap, those at the place where most gaps have theirs preferred."""
        usable = [
            ([at for at in lines if self.items[at].text not in self.head], prose)
            for lines, prose in gaps
        ]
        places: Counter[int] = Counter()
        for lines, _ in usable:
            for place, at in enumerate(reversed(lines)):
                likely = max(-2.0, min(_title_like(self.items[at]), 3.0))
                places[place] += likely - _LOWER * place  # type: ignore[assignment]
        best = max(places, key=lambda place: (places[place], -place)) if places else 0
        titles: set[int] = set()
        for lines, _ in usable:
            scored = [
                (_title_like(self.items[at]) + 1.2 * (place == best) - _LOWER * place, at)
                for place, at in enumerate(reversed(lines))
            ]
            if scored and (found := max(scored))[0] > -1.5:
                titles.add(found[1])
        return titles

    def _is_intro(self, at: int) -> bool:
        """Whether prose is that of a mail to its reader, above its first date or title."""
        item = self.items[at]
        is_above = at < self.first_date or item.text[0].islower()
        return at < self.first_long and not item.paragraph.is_long and is_above

    def _goes_on(self, at: int) -> bool:
        """Whether a line after prose is a part of it: of its block, a list's, or a program's."""
        item, following = self.items[at], self.items[at + 1 : at + 2]
        if item.is_heading:
            return False
        is_list = item.paragraph.opens_sentence and item.text.rstrip().endswith((":", ";", ","))
        if is_list:
            return True
        if not following or following[0].role is not Role.PROSE:
            return item.paragraph.is_attached and _title_like(item) < 2
        return _title_like(item) < 0 and not bare_title(item.text)[:1].isupper()

    def _is_papers_own(self, at: int, entry: _Entry) -> bool:
        """Whether a date stands between a title and its abstract."""
        has_prose = any(each.role is Role.PROSE for each in entry.items)
        return entry.title is not None and not has_prose and self._is_above_prose(at)

    def _above(self, at: int, titles: set[int]) -> list[_Item]:
        """Ids that stand right above a title, where that is the place of the file's ids."""
        first = min(titles)
        above = self.items[max(0, first - 1) : first]
        if not (above and above[0].field in ("arxiv", "doi")):
            return []
        mine = self.items[at - 1 : at]
        return [each for each in mine if each.field in ("arxiv", "doi")]

    def _paper(self, entry: _Entry, *, started: bool) -> Iterator[Raw | Problem]:
        """What an entry holds: the abstract of its title, or what it lacks."""
        runs = self._runs(entry)
        title = entry.title
        if title is None or not runs:
            if title is not None and self._tells(title):
                yield Problem(self.name, title.paragraph.line, "title without an abstract")
            yield from self._leftover(entry, runs, None, started=started)
            return
        _, abstract = runs[0]
        first, last = abstract[0].paragraph, abstract[-1].paragraph
        text = self.text[first.start : last.end].lstrip(" :：—–-\n\t").rstrip()
        if len(text) > LONGEST_ABSTRACT:
            reason = (
                f"{len(text):,} characters in one go are no abstract (limit {LONGEST_ABSTRACT:,})"
            )
            yield Problem(self.name, first.line, reason)
            return
        fields: dict[str, object] = {
            "title": bare_title(title.value or title.text),
            "abstract": text,
            **self._fields(entry),
        }
        warnings: tuple[str, ...] = ()
        if re.search(r"(?:…|\.\.\.)\s*$", text):
            warnings = ("the abstract is cut off: it ends with …",)
        yield Raw(title.paragraph.line, fields, entry.listed, entry.position, True, warnings)
        yield from self._leftover(entry, runs[1:], abstract[-1], started=True)

    def _tells(self, item: _Item) -> bool:
        """Whether a line reads as a title by itself."""
        if item.role is Role.TITLE:
            return True
        frame = is_furniture(item.text) or item.text in self.head or is_date(item.text)
        return item.role is Role.LINE and _title_like(item) > 1 and not frame

    def _leftover(
        self,
        entry: _Entry,
        runs: Sequence[tuple[int, list[_Item]]],
        after: _Item | None,
        *,
        started: bool,
    ) -> Iterator[Problem]:
        """Lines after an abstract that read as titles of nothing, and text without a title."""
        for item in entry.items[entry.items.index(after) + 1 if after else 0 :]:
            if is_footer(item.text):
                break
            if started and item.role is Role.LINE and self._tells(item):
                yield Problem(self.name, item.paragraph.line, "title without an abstract")
        for rank, run in runs:
            first = run[0].paragraph
            is_lost = first.is_long or entry.title is None
            if rank != _SUMMARISES and is_lost and not self._is_intro(self.places[first.start]):
                yield Problem(self.name, first.line, "abstract without a title")
                return

    def _runs(self, entry: _Entry) -> list[tuple[int, list[_Item]]]:
        """The runs of prose of an entry with their ranks, the one that is the abstract first."""
        runs: list[tuple[int, list[_Item]]] = []
        rank, run, headed = 1, list[_Item](), list[_Item]()
        for item in entry.items:
            if item.role is Role.PROSE:
                run += [*headed, item]
                headed = []
            elif item.role is Role.SECTION or (item.role is Role.LINE and run):
                headed.append(item)
            else:
                if run:
                    runs.append((rank, run))
                    rank = 3
                run, headed = [], []
                rank = {Role.ABSTRACT: 0, Role.SUMMARY: _SUMMARISES}.get(item.role, rank)
        if run:
            runs.append((rank, run))
        return sorted(runs, key=lambda each: each[0])

    def _fields(self, entry: _Entry) -> dict[str, object]:
        """What is known of a paper beside its text."""
        found: dict[str, object] = {}
        links = [*(entry.title.links if entry.title else ())]
        for item in entry.items:
            links += item.links
            if item.role is Role.DATE or item.field == "date":
                dated = self._said(item.value or item.text)
                found.setdefault("date", dated.iso if dated else item.value or item.text)
            if item.role is not Role.FIELD or item.field == "date":
                continue
            if item.field == "byline" and (by := _BYLINE.fullmatch(item.text)):
                found.setdefault("authors", [_without_more(by["names"])])
                year = re.findall(r"\b(?:19|20)\d\d\b", by["where"])
                found.setdefault("year", year[-1])
                if known := arxiv_id(by["where"]):
                    found.setdefault("arxiv", known)
                continue
            value = item.value
            if item.field == "url" and (known := arxiv_id(value)):
                found.setdefault("arxiv", known)
            if item.field == "authors":
                found["authors"] = [*found.get("authors", []), *filter(None, [value])]  # type: ignore[misc]
            else:
                found.setdefault(item.field, value)
        for link in links:
            if known := arxiv_id(link):
                found.setdefault("arxiv", known)
            found.setdefault("url", link)
        return found
