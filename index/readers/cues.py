"""What one line of a pasted text reads as: a button, a name, a field with its label, a title."""

import re
from typing import Literal

from index.papers import arxiv_id
from index.readers.records import DOI, canonical
from index.readers.values import date_of, is_date

Stands = Literal["opens", "alone"]

_FURNITURE = re.compile(
    r"""(?:
      new | subscribe(?:\ now)? | abstract[:.]? | summary[:.]?
    | share | save | like | reply | forward | menu | home | search | sponsored | advertisement
    | trending(?:\ papers)? | (?:daily|weekly|top|new|latest|trending)\ papers\b.{0,60}
    | today(?:['’]s\ (?:papers|picks|digest))? | this\ week
    | (?:log|sign)\ (?:in|up|out)(?:\ (?:to|with|for|now|here)\b.{0,40})?
    | (?:read|see|show|load|view)\ (?:more|all|(?:the\ )?(?:paper|pdf|abstract)|full\ \w+)\W*
    | view\ (?:on|in)\b.{0,40} | view\ \w+\ page | add\ to\ (?:my\ )?\w+
    | (?:pdf|html|code|abs|abstract|arxiv|github|paper|project\ page|demo|video|data|bibtex)
      (?:\s*(?:[|·•]|\s/\s)\s*\w[\w ]{0,20}){0,9}
    | (?:submitted|posted|shared|curated|picked|sent|written|published|updated|powered)
      \ (?:by|on|to|at|from)\b.{0,60}
    | (?-i:by\ ?[A-Z@]).{0,150}
    | (?:authors?|subject|from|to|cc|date|reply-to|keywords|tags|topics?|categor(?:y|ies)
        |comments?|doi|project(?:\ page)?|code|website|github|link|url|venue|journal|source)
      \s*:.{0,200}
    | (?:arxiv|doi)\s*:?\s*\d.{0,80}
    | (?-i:[a-z-]{2,10}\.[A-Z]{2}(?:[,;\s]+[a-z-]{2,10}\.[A-Z]{2}){0,9})
    | (?:https?://|www\.)\S+ | [\w.+-]+@[\w-]+\.[\w.]+
    | (?:hi|hello|hey|dear|welcome)\b.{0,150}[,.!]
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_COUNTED = frozenset(
    "k m vote votes upvote upvotes like likes comment comments point points star stars view views"
    " share shares download downloads citation citations hour hours day days min minute minutes"
    " read ago".split()
)
"""What pages count."""
_FOOTER = re.compile(
    r"unsubscribe|view (?:this \w+ )?(?:in|on) (?:your |the |a )?(?:browser|web)|©|\(c\) ?\d{4}"
    r"|copyright \d{4}|all rights reserved|you(?:['’]re| are) receiving|you received this"
    r"|(?:manage|update) (?:your )?(?:e?-?mail )?(?:preferences|settings|subscription)"
    r"|(?:want|like|interested) (?:to|in) (?:advertis|sponsor)\w+|advertise with us"
    r"|(?:respond|reply) to this (?:e-?mail|message)|how did you like|refer a friend"
    r"|(?:thanks|thank you) for reading|forward(?:ed)? this (?:e-?mail|newsletter)"
    r"|this (?:e-?mail|message) was sent|in your (?:e?-?mail )?inbox|no longer wish"
    r"|^(?:our )?(?:privacy(?: policy)?|terms(?: of (?:use|service))?)(?:\W|$)(?!\s*\w+\s\w)",
    re.IGNORECASE,
)
_SPONSORED = re.compile(
    r"\((?:sponsor(?:ed)?|ad|advertisement|promoted)\)\W*$"
    r"|^\W*(?:sponsor(?:ed)?(?:\s(?:by|message|content|post)\b.{0,60})?|advertisement|promoted"
    r"|(?:together|in partnership) with(?:\s\S+){1,3}|a (?:word|message) from our .{0,60}"
    r"|(?:our|today['’]s) sponsors?\b.{0,60})\W*$",
    re.IGNORECASE,
)
_PROGRAMME = re.compile(
    r"""\W*(?:
      (?:day|session|track|part|section|block|room|hall|topic|theme)\ (?:\d+|[ivx]+|[a-z])[a-z]?\b.*
    | (?:oral|poster|keynote|plenary|parallel|panel|invited|spotlight|morning|afternoon|opening
      |closing)\ (?:session|presentation|talk|paper|address|lecture|discussion|remark)s?\b.*
    | (?:mon|tues|wednes|thurs|fri|satur|sun)day\b.{0,40}
    | \d{1,2}[:.]\d\d\b.*
    | .{3,80}\((?:chairs?|room|hall|track|session)\b.*
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_PARTICLES = frozenset(
    "van von vom der den de del della di da dos das du do la le el e y und zu zum zur ten ter bin"
    " ibn bint al af av".split()
)
_WORD_OF_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-]){0,29}")
_LABEL = re.compile(
    r"[^\w(\[<]*(?P<label>[A-Za-z][A-Za-z -]{1,24}?)\s*"
    r"(?P<sign>[:：]|[.—–](?=\s|$)|(?i:(?<=abstract))[.—–]+|$)[\s*_]*"
)
BYLINE = re.compile(
    r"(?P<names>(?:[^-–—·|]|(?<=\w)-(?=\w)){3,300}?)\s+[-–—·|]\s+(?P<where>.*\b(?:19|20)\d\d\b.*)$"
)
"""Who wrote a paper, and where and in which year it came out, on one line."""
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)
_IDS = re.compile(
    r"\([^()]*\)|(?:arxiv|doi|pmid|pmcid|pmc)\b:?|10\.\d{4,9}/\S+|\d{4}\.\d{4,5}(?:v\d+)?"
    r"|\[[\w ,.;/()-]*\]|\bPMC\d+|\b\d{6,9}\b",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"(?:background|introduction|context|motivation|purpose|aims?|objectives?|goals?|importance"
    r"|rationale|hypothesis|design|setting|patients|participants|population|data sources?|methods?"
    r"|materials and methods|methodology|approach|interventions?|measurements?|main outcomes?"
    r"|results?|findings|main results|observations|evaluation|discussion|limitations?|conclusions?"
    r"|interpretation|significance|implications|relevance|originality|contributions?|summary)"
    r"(?:\s*(?:and|/|&)\s*\w+)?:?",
    re.IGNORECASE,
)
_HEADERS = frozenset("from to cc bcc subject reply-to".split())
"""Labels of a mail's head."""
_OTHER = frozenset(
    "subjects comments comment categories category keywords"
    " tags topics topic license report-no msc-class acm-class pmcid affiliations affiliation code"
    " github website project projects contact github-repo citations upvotes score".split()
)
_NAME_MARKS = " \t0123456789*†‡§¶#¹²³⁴⁵⁶⁷⁸⁹⁰,"
"""What stands behind a name: footnotes."""
_TITLE_MARK = re.compile(
    r"(?:title\s*:|\d\ufe0f?\u20e3|#{1,6}(?=\s)|\[?\d{1,3}[.)\]]{1,2}(?=\s)|[-*•](?=\s)"
    r"|\[(?:pdf|html|book|citation)\]|[^\w\s(\[“\"'‘«¿¡<$\\]+(?=\s))\s*",
    re.IGNORECASE,
)
_TITLE_TAIL = re.compile(
    r"\s*(?:\(\s*\d+\s+min(?:ute)?s?(?:\s+read)?\s*\)|(?-i:\((?:[A-Z]+ ){0,2}[A-Z]{4,}\))"
    r"|\[(?:pdf|html|link|\d{1,3})\])$",
    re.IGNORECASE,
)
SURELY = 20
"""How much a line reads as a title that is labelled as one."""


def is_footer(text: str) -> bool:
    """Whether it is a line that surrounds a mail, as "Unsubscribe" and "© 2025 …" do."""
    return len(text) <= 400 and bool(_FOOTER.search(text))


def is_sponsored(text: str) -> bool:
    """Whether a line says that it, or what follows, is an advertisement."""
    return bool(_SPONSORED.search(text))


def is_furniture(text: str) -> bool:
    """Whether a paragraph is a button, a count, a label, a greeting or a mail's frame."""
    if len(text) > 240:
        return is_footer(text)
    words = re.sub(r"[\W\d_]+", " ", text).casefold().split()
    counts_only = _COUNTED.issuperset(words)
    is_when = text[:3].casefold() == "on " and is_date(text[3:])  # it was submitted
    return counts_only or is_when or is_footer(text) or bool(_FURNITURE.fullmatch(text))


def is_frame(text: str) -> bool:
    """Whether a line that reads as a title is none: furniture, a date, a programme's heading."""
    is_heading = _PROGRAMME.fullmatch(text) is not None
    return is_heading or is_furniture(text) or is_sponsored(text) or is_date(text)


def is_name(text: str) -> bool:
    """Whether a line could be one person's name; "Segment Anything" could be, too."""
    words = text.strip().rstrip(_NAME_MARKS).split()
    if not 2 <= len(words) <= 6 or not all(map(_WORD_OF_NAME.fullmatch, words)):
        return False
    small = [word for word in words if word[0].islower()]
    known = all(word in _PARTICLES or word.startswith(("d'", "d’", "al-")) for word in small)
    return known and not words[-1][0].islower()


def is_authors(text: str) -> bool:
    """Whether a line reads as a list of at least two people, most of them by full names."""
    text = text.removesuffix("et al.").strip(" ,")
    parts = re.split(r"\s*[,;·•⋅|&]\s*(?:and\s)?|\sand\s", text)
    whole = sum(map(is_name, parts))
    single = sum(bool(_WORD_OF_NAME.fullmatch(part)) and part[:1].isupper() for part in parts)
    return len(parts) >= 2 and whole + single == len(parts) and 3 * whole >= 2 * len(parts)


def without_more(text: str) -> str:
    """Names without affiliations, marks of footnotes, and "and 12 more authors"."""
    text = re.sub(r"\([^()]*\)|\+?\s*\d+\s+(?:more\s+)?authors?|\bet al\.?|…|\.\.\.", "", text)
    return re.sub(r"(?:\s*,){2,}", ",", re.sub(r"[\d*†‡§]+(?=\s*,|\s*$)", "", text)).strip(" ,")


def is_byline(text: str) -> bool:
    """Whether a line says who wrote a paper, and where and in which year it came out."""
    line = BYLINE.fullmatch(text)
    return line is not None and is_authors(f"{without_more(line['names'])}, Ann Other")


def is_section(text: str) -> bool:
    """Whether a line is a heading inside an abstract."""
    return _SECTION.fullmatch(text.strip(" *_#")) is not None


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
    label, sign = match["label"].strip().casefold(), match["sign"]
    is_bare = match.end() == len(text)
    if not is_bare and sign not in ":：" and label != "abstract":
        return None
    known = "header" if label in _HEADERS else canonical(label)
    known = known or ("other" if label.replace(" ", "-") in _OTHER else None)
    if known == "abstract" and label not in ("abstract", "summary"):
        return None
    may_be_bare = known in ("abstract", "authors") or (known == "other" and sign)
    return (known, match.end()) if known and (may_be_bare or not is_bare) else None


def stands(line: str) -> Stands | None:
    """How a line stands among those around it: it opens a field, or is one of its own."""
    text = line.strip()
    opens_id = text.casefold().startswith(("arxiv:", "arxiv :", "doi:", "doi :", "pmid:"))
    if opens_id or _URL.match(text) or DOI.match(text):
        return "alone"
    if is_byline(text) or is_authors(without_more(text)):
        return "alone"
    return "opens" if field_of(line) else None


def is_plausible(field: str, value: str) -> bool:
    """Whether a value is what its label says, though the label comes but once."""
    if field == "date":
        return is_date(value) or date_of(value) is not None
    if field == "authors":
        return is_authors(without_more(value)) or is_name(value)
    return field != "venue" and id_of(value) is not None


def id_of(text: str) -> tuple[str, str] | None:
    """The id or link that a line is about, if it holds hardly anything else."""
    if len(text) > 160:
        return None
    rest = _IDS.sub("", _URL.sub("", text))
    if rest == text or sum(c.isalpha() for c in rest) > 3:
        return None
    shown = re.sub(r"\([^()]*\)|\s*\[[\w ,.;/()-]*\]|^\d+\.\s", "", text).strip()
    if found := arxiv_id(shown.removeprefix("arXiv:").strip()) or arxiv_id(text):
        return "arxiv", found
    if doi := DOI.search(text):
        return "doi", doi[0]
    if pmid := re.search(r"pmid:?\s*(\d+)", text, re.IGNORECASE):
        return "pmid", pmid[1]
    url = _URL.fullmatch(text.strip("<>() "))
    return ("url", url[0]) if url else None


def title_like(line: str, *, is_heading: bool) -> float:
    """How much a line reads as a title; above 0 it may be one, above 2 it surely tells enough."""
    text = bare_title(line).replace("...", "…")
    words = text.split()
    if not any(c.isalpha() for c in text):
        return -9
    score = (2.5 if len(words) >= 3 else 1.0) + 4 * is_heading
    score -= 3 * (text[0].islower() or text.endswith("!")) + 2 * text.endswith("…")
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
        text = text[match.end() :] if (match := _TITLE_MARK.match(text)) else text
        text = text.strip()
        for sign in ("**", "__", "*", "_"):
            if text.startswith(sign) and text.endswith(sign) and len(text) > 2 * len(sign):
                text = text[len(sign) : -len(sign)].strip()
    while (shorter := _TITLE_TAIL.sub("", text).rstrip()) not in ("", text):
        text = shorter
    return text
