"""What a question asks for, read off its words alone."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from rag.parts import Parts

MONEY = "dollars"

ASKS_WHO = re.compile(
    r"\bwho (?:wrote|authored|published)\b|\bauthors? (?:of|wrote)\b"
    r"|^who (?:is|are|was|were) .* by\b"
    r"|\bwho (?:is|are) the (?:\w+ )?authors?\b|\bby whom\b",
    re.IGNORECASE,
)
ASKS_VENUE = re.compile(
    r"\b(?:which|what) (?:conference|journal|venue)\b|\bwhere (?:was|were|is) .* published\b",
    re.IGNORECASE,
)


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
    asked: str
    """The question without the words that only say which paper: "in the paper on X"."""
    lists_papers: bool
    """Whether a list is to be one of papers, whichever they name: not "which models …"."""
    subjects: tuple[str, ...]
    """What a list is to be about: "chemistry or molecules", "chemistry", "molecules"."""
    wants_number: bool
    wants_reason: bool
    wants_name: bool
    wants_meaning: bool
    counts_papers: bool
    mentioned: str | None
    """What the papers of a list have to mention: "GPT-4" of "Which papers mention GPT-4?"."""
    asked_for: str | None
    """The noun after "which" or "what": "learning rate" of "Which learning rate does …"."""
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
_HOW_MANY = rf"how many (?:of (?:the |these |all )*)?(?:(?!{_VERB}\b)[\w-]+ ){{0,4}}?"
_TEXTS = r"(?:papers|abstracts|articles|publications)"
# "How many papers did the review cover?" asks for a figure of one paper.
_COVERED = (
    r"(?! (?:did|does|do|has|have|had|(?:were|was) (?!in\b|on\b|about\b|listed\b|there\b))\b)"
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
            r"what (?:do|does|did) .{0,40}\bhave (?:on|about)\b",
            r"what(?:'s| is| was| else is)? (?:there |new |in there )+(?:on|about|in|for|with)\b",
            rf"(?:which|what) {_WORKS}\b",
            r"what (?:was|is|were|are) (?:in|listed)\b",
            # are there other papers …; do we have any …; how many papers …
            rf"(?:is|are) there (?:any|other|more|some)? ?(?:[\w-]+ ){{0,3}}?{_WORKS}\b",
            r"(?:do|did) (?:we|you) have (?:any|some)",
            rf"{_HOW_MANY}{_WORKS}\b{_COVERED}",
            # anything that uses …; any of these …; any recommendation papers …
            r"(?:(?:is|are) there |list |find |show )?(?:me )?"
            r"(?:any(?:thing| of (?:them|these|those))|everything|what else)\b",
            rf"any (?:[\w-]+ ){{0,3}}?(?!paper\b){_PAPERS}\b",
            r"(?:(?:is|are) there |do (?:we|you) have )?(?:any|an?|some) (?:other |recent )?"
            r"(?:papers?|works?|stud(?:y|ies)|articles?|research) (?:here )?(?:on|about)\b",
            # all the papers …; papers about …; audio papers; agents on phones: which papers?
            rf"all (?:the )?{_PAPERS}\b",
            rf"{_WORKS} (?:about|on|that|which|using|with)\b",
            rf"(?!(?:out )?of\b|among\b)"
            rf"(?:(?!(?:how|why|does|do|is|are|can|if|what|when|where)\b)[\w-]+ ){{0,5}}{_TEXTS}"
            r"(?:\W*$| (?:of|in|from|on|about)\b)",
            rf".*[:,;-]\s*(?:which|what) {_TEXTS}\W*$",
            r"(?:show|tell) me (?:about )?(?:everything|all)\b",
            # who reports …
            rf"who (?:else |all )*{_DOES}\b",
        )
    )
    + ")",
    re.IGNORECASE,
)
# What a list question says before it comes to its subject: "Which papers are about".
_FRAME = re.compile(
    r"^(?:(?:please|can you|could you|list|show|find|give|name|tell|me|us|which|what(?:['’]?s)?|who"
    r"|any(?:thing)?|everything|new|all"
    r"|some|of|the|other|recent|more|how many|is|are|there|do|did|we|you|have|has)\s+)*"
    rf"(?:(?:{_WORKS}|paper|work|study|article|research|something)\s+)?"
    r"(?:(?:are|is|was|were|that|which|who|there|do|does|we|have|deals?|concerned|about|on|with"
    r"|study|studies|discuss(?:es)?|looks?|at|into|touch(?:es)?|covers?|concerns?|address(?:es)?"
    r"|regarding|of|the|reports?)\b\s*)*",
    re.IGNORECASE,
)
_PAPER_LIST = re.compile(rf"\b(?:{_TEXTS}|{_WORKS}|mention\w*|cite\w*)\b", re.IGNORECASE)
_WHICH_PAPER = re.compile(
    r"\b(?:in|from|according to|of|by) the (?:(?!(?:in|of|on|is|are|do|does)\b)[\w-]+ ){0,6}"
    r"(?:paper|study|work|survey|article|essay|report)\b(?: (?:on|about|of) [^,?]+)?",
    re.IGNORECASE,
)
_TAIL = re.compile(
    rf"(?<=\w)\s+{_TEXTS}(?: \w+){{0,3}}\W*$|"
    r"\s*\b(?:are there|are listed|were listed|do we have|do you have|please|list pls)\W*$",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\s*(?:[,;/:]|\bor\b)\s*", re.IGNORECASE)
_LONGEST_SUBJECT = 8
_MENTIONED = re.compile(
    r"\b(?:mention|mentions|mentioning|cite|cites|citing|name|refer to|refers to)\s+"
    r"(?P<what>[^?.!,;]+)",
    re.IGNORECASE,
)
_MORE = r"(?:more|fewer|less|better|worse|larger|bigger|smaller|higher|lower|faster|slower)"
_COMPARE = re.compile(
    r"\b(?:compares?|compared (?:with|to)|comparison|versus|vs\.?|in contrast"
    r"|dif+e?r(?:s|nces?|ences?|ently)?)\b"  # with the usual typing errors
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
    r"\b(?:why|reasons?|how come|what(?:'s| is) wrong|what goes wrong|what (?:causes|prevents)"
    r"|what makes\b.*\b(?:hard|difficult|challenging|tricky|slow|fail|unreliable|so))\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?:called|name of|named|what was (?:it|that)|which (?:method|paper|approach|model|one|robot"
    r"|work)|who|has any(?:one|body)|is there|what (?:method|approach|is|are) )\b",
    re.IGNORECASE,
)
_MEANING = re.compile(
    r"\bmean(?:s|t|ing)? by\b|\b(?:define|definition|meaning of|explain|summari[sz]e|describe"
    r"|tell me about)\b|^(?:so |ok |and )?what(?:'s|s| is| are)(?: an?| exactly)?"
    r"(?: (?!the\b)[\w-]+){1,4}\W*$",
    re.IGNORECASE,
)
_NOT_COUNTED = (
    r"(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|must|should|of|in|on|at"
    r"|for|to|from|by|with|per|and|or|that|which|who|it|they|we|i|you|there|come|comes|came|get"
    r"|got|make|made|need|needs|needed|use|used|work|worked|these|those|them)\b"
)
_COUNTED = re.compile(
    r"\b(?:how many|number of|nr of) (?:of )?(?:the |these |those |all |[\w-]+['’]s )*"
    rf"(?P<counted>(?!{_NOT_COUNTED})[\w-]+(?: (?!{_NOT_COUNTED})[\w-]+){{0,3}})",
    re.IGNORECASE,
)
_COUNTS_PAPERS = re.compile(rf"\b{_HOW_MANY}{_PAPERS}\b", re.IGNORECASE)
_COST = re.compile(r"\b(?:dollars?|usd|euros?|cost in|price|expensive)\b|\$", re.IGNORECASE)
_ASKED_FOR = re.compile(
    rf"\b(?:which|what|how much) (?P<noun>(?:(?!{_NOT_COUNTED})[\w-]+ ){{1,3}}?)(?={_NOT_COUNTED})",
    re.IGNORECASE,
)
# What every abstract has, in whichever words.
VAGUE = re.compile(
    r"\b(?:kinds?|types?|ways?|things?|problems?|questions?|reasons?|tricks?|ideas?|approach(?:es)?"
    r"|methods?|techniques?|results?|scores?|numbers?|percentage|share|fraction|extent|gains?"
    r"|improvements?|benefits?|advantages?|drawbacks?|shortcomings?|limitations?|fields?|areas?"
    r"|domains?|effects?|roles?|purposes?|goals?|aims?|conclusions?|findings?|claims?|names?"
    r"|differences?|challenges?|issues?|parts?|steps?|aspects?|one|ones|model|models|paper|work"
    r"|two|three|four|five|else|exactly|better|worse|more|less|faster|time|sense|respect|well|good"
    r"|bad|big|large|small|perform\w*|works?|happens?|main|key|important|authors?|people"
    r"|success(?: rate)?|accuracy|hard|easy|difficult|helps?|useful|effective|set|made"
    r"|fast|slow|cheap|novel|achieves?|reach(?:es)?|finish(?:es)?|solves?|handles?|tests?|measures?|special)\b",
    re.IGNORECASE,
)
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


def _asked(text: str) -> str:
    rest = " ".join(_WHICH_PAPER.sub(" ", text).split())
    return rest if len(rest.split()) >= _SHORTEST_PART else text


def _subjects(text: str) -> tuple[str, ...]:
    whole = _TAIL.sub("", _FRAME.sub("", text, count=1)).strip(" ?.:!,") or text
    if len(whole.split()) > _LONGEST_SUBJECT:
        return (whole,)
    parts = [part.strip(" ?.:!,") for part in _ALTERNATIVE.split(whole)]
    parts = [part for part in parts if re.search(r"[^\W\d_]", part)]
    return tuple(dict.fromkeys((whole, *parts)))


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
    asked_for = _ASKED_FOR.search(spaced)
    noun = asked_for["noun"].strip() if asked_for else None
    mentioned = _MENTIONED.search(subject) if kind is Kind.LIST else None
    wants_meaning = bool(_MEANING.search(spaced))
    return Question(
        text=subject,
        kind=kind,
        parts=_parts(subject, kind),
        asked=_asked(subject),
        lists_papers=bool(_PAPER_LIST.search(subject)),
        subjects=_subjects(subject),
        wants_number=bool(_NUMBER.search(spaced)) or counted is not None,
        wants_reason=bool(_REASON.search(spaced)),
        wants_name=bool(_NAME.search(spaced)) or wants_meaning,
        wants_meaning=wants_meaning,
        counts_papers=bool(_COUNTS_PAPERS.search(spaced)),
        mentioned=mentioned["what"].strip() if mentioned else None,
        asked_for=None if noun is None or VAGUE.search(noun) else noun,
        counted=counted,
    )


def limited(question: Question, parts: Parts) -> Question:
    """The question without what the parts switched off would have read off it."""
    if not parts.cues:
        question = replace(
            question, wants_number=False, wants_reason=False, wants_name=False, wants_meaning=False
        )
    if not parts.question_parts:
        question = replace(question, parts=(question.text,))
    apart = {Kind.FACT: True, Kind.LIST: parts.lists, Kind.COMPARE: parts.comparisons}
    return question if apart[question.kind] else replace(question, kind=Kind.FACT)
