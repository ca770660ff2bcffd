"""Lines of a mail or web page that are neither title nor abstract."""

import re

_BUTTON = re.compile(
    r"""
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
    """,
    re.VERBOSE | re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:k|m|(?:(?:up)?vote|like|comment|point|star|view|share|download|citation|hour|day)s?"
    r"|min|minutes?|read|ago)"
)
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
_MARKS = re.compile(r"[\s\d*†‡§¶#¹²³⁴⁵⁶⁷⁸⁹⁰,]*$")
_LETTERS = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-]){0,29}")
_MOST_WORDS = 6
_LONGEST_FOOTER = 400
_LONGEST_BUTTON = 240


def is_footer(text: str) -> bool:
    """Whether it is a line that surrounds a mail, as "Unsubscribe" and "© 2025 …" do."""
    return len(text) <= _LONGEST_FOOTER and bool(_FOOTER.search(text))


def is_sponsored(text: str) -> bool:
    """Whether a line says that it, or what follows, is an advertisement."""
    return bool(_SPONSORED.search(text))


def is_programme(text: str) -> bool:
    """Whether a line is a heading of a programme: a session, a day, a time, a room."""
    return bool(_PROGRAMME.fullmatch(text))


def is_furniture(text: str) -> bool:
    """Whether a paragraph is a button, a count, a label, a greeting or a mail's frame."""
    if len(text) > _LONGEST_BUTTON:
        return is_footer(text)
    words = re.sub(r"[\W\d_]+", " ", text).casefold().split()
    counts_only = all(map(_COUNTED.fullmatch, words))
    return counts_only or is_footer(text) or bool(_BUTTON.fullmatch(text))


def is_name(text: str) -> bool:
    """Whether a line could be one person's name; "Segment Anything" could be, too."""
    words = _MARKS.sub("", text.strip()).split()
    if not 2 <= len(words) <= _MOST_WORDS or not all(map(_LETTERS.fullmatch, words)):
        return False
    small = [word for word in words if word[0].islower()]
    known = all(word in _PARTICLES or word.startswith(("d'", "d’", "al-")) for word in small)
    return known and not words[-1][0].islower()


def is_authors(text: str) -> bool:
    """Whether a line reads as a list of at least two people, most of them by full names."""
    text = text.removesuffix("et al.").strip(" ,")
    parts = re.split(r"\s*[,;·•⋅|&]\s*(?:and\s)?|\sand\s", text)
    whole = sum(map(is_name, parts))
    single = sum(bool(_LETTERS.fullmatch(part)) and part[:1].isupper() for part in parts)
    return len(parts) >= 2 and whole + single == len(parts) and 3 * whole >= 2 * len(parts)
