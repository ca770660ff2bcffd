"""Find numbers, units and names of a sentence that its cited text lacks: 32k equals 32,000."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from math import isclose

from index.lexical import STOP_WORDS, fold, stem, tokenize

_WORD = re.compile(r"[^\W_][\w+]*(?:[-./’'][\w+]+)*")
_CAPITALISED = re.compile(r"(?:[A-Z][\w-]*(?:\s(?:of|and|for|the|in)\s|[\s-]))+[A-Z][\w-]*")
_VERSION = re.compile(r" \d+(?:\.\d+)*\b(?!\s?[%×])")

# Acronyms so common in the field that a text can be about them without containing them.
_EVERYDAY = frozenset(
    "AI ML NLP LLM LLMS LM LMS PLM PLMS RL QA GPU GPUS CPU CPUS API APIS SOTA US UK EU".split()
)


def names(sentence: str) -> tuple[str, ...]:
    """Find the names in a cleaned sentence, in order.

    A name has the shape of one (`GPT-4`, `MindSearch`), or is another capitalised word inside a
    sentence (`Voyager`), with its number (`Llama 3`). Everyday acronyms ("LLM") are no names.
    """
    found: dict[str, None] = {}
    for match in _WORD.finditer(sentence):
        word = match[0].removesuffix("'s").removesuffix("’s")
        if word.upper() in _EVERYDAY or len(word) < 2 or word.lower() in STOP_WORDS:
            continue
        is_inside = word[0].isupper() and not _opens(sentence[: match.start()])
        if is_inside or _is_shaped(word):
            version = _VERSION.match(sentence, match.end()) if word[0].isupper() else None
            found[word + version[0] if version else word] = None
    return tuple(found)


def _opens(before: str) -> bool:
    """Return whether a sentence, a quotation or a list item begins after this text."""
    bare = before.rstrip()
    is_apart = bare != before and bare.endswith(tuple(".?!:;•–—-"))
    return not bare or is_apart or bare.endswith(tuple('"“‘«'))


def missing_names(sentence: str, cited: Iterable[str]) -> tuple[str, ...]:
    """Return the names of a sentence, as it writes them, that no cited text mentions.

    Spacing, hyphens and inflection may differ. An acronym is mentioned if words with its initials
    occur, and words are if their acronym occurs.
    """
    text = "\n".join(cited)
    words = [_squash(word) for word in re.split(r"[\s/]+", text)]
    # Up to three neighbouring words joined, so that "Mind Search" mentions MindSearch.
    runs = ("".join(words[at : at + n]) for n in (1, 2, 3) for at in range(len(words) - n + 1))
    known = frozenset((*tokenize(text), *runs))
    initials = "".join(word[0] for word in re.findall(r"[^\W_]+", fold(text))).lower()
    return tuple(
        name
        for name in names(sentence)
        if not _is_mentioned(name, known, initials) and not _spelt_out(name, sentence, text)
    )


def _singular(name: str) -> str:
    return re.sub(r"(?<=[A-Z\d])s$", "", name)  # "LLMs", "GPT4s"


def _squash(text: str) -> str:
    return re.sub(r"[\W_]", "", fold(text)).lower()


def _is_shaped(word: str) -> bool:
    """Return whether a word has digits after letters, an inner capital, or a final plus sign."""
    bare = _singular(word)
    if re.fullmatch(r"\d[\d.,]*(?:[-./]?[^\W\d_]*)*", bare):
        return bool(re.fullmatch(r"\d+[A-Z][a-z]*[A-Z]\w*", bare))  # 3DGS, but not 32k or 4-bit
    if "-" in bare and not re.search(r"\d", bare):
        # A capital inside one of the pieces, everyday acronyms aside: Self-RAG, but not LLM-based.
        pieces = [piece for piece in bare.split("-") if piece.upper() not in _EVERYDAY]
        return any(re.search(r"[^\W_][A-Z]", piece) for piece in pieces)
    return bool(re.search(r"[^\W\d_]-?\d|[^\W_][\w./]*[A-Z]|\+$", bare))


def _is_mentioned(name: str, known: frozenset[str], initials: str) -> bool:
    bare = _singular(name)
    whole = _squash(bare)
    if not known.isdisjoint((whole, stem(whole), whole + "s")):
        return True
    if not _is_shaped(name) and " " not in name:
        return bool(tokens := tokenize(name)) and known.issuperset(tokens)
    if re.search(r"\d", name):
        return False
    pieces = [piece for piece in re.split(r"[-/]", name) if not piece.islower()]
    if "-" in name and all(not known.isdisjoint((_squash(p), stem(p.lower()))) for p in pieces):
        return True  # Self-RAG: each piece is mentioned on its own
    return bare.isupper() and len(bare) > 2 and bare.lower() in initials


def _spelt_out(name: str, sentence: str, text: str) -> bool:
    """Return whether a name is in a run of capitalised words whose acronym is in the text."""
    runs = (run for run in _CAPITALISED.findall(sentence) if name in run)
    acronyms = ("".join(re.findall(r"\b[A-Z]", run)) for run in runs)
    return any(len(each) > 1 and re.search(rf"\b{each}s?\b", text) for each in acronyms)


SMALL = {word: value for value, word in enumerate(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen""".split(), 2,
)}  # fmt: skip
"""Numbers in words below twenty, without "one", which may be a pronoun."""
_TENS = {word: 10 * value for value, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2,
)}  # fmt: skip
_TIMES = {"twice": 2, "double": 2, "doubles": 2, "doubled": 2, "thrice": 3, "triple": 3,
          "triples": 3, "tripled": 3, "twofold": 2, "threefold": 3, "fourfold": 4, "fivefold": 5,
          "tenfold": 10}  # fmt: skip
_MAGNITUDES = {"": 1, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9,
               "billion": 1e9, "t": 1e12, "trillion": 1e12, "hundred": 1e2}  # fmt: skip
# What units measure, and the factor of each to a common unit: three minutes are not three hours.
_MEASURES = {
    "%": {1.0: "%,percent,per cent"}, "pp": {1.0: "pp,percentage point"},
    "points": {1.0: "point"}, "x": {1.0: "x,×,fold,time"},
    "time": {
        1e-9: "ns,nanosecond", 1e-6: "us,µs,μs,microsecond", 1e-3: "ms,msec,millisecond",
        1.0: "s,sec,second", 60.0: "min,minute", 3600.0: "h,hr,hour", 86_400.0: "day",
        604_800.0: "week",
    },
    "calendar": {1.0: "month", 12.0: "yr,year", 120.0: "decade"},
    "bytes": {
        1.0: "byte", 1e3: "kb,kib,kilobyte", 1e6: "mb,mib,megabyte", 1e9: "gb,gib,gigabyte",
        1e12: "tb,tib,terabyte", 1e15: "pb,petabyte",
    },
    "hertz": {1.0: "hz,hertz", 1e3: "khz", 1e6: "mhz", 1e9: "ghz"},
    "length": {1e-3: "mm", 1e-2: "cm", 1.0: "meter,metre", 1e3: "km,kilometer,kilometre"},
    "power": {1.0: "watt", 1e3: "kw,kilowatt"}, "bits": {1.0: "bit"},
    "$": {1.0: "dollar,usd", 0.01: "cent"}, "€": {1.0: "euro,eur"}, "£": {1.0: "pound,gbp"},
}  # fmt: skip
_UNITS = {
    name: (measure, factor)
    for measure, units in _MEASURES.items()
    for factor, listed in units.items()
    for name in listed.split(",")
}
# Percentage points are often written as "%" or as "points", which differ from each other.
_SAME_UNITS = ({"%", "pp"}, {"pp", "points"})
_SHARES = ("points", "pp", "%")

_BELOW_TEN = "|".join(list(SMALL)[:8])
_WRITTEN = (
    rf"(?:(?:{_BELOW_TEN}) hundred (?:and )?)?"
    rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:one|{_BELOW_TEN}))?|{'|'.join(SMALL)})"
)
_NUMBER = re.compile(
    # Excludes the digits of a name: GPT-4, Qwen2.5, o1, F1.
    r"(?i)(?<![^\W_])(?<![^\W\d_]-)(?<![^\W_]\.)(?<![^\W_]/)"
    r"(?:(?P<digits>\d+,\d{1,2}(?=\s?%)|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    rf"|(?P<written>{_WRITTEN})(?![^\W_]))"
    r"(?P<magnitude>[kKMBT](?![^\W_])|[- ]?(?:thousand|million|billion|trillion|hundred)\b)?"
)
# A unit, or at most three letters that may be one, but no ordinal and no name ("3DGS").
_AFTER = re.compile(
    r"(?i)[-\s]?(?P<unit>%|(?:"
    + "|".join(sorted(set(_UNITS) - {"%"}, key=len, reverse=True))
    + r")"
    r"(?=s?(?![^\W_])))s?|(?!(?:st|nd|rd|th)\b)[^\W\d_]{0,3}(?![^\W_])"
)
_RANGES = frozenset(("-", "–", "—", "~", "to", "and", "or", ","))
"""What may be between two numbers that share the unit of the second."""
_HEDGE = re.compile(
    r"(?i)(?:(?P<about>about|around|nearly|roughly|approximately|almost|some|close to|~|≈)"
    r"|(?P<least>over|(?<!no )(?<!not )more than|no (?:less|fewer) than|not less than|at least"
    r"|above|exceed\w*|beyond|≥|>=?)"
    r"|(?P<most>up to|(?<!no )(?<!not )(?:less|fewer) than|no(?:t)? more than|at most|under|below"
    r"|within|as (?:many|much) as|≤|<=?))\s?[$€£]?$"
)
# "cut to 40%" is not "cut by 40%"; "compared to 40%" is neither.
_AIM = re.compile(
    r"(?<!compared )(?<!relative )(?<!equal )(?<!close )(?<!up )(?<!\d )(?<!% )\b(to|by)\s"
    r"(?:only |just )?$"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text, with its unit."""

    value: float
    """In the common unit of what it measures: seconds for times."""
    unit: str
    """What it measures, a key of `_MEASURES`; else ""."""
    text: str
    hedge: str = ""
    """"about", "least" or "most" if words before it say so ("up to" is "most"), else ""."""
    digit: float = 0.0
    """The value of 1 in its last written digit; 0 if it is written in words."""
    aim: str = ""
    """"to" if something reaches this share, "by" if something changes by it, else ""."""
    factor: float = 1.0
    """Of the unit that it is written in."""
    start: int = 0
    """Its first code point in the folded text; `end` is exclusive."""
    end: int = 0

    def agrees(self, other: "Quantity") -> bool:
        """Return whether another number supports this one.

        This one may be the other with fewer digits, or hedged and off by a twentieth. "At least"
        and "up to" a number contradict each other, and so do "to" and "by" it.
        """
        if self.unit != other.unit and {self.unit, other.unit} not in _SAME_UNITS:
            return False
        if {self.hedge, other.hedge} == {"least", "most"} or {self.aim, other.aim} == {"to", "by"}:
            return False
        off = abs(other.value - self.value)
        is_all = self.unit == "%" and self.value == 100  # 99.6% does not round to 100%
        rounds = not is_all and off <= min(self.digit / 2, 0.1 * self.value)
        if rounds or isclose(self.value, other.value, rel_tol=1e-6):
            return True
        beyond = {"least": other.value < self.value, "most": other.value > self.value}
        near = isclose(self.value, other.value, rel_tol=0.05)
        return bool(self.hedge) and near and not beyond.get(self.hedge, False)


def quantities(text: str) -> list[Quantity]:
    """Find the numbers of a cleaned text, in digits or words, without those of names and ordinals.

    They are in order, but "twice" and the like come last. In "30-40%" both numbers are percent.
    """
    text = fold(text).replace("−", "-")
    found: list[Quantity] = []
    for match in _NUMBER.finditer(text):
        after = _AFTER.match(text, match.end())
        if not after:
            continue
        number = _quantity(text, match, after)
        before = found[-1] if found else number
        between = text[before.end : number.start].strip().lower()
        if number.unit and not before.unit and between in _RANGES:
            value, digit = before.value * number.factor, before.digit * number.factor
            found[-1] = replace(before, value=value, digit=digit, unit=number.unit)
        found.append(number)
    times = (word for word in re.findall(r"[^\W\d_]+", text) if word.lower() in _TIMES)
    return found + [Quantity(_TIMES[word.lower()], "x", word) for word in times]


def _quantity(text: str, match: re.Match[str], after: re.Match[str]) -> Quantity:
    start, end = match.start(), after.end()
    digits, written = match["digits"] or "", match["written"] or ""
    magnitude = _MAGNITUDES[(match["magnitude"] or "").strip(" -").lower()]
    is_decimal = "," in digits and len(digits.rpartition(",")[2]) < 3  # "72,36 %"
    plain = digits.replace(",", "." if is_decimal else "")
    value = (float(plain) if plain else _value_of(written)) * magnitude
    unit, factor = _UNITS.get((after["unit"] or "").lower(), ("", 1.0))
    if after[0].lower() == "s" and value in range(1000, 2100):  # "the 1990s"
        unit, factor = "", 1.0
    if (currency := text[max(0, start - 2) : start].strip()[-1:]) in ("$", "€", "£"):
        unit, factor = currency, 1.0
    hedge = _HEDGE.search(text, max(0, start - 18), start)
    opens = hedge.start() if hedge else start
    aim = _AIM.search(text, max(0, opens - 24), opens) if unit in (*_SHARES, "x") else None
    digit = magnitude * factor * 10.0 ** -len(digits.partition(".")[2]) if digits else 0.0
    said, hedged = text[start:end].strip(), (hedge and hedge.lastgroup) or ""
    aimed = aim[1] if aim else ""
    return Quantity(value * factor, unit, said, hedged, digit, aimed, factor, start, end)


def _value_of(written: str) -> float:
    known = SMALL | _TENS | {"one": 1}
    hundreds, _, rest = written.lower().replace("-", " ").rpartition(" hundred ")
    value = sum(known[word] for word in rest.removeprefix("and ").split())
    return float(value + 100 * known.get(hundreds, 0))


def _derived(number: Quantity, known: Iterable[Quantity]) -> bool:
    """Return whether a number is the difference of two shares, or the ratio of two in one unit."""
    for low, high in combinations(sorted(known, key=lambda each: each.value), 2):
        if number.unit in _SHARES and low.unit in _SHARES and high.unit in _SHARES:
            found, off = high.value - low.value, 0.5 * (number.digit or 1.0)
        elif number.unit == "x" and low.unit == high.unit and low.value > 0:
            found, off = high.value / low.value, 0.05 * number.value
        else:
            continue
        if abs(found - number.value) <= off:
            return True
    return False


def missing_numbers(sentence: str, cited: Iterable[str]) -> tuple[str, ...]:
    """Return the numbers of a sentence, as it writes them, that no cited text supports.

    One that follows from two cited ones is supported: "60 points ahead" from 72.36% and 12.24%.
    """
    known = [number for text in cited for number in quantities(text)]
    for name in names(sentence):  # "Llama 3" is left to `missing_names`
        sentence = sentence.replace(name, re.sub(r" \d.*", "", name))
    missing = (
        number.text
        for number in quantities(sentence)
        if not any(number.agrees(other) for other in known) and not _derived(number, known)
    )
    return tuple(dict.fromkeys(missing))
