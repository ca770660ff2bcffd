"""Numbers in a sentence, as quantities that can be compared: 32k is 32,000, four is 4."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isclose

from index.lexical import fold
from rag.support.named import names
from rag.support.units import measure

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
    rf"(?:(?P<digits>\d+,\d{{1,2}}(?=\s?%)|\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(?P<written>{_WRITTEN})"
    r"(?![^\W_]))"
    r"(?:(?P<magnitude>[kKMBT](?![^\W_])|[- ]?(?:thousand|million|billion|trillion|hundred)\b))?"
    r"(?P<unit>\s?(?:%|percent\b|per cent\b)|[- ](?:percentage )?points?\b|\s?pp\b"
    r"|[x×](?![^\W_])|\s×|[- ]?fold\b|\stimes\b)?"
    r"(?!(?:st|nd|rd|th)\b)(?P<glued>[^\W\d_]*)(?![^\W_])",
    re.IGNORECASE,
)
_TIMES_WORD = re.compile(rf"\b(?:{'|'.join(_TIMES)})\b", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}")
_AND = re.compile(r"[\s-]*(?:and\s)?\s*")
_RANGE = re.compile(r"\s?(?:[-–—~]|to|and|or|,)\s?$")
_GLUED_UNITS = re.compile(r"(?:[a-zµ]{1,3}|hz|khz|mhz|ghz|gb|mb|tb|kb)$", re.IGNORECASE)
_HEDGE = re.compile(
    r"(?:(?P<about>about|around|nearly|roughly|approximately|almost|some|close to|~|≈)"
    r"|(?P<least>over|(?<!no )(?<!not )more than|no (?:less|fewer) than|not less than|at least"
    r"|above|exceed\w*|beyond|upwards? of|minimum of|≥|>=?)"
    r"|(?P<most>up to|(?<!no )(?<!not )(?:less|fewer) than|no(?:t)? more than|at most|under|below"
    r"|within|as (?:many|much) as|maximum of|≤|<=?))\s?[$€£]?$",
    re.IGNORECASE,
)
_HEDGE_REACH = 18
_TO_OR_BY = re.compile(
    r"(?<!compared )(?<!relative )(?<!equal )(?<!close )(?<!due )(?<!up )(?<!\d )(?<!% )"
    r"\b(?P<aim>to|by)\s(?:only |just )?$"
)
_TO_OR_BY_REACH = 24
_ROUNDED, _WRITTEN_SHORTER = 0.05, 0.1
# Percentage points are often written "%", and as often "points"; those two are not the same.
_SAME_UNITS = ({"%", "pp"}, {"pp", "points"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text."""

    value: float
    unit: str
    """"%", "pp" for percentage points, "points" for others, "x" for times, else ""."""
    text: str
    hedge: str
    """"about", "least" or "most" if it says so or the like, else ""."""
    family: str = ""
    """What it measures: "time", "bytes", "$", …; else ""."""
    factor: float = 1.0
    """Of its value to the unit of its family."""
    aim: str = ""
    """"to" if something reaches it, "by" if something changes by as much, else ""."""
    start: int = 0
    """Where it begins in the folded text, in code points, and `end` is where it ends, exclusive."""
    end: int = 0
    digit: float = 0.0
    """What one in its last written digit is worth; 0 if it is written in words."""

    def agrees(self, other: "Quantity") -> bool:
        """Whether another number bears this one out.

        It may be hedged and off by a twentieth, or be the other one rounded to the digits that
        it has; "at least" and "up to" the same number contradict each other, and so do "to" and
        "by" it.
        """
        if self.family != other.family or not _same_unit(self.unit, other.unit):
            return False
        if {self.hedge, other.hedge} == {"least", "most"}:
            return False
        if self.aim and other.aim and self.aim != other.aim:
            return False
        mine, theirs = self.value * self.factor, other.value * other.factor
        if isclose(mine, theirs, rel_tol=1e-6) or self._rounds(theirs):
            return True
        near = bool(self.hedge) and isclose(mine, theirs, rel_tol=_ROUNDED)
        return near and not (
            (self.hedge == "least" and theirs < mine) or (self.hedge == "most" and theirs > mine)
        )

    def _rounds(self, value: float) -> bool:
        """Whether a value in the family's unit is this one when rounded to its digits."""
        off = abs(value / self.factor - self.value)
        whole = self.unit == "%" and self.value == _ALL  # 99.6% are not all
        return not whole and off <= self.digit / 2 and off <= _WRITTEN_SHORTER * self.value


_ALL = 100


def quantities(text: str) -> list[Quantity]:
    """The numbers of a cleaned text in order, digits and words ("one" may be a pronoun: not it).

    Numbers inside names (`GPT-4`, `F1`) and ordinals are none. In "30-40%" both are percent.
    """
    text = fold(text).replace("−", "-")
    found: list[Quantity] = []
    for match in _NUMBER.finditer(text):
        glued = match["glued"]
        if match["written"] is None and glued and not _GLUED_UNITS.match(glued):
            continue
        number = _quantity(text, match)
        if found and _is_range(found[-1], number, text):
            before = found[-1]
            found[-1] = replace(
                before, unit=number.unit, family=number.family, factor=number.factor
            )
        if found and _goes_on(found[-1], number, text):  # "three hundred sixty-nine"
            before = found.pop()
            number = replace(
                number,
                value=before.value + number.value,
                text=text[before.start : number.end].strip(),
                start=before.start,
            )
        found.append(number)
    found += [
        Quantity(_TIMES[match[0].lower()], "x", match[0], "", start=match.start(), end=match.end())
        for match in _TIMES_WORD.finditer(text)
    ]
    return found


def _quantity(text: str, match: re.Match[str]) -> Quantity:
    magnitude = (match["magnitude"] or "").strip(" -").lower()
    worth = _MAGNITUDES.get(magnitude, 1)
    value = _value(match) * worth
    unit = _unit(match["unit"] or "")
    end = match.end("magnitude") if magnitude else max(match.end("digits"), match.end("written"))
    start = match.start()
    family, factor, end = ("", 1.0, end) if unit else measure(text, start, end, value)
    end = max(end, match.end())
    hedge = _HEDGE.search(text, max(0, start - _HEDGE_REACH), start)
    opens = hedge.start() if hedge else start
    aim = _TO_OR_BY.search(text, max(0, opens - _TO_OR_BY_REACH), opens) if unit else None
    digits = match["digits"] or ""
    return Quantity(
        value,
        unit,
        text[start:end].strip(),
        (hedge and hedge.lastgroup) or "",
        family,
        factor,
        aim["aim"] if aim else "",
        start,
        end,
        worth * 10.0 ** -len(digits.partition(".")[2]) if digits else 0.0,
    )


def _is_range(one: Quantity, other: Quantity, text: str) -> bool:
    """Whether the unit of the second number is that of the first too: "30-40%"."""
    bare = not one.unit and not one.family and (other.unit or other.family)
    return bool(bare and _RANGE.fullmatch(text[one.end : other.start]))


def _goes_on(one: Quantity, other: Quantity, text: str) -> bool:
    """Whether two numbers in words are one: hundreds or thousands, and what is less."""
    written = not re.search(r"\d", one.text + other.text)
    is_magnitude = one.text.lower().endswith(("hundred", "thousand", "million"))
    less = other.value < 100 or one.value >= 1000 > other.value
    return written and is_magnitude and less and bool(_AND.fullmatch(text[one.end : other.start]))


def _follows(number: Quantity, there: Sequence[Quantity]) -> bool:
    """Whether a number is the difference of two shares, or the ratio of two of one unit."""
    shares = ("points", "pp", "%")
    if number.unit in shares:
        values = [each.value for each in there if each.unit in shares]
        near = 0.5 * (number.digit or 1.0)
        pairs = [(a, b) for at, a in enumerate(values) for b in values[:at]]
        return any(abs(abs(a - b) - number.value) <= near for a, b in pairs)
    if number.unit != "x":
        return False
    kinds = [(each.unit, each.family, each.value * each.factor) for each in there if each.value > 0]
    return any(
        one[:2] == other[:2]
        and abs(max(one[2], other[2]) / min(one[2], other[2]) - number.value) <= 0.05 * number.value
        for at, one in enumerate(kinds)
        for other in kinds[:at]
    )


def missing_numbers(sentence: str, cited: Iterable[str]) -> tuple[str, ...]:
    """The numbers of a sentence, as it writes them, that no cited text has with that unit.

    Nor do they follow from two that are there: "60 points ahead" of 72.36% and 12.24%. A number
    that belongs to a name (`Llama 3`) is `rag.support.named`'s.
    """
    there = [number for text in cited for number in quantities(text)]
    return tuple(
        dict.fromkeys(
            number.text
            for number in quantities(without_versions(sentence))
            if not any(number.agrees(other) for other in there) and not _follows(number, there)
        )
    )


def without_versions(sentence: str) -> str:
    """A sentence without the numbers that belong to its names: "Llama 3" is "Llama"."""
    for name in names(sentence):
        sentence = sentence.replace(name, re.sub(r" \d.*", "", name))
    return sentence


def _same_unit(one: str, other: str) -> bool:
    return one == other or {one, other} in _SAME_UNITS


def _unit(said: str) -> str:
    said = said.strip(" -").lower()
    if not said:
        return ""
    if said.startswith("point"):
        return "points"
    if said.startswith(("percentage", "pp")):
        return "pp"
    return "%" if said.startswith(("%", "per")) else "x"


def _value(match: re.Match[str]) -> float:
    if match["digits"] is not None:
        decimal = _DECIMAL_COMMA.fullmatch(match["digits"])
        return float(match["digits"].replace(",", "." if decimal else ""))
    tens, _, ones = match["written"].lower().replace("-", " ").partition(" ")
    if tens in _UNITS:
        return float(_UNITS[tens])
    return float(_TENS[tens] + (1 if ones == "one" else _UNITS.get(ones, 0)))
