"""Where sentences begin and end in a cleaned abstract."""

import re

# A stop, then any closing quotes or brackets, then white space before something that can open
# a sentence. Chinese and Japanese stops need no white space.
_BOUNDARY = re.compile(
    r"(?<=[.!?…])[\"”’')\]]*(?P<gap>\s+)(?=[\"“‘'(\[«~$#<≈•–—-]*(?P<opening>\w))"
    r"|(?<=[。！？])[”’」』）]*(?P<wide>\s*)(?=\S)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|al|resp|approx|Fig|Figs|Eq|Eqs|Sec|Tab|No|Nos|Vol|Ref|Refs|Dr|Mr"
    r"|Mrs|Ms|Prof|St|Jr|Sr|ca|w\.r\.t|a\.k\.a|ver|min|max|spp|sp|var|Inc|Ltd|Co|U\.S|Ph\.D)"
    r"|\b[A-Z])\.$"
)
# A capitalised word inside a sentence is a name, its mark a part of it: "in Yahoo! Answers".
_MARKED_NAME = re.compile(r"[\w,] [A-Z]\w*!$")
_LIST_NUMBER = re.compile(r"(?:^|[:;]\s|[a-z]{4}[.!?]\s)\(?\d{1,2}\.$")
_SURE_START = re.compile(
    r"(?:The|This|These|Those|In|We|Our|It|Its|However|To|For|By|As|While|Although|Moreover"
    r"|Furthermore|Additionally|Finally|Here|With|When|An?|Extensive|Experiments?|Results?|Then"
    r"|Specifically|Thus|Hence|Therefore|Such|They|But|And)\b"
)
_LONGEST_REMARK = 200


def _can_open(character: str) -> bool:
    """Whether a sentence can begin with it: a capital, a digit, or a Greek letter (`α-actin`)."""
    return not character.islower() or "α" <= character <= "ω"


def _in_brackets(text: str, start: int, end: int) -> bool:
    """Whether `end` lies inside short brackets, as in "(see Smith et al. Also B.)"."""
    start = max(start, end - _LONGEST_REMARK)
    opened = text.rfind("(", start, end)
    if opened < 0 or opened < text.rfind(")", start, end):
        return False
    closed = text.find(")", end, opened + _LONGEST_REMARK)
    return closed >= 0 and text.find("(", end, closed) < 0


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Cut `text` into sentences, in time linear in its length.

    Returns:
        Code point spans `[start, end)`, in order, without surrounding white space; together
        they hold every character that is not white space.
    """
    spans: list[tuple[int, int]] = []
    start = len(text) - len(text.lstrip())
    for match in _BOUNDARY.finditer(text, start):
        gap = "gap" if match["opening"] else "wide"
        if match["opening"] and not _can_open(match["opening"]):
            continue
        head = text[max(start, match.start() - 40) : match.start()]
        if _LIST_NUMBER.search(head):
            continue
        is_open = _ABBREVIATION.search(head) or _MARKED_NAME.search(head)
        if is_open and not _SURE_START.match(text, match.end()):
            continue
        if _in_brackets(text, start, match.end(gap)):
            continue
        spans.append((start, match.start(gap)))
        start = match.end(gap)
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return spans
