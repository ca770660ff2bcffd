"""How abstracts say what a column asks for: the words that tell a method from a result.

Each kind of column has cues, the strongest first. The first one that a sentence has counts, and
where it stands says which part of the sentence is quoted: all of the match, or its group `at`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.tables.columns import ColumnKind


@dataclass(frozen=True)
class Cue:
    """What a sentence of a kind has, and what that is worth beside its cosine."""

    pattern: re.Pattern[str]
    worth: float


def _cues(*cues: tuple[float, str]) -> tuple[Cue, ...]:
    return tuple(Cue(re.compile(pattern, re.IGNORECASE), worth) for worth, pattern in cues)


_WE = (
    r"\b(?:we|i|this (?:\w+ )?(?:paper|work|study|article|report|survey|review|thesis)"
    r"|the (?:paper|report|authors?))\b(?: \w+){0,2}"
)
_NEW = r"(?:propos|introduc|present|develop|devis|cast|formali[sz]|formulat)\w*\b"
_MADE = (
    r"(?:design|built|build|creat|construct|pos|provid|establish|offer|describ|initiat|adopt|employ"
    r"|leverag|us|train|defin|releas|outlin|appl)(?:e|es|ed|s|ing|y|ied)?\b"
)
_STUDY = (
    r"(?:study|studies|studied|investigat|evaluat|analy[sz]|explor|examin|review|survey|compar"
    r"|conduct|seek|discuss|address|argue|revisit|perform|demonstrat|question|consider|suggest)\w*\b"
)
_WAY = (
    r"(?:methods?|approach(?:es)?|framework|models?|systems?|architectures?|algorithms?|strategy"
    r"|mechanism|techniques?|pipeline|agents?|paradigm|networks?|scheme|method\w+|procedure|toolbox"
    r"|platform|environment|protocol|retriever|module|taxonomy)"
)
_THINGS = (
    r"(?:tasks?|sub-tasks|data ?sets?|questions|examples|instances|images|videos|dialog(?:ue)?s"
    r"|conversations|documents|papers|publications|studies|samples|demonstrations|trajectories|pairs"
    r"|prompts|problems|sentences|tokens|games|environments|annotations|ratings|articles|abstracts"
    r"|queries|records|patients|participants|languages|websites|scenarios|episodes|apps|benchmarks"
    r"|hours of (?:[\w-]+ )?(?:data|speech|audio|videos?|recordings|demonstrations|footage)"
    r"|programs|repositories|recordings|utterances|molecules|reviews)"
)
_QUANTITY = r"(?<![\w.,-])(?:\d[\d,.]*\d|\d)(?![\d.,]*\))\s?(?:[km]\b|million|billion)?\+?"
_DATA = r"(?:data ?sets?|corpus|corpora|benchmarks?|test ?beds?|test suites?|training data)"
_FIGURE = (
    r"(?:(?<![\w.,-])\d[\d.,]*\s?(?:\\?%|x\b|×|times\b|points?\b|percent\w*)|(?<![\w.,-])\d+\.\d+\b"
    r"|\b(?:by|of|to|only|merely|just|from) \d[\d.,]*(?![\d.,]*\)))"
)
_BETTER = (
    r"(?:outperform\w*|surpass\w*|exceed\w*|achiev\w+|reach(?:es|ed|ing)?|improv\w+|reduc\w+"
    r"|increas\w+|decreas\w+|drops?|gains?|boost\w*|attain\w*|obtain\w*|yield\w*|retain\w*"
    r"|saves?|beats?|complet(?:e|es|ed|ing)|solv\w+|higher|lower|better|superior|worse|success"
    r"|deviation|lower(?:s|ed|ing)|rais(?:es|ed|ing)|beat(?:s|ing)?"
    r"|(?:less|fewer|more)(?! than \d)|degrad\w+)"
)
_FOUND = (
    r"(?<!as a )\b(?:results?|experiments?|evaluations?|findings?|analys[ei]s|investigation)"
    r"\b[^.;]{0,60}?\b(?:shows?|demonstrates?|reveals?|suggests?|indicates?|confirms?|highlights?"
    r"|yields?|find|showing|demonstrating)\b(?: that\b)?,?"
)
_WE_FOUND = (
    r"\b(?:we|i) (?:\w+ )?(?:find|found|show|showed|demonstrate|observe|observed|discover"
    r"|discovered|conclude)\b(?: that\b)?,?"
)
_METRICS = (
    r"(?:accurac(?:y|ies)|f1|f-measure|f-score|bleu|rouge|bertscore|(?-i:perplexity)|n?dcg(?:@\d+)?"
    r"|mrr|auc|auroc|map@\d+|mean average precision|precision|recall(?:@\d+)?|rmse|iou|miou|fid"
    r"|(?:success|error|win|completion|hit|acceptance|pass|failure|word error|abstention|mortality"
    r"|survival) rates?|pass@\w+|exact match|flops|latency|throughput|hit@\d+|(?:cohen's )?kappa"
    r"|(?:odds|hazard) ratio|sensitivity and specificity|p-values?)"
)
_OPENED = (
    r"(?:codes?|data|data ?sets?|models?|weights|software|toolkit|toolbox|demos?|resources"
    r"|benchmark|environments?|implementation|prompts|project page|websites?|our work"
    r"|scripts|framework)"
)

CUES: dict[ColumnKind, tuple[Cue, ...]] = {
    ColumnKind.METHOD: _cues(
        (0.55, rf"{_WE} {_NEW}[^.;:]{{0,80}}?\b{_WAY}\b"),
        (0.5, rf"{_WE} {_NEW}"),
        (0.4, rf"{_WE} {_MADE}[^.;:]{{0,60}}?\b{_WAY}\b|\bby (?:introducing|proposing)\b"),
        (0.35, r"\b(?:is|are) (?:\w+ )?(?:proposed|introduced|presented|developed)\b"),
        (0.3, r"\b(?:our|the proposed|this) (?:\w+ )?(?:method|approach|framework|model|system"
              r"|technique|algorithm|strategy)\b"),
        (0.3, rf"{_WE} {_MADE}"),
        (0.3, rf"{_WE} {_STUDY}"),
    ),
    ColumnKind.DATA: _cues(
        (0.45, rf"{_QUANTITY}\s+(?:[\w/-]+,? ){{0,4}}?{_THINGS}\b"),
        (0.45, rf"{_QUANTITY}\s+(?:[\w/-]+ ){{0,3}}?\w+s (?:\w+ly )?(?:record|collect|annotat|sampl"
               r"|draw|gather|crawl|label|writ|cover|span)\w*\b"),
        (0.45, rf"\b{_DATA}\b[^.;]{{0,15}}?\b(?:of|comprising|consisting of|containing|with"
               rf"|including|includes) [^.;]{{0,15}}?{_QUANTITY}"),
        (0.45, rf"\b(?:on|from|using|with) (?:the )?(?-i:[A-Z])\w*[^.;]{{0,60}}?\b{_DATA}\b"),
        (0.4, rf"{_WE} (?:collect|construct|curat|creat|releas|introduc|annotat|build|establish"
              rf"|provid|present|propos|us)\w*\b[^.;]{{0,60}}?\b{_DATA}\b"),
        (0.3, r"\b(?:evaluat|experiment|train|test|validat)\w*\b[^.;]{0,60}?"
              rf"\b(?:on|across|over|using)\b[^.;]{{0,60}}?\b(?:{_DATA}|tasks)\b"),
        (0.3, rf"\b(?:our|this) {_DATA}\b"),
        (0.25, r"\b(?:evaluat|experiment|train|test)\w*\b[^.;]{0,40}? on "
               r"(?:the )?(?-i:[A-Z][A-Za-z]*\d|[A-Z]+[a-z]*[A-Z])\w*"),
    ),
    ColumnKind.METRIC: _cues(
        (0.45, rf"\b{_METRICS}(?!\w)"),
        (0.4, r"\b(?:evaluated|judged|rated|scored|assessed) by (?:\w+ )?(?:humans?|experts?|people"
              r"|annotators|raters|judges|llms?)\b"
              r"|\bhuman (?:evaluation|ratings?|judge?ments?)s?\b"),
        (0.4, r"\b(?:measured|assessed) (?:by|in terms of|using)\b"
              r"|\b(?:evaluation )?metrics?\b|\bprotocol for evaluat\w+"),
        (0.35, r"\d\s?\\?% (?:\w+ )?(?:success|\w+(?:bility|mality|ciency|racy|ness))\b"),
        (0.3, r"\bin terms of (?!performance)|\b(?:average|mean|overall|\w+-capability) scores?\b"),
    ),
    ColumnKind.RESULT: _cues(
        (0.6, rf"\b{_BETTER}\b[^;]{{0,90}}?{_FIGURE}|{_FIGURE}[^;]{{0,60}}?\b{_BETTER}\b"),
        (0.5, r"\b(?:outperform|surpass|beat)(?:s|ed|ing)?\b"
              r"|\b(?:achiev\w+|sets?|reach\w*) (?:(?:an?"
              r"|the|new|very) )*(?:state.of.the.art|superior|competitive|comparable|better|strong"
              r"|significant|impressive|best)\b"),
        (0.45, rf"{_FOUND}\s+(?P<at>\S)"),
        (0.4, r"\b(?:significant|substantial|consistent|remarkabl)\w* (?:\w+ ){0,2}?"
              rf"{_BETTER}\b|\b{_BETTER} (?:significantly|substantially|consistently)\b"),
        (0.4, rf"{_WE_FOUND}\s+(?P<at>\S)"),
        (0.35, r"(?<![\w.,-])\d[\d.]*\s?\\?% of\b"),
        (0.3, r"\b(?:improves|reduces|increases|boosts|mitigates|enhances|lowers|struggle|fails? to"
              r"|challenging for|remain\w* challenging|promising results"
              r"|comparable (?:performance|results))\b"),
    ),
    ColumnKind.LIMITATION: _cues(
        (0.45, r"(?<!this )(?<!these )\b(?:limitations?|shortcomings?|drawbacks?|weakness(?:es)?)"
               r"\b(?! of (?!our|the proposed|this|these))"),
        (0.4, r"\b(?:struggl\w+|fail(?:s|ed)? (?:to|on|at|in)|far from|room for"
              r"|remain\w* (?:\w+ )?(?:challeng\w+|difficult|unclear|open|limited)|at the cost of"
              r"|still (?:lack|lag|struggl|challeng|fall)\w*|does not (?:generali[sz]e|hold))\b"),
        (0.35, r"\bfuture (?:work|research|studies)\b[^.]{0,40}\b(?:need|should|must|require)\w*"
               r"|\bneed for (?:further|more|better)\b"),
    ),
    ColumnKind.CODE: _cues(
        (0.6, r"https?://\S+|\bgithub\b"),
        (0.5, rf"\b{_OPENED}\b[^.]{{0,80}}?\b(?:is|are|be|been|made|at) (?!not\b)(?:\w+ ){{0,2}}?"
              r"(?:available|released|accessible|open-?sourced|public)\b"),
        (0.45, r"\b(?:we|our|by|an?|is|are|and|will) (?:\w+ )?open-?sourc\w+"
               r"|\b(?:publicly|freely) (?:available|accessible|released)\b"
               rf"|\b(?:we|to) (?:\w+ )?(?:release|publish|open)\b[^.;]{{0,40}}\b{_OPENED}\b"),
    ),
    ColumnKind.PROBLEM: _cues(
        (0.45, r"\b(?:problems?|challenges?|obstacles?|barriers?|bottlenecks?|issues?|gaps?)\b"),
        (0.4, r"\b(?:goal|aim|objective|question)s?\b|\bit (?:remains|is) (?:unclear|an open)\b"),
        (0.35, r"^(?:however|yet|but|while|despite)\b|\black(?:s|ing)?\b"
               r"|\b(?:difficult|hard) to\b"),
    ),
    ColumnKind.BASELINE: _cues(
        (0.45, r"\bbaselines?\b"),
        (0.4, r"\b(?:compared (?:to|with)|in comparison (?:to|with)|outperform\w*|surpass\w*"
              r"|versus|relative to)\b"),
        (0.35, r"\b(?:state.of.the.art|existing|previous|prior) (?:\w+ )?(?:methods?|approaches"
               r"|models|systems|works?|agents)\b"),
    ),
    ColumnKind.SPEED: _cues(
        (0.55, r"(?<![\w.-])\d[\d.]*\s?(?:x|×|times)\s(?:\w+ ){0,2}?(?:fast|speed|quick|accelerat)"
               r"\w*|\bspeed.?ups? of\b[^.;]{0,30}\d|\b(?:fast|speed|accelerat)\w*\b[^.;]{0,40}?"
               r"\d[\d.]*"),
        (0.4, r"\b(?:faster|speed.?ups?|latency|throughput|inference time|speeds? up"
              r"|accelerat(?:es|ed|ion))\b|\b\d[\d.]* (?:ms|milliseconds|seconds|minutes)\b"),
    ),
}  # fmt: skip

_NO_METHOD = (
    r"(?:outperform|surpass|beat|exceed|achiev|reach|improv|reduc|gain|rais|lower|attain|obtain|show"
    r"|demonstrat|perform|succeed|fail|need|remain|complet|match|has\b)"
)


def naming_cues(names: Iterable[str]) -> tuple[Cue, ...]:
    """How an abstract in the third person says its method: by the name that the paper coins."""
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if not known:
        return ()
    subject = rf"\b(?:{known})(?!\w)(?:,[^,.;]{{0,80}},|\s\([^()]{{0,80}}\))?(?:\s\w+ly)?"
    return _cues(
        (0.45, rf"{subject}\s(?:is|are|was|were)\s(?:an?|the|our|proposed|introduced)\b"),
        (0.3, rf"{subject}\s(?!{_NO_METHOD})[a-z]+s\b(?!\s(?:is|are|can|that)\b)"),
    )
