"""What a question asks for, read off its words alone."""

import re
from dataclasses import dataclass
from enum import StrEnum

MONEY = "dollars"


class Kind(StrEnum):
    """The form of answer that a question wants."""

    FACT = "fact"
    LIST = "list"
    COMPARE = "compare"


@dataclass(frozen=True)
class Question:
    """A question that stands alone, and what it asks for."""

    text: str
    kind: Kind
    parts: tuple[str, ...]
    """The questions it is made of, at least one: "How many X, and why?" has two."""
    wants_number: bool
    wants_reason: bool
    wants_name: bool
    counted: str | None
    """What "how many ..." asks to count: "hours", "extra parameters"; `MONEY` for a price."""


_PAPERS = (
    r"(?:papers?|abstracts?|articles?|stud(?:y|ies)|works|surveys|reviews|methods|approaches"
    r"|benchmarks|datasets|data ?sets|models|systems|frameworks|techniques|algorithms|agents"
    r"|authors|groups|tools|ones|projects|publications)"
)
_WORKS = r"(?:papers|abstracts|articles|studies|works|surveys)"
_VERB = r"(?:is|was|were|are|did|does|do|has|have|had|can|could|where|that|who|when|in)"
_DOES = (
    r"(?:reports|uses|studies|works|evaluates|tests|measures|proposes|looks|talks|mentions|cites)"
)
_LIST = re.compile(
    r"^(?:and |so |ok |please )*(?:"
    + "|".join(
        (
            # which papers …; what recent model merging methods …
            rf"(?:which|what) (?!percentage|share|number|fraction)(?:(?!{_VERB}\b)[\w-]+ ){{0,4}}?"
            rf"(?!paper\b){_PAPERS}\b"
            r"(?! (?:is|was|has|does|did|do|it|they|that|s)\b)",
            # list all the papers …; show me some benchmarks …
            r"(?:list|name|enumerate|show|find|give)\b(?: me)?(?: (?:all|every|some|the|any|of))*"
            rf" (?:[\w-]+ ){{0,4}}?{_PAPERS}\b",
            # what do we have on …; what is there about …; what was in …
            r"what (?:do|did) (?:we|you|they) have\b",
            r"what(?:'s| is| was| else is)? (?:there |new |in there )+(?:on|about|in|for)\b",
            r"what (?:was|is|were|are) (?:in|listed)\b",
            # are there other papers …; do we have any …; how many papers …
            rf"(?:is|are) there (?:any|other|more|some)? ?(?:[\w-]+ ){{0,3}}?{_WORKS}\b",
            r"(?:do|did) (?:we|you) have (?:any|some)",
            rf"how many (?:[\w-]+ ){{0,3}}?{_WORKS}\b(?! (?:did|does|do|has|have|had)\b)",
            # anything that uses …; any of these …; any recommendation papers …
            r"(?:(?:is|are) there |list |find |show )?(?:me )?"
            r"(?:any(?:thing| of (?:them|these|those))|everything|what else)\b",
            rf"any (?:[\w-]+ ){{0,3}}?(?!paper\b){_PAPERS}\b",
            # all the papers …; papers about …
            rf"all (?:the )?{_PAPERS}\b",
            rf"{_WORKS} (?:about|on|that|which|using|with)\b",
            r"(?:show|tell) me (?:about )?(?:everything|all)\b",
            # who reports …
            rf"who (?:else |all )*{_DOES}\b",
        )
    )
    + ")",
    re.IGNORECASE,
)
_MORE = r"(?:more|fewer|less|better|worse|larger|bigger|smaller|higher|lower|faster|slower)"
_COMPARE = re.compile(
    r"\b(?:compare[ds]?|comparison|versus|vs\.?|diff(?:er|erences?)?|in contrast)\b"
    rf"|^(?:does|do|is|are|which has|who has)\b.* or .*\b{_MORE}\b"
    r"|\bboth\b.*\beach\b|\bwhat does each\b|\bhow do .+ and .+ differ\b",
    re.IGNORECASE,
)
# "How do people and the best model compare on OSWorld?": two figures of one paper.
_WITHIN_ONE = re.compile(r"\bcompare(?:d)? (?:on|in|at)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\bhow (?:many|much|often|far|fast|big|large|small|few|well|close|accurate|accurately|long"
    r"|high|low|bad|good)\b|\bhow (?:do|does|did) .* compare\b"
    r"|\b(?:accuracy|rate|score|scores|percentage|share|number|nr|size|speedup|speed-up|cost"
    r"|reduction|improvement|gain|saved?|save|figure|amount|count)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:why|reason|reasons|how come|what is wrong|what's wrong|what goes wrong|what causes)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?:called|name of|named|what was (?:it|that)|which (?:method|paper|approach|model|one|robot"
    r"|work)|who|has any(?:one|body)|is there|what (?:method|approach|is|are) )\b",
    re.IGNORECASE,
)
_NOT_COUNTED = (
    r"(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|must|should|of|in|on|at"
    r"|for|to|from|by|with|per|and|or|that|which|who|it|they|we|i|you|there)\b"
)
_COUNTED = re.compile(
    r"\b(?:how many|number of|nr of) (?:of )?(?:the |these |those |all )*"
    rf"(?P<counted>(?!{_NOT_COUNTED})[\w-]+(?: (?!{_NOT_COUNTED})[\w-]+){{0,3}})",
    re.IGNORECASE,
)
_COST = re.compile(r"\b(?:dollars?|usd|euros?|cost in|price|expensive)\b|\$", re.IGNORECASE)
_ASKING = r"(?:how|what|which|why|where|who|when|does)\b"
_PART = re.compile(
    r"\s*[?!;]\s+|\.\s+(?=[A-Z])"
    rf"|,?\s+(?:and|or|but)\s+(?=(?:at\s+(?:most|least)\s+|over\s+|in\s+|by\s+|to\s+)?{_ASKING})"
    rf"|:\s+(?={_ASKING})",
    re.IGNORECASE,
)
_ASKS = re.compile(rf"(?:at \w+ |over |in |by |to )?{_ASKING}", re.IGNORECASE)
_SHORTEST_PART = 3


def _parts(text: str, kind: Kind) -> tuple[str, ...]:
    parts = [part.strip(" ,?") for part in _PART.split(text)]
    parts = [part for part in parts if len(part.split()) >= _SHORTEST_PART]
    if kind is Kind.COMPARE:
        # "UGR and UDR are both retrievers. What does each retrieve?": the first names the sides.
        parts = [part for part in parts if _ASKS.match(part)] or parts
    return tuple(parts) or (text,)


def analyse(text: str, subject: str | None = None) -> Question:
    """Read off a question what it asks for.

    Args:
        text: The question, standing alone.
        subject: The question without what it says of digests, if it says anything.
    """
    spaced = " ".join(text.split())
    subject = subject or spaced
    if _COMPARE.search(spaced) and not _WITHIN_ONE.search(spaced):
        kind = Kind.COMPARE
    elif _LIST.search(spaced) or _LIST.search(subject):
        kind = Kind.LIST
    else:
        kind = Kind.FACT
    counting = _COUNTED.search(spaced)
    counted = counting["counted"] if counting else None
    if counted is None and _COST.search(spaced):
        counted = MONEY
    return Question(
        text=subject,
        kind=kind,
        parts=_parts(subject, kind),
        wants_number=bool(_NUMBER.search(spaced)) or counted is not None,
        wants_reason=bool(_REASON.search(spaced)),
        wants_name=bool(_NAME.search(spaced)),
        counted=counted,
    )
