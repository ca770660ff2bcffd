"""Read texts, names of people and dates from the values of records, whatever their shape."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

SAYING = ("value", "text", "name", "display_name", "title", "source", "#text", "$", "created")
_PLACEHOLDERS = frozenset(
    ("", "nan", "none", "null", "n/a", "na", "nil", "undefined", "-", "--", "?", "n.d.", "unknown",
     "[no abstract available]", "no abstract available", "no abstract available.", "no abstract",
     "abstract not available", "not available", "abstract unavailable")
)  # fmt: skip
_SUFFIX = re.compile(r"(?:Jr|Sr|I{2,3}|IV|Inc|Ltd|LLC|GmbH|Ph\.?D|M\.?D)\.?", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[A-ZÀ-Þ]\.?[\s-]?){1,4}")
_AFTER_NAMES = re.compile(
    r"(?i)(?:,?\s*(?:(?:\(\s*)?\+?\s*\d+\s+(?:more\s+)?authors?\)?|et al\.?|and others|…|\.\.\.))"
    r"\s*$|\s*(?:\((?:\d+,?)+\)|[\d*†‡§¶¹²³⁴⁵⁶⁷⁸⁹⁰]+(?:,[\d*†‡§¶]+)*)$"
)
"""What may follow names: "and 12 more authors", "et al.", footnote marks."""


def folded(name: str) -> str:
    """Return a field's name without case, spaces and signs."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


def whole_characters(text: str) -> str:
    """Replace unpaired surrogates in a text, which no encoder accepts."""
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)


def is_nothing(value: object) -> bool:
    """Return whether a value is empty, or only says that there is none."""
    if isinstance(value, Mapping) and set(value) == {"value"}:
        return is_nothing(value["value"])
    if isinstance(value, str):
        return value.strip().casefold() in _PLACEHOLDERS
    if value is None or value is False or value in ([], {}):
        return True
    return isinstance(value, float) and math.isnan(value)


def texts_in(value: object, deep: int = 3) -> list[str]:
    """Return the texts in a value: itself, or those in a list or object, up to `deep` levels."""
    if is_nothing(value) or deep < 0 or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return [whole_characters(value)]
    if isinstance(value, int):
        return [str(value)] if -(10**18) < value < 10**18 else []
    if isinstance(value, Sequence):
        return [text for each in value for text in texts_in(each, deep - 1)]
    if isinstance(value, Mapping):  # the keys under which objects have their text
        keys = (*SAYING, "href", "URL", "url")
        return next(filter(None, (texts_in(value.get(key), deep - 1) for key in keys)), [])
    return []


def text_in(value: object) -> str | None:
    """Return the first text in a value; None if there is none."""
    return next(iter(texts_in(value)), None)


def names_in(value: object) -> list[str]:
    """Return the names of people in a value of any shape, given names first."""
    names = _names(value, 3)
    scopus = r"([^\W\d_][^.,]+)\s((?:[A-ZÀ-Þ]\.[\s-]?){1,4})"  # "van Dam C.J."
    short = [match for name in names if (match := re.fullmatch(scopus, name))]
    # Among whole names, "Indulekha K." just ends in an initial.
    return (
        [f"{_spaced(name[2])} {name[1]}" for name in short] if len(short) == len(names) else names
    )


def _names(value: object, deep: int, *, is_one: bool = False) -> list[str]:
    """Return the names in a value; `is_one`: it is an item of a list, and so mostly one name."""
    if deep < 0 or is_nothing(value):
        return []
    if isinstance(value, str):
        return _split_names(value, is_one=is_one)
    if isinstance(value, Mapping):
        return _name_of({folded(str(key)): each for key, each in value.items()}, deep)
    if not isinstance(value, Sequence):
        return []
    texts = [each.strip() for each in value if isinstance(each, str)]
    if is_one and 1 < len(value) < 4 and len(texts) == len(value):
        family, given, *suffix = texts  # as arXiv parses them
        return [" ".join(filter(None, (given, family, *suffix)))]
    return [name for part in value for name in _names(part, deep - 1, is_one=True)]


def _name_of(parts: Mapping[str, object], deep: int) -> list[str]:
    def first(keys: str) -> str:
        return next(filter(None, (text_in(parts.get(key)) for key in keys.split())), "").strip()

    if family := first("family lastname last surname familyname keyname"):
        given = first("given firstname first givenname givennames forename forenames initials")
        particle = first("nondroppingparticle droppingparticle")
        return [" ".join(filter(None, (given, particle, family, first("suffix"))))]
    if whole := first("name fullname displayname literal authorname rawname collectivename"):
        return _one_name(whole) if "literal" not in parts else [" ".join(whole.split())]
    return _names(parts.get("author") or parts.get("value") or parts.get("creator"), deep - 1)


def _split_names(text: str, *, is_one: bool = False, sure: bool = False) -> list[str]:
    """Return the names in one text; `sure`: two parts with one comma between them are one name."""
    bare = re.sub(r"\s*\((?:[^()]|\([^()]*\))*\)", "", " ".join(text.split()))
    text = _AFTER_NAMES.sub("", bare)
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
        if len(parts) > 1 and all(re.fullmatch(r"\S.*\s[A-ZÀ-Þ]{1,3}", part) for part in parts):
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
    """Return one name, given names first, without footnote marks; [] if the text is no name."""
    name = whole_characters(" ".join(text.split())).strip(" ,")
    name = _AFTER_NAMES.sub("", re.sub(r"\s*\([^()]*\)$", "", name)).strip(" ,")
    if name.casefold() in ("et al", "et al.", "others", "...", "…") or name[:1] in ("", "["):
        return []
    family, comma, given = name.partition(",")
    if comma and not _SUFFIX.fullmatch(given.strip()):
        given, _, suffix = given.partition(",")
        name = " ".join(filter(None, (_spaced(given.strip()), family.strip(), suffix.strip())))
    return [name[:2_000]]


def _spaced(given: str) -> str:
    """Return given names, with spaces between initials: "C. J." for "C.J."."""
    return re.sub(r"(?<=\.)(?=[^\W\d_])", " ", given) if _INITIALS.fullmatch(given) else given


Precision = Literal["day", "week", "month", "year"]
YEARS = range(1900, 2101)  # that a user may give; any other is taken as a typing error
MONTH_NAME = (
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
"""A regular expression, for use without case, for an English month's name as a whole word."""
# Folded names: English, then German, French, Spanish, Italian, Portuguese and Dutch.
_MONTH_NAMES = """jan january januar janvier enero gennaio janeiro januari
feb february februar fevrier febrero febbraio fevereiro februari
mar march marz mars marzo marco maart
apr april avril abril aprile
may mai mayo maggio maio mei
jun june juni juin junio giugno junho
jul july juli juillet julio luglio julho
aug august aout agosto augustus
sep sept september septembre septiembre settembre setembro
oct october oktober octobre octubre ottobre outubro
nov november novembre noviembre novembro
dec december dezember decembre diciembre dicembre dezembro"""
_MONTHS = {name: at for at, row in enumerate(_MONTH_NAMES.split("\n"), 1) for name in row.split()}
_ANY_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_MONTH = rf"(?P<month>{_ANY_MONTH})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>\d{4})"
_TO = r"\s*(?:-|–|—|to|until|bis)\s*"
_BEFORE = r"(?:(?:date|sent|week of|week)\s*:?\s*)?(?:(?:[a-z]{3,10}\.?,?|[a-z]{2}[.,]{1,2})\s+)?"
_AFTER = (
    r"(?:(?:,?\s+|t)(?:at\s+)?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[ap]\.?m\.?)?"
    r"(?:\s*z|\s*[+-]\d{2}:?\d{2}|\s+[a-z]{3,4})?(?:\s*\([a-z]{2,5}\))?)?/?"
)
_DATES: tuple[tuple[Precision, str], ...] = (
    ("day", rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?"),
    ("day", rf"{_DAY}(?:\s+(?:of|de))?\s+{_MONTH}(?:,?\s+(?:de\s+)?{_YEAR})?"),
    ("day", rf"{_DAY}-{_MONTH}-{_YEAR}"),
    ("day", rf"{_YEAR}(?P<sign>[-/. ])(?P<number>\d{{1,2}})(?P=sign)(?P<day>\d{{1,2}})"),
    ("day", rf"{_YEAR}(?P<number>\d\d)(?P<day>\d\d)"),
    ("day", rf"{_YEAR}[\s,]+{_MONTH}\s+(?P<day>\d{{1,2}})"),
    ("day", r"(?P<day>\d{1,2})\.\s?(?P<number>\d{1,2})\.\s?(?P<year>\d{4}|\d{2})"),
    ("day", r"(?P<number>\d{1,2})(?P<us>/)(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})"),
    ("week", rf"{_MONTH}\s+{_DAY}{_TO}(?:(?P<last>{_ANY_MONTH})\.?\s+)?\d{{1,2}}"
             rf"(?:,?\s+{_YEAR})?"),
    ("week", rf"{_DAY}{_TO}\d{{1,2}}\.?\s+{_MONTH}(?:,?\s+{_YEAR})?"),
    ("month", rf"{_MONTH},?\s+{_YEAR}"),
    ("month", rf"{_YEAR}[\s,]+{_MONTH}(?:[-/ ][a-z]{{3,10}})?"),
    ("month", rf"{_YEAR}[-/](?P<number>\d{{1,2}})/?"),
    ("year", rf"{_YEAR}"),
)  # fmt: skip
_SHAPES = tuple((how, re.compile(_BEFORE + shape + _AFTER)) for how, shape in _DATES)


@dataclass(frozen=True, slots=True)
class Dated:
    """A date and its precision; a month or a year is represented by its first day."""

    day: date
    precision: Precision = "day"

    @property
    def iso(self) -> str:
        """The ISO date as far as it is known: "2025", "2025-03" or "2025-03-14"."""
        length = {"year": 4, "month": 7}.get(self.precision, 10)
        return self.day.isoformat()[:length]


def month_number(name: str) -> int:
    """Return the month, 1 to 12, of a name that `MONTH_NAME` matches."""
    return _MONTHS[name[:3].lower()]


def is_date(line: str) -> bool:
    """Return whether a whole line is a date of at least a month, even one that does not exist."""
    matched = _match(line)
    return matched is not None and matched[0] != "year"


def read_date(text: str, year: int | None = None) -> Dated | None:
    """Return the date that makes up a whole text, as `_DATES` shows, or None.

    `year` is that of a date without one; if it is None, such a text is no date. A day that does
    not exist is a `ValueError`, which names it.
    """
    matched = _match(text)
    if matched is None:
        return None
    precision, match = matched
    part = match.groupdict()
    stated = part.get("year")
    named = int(stated) + 2000 * (len(stated) == 2) if stated else year
    if named is None:
        return None
    month = int(part.get("number") or _MONTHS.get(part.get("month") or "", 1))
    day = int(part.get("day") or 1)
    if part.get("us") and month > 12:  # the first number is the month unless it can only be a day
        month, day = day, month
    if (last := part.get("last")) and stated and _MONTHS[last] < month:
        named -= 1  # "Dec 29 – Jan 4, 2026"
    try:
        return Dated(date(named, month, day), precision)
    except ValueError as error:
        hint = "" if stated else f" in {named} (if the year is wrong, give the right one)"
        raise ValueError(f"{text.strip()} does not exist{hint}") from error


def _match(text: str) -> tuple[Precision, re.Match[str]] | None:
    if len(text) > 60 or not any(c.isdigit() for c in text):
        return None
    folded = unicodedata.normalize("NFKD", text.strip()).casefold()
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    found = ((precision, shape.fullmatch(folded)) for precision, shape in _SHAPES)
    return next(((precision, match) for precision, match in found if match), None)


def date_of(value: object, year: int | None = None) -> Dated | None:
    """Return the date in a field of a record, in any shape; None if there is none.

    Accepts texts, ranges (the first date counts), seconds or milliseconds since 1970, years, and
    lists or objects of year, month and day (`{"date-parts": [[2023, 5]]}`). `year` is that of a
    text without one.
    """
    with suppress(ValueError, OverflowError, OSError, RecursionError):
        return _date_of(value, year)
    return None


def _date_of(value: object, usual_year: int | None = None) -> Dated | None:
    if isinstance(value, Mapping):
        parts = {str(key).casefold(): each for key, each in value.items()}
        if "year" in parts:
            return _date_of([parts.get(key) for key in ("year", "month", "day")])
        keys = ("date-parts", "value", "raw", "$", "#text", "date-time", "start", "created")
        return next((found for key in keys if (found := _date_of(parts.get(key)))), None)
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], list | tuple | Mapping):
            return _date_of(value[0])
        texts = [str(part).strip() for part in value if part not in (None, "")]
        return read_date("-".join(texts)) or read_date(" ".join(texts))
    if isinstance(value, str):
        text = " ".join(value.split())
        if re.fullmatch(r"\d{9,14}", text):
            return _date_of(int(text))
        first = re.match(rf"(.{{4,40}}?)(?:;|\(|\.(?=\s|$)|{_TO})", text)
        if found := read_date(text, usual_year) or (first and read_date(first[1].strip())):
            return found
        year = re.search(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)", text)  # "2021a", "Spring 2024"
        return read_date(year[0]) if year and len(text) <= 60 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    number = int(value)
    if number in YEARS:
        return Dated(date(number, 1, 1), "year")
    if number < 10**8:  # digits like 20250422
        return read_date(str(number)) if number >= 10**7 else None
    seconds = number / 1000 if number >= 10**11 else number  # milliseconds
    return Dated(datetime.fromtimestamp(seconds, UTC).date())
