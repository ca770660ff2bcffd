"""The shortest stretch of a sentence that can stand in a cell: whole clauses, nothing left open."""

import re

SHORT = 18
"""Words of a sentence that is quoted whole."""
LONGEST = 30
"""Words of a quote, about; what cannot be cut in a clean place is longer."""
LEAST = 10
"""Words of a quote that was cut from a sentence."""

_HOPELESS = 3 * LONGEST

_VERB = (
    r"(?:is|are|was|were|has|have|can|could|will|would|may|achiev\w+|outperform\w*|improv\w+|reduc\w+"
    r"|show\w*|demonstrat\w+|enabl\w+|provid\w+|yield\w*|surpass\w*|perform\w*|evaluat\w+|introduc\w+"
    r"|propos\w+|present\w*|use[sd]?)"
)
_STARTS = r"(?:we|our|it|they|this|these|the|i|there|here|(?-i:[A-Z])\w*)"
# Where a clause begins: the cut is before `cut`.
_CUT = re.compile(
    r"(?:"
    r"[;:]\s+|\s+(?:—|–|--)\s+"
    rf"|,\s+(?=(?:and|but|or|while|whereas|so)\s+(?:\w+\s+){{0,3}}?{_VERB}\b)"
    rf"|,\s+(?=(?:while|whereas|although|though|because|since|when|where|which|who|so that"
    r"|with|without|resulting|leading|thereby|thus|hence|as well as|including|such as|especially"
    r"|namely|rather than|instead of|even|compared|regardless|despite)\b)"
    r"|,\s+(?=(?:achiev|outperform|surpass|improv|reduc|enabl|allow|provid|demonstrat|show|highlight"
    r"|suggest|reveal|indicat|mak|us|integrat|combin|support|spann|cover|cast|leverag|exceed|gain"
    r"|follow|compris|contain|consist|yield|ensur|offer|struggl|reach)\w*ing\b)"
    rf"|,\s+(?={_STARTS}\s+(?:\w+\s+){{0,4}}?{_VERB}\b)"
    r"|,\s+(?=(?:(?:and|but|or|so)\s+)?(?:we|i|it|they|this (?:paper|work))\b)"
    r"|\b(?:show|demonstrate|reveal|indicate|suggest|find|observe|found|shown|confirm)(?:s|ed)?\s+that,?\s+"
    r"|\s+(?=(?:while|whereas|although)\s)"
    r")"
)  # fmt: skip
_OPENING = re.compile(
    r"(?:(?:and|but|or|while|whereas|so|that)\b|\(?(?:[ivx]{1,4}|\d|[a-c])\)"
    r"|(?:however|moreover|furthermore|finally|specifically|notably|remarkably|surprisingly|further"
    r"|concretely|additionally|in addition|to this end|in particular|as a result|first(?:ly)?|here"
    r"|second(?:ly)?|third|lastly|therefore|thus|hence|yet|also|besides|next|then|in particular"
    r"|in this (?:paper|work|study)),)\s+",
    re.IGNORECASE,
)
# "While X, Y": the word goes with both.
_PAIRED = re.compile(r"(?:while|whereas)\b", re.IGNORECASE)
_LEANING = re.compile(
    r"(?:which|who|where|whose|with|without|including|such as|rather than|instead of|as well as"
    r"|[a-z]+ing|can|is|are|so that|thereby|thus|even|namely|then|also)\b"
)
_CLOSING = re.compile(
    r"(?:[\s,;:—–(-]|\b(?:and|but|or|while|with|that|which|by|to|of|the|a|we|indicates?|suggests?"
    r"|shows?|demonstrates?|reveals?|finds?|found|observe|confirms?))+$"
)
_SAME = '$"'
_PAIRS = {")": "(", "]": "[", "}": "{", "”": "“"}


def balanced(text: str) -> bool:
    """Whether all brackets, quotation marks and dollar signs of a text are closed in it."""
    return _closed(text)[-1]


def _closed(text: str) -> list[bool]:
    """Whether all that opens before a place of the text is closed there; len(text) + 1 places.

    A bracket that closes what was not open leaves every later place open.
    """
    opened: list[str] = []
    closed = [True]
    lost = False
    for place, sign in enumerate(text):
        before = text[max(place - 1, 0) : place]
        if before == "\\" and sign in '$"':
            pass
        elif sign in _SAME:
            if opened and opened[-1] == sign:
                opened.pop()
            else:
                opened.append(sign)
        elif sign in _PAIRS.values():
            opened.append(sign)
        elif sign in _PAIRS:
            lost = lost or not opened or opened.pop() != _PAIRS[sign]
        closed.append(not opened and not lost)
    return closed


def _borders(text: str) -> list[int]:
    """Where clauses begin, and the end of the text; never inside brackets."""
    closed = _closed(text)
    cuts = [match.end() for match in _CUT.finditer(text)]
    return [0, *(at for at in cuts if 0 < at < len(text) and closed[at]), len(text)]


def _words(text: str) -> int:
    return len(text.split())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without the words that only join it to what is around it."""
    while opening := _OPENING.match(text, start, end):
        if not start and _PAIRED.match(text):
            break
        start = opening.end()
    kept = text[start:end].rstrip()
    shortened = _CLOSING.sub("", kept)
    if start + len(kept) == len(text.rstrip()):
        return start, start + len(kept)
    return start, start + len(shortened)


def shorten(text: str, start: int, end: int) -> tuple[int, int]:
    """The clauses of a sentence that hold `text[start:end]`, as a stretch of it.

    A short sentence stays whole; clauses of a few words take the next ones with them, up to
    about `LONGEST` words. What would leave a bracket, a quotation or a formula open is not cut.

    Returns:
        Code point offsets into `text`, the end exclusive.
    """
    whole = (0, len(text))
    if _words(text) <= SHORT:
        return whole
    borders = _borders(text)
    first = max(i for i, at in enumerate(borders[:-1]) if at <= start)
    last = next((i for i, at in enumerate(borders) if at >= end), len(borders) - 1)
    last = max(last, first + 1)
    found: tuple[int, int] | None = None
    while True:
        left, right = _trimmed(text, borders[first], borders[last])
        words = _words(text[left:right])
        if words > (LONGEST if found else _HOPELESS):
            break
        if left <= start and right >= end and balanced(text[left:right]):
            found = (left, right)
            leaning = first > 0 and _LEANING.match(text, left)
            if words >= LEAST and not leaning:
                break
            if leaning:
                first -= 1
                continue
        if last < len(borders) - 1:
            last += 1
        elif first > 0:
            first -= 1
        else:
            break
    return found or whole
