"""What a value of a record says, whatever its shape: texts, and names of people."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

SAYING = ("value", "text", "name", "display_name", "title", "source", "#text", "$", "created")
"""Keys under which an object has what it says."""
_NOTHING = frozenset(
    ("", "nan", "none", "null", "n/a", "na", "nil", "undefined", "-", "--", "?", "n.d.", "unknown",
     "[no abstract available]", "no abstract available", "no abstract available.", "no abstract",
     "abstract not available", "not available", "abstract unavailable")
)  # fmt: skip
HALF_CHARACTER = re.compile("[\ud800-\udfff]")
"""Half a character, which no encoder takes."""
_DEEPEST = 3
"""Lists and objects around a text or a name."""
_SUFFIX = re.compile(r"(?:Jr|Sr|I{2,3}|IV|Inc|Ltd|LLC|GmbH|Ph\.?D|M\.?D)\.?", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[A-ZÀ-Þ]\.?[\s-]?){1,4}")
_SHORT = re.compile(r"(?P<family>[^\W\d_][^.,]+)\s(?P<given>(?:[A-ZÀ-Þ]\.[\s-]?){1,4})")
"""A name as Scopus writes it: "van Dam C.J."."""
_FAMILY_FIRST = re.compile(r"\S.*\s[A-ZÀ-Þ]{1,3}")
_MORE = re.compile(
    r"(?:,?\s*(?:\(\s*)?\+?\s*\d+\s+(?:more\s+)?authors?\)?"
    r"|,?\s*(?:et al\.?|and others|…|\.\.\.))\s*$",
    re.I,
)
_FOOTNOTES = re.compile(r"\s*(?:\((?:\d+,?)+\)|[\d*†‡§¶¹²³⁴⁵⁶⁷⁸⁹⁰]+(?:,[\d*†‡§¶]+)*)$")
_GIVEN = ("given", "firstname", "first", "givenname", "givennames", "forename", "forenames",
          "initials")  # fmt: skip
_WHOLE = ("name", "fullname", "displayname", "literal", "authorname", "rawname", "collectivename")


def folded(name: str) -> str:
    """A field's name without case, spaces and signs."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


def is_nothing(value: object) -> bool:
    """Whether a value only says that there is none."""
    if value is None or value is False or (isinstance(value, list | dict) and not value):
        return True
    if isinstance(value, float) and math.isnan(value):
        return True
    if isinstance(value, Mapping) and set(value) == {"value"}:
        return is_nothing(value["value"])
    return isinstance(value, str) and value.strip().casefold() in _NOTHING


def texts_in(value: object, deep: int = _DEEPEST) -> list[str]:
    """The texts in a value: itself, those of a list, or what an object says."""
    if is_nothing(value) or deep < 0 or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return [value if value.isascii() else HALF_CHARACTER.sub("\ufffd", value)]
    if isinstance(value, int):
        return [str(value)] if -(10**18) < value < 10**18 else []
    if isinstance(value, Sequence):
        return [text for each in value for text in texts_in(each, deep - 1)]
    if isinstance(value, Mapping):
        keys = (*SAYING, "href", "URL", "url")
        return next(filter(None, (texts_in(value.get(key), deep - 1) for key in keys)), [])
    return []


def text_in(value: object) -> str | None:
    """The first text in a value; None if there is none."""
    return next(iter(texts_in(value)), None)


def joined(value: object, between: str) -> str | None:
    """All texts in a value as one; None if there is none."""
    return between.join(texts_in(value)) or None


def names_in(value: object) -> list[str]:
    """The names of people in a value of any form, given names first."""
    names = _names(value, _DEEPEST)
    short = [match for name in names if (match := _SHORT.fullmatch(name))]
    if len(short) < len(names):  # "Indulekha K." among whole names has her initial behind
        return names
    return [f"{_spaced(name['given'])} {name['family']}" for name in short]


def _names(value: object, deep: int) -> list[str]:
    if deep < 0 or is_nothing(value):
        return []
    if isinstance(value, str):
        return _split_names(value)
    if isinstance(value, Mapping):
        return _name_of(value, deep)
    parts = value if isinstance(value, Sequence) else ()
    return [name for part in parts for name in _names_of_part(part, deep)]


def _names_of_part(part: object, deep: int) -> list[str]:
    """The names in a part of a list: mostly one; [family, given, suffix], as arXiv parses them."""
    if isinstance(part, str):
        return _split_names(part, is_one=True)
    if isinstance(part, Sequence) and all(isinstance(each, str) for each in part):
        texts = [each.strip() for each in part]
        if 1 < len(texts) < 4:
            return [" ".join(filter(None, (texts[1], texts[0], *texts[2:])))]
    return _names(part, deep - 1)


def _name_of(value: Mapping[str, object], deep: int) -> list[str]:
    parts = {folded(str(key)): each for key, each in value.items()}

    def first(*keys: str) -> str:
        return next((said for key in keys if (said := text_in(parts.get(key)))), "").strip()

    if family := first("family", "lastname", "last", "surname", "familyname", "keyname"):
        particle = first("nondroppingparticle", "droppingparticle")
        return [" ".join(filter(None, (first(*_GIVEN), particle, family, first("suffix"))))]
    if whole := first(*_WHOLE):
        return _one_name(whole) if "literal" not in parts else [" ".join(whole.split())]
    return _names(parts.get("author") or parts.get("value") or parts.get("creator"), deep - 1)


def _split_names(text: str, *, is_one: bool = False, sure: bool = False) -> list[str]:
    """The names in one text, whatever stands between them.

    `is_one` says that it should be one name, `sure` that two parts of it can only be one.
    """
    text = _MORE.sub("", re.sub(r"\s*\([^()]*\)", "", " ".join(text.split())))
    for sign in (";", " | ", " • ", " · "):
        if sign in text:
            parts = text.split(sign)
            return [name for part in parts for name in _split_names(part, is_one=True, sure=True)]
    pieces = re.split(r",?\s+(?:and|&)\s+", text)
    is_one = is_one or len(pieces) > 1
    found: list[str] = []
    for piece in pieces:
        parts = [part.strip() for part in piece.strip(" ,").split(",") if part.strip()]
        given = parts[1::2]
        words = [len(part.split()) for part in parts]
        if len(parts) > 1 and all(map(_FAMILY_FIRST.fullmatch, parts)):
            pass  # "Müller H, Tanaka Y": each is a whole name
        elif len(parts) % 2 == 0 and given and all(map(_INITIALS.fullmatch, given)):
            parts = [f"{family}, {short}" for family, short in zip(parts[::2], given, strict=True)]
        elif (len(parts) > 1 and _SUFFIX.fullmatch(parts[-1])) or (
            len(parts) == 2 and (words[0] == 1 or sure or (is_one and words[1] == 1))
        ):
            parts = [piece]  # "Lee, Ann", "García Márquez, Gabriel", "Lee, Jr."
        found += [name for part in parts for name in _one_name(part)]
    return found


def _one_name(text: str) -> list[str]:
    """One name, given names first and without marks of footnotes; none if it is no name."""
    name = HALF_CHARACTER.sub("\ufffd", " ".join(text.split())).strip(" ,")
    name = _FOOTNOTES.sub("", re.sub(r"\s*\([^()]*\)$", "", name)).strip(" ,")
    if name.casefold() in ("et al", "et al.", "others", "...", "…") or name[:1] in ("", "["):
        return []
    family, comma, given = name.partition(",")
    if comma and not _SUFFIX.fullmatch(given.strip()):
        given, _, suffix = given.partition(",")
        name = " ".join(filter(None, (_spaced(given.strip()), family.strip(), suffix.strip())))
    return [name[:2_000]]


def _spaced(given: str) -> str:
    """Given names; initials with spaces between: "C.J." is "C. J."."""
    is_short = _INITIALS.fullmatch(given)
    return re.sub(r"(?<=\.)(?=[^\W\d_])", " ", given) if is_short else given
