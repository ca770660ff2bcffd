"""Remove LaTeX, HTML and mail debris from abstracts, and map every character to the stored text."""

import html
import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class CleanText:
    """A cleaned text, and the stored code points `[start, end)` that each of its characters was."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def stored_span(self, start: int, end: int) -> tuple[int, int]:
        """Map the clean span `[start, end)` to the stored one; `ValueError` if empty or outside."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"span [{start}, {end}) is not inside a text of {len(self.text)}")
        return self.starts[start], self.ends[end - 1]

    def clean_span(self, start: int, end: int) -> tuple[int, int]:
        """Map a stored span to the clean characters that came from it (may be empty)."""
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end)
        return (first, last) if first < last else (0, 0)


_MARKS = "\u0300\u0301\u0302\u0303\u0308\u0304\u0307\u0306\u030c\u030b\u0327\u0328\u030a"
_ACCENTS = dict(zip("`'^~\"=.uvHckr", _MARKS, strict=True))
_ABBREVIATIONS = {"eg": "e.g", "ie": "i.e", "etal": "et al", "wrt": "w.r.t"}
_SUPERSCRIPTS = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


@lru_cache(maxsize=512)
def _symbol(name: str) -> str:
    r"""Return the text of the LaTeX command `\name`: `alpha` → `α`; of an author's, its name."""
    # Imported here: only texts with LaTeX commands need it.
    from pylatexenc.latex2text import get_default_latex_context_db

    spec = get_default_latex_context_db().get_macro_spec(name)
    replacement = {"textbackslash": "\\", "sqrt": "√"}.get(name)
    replacement = replacement or (spec.simplify_repl if spec else name)
    if replacement is None:
        return name
    return replacement if isinstance(replacement, str) and "%" not in replacement else ""


def _replace_accent(match: re.Match[str]) -> str:
    r"""Replace `\"o` by `ö`; an escaped quote before a letter without dots is just a quote."""
    letter = match["braced"] or match["bare"]
    accented = unicodedata.normalize("NFC", letter + _ACCENTS[match["mark"]])
    return accented if len(accented) == 1 else match[0][1:]


def _replace_raised(match: re.Match[str]) -> str:
    """Replace `10^{5}` by `10⁵`; text without a raised form keeps its sign: `x^{ij}` → `x^ij`."""
    kind, body = match["kind"] or match["bare"], match["body"] or match["digits"]
    moved = body.translate(_SUPERSCRIPTS if kind == "^" else _SUBSCRIPTS)
    if all(before != after for before, after in zip(body, moved, strict=True)):
        return moved
    if kind == "^" and body in ("st", "nd", "rd", "th"):
        return body
    return kind + (body if body.isalpha() else f"({body})")


# A rule is a pattern and its replacement; None keeps the group `keep`. Every repetition that can
# fail is bounded, or begins with a character of its own, so that time stays linear.
_Replacement = str | Callable[[re.Match[str]], str] | None


def _rules(*rules: tuple[str, _Replacement]) -> list[tuple[re.Pattern[str], _Replacement]]:
    return [(re.compile(pattern), replacement) for pattern, replacement in rules]


_FORMATTED = (
    r"\\(?:url|href|texttt|textbf|textit|textsc|textrm|textsf|textsuperscript|textsubscript|text"
    r"|emph|mathrm|mathbf|mathcal|mathbb|mathit|mathsf|operatorname|underline|mbox|ensuremath|bm)"
    r"\*?\s{0,9}\{(?P<keep>[^{}]*)\}"
)
_RAISED: tuple[str, _Replacement] = (
    r"(?P<kind>[\^_])\{\s?(?P<body>[^{}\s](?:[^{}]{0,40}[^{}\s])?)\s?\}|(?P<bare>\^)(?P<digits>[0-9]+)",
    _replace_raised,
)
_GROUP: tuple[str, _Replacement] = (r"\{(?P<keep>[^\W\d_][\w-]*)\s?\}", None)
_DEBRIS = _rules(
    *[(_FORMATTED, None)] * 2,  # again for the outer one of \textbf{a \emph{b}}
    (r"[~\s]?\\(?:[cC]ite[a-z]{0,9}|ref|label|footnote|vspace|hspace)\*?(?:\[[^\]]{0,99}\]){0,2}"
     r"\{[^{}]*\}", ""),
    (r"\\(?:begin|end)\{[^{}]*\}", " "),
    (r"\\[dt]?frac\{(?P<above>[^{}]{1,99})\}\{(?P<below>[^{}]{1,99})\}",
     lambda match: f"{match['above']}/{match['below']}"),
    (r"\\(?P<mark>[`'^\"~=.])(?:\{\\?(?P<braced>[A-Za-z])\}|(?:\\(?=[ij]\b))?(?P<bare>[A-Za-z]))",
     _replace_accent),
    (r"\\(?P<mark>[uvHckr])\{\\?(?P<braced>[A-Za-z])(?P<bare>)\}", _replace_accent),
    (r"\\(?P<keep>[%&_$#{}])", None),
    (r"\\[,;:! ]|\\\\|\\/", " "),
    (r"\\(?:left|right|big|Big|displaystyle|em|it|bf|tt|rm|sc|xspace)(?![A-Za-z])\s?", ""),
    (r"\\(?P<name>eg|ie|etal|etc|vs|wrt|cf)(?![A-Za-z])(?:\{\})?\.?",
     lambda match: _ABBREVIATIONS.get(match["name"], match["name"]) + "."),
    (r"\\(?P<name>o|O|l|L|ss|ae|AE|aa|AA|oe|OE|i|j)(?![A-Za-z])(?:\{\}| (?=[a-z]))?",
     lambda match: _symbol(match["name"])),
    (r"\\(?P<name>[A-Za-z]+)(?:\{\})?", lambda match: _symbol(match["name"])),
    *[_RAISED, _GROUP] * 2,  # again for the outer ones of {\text{Pa}_{\text{O}_{2}}}
    # A tie between words; but " ~3%" and "(~3%" mean "about", "5~10" a range, "/~name" a home.
    (r"(?<=[\w.,:;)\]}'\"”’%$])(?:(?<!\d)~(?=\S)|~(?=[^\s\d]))", " "),
    (r"``", "“"),
    (r"''", "”"),
    (r"\$\$(?P<keep>[^$]{1,400})\$\$", None),
    # Opening and closing as in TeX-aware Markdown, so that "$5 and $10" is money.
    (r"\$(?!\d[^$\n]{0,200}\s[A-Za-z]{2})(?=[^\s$])(?P<keep>[^$\n]{1,200})(?<=\S)\$(?!\d)", None),
    # A comment sign left before a word or between sentences; never "50 % of" or "%CV".
    (r"(?<!\S)(?<!\d\s)%(?=[a-z])|(?:(?<=[.!?]\s)|^)%\s?(?=[A-Z])", ""),
)  # fmt: skip


def _replace_raised_tag(match: re.Match[str]) -> str:
    """Replace `<sub>2</sub>` by `₂`, as `_replace_raised` does."""
    sign = "_" if match["kind"].lower() == "sub" else "^"
    found = re.fullmatch(_RAISED[0], f"{sign}{{{match['body'].strip()}}}")
    return _replace_raised(found) if found else match["body"]


def _end_sentence(match: re.Match[str]) -> str:
    """End the sentence at the end of a paragraph: add a full stop if none is there."""
    before, after = match.string[: match.start()].rstrip(), match.string[match.end() :].lstrip()
    return "" if not before or not after else " " if before[-1] in ".!?:;…" else ". "


def _remove_tag(match: re.Match[str]) -> str:
    """Remove a tag if the text nearby both opens and closes it: "a<b and b>c" is no markup."""
    around = slice(max(0, match.start() - 5_000), match.end() + 5_000)
    text, name = match.string[around].lower(), match["name"].lower()
    return "" if f"<{name}" in text and f"</{name}" in text else match[0]


_ATTRIBUTES = r"""(?:\s+[\w:-]{1,40}\s*=\s*(?:"[^"<>]{0,500}"|'[^'<>]{0,500}'))*\s*/?>"""
_TAG_NAMES = (
    "i|b|em|strong|u|italic|bold|sc|span|a|font|small|tt|code|inline-formula|tex-math|ext-link|xref"
    "|alternatives|named-content|monospace|roman|sans-serif|underline|styled-content|mml:[a-z]+"
)
_MARKUP = _rules(
    *[(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});",
       lambda match: html.unescape(match[0]))] * 2,  # twice: some are escaped twice
    (r"<(?:jats:)?title>(?P<said>[^<>]{1,80}?):?\s*</(?:jats:)?title>",
     lambda match: "" if match["said"].strip().lower() in ("abstract", "summary")
     else f"{match['said']}: "),
    (r"\s{0,3}(?:</?(?:jats:)?(?:p|sec|div|br|li|ul|ol|list|list-item|abstract|h[1-6]|section|title)"
     + _ATTRIBUTES + r"\s*)+", _end_sentence),
    (r"<(?:jats:)?(?P<kind>su[bp])>(?P<body>[^<>]{1,40})</(?:jats:)?su[bp]>", _replace_raised_tag),
    (r"</?(?P<name>(?:jats:)?(?:" + _TAG_NAMES + r"))" + _ATTRIBUTES, _remove_tag),
)  # fmt: skip
_UNUSUAL = re.compile(r"[^ -~]|[\\~^_`'${%<&]|  |\A | \Z")
"""Matches whatever any rule changes; most titles have no match, and need no rules."""
INVISIBLE = re.compile(
    r"[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
    r"|(?<=[\x00-\u024f])[\u200c\u200d](?=[\x00-\u024f])"
)
"""Invisible characters: soft hyphens, direction marks, joiners between Latin letters."""
_ALWAYS = _rules(
    (r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]|" + INVISIBLE.pattern, ""),
    (r"[\ud800-\udfff]", "\ufffd"),  # half a surrogate pair: no encoder takes it
    (r"(?P<keep>-(?<=\w-))\n\s*(?=[a-z])(?!and |or |to )", None),  # a line wrapped at a hyphen
)  # fmt: skip
_SPACE = _rules((r"\s{2,}|[^\S ]", " "), (r"\A | \Z", ""))


def _apply(done: CleanText, pattern: re.Pattern[str], replacement: _Replacement) -> CleanText:
    pieces: list[str] = []
    starts, ends, at = array("I"), array("I"), 0

    def keep(first: int, end: int) -> None:
        pieces.append(done.text[first:end])
        starts.extend(done.starts[first:end])
        ends.extend(done.ends[first:end])

    for match in pattern.finditer(done.text):
        keep(at, match.start())
        if replacement is None:
            keep(*match.span("keep"))
        else:
            new = replacement if isinstance(replacement, str) else replacement(match)
            pieces.append(new)
            starts.extend([done.starts[match.start()]] * len(new))
            ends.extend([done.ends[match.end() - 1]] * len(new))
        at = match.end()
    if not pieces:
        return done
    keep(at, len(done.text))
    return CleanText("".join(pieces), starts, ends)


def clean(stored: str, *, markup: bool = True) -> CleanText:
    r"""Remove LaTeX, HTML and invisible debris and collapse white space, keeping an exact map.

    `Ragnar\"ok` becomes `Ragnarök`, `M^{3}ViT` `M³ViT`, `<p>p &lt; 0.05</p>` `p < 0.05`. Time is
    linear in the length. Without `markup`, tags and entities stay.
    """
    done = CleanText(stored, range(len(stored)), range(1, len(stored) + 1))
    if not _UNUSUAL.search(stored):
        return done
    tags = _MARKUP if markup and any(sign in stored for sign in "<&") else ()
    debris = _DEBRIS if any(sign in stored for sign in "\\~^_`'${%") else ()
    for pattern, replacement in (*_ALWAYS, *tags, *debris, *_SPACE):
        done = _apply(done, pattern, replacement)
    return done


@lru_cache(maxsize=4096)
def clean_text(stored: str, *, markup: bool = True) -> str:
    """Return only the cleaned text, for titles and display."""
    return clean(stored, markup=markup).text
