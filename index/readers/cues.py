"""What one line of a pasted text reads as: a label, names, an id, a mail's frame, a title."""

import re
from functools import lru_cache
from typing import Literal

from index.papers import arxiv_id
from index.readers.records import DOI, canonical
from index.readers.values import date_of, is_date, names_in

_FOOTERS = (
    "unsubscribe", "view in browser", "in your browser", "on the web", "©", "(c) 20",
    "all rights reserved", "you're receiving", "you are receiving", "you received this",
    "advertise with", "advertise in", "manage preferences", "manage your", "update your",
    "update preferences", "how did you like", "thanks for reading", "thank you for reading",
    "privacy policy |",
)  # fmt: skip
_SPONSORS = frozenset("sponsor sponsored ad advertisement promoted".split())
_FRAMES = frozenset(
    "read see show load view add save share subscribe submitted posted published updated sent by hi"
    " hello hey dear session track day poster oral invited keynote".split()
)
"""How lines begin that people press, greet with, or head a programme with."""
_PARTICLES = frozenset(
    "van von vom der den de del della di da dos das du do la le el e y und zu zum zur ten ter bin"
    " ibn bint al af av".split()
)
_BETWEEN_NAMES = frozenset("and et al more author authors others".split())
_LONGEST_NAMES = 2_000
"""Characters of a list of names."""
_NAME_MARKS = " \t0123456789*†‡§¶#¹²³⁴⁵⁶⁷⁸⁹⁰,"
"""What stands behind a name: footnotes."""
_LABEL = re.compile(
    r"[^\w(\[<]*(?P<label>[A-Za-z][A-Za-z -]{1,24}?)\s*"
    r"(?P<sign>[:：]|(?i:(?<=abstract))[.—–]+|$)[\s*_]*"
)
BYLINE = re.compile(
    r"(?P<names>(?:[^-–—·|]|(?<=\w)-(?=\w)){3,300}?)\s+[-–—·|]\s+(?P<where>.*\b(?:19|20)\d\d\b.*)$"
)
"""Who wrote a paper, and where and in which year it came out, on one line."""
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)
_IDS = re.compile(
    rf"{_URL.pattern}|\([^()]*\)|(?:arxiv|doi|pmid|pmcid|pmc)\b:?|10\.\d{{4,9}}/\S+"
    r"|\d{4}\.\d{4,5}(?:v\d+)?|\[[\w ,.;/()-]*\]|\bPMC\d+|\b\d{6,9}\b",
    re.IGNORECASE,
)
_SECTIONS = frozenset(
    "background introduction context motivation purpose aim aims objective objectives goal goals"
    " importance rationale hypothesis design setting patients participants population data-source"
    " data-sources method methods materials methodology approach intervention interventions"
    " measurement measurements main-outcome main-outcomes result results findings main-results"
    " observations evaluation discussion limitation limitations conclusion conclusions"
    " interpretation significance implications relevance originality contribution contributions"
    " summary".split()
)
"""Headings inside abstracts."""
_HEADERS = frozenset("from to cc bcc subject reply-to".split())
"""Labels of a mail's head."""
_OTHER = frozenset(
    "subjects comments categories category keywords tags topics topic license report-no msc-class"
    " acm-class code project".split()
)
"""Labels of what is not kept of a paper."""
_TITLE_MARK = re.compile(
    r"(?:title\s*:|\d\ufe0f?\u20e3|#{1,6}(?=\s)|\[?\d{1,3}[.)\]]{1,2}(?=\s)|[-*•](?=\s)"
    r"|\[(?:pdf|html|book|citation)\]|[^\w\s(\[“\"'‘«¿¡<$\\]+(?=\s))\s*",
    re.IGNORECASE,
)
_IDEOGRAPH = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_SUBJECT = re.compile(rf"{_IDEOGRAPH}|(?:[^\W\d_][\u0300-\u036f\u0900-\u0eff]*){{4,}}")
"""A longer word, in scripts with marks at their letters, too; or an ideograph."""


def is_footer(text: str) -> bool:
    """Whether it is a line that surrounds a mail, as "Unsubscribe" and "© 2025 …" do."""
    folded = text.casefold().replace("’", "'")
    is_policy = folded.rstrip(" .").endswith("privacy policy")
    return len(text) <= 400 and (is_policy or any(phrase in folded for phrase in _FOOTERS))


def is_sponsored(text: str) -> bool:
    """Whether a line says that it, or what follows, is an advertisement."""
    bare = text.casefold().strip(" *_:|.-—")
    partner = bare.startswith(("together with ", "in partnership with "))
    inside = bare.rpartition("(")[2].removesuffix(")") if bare.endswith(")") else bare
    return inside in _SPONSORS or (partner and len(bare.split()) < 7)


def is_frame(text: str) -> bool:
    """Whether a short line is none of a paper, but of the page, the mail or the programme."""
    first = text.split(maxsplit=1)[0].strip(":.,!–-")
    is_number = first.replace(":", "").replace(".", "").replace("–", "").isdigit()
    return is_number or first.casefold() in _FRAMES or is_date(text) or is_sponsored(text)


def _is_part_of_name(word: str) -> bool:
    return len(word) <= 30 and word[0].isalpha() and all(c.isalpha() or c in "'’.-" for c in word)


def is_name(text: str) -> bool:
    """Whether a line could be one person's name; "Segment Anything" could be, too."""
    words = text.strip().rstrip(_NAME_MARKS).split()
    if not 2 <= len(words) <= 5 or not all(map(_is_part_of_name, words)):
        return False
    small = [word for word in words if word[0].islower()]
    return all(map(_is_particle, small)) and not words[-1][0].islower()


def _is_particle(word: str) -> bool:
    """Whether a word in small letters is a part of names: "van", "d'Arc"."""
    return word.strip(",;.…") in _PARTICLES or word.startswith(("d'", "d’", "al-"))


def is_authors(text: str, least: int = 2) -> bool:
    """Whether a line reads as a list of people, most of them by full names.

    Affiliations, marks of footnotes and "and 12 more authors" may stand behind names.
    """
    small = {word.strip(",;.…") for word in text.split() if word[0].islower()} - _BETWEEN_NAMES
    if len(text) > _LONGEST_NAMES or not ("(" in text or all(map(_is_particle, small))):
        return False
    names = names_in(text)
    whole = sum(map(is_name, names))
    single = sum(name[:1].isupper() and _is_part_of_name(name) for name in names)
    return whole + single == len(names) >= least and 3 * whole >= 2 * len(names)


def authors_of(text: str) -> str | None:
    """The names that a line consists of, be it behind "by" or before an affiliation."""
    by = re.sub(r"^by:?\s+", "", text, flags=re.IGNORECASE)
    is_said = by != text or names_in(text[:_LONGEST_NAMES]) not in ([], [text])
    return by if is_authors(by) or (is_said and is_authors(by, 1)) else None


def is_byline(text: str) -> bool:
    """Whether a line says who wrote a paper, and where and in which year it came out."""
    line = BYLINE.fullmatch(text)
    return line is not None and is_authors(f"{line['names']}, Ann Other")


def is_section(text: str) -> bool:
    """Whether a line is a heading inside an abstract."""
    first, _, second = text.strip(" *_#:").casefold().replace(" ", "-").partition("-and-")
    return first in _SECTIONS and "-" not in second


def label_of(text: str) -> str | None:
    """The label that a text opens with, in small letters; "https:" is none."""
    match = _LABEL.match(text)
    if match is None or match["sign"] not in (":", "：") or text.startswith("//", match.end()):
        return None
    return match["label"].casefold()


def field_of(text: str) -> tuple[str, int] | None:
    """The field whose label a text opens with, and where what it says begins.

    The field is one of `index.readers.records.FIELDS`, "header" of a mail's head, or "other".
    """
    match = _LABEL.match(text)
    if match is None:
        return None
    label = match["label"].strip().casefold()
    known = "header" if label in _HEADERS else canonical(label)
    known = known or ("other" if label.replace(" ", "-") in _OTHER else None)
    if known == "abstract" and label not in ("abstract", "summary"):
        return None
    may_be_bare = known in ("abstract", "authors") or (known == "other" and match["sign"])
    return (known, match.end()) if known and (may_be_bare or match.end() < len(text)) else None


def stands(line: str) -> Literal["opens", "alone"] | None:
    """How a line stands among those around it: it opens a field, or is one of its own."""
    text = line.strip()
    opens_id = re.match(r"(?:arxiv|doi|pmid)\s?:", text, re.IGNORECASE)
    if opens_id or _URL.match(text) or DOI.match(text):
        return "alone"
    if is_byline(text) or is_authors(text):
        return "alone"
    return "opens" if field_of(line) else None


def is_plausible(field: str, value: str) -> bool:
    """Whether a value is what its label says, though the label comes but once."""
    if field == "date":
        return is_date(value) or date_of(value) is not None
    if field == "authors":
        return is_authors(value, 1)
    return field != "venue" and id_of(value) is not None


def id_of(text: str) -> tuple[str, str] | None:
    """The id or link that a line is about, if it holds hardly anything else."""
    rest = _IDS.sub("", text)
    if len(text) > 160 or rest == text or sum(c.isalpha() for c in rest) > 3:
        return None
    if found := arxiv_id(text):
        return "arxiv", found
    if doi := DOI.search(text):
        return "doi", doi[0]
    if pmid := re.search(r"pmid:?\s*(\d+)", text, re.IGNORECASE):
        return "pmid", pmid[1]
    url = _URL.fullmatch(text.strip("<>() "))
    return ("url", url[0]) if url else None


def count_words(text: str) -> int:
    """The words of a text; where there is no space between them, two ideographs are one."""
    return len(text.split()) + len(re.findall(_IDEOGRAPH, text)) // 2


def title_like(line: str, *, is_heading: bool) -> float:
    """How much a line reads as a title; above 0 it may be one, above 2 it surely tells enough."""
    text = bare_title(line).replace("...", "…")
    words = count_words(text)
    if not any(c.isalpha() for c in text):
        return -9
    score = (2.5 if words >= 3 else 1.0) + 4 * is_heading
    score -= 3 * (text[0].islower() or text.endswith("!")) + 2 * text.endswith("…")
    score -= is_name(text) + 5 * is_authors(text)
    score -= 2 * bool(re.search(r"\S\s[·|•]\s\S|@\w", text)) + 2 * (words > 40)
    return score - text.endswith((".", ":"))


def shared(title: str, text: str) -> float:
    """The share of a title's longer words that a text has, 0 to 1: an abstract speaks of its title.

    Words are alike by their first five letters, so that endings do not matter.
    """
    words = _subjects(title)
    return len(words & _subjects(text)) / max(1, len(words))


@lru_cache(maxsize=256)
def _subjects(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in _SUBJECT.findall(text.casefold()))


def bare_title(text: str) -> str:
    """A title without the marks of a list, a heading or bold type around it."""
    before = ""
    while before != text:
        before = text
        text = text[match.end() :] if (match := _TITLE_MARK.match(text)) else text
        text = text.strip()
        for sign in ("**", "__", "*", "_"):
            if text.startswith(sign) and text.endswith(sign) and len(text) > 2 * len(sign):
                text = text[len(sign) : -len(sign)].strip()
    while (shorter := _without_tail(text)) not in ("", text):
        text = shorter
    return text


def _without_tail(text: str) -> str:
    """A title without what mails put behind it: "(4 minute read)", "(SPONSOR)", "[pdf]"."""
    for opening, closing in ("()", "[]"):
        before, _, inside = text.rpartition(opening)
        if not text.endswith(closing):
            continue
        said = inside.removesuffix(closing).strip()
        is_time = said[:1].isdigit() and " min" in said.casefold()
        is_loud = said.isupper() and said.replace(" ", "").isalpha() and len(said) > 3
        is_link = said.casefold() in ("pdf", "html", "link") or (said.isdigit() and len(said) < 4)
        if (opening == "(" and (is_time or is_loud)) or (opening == "[" and is_link):
            return before.rstrip()
    return text
