"""Numbers in a sentence, as quantities that can be compared: 32k is 32,000, four is 4."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isclose

from index.lexical import fold
from rag.support.named import names

_UNITS = dict(zip(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen""".split(), range(2, 20), strict=True,
))  # fmt: skip
_TENS = dict(zip(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10),
    strict=True,
))  # fmt: skip
_TIMES = {"twice": 2, "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "thrice": 3,
          "triple": 3, "triples": 3, "tripled": 3, "tripling": 3, "twofold": 2, "threefold": 3,
          "fourfold": 4, "fivefold": 5, "tenfold": 10}  # fmt: skip
_MAGNITUDES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9,
               "t": 1e12, "trillion": 1e12, "hundred": 1e2}  # fmt: skip

_WRITTEN = rf"(?:{'|'.join(_TENS)})(?:[- ](?:one|{'|'.join(list(_UNITS)[:8])}))?|{'|'.join(_UNITS)}"
_NUMBER = re.compile(
    # Not the digits of a name: GPT-4, Qwen2.5, o1, F1, and no ordinals.
    r"(?<![^\W_])(?<![^\W\d_]-)(?<![^\W_]\.)(?<![^\W_]/)"
    rf"(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(?P<written>{_WRITTEN})"
    r"(?![^\W_]))"
    r"(?:(?P<magnitude>[kKMBT](?![^\W_])|[- ]?(?:thousand|million|billion|trillion|hundred)\b))?"
    r"(?P<unit>\s?(?:%|percent\b|per cent\b)|[- ](?:percentage )?points?\b|\s?pp\b"
    r"|[x×](?![^\W_])|\s×|[- ]?fold\b|\stimes\b)?"
    r"(?!(?:st|nd|rd|th)\b)(?P<glued>[^\W\d_]*)(?![^\W_])",
    re.IGNORECASE,
)
_TIMES_WORD = re.compile(rf"\b(?:{'|'.join(_TIMES)})\b", re.IGNORECASE)
_RANGE = re.compile(r"\s?(?:[-–—~]|to|and|or|,)\s?$")
_GLUED_UNITS = re.compile(r"(?:[a-zµ]{1,3}|hz|khz|mhz|ghz|gb|mb|tb|kb)$", re.IGNORECASE)
_HEDGE = re.compile(
    r"(?:(?P<about>about|around|nearly|roughly|approximately|almost|some|close to|~|≈)"
    r"|(?P<least>over|more than|at least|above|exceeding)"
    r"|(?P<most>up to|less than|under|below))\s?$",
    re.IGNORECASE,
)
_ROUNDED = 0.05


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text."""

    value: float
    unit: str
    """"%" for percent and points of it, "x" for times, else ""."""
    text: str
    hedge: str
    """"about", "least" or "most" if it says so or the like, else ""."""

    def agrees(self, other: "Quantity") -> bool:
        """Whether another number bears this one out: a hedged one may be off by a twentieth."""
        if self.unit != other.unit:
            return False
        if isclose(self.value, other.value):
            return True
        near = bool(self.hedge) and isclose(self.value, other.value, rel_tol=_ROUNDED)
        return near and not (
            (self.hedge == "least" and other.value < self.value)
            or (self.hedge == "most" and other.value > self.value)
        )


def quantities(text: str) -> list[Quantity]:
    """The numbers of a cleaned text in order, digits and words ("one" may be a pronoun: not it).

    Numbers inside names (`GPT-4`, `F1`) and ordinals are none. In "30-40%" both are percent.
    """
    text = fold(text).replace("−", "-")
    found: list[Quantity] = []
    last_end = 0
    for match in _NUMBER.finditer(text):
        unit = _unit(match["unit"] or "")
        glued = match["glued"]
        if match["written"] is None and glued and not _GLUED_UNITS.match(glued):
            continue
        value = _value(match) * _MAGNITUDES.get((match["magnitude"] or "").strip(" -").lower(), 1)
        said = match[0].strip()
        if found and unit and not found[-1].unit and _RANGE.fullmatch(
            text[last_end : match.start()]
        ):  # fmt: skip
            before = found[-1]
            found[-1] = Quantity(before.value, unit, before.text, before.hedge)
        hedge = _HEDGE.search(text, max(0, match.start() - 15), match.start())
        found.append(Quantity(value, unit, said, (hedge and hedge.lastgroup) or ""))
        last_end = match.end()
    found += [
        Quantity(_TIMES[match[0].lower()], "x", match[0], "")
        for match in _TIMES_WORD.finditer(text)
    ]
    return found


def missing_numbers(sentence: str, cited: Iterable[str]) -> tuple[str, ...]:
    """The numbers of a sentence, as it writes them, that no cited text has with that unit.

    A number that belongs to a name (`Llama 3`) is `rag.support.named`'s.
    """
    for name in names(sentence):
        sentence = sentence.replace(name, re.sub(r" \d.*", "", name))
    there = [number for text in cited for number in quantities(text)]
    return tuple(
        dict.fromkeys(
            number.text
            for number in quantities(sentence)
            if not any(number.agrees(other) for other in there)
        )
    )


def _unit(said: str) -> str:
    said = said.strip(" -").lower()
    if not said:
        return ""
    return "%" if said.startswith(("%", "per", "point", "pp")) else "x"


def _value(match: re.Match[str]) -> float:
    if match["digits"] is not None:
        return float(match["digits"].replace(",", ""))
    tens, _, ones = match["written"].lower().replace("-", " ").partition(" ")
    if tens in _UNITS:
        return float(_UNITS[tens])
    return float(_TENS[tens] + (1 if ones == "one" else _UNITS.get(ones, 0)))
