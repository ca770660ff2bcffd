"""Plain text as LaTeX that shows it: no sign of an abstract is a command, a comment or a formula.

Letters stay as they are, in UTF-8, which LaTeX reads since 2018; signs it has no glyph for in a
text (α, ≤, ⁵) become the commands that print them.
"""

import re
from functools import lru_cache

from index.text import clean_text

_SPECIAL = {
    "\\": r"\textbackslash{}",
    # Never \{ and \}: BibTeX counts braces, whatever stands before them.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", "0123456789+-=()n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()")
_SIGN = re.compile(
    r"(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ]+)|(?P<lowered>[₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎]+)|[\\{}~^%&#_$]|[^\x00-\u024f–—‘’“”„…†‡•€™]"
)
_WORD = re.compile(r"\S+")
_MOSTLY = 0.5


def latex(text: str) -> str:
    """A title, a name or an abstract, LaTeX debris and all, as LaTeX on one line."""
    return _escaped(clean_text(text))


def latex_title(title: str) -> str:
    """A title as LaTeX, with braces around the words whose capitals no style may take away.

    These are words with a capital inside ("OSWorld", "GPT-4"); in a title whose other words are
    mostly small, where a capital marks a name, also words that begin with one.
    """
    words = clean_text(title).split()
    long = [word for word in words[1:] if len(word) > 3]
    headline = sum(word[0].isupper() for word in long) > _MOSTLY * len(long)
    shown: list[str] = []
    for number, word in enumerate(words):
        opens = number == 0 or words[number - 1].endswith((":", "?", "!", "."))
        keeps = any(c.isupper() for c in word[1:]) or (
            word[0].isupper() and not headline and not opens
        )
        written = _escaped(word)
        if keeps:
            # After "{\" BibTeX would change the case all the same.
            written = f"{{{{{written}}}}}" if written.startswith("\\") else f"{{{written}}}"
        shown.append(written)
    return " ".join(shown)


def _escaped(text: str) -> str:
    return _SIGN.sub(_command, text)


def _command(match: re.Match[str]) -> str:
    if raised := match["raised"]:
        return rf"\textsuperscript{{{raised.translate(_SUPERSCRIPTS)}}}"
    if lowered := match["lowered"]:
        return rf"\textsubscript{{{lowered.translate(_SUBSCRIPTS)}}}"
    return _SPECIAL.get(match[0]) or _symbol(match[0])


@lru_cache(maxsize=4096)
def _symbol(sign: str) -> str:
    """The command for a sign outside the letters of Latin, or the sign itself if there is none."""
    # Imported here: only texts with such signs need it.
    from pylatexenc.latexencode import get_builtin_uni2latex_dict

    command: str | None = get_builtin_uni2latex_dict().get(ord(sign))
    if command is None:
        return sign
    return f"{command}{{}}" if re.fullmatch(r"\\[a-zA-Z]+", command) else command
