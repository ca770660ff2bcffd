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
    r"|this (?:e-?mail|message) was sent|in your (?:e?-?mail )?inbox|no longer wish"
    r"|^(?:our )?(?:privacy(?: policy)?|terms(?: of (?:use|service))?)(?:\W|$)(?!\s*\w+\s\w)",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"[A-ZÀ-Þ][\w'’.-]{0,29}(?: (?:[A-ZÀ-Þ][\w'’.-]{0,29}|de|van|von|der|den|la|le|di|da|bin|al))"
    r"{1,3}[\d*†‡§¹²³]{0,9}"
)
_LONGEST_FOOTER = 400
_LONGEST_BUTTON = 240


def is_footer(text: str) -> bool:
    """Whether it is a line that surrounds a mail, as "Unsubscribe" and "© 2025 …" do."""
    return len(text) <= _LONGEST_FOOTER and bool(_FOOTER.search(text))


def is_furniture(text: str) -> bool:
    """Whether a paragraph is a button, a count, a label, a greeting or a mail's frame."""
    if len(text) > _LONGEST_BUTTON:
        return is_footer(text)
    words = re.sub(r"[\W\d_]+", " ", text).casefold().split()
    counts_only = all(map(_COUNTED.fullmatch, words))
    return counts_only or is_footer(text) or bool(_BUTTON.fullmatch(text))


def is_name(text: str) -> bool:
    """Whether a line could be one person's name; "Segment Anything" could be, too."""
    return bool(_NAME.fullmatch(text.strip()))


def is_authors(text: str) -> bool:
    """Whether a line reads as a list of at least two people."""
    names = re.split(r"\s*[,;·•|&]\s*(?:and\s)?|\sand\s", text.removesuffix("et al.").strip(" ,"))
    return len(names) >= 2 and all(is_name(name) for name in names)
