"""How abstracts say what a column asks for: the words that tell a method from a result.

Each kind of column has cues, the strongest first. Where a cue stands says which part of the
sentence is quoted: all of the match, or its group `at`.
"""

import re
from collections.abc import Iterable

from rag.tables.columns import ColumnKind

_WE = r"\b(?:we|i|the authors?|this (?:\w+ )?(?:paper|work|study|article|survey))\b(?: \w+){0,2}? "
_WAY = (
    r"(?:methods?|approach(?:es)?|framework|models?|systems?|architectures?|algorithms?|strategy"
    r"|mechanism|techniques?|pipeline|agents?|networks?|protocol|taxonomy)"
)
_THINGS = (
    r"(?:tasks?|data ?sets?|questions|examples|images|videos|dialog(?:ue)?s|conversations|documents"
    r"|papers|studies|samples|demonstrations|trajectories|pairs|prompts|problems|sentences|tokens"
    r"|games|environments|articles|queries|patients|participants|languages|scenarios|benchmarks"
    r"|recorded|annotated|collected|hours of (?:\w+ )?(?:data|speech|audio|videos?))"
)
_QUANTITY = r"(?<![\w.,-])\d[\d,.]*(?![\d.,]*\))\s?(?:[km]\b|million|billion)?\+?"
_DATA = r"(?:data ?sets?|corpus|corpora|benchmarks?|test ?beds?|training data)"
_FIGURE = (
    r"(?:(?<![\w.,-])\d[\d.,]*\s?(?:\\?%|x\b|×|times\b|points?\b|percent\w*)|(?<![\w.,-])\d+\.\d+\b"
    r"|\b(?:by|of|to|only|just|from) \d[\d.,]*(?![\d.,]*\)))"
)
_BETTER = (
    r"(?:outperform\w*|surpass\w*|exceed\w*|achiev\w+|reach(?:es|ed|ing)?|improv\w+|reduc\w+"
    r"|increas\w+|decreas\w+|drops?|gains?|boost\w*|attain\w*|yield\w*|rais\w+|saves?|beats?"
    r"|complet(?:e|es|ed)|solv\w+|finish\w*|higher|lower|better|worse|succe\w+|fewer|less|more)"
)
_METRICS = (
    r"(?:accurac(?:y|ies)|f1|f-score|bleu|rouge|perplexity|n?dcg|mrr|auc|auroc|precision|recall"
    r"|rmse|iou|fid|(?:success|error|win|completion|pass|survival) rates?|pass@\w+|exact match"
    r"|flops|latency|throughput|kappa|metrics?)"
)
_OPENED = r"(?:codes?|data|data ?sets?|models?|weights|software|demos?|benchmark|environments?)"


def _compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_CUES = {
    ColumnKind.METHOD: _compiled(
        rf"{_WE}(?:propos|introduc|present|develop|devis|formulat)\w*\b",
        r"\b(?:is|are) (?:\w+ )?(?:proposed|introduced|presented|developed)\b",
        rf"\b(?:our|the proposed|this) (?:\w+ )?{_WAY}\b",
        rf"{_WE}(?:design|built|build|creat|construct|provid|establish|describ|us|train|releas|appl)"
        r"(?:e|es|ed|s|ing|y|ied)?\b",
        rf"{_WE}(?:stud|investigat|evaluat|analy[sz]|explor|examin|review|compar|address|argu"
        r"|conclud|consider)\w*\b",
    ),
    ColumnKind.DATA: _compiled(
        rf"{_QUANTITY}\s+(?:[\w/-]+,? ){{0,4}}?{_THINGS}\b"
        rf"|\b{_DATA}\b[^.;]{{0,15}}?\b(?:of|with|comprising|containing) [^.;]{{0,15}}?{_QUANTITY}",
        rf"{_WE}(?:collect|construct|curat|creat|introduc|build|present|propos|us)\w*\b"
        rf"[^.;]{{0,60}}?\b{_DATA}\b|\b(?:our|this) {_DATA}\b"
        r"|\b(?:evaluat|experiment|train|test|validat)\w*\b[^.;]{0,60}?\b(?:on|across|over)\b"
        rf"[^.;]{{0,60}}?\b(?:{_DATA}|tasks)\b",
    ),
    ColumnKind.METRIC: _compiled(
        rf"\b{_METRICS}(?!\w)|\b(?:measured|assessed) (?:by|in terms of)\b|\bin terms of\b"
        r"|\b(?:evaluated|judged|rated|scored) by (?:\w+ )?(?:humans?|experts?|people)\b",
    ),
    ColumnKind.RESULT: _compiled(
        rf"\b{_BETTER}\b[^;]{{0,90}}?{_FIGURE}|{_FIGURE}[^;]{{0,60}}?\b{_BETTER}\b",
        r"\b(?:outperform|surpass|beat)(?:s|ed|ing)?\b"
        r"|\b(?:achiev\w+|sets?|reach\w*) (?:(?:an?|the|new|very) )*(?:state.of.the.art|superior"
        r"|competitive|comparable|better|strong|best)\b",
        r"\b(?:(?:results?|experiments?|evaluations?|findings?|analys[ei]s)\b[^.;]{0,60}?\b(?:shows?"
        r"|demonstrates?|reveals?|suggests?|indicates?)|(?:we|i) (?:\w+ )?(?:find|found|show"
        r"|demonstrate|observe|conclude))\b(?: that\b)?,?\s+(?P<at>\S)",
        r"(?<![\w.,-])\d[\d.]*\s?\\?% of\b|\b(?:improves|reduces|increases|boosts|enhances|struggle"
        r"|fails? to)\b",
    ),
    ColumnKind.LIMITATION: _compiled(
        r"(?<!this )(?<!these )\b(?:limitations?|shortcomings?|drawbacks?|weakness(?:es)?)\b"
        r"|\b(?:struggl\w+|fail(?:s|ed)? (?:to|on|at|in)|far from|room for|at the cost of"
        r"|remain\w* (?:\w+ )?(?:challeng\w+|difficult|unclear|open|limited)"
        r"|still (?:lack|lag|struggl|fall)\w*|does not (?:generali[sz]e|hold)"
        r"|need for (?:further|more|better))\b",
    ),
    ColumnKind.CODE: _compiled(
        r"https?://\S+|\bgithub\b",
        rf"\b{_OPENED}\b[^.]{{0,80}}?\b(?:available|released|open-?sourced|public)\b"
        r"|\b(?:publicly|freely) (?:available|accessible|released)\b"
        rf"|\b(?:we|to) (?:\w+ )?(?:release|publish|open)\b[^.;]{{0,40}}\b{_OPENED}\b"
        r"|\b(?:we|is|are) open-?sourc\w+",
    ),
    ColumnKind.PROBLEM: _compiled(
        r"\b(?:problems?|challenges?|obstacles?|barriers?|bottlenecks?|issues?|gaps?|goals?|aims?"
        r"|objectives?|questions?)\b",
        r"^(?:however|yet|but|while|despite)\b|\black(?:s|ing)?\b|\b(?:difficult|hard) to\b",
    ),
    ColumnKind.BASELINE: _compiled(
        r"\b(?:baselines?|compared (?:to|with)|outperform\w*|surpass\w*|versus)\b"
        rf"|\b(?:state.of.the.art|existing|previous|prior) (?:\w+ )?{_WAY}\b",
    ),
    ColumnKind.SPEED: _compiled(
        r"\d\s?(?:x|×|times)\s(?:\w+ ){0,2}?(?:fast|speed|quick|accelerat)\w*"
        r"|\b(?:faster|speed.?ups?|latency|throughput|accelerat(?:es|ed|ion))\b"
        r"|\b\d[\d.]* (?:ms|milliseconds|seconds|minutes|hours)\b",
    ),
}
_OUTCOMES = (
    r"(?:outperform|surpass|beat|exceed|achiev|reach|improv|reduc|gain|yield|show|demonstrat"
    r"|perform|succeed|fail|need|remain|has\b|is\b)"
)
# What others did, and what is still to be done about it.
_OTHERS = re.compile(
    r"^(?:recent(?:ly)?|previous|prior|traditional|existing|most|many|in recent|despite|current"
    r"|(?:while|although|however,?) (?:\w+ )?(?:existing|current|recent|previous|prior|these|most))"
    r"\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:we|our|us|my|this (?:paper|work|study|report|article|survey))\b"
    r"|\b(?:propos|introduc|present)(?:es?|ed)\b",
    re.IGNORECASE,
)


def cues_of(kind: ColumnKind, names: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """The cues of a kind for a paper that calls itself by names; none for a kind without cues.

    An abstract in the third person says its method by the name that the paper coins.
    """
    cues = _CUES.get(kind, ())
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if kind is not ColumnKind.METHOD or not known:
        return cues
    subject = rf"\b(?:{known})(?!\w)(?:,[^,.;]{{0,80}},|\s\([^()]{{0,80}}\))?(?:\s\w+ly)?\s"
    called, does = _compiled(
        rf"{subject}(?:is|are|was)\s(?:an?|the|our)\b", rf"{subject}(?!{_OUTCOMES})[a-z]+s\b"
    )
    return (*cues[:2], called, *cues[2:-1], does, cues[-1])


def is_of_others(text: str) -> bool:
    """Whether a sentence is about what others did."""
    return bool(_OTHERS.match(text))


def is_own(text: str, names: Iterable[str]) -> bool:
    """Whether a sentence is about its paper: it says "we", "this paper", or the paper's name."""
    return bool(_OWN.search(text)) or any(name in text for name in names)
