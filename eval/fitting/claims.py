"""Claims with what they cite, true and false, for the fit of the citation check.

Made from sentences of real abstracts: rewordings that keep the meaning, and edits each of which
changes it. Kinds of edits are those of the literature on unfaithful summaries (Kryscinski et al.,
EMNLP 2020; Pagnoni et al., NAACL 2021): numbers, denials, opposites, roles, names, hedges, scope,
causes, additions. Word lists are of general English.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.papers import Paper
from index.passages import sentence_spans
from index.text import clean_text
from rag.support.numbers import names

OPPOSITES = """
    increase/decrease increases/decreases increased/decreased increasing/decreasing higher/lower
    high/low more/less more/fewer improve/worsen improves/worsens improved/worsened
    improving/worsening better/worse best/worst faster/slower fast/slow larger/smaller large/small
    greater/smaller stronger/weaker strong/weak before/after earlier/later early/late
    positive/negative positively/negatively with/without always/never often/rarely easy/difficult
    easier/harder simple/complex gain/loss gains/losses success/failure succeeds/fails
    outperforms/underperforms outperform/underperform outperformed/underperformed
    supervised/unsupervised reduce/raise reduces/raises reduced/raised reducing/raising
    significant/insignificant significantly/insignificantly effective/ineffective
    efficient/inefficient efficiently/inefficiently accurate/inaccurate similar/different
    similarity/difference same/different able/unable possible/impossible likely/unlikely
    common/rare maximum/minimum maximal/minimal maximize/minimize long/short longer/shorter
    near/far first/last new/old rich/poor public/private open/closed static/dynamic local/global
    internal/external direct/indirect directly/indirectly explicit/implicit dependent/independent
    presence/absence present/absent activate/inhibit activates/inhibits activation/inhibition
    enhance/impair enhances/impairs enhanced/impaired promote/prevent promotes/prevents
    upregulated/downregulated above/below inside/outside only/also beneficial/harmful
    robust/fragile safe/unsafe known/unknown sufficient/insufficient necessary/unnecessary
    consistent/inconsistent major/minor majority/minority begin/end rise/fall rises/falls
    cheap/expensive top/bottom multiple/single fine/coarse deep/shallow wide/narrow all/no
    require/avoid requires/avoids include/exclude includes/excludes including/excluding
    support/contradict supports/contradicts accept/reject strengthen/weaken older/younger
    men/women males/females adults/children overestimate/underestimate
"""
SAME = """
    show/demonstrate shows/demonstrates shown/demonstrated found/observed
    propose/introduce proposes/introduces proposed/introduced
    use/employ uses/employs used/employed using/employing achieve/attain achieves/attains
    achieved/attained improve/enhance improves/enhances improved/enhanced method/approach
    methods/approaches large/big many/numerous several/various important/crucial help/aid
    helps/aids develop/build develops/builds developed/built evaluate/assess evaluates/assesses
    evaluated/assessed reduce/lower reduces/lowers reduced/lowered however/yet obtain/get
    obtained/got investigated/studied results/findings
    indicate/suggest indicates/suggests significantly/considerably require/need requires/needs
    provide/offer provides/offers provided/offered allow/enable allows/enables novel/new
    examine/analyse examined/analysed
    compared/contrasted contain/include contains/includes often/frequently
    although/though because/since begin/start choose/select chosen/selected combine/join
    difficult/hard fast/quick main/chief nearly/almost outperform/beat outperforms/beats
    rapidly/quickly remain/stay remains/stays whole/entire primarily/mainly
"""
_PEOPLE = r"mice|rats|patients|children|adults|infants|women|men|animals|humans|pigs|dogs|monkeys"
_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-]|\.\d)")
_WRITTEN = "two three four five six seven eight nine ten twelve fifteen twenty thirty".split()
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|has|have|had|does|do|did|will|would|may|might|should)\b(?! not)"
)
_DENIED = re.compile(
    r"\b(is|are|was|were|can|could|has|have|does|do|did|will|would) not\b|\bcannot\b"
)
_HEDGES = (
    (r"\b(?:may|might|could) be\b", "is"),
    (r"\b(?:may|might|could)\b", "will"),
    (r"\bsuggests? that\b", "proves that"),
    (r"\bsuggesting that\b", "proving that"),
    (r"\b(?:potentially|possibly|probably|likely) ", ""),
    (r"\b(?:appears?|seems?) to be\b", "is"),
    (r"\b(?:can|tends? to)\b", "always"),
)
_SCOPES = (
    (r"\b(?:some|many|most|several|certain|various)\b", "all"),
    (r"\b(?:often|sometimes|usually|generally|typically|frequently)\b", "always"),
    (r"\bpartially\b|\bpartly\b", "fully"),
    (rf"\bin (?:{_PEOPLE})\b", "in all species"),
    (r"\b(?:almost|nearly|about|around|approximately|up to|at least)\b ?", ""),
    (r"\bon (?:one|two|three) \b", "on all "),
)
_EXTENTS = (
    (r"\bcomparable (?:to|with)\b", "far better than"),
    (r"\bcompetitive with\b", "superior to"),
    (r"\bslight(ly)?\b|\bmodest(ly)?\b|\bmarginal(ly)?\b", "great"),
    (r"\bone of the best\b", "the best"),
    (r"\bamong the\b", "clearly the"),
    (r"\bbetter than\b", "as good as"),
    (r"\bsignificantly\b", "slightly"),
)
_CAUSES = (
    (r"\b(?:is|are|was|were) (?:significantly |strongly )?(?:associated|correlated|linked) with\b",
     "causes"),
    (r"\bcorrelates? with\b", "causes"),
    (r"\b(?:association|correlation|relationship) between\b", "causal effect between"),
    (r"\bcontributes? to\b", "is the only cause of"),
    (r"\brisk factors? for\b", "a cure for"),
)  # fmt: skip
_UNITS = (
    ("hours", "minutes"), ("minutes", "hours"), ("days", "weeks"), ("years", "months"),
    ("months", "years"), ("ms", "s"), ("million", "billion"), ("billion", "million"),
    ("thousand", "million"), ("%", " points"), ("mg", "g"), ("kg", "g"), ("twice", "half"),
)  # fmt: skip
_JOINS = (" and ", " while ", ", whereas ", "; ")
_LEADS = re.compile(
    r"^(?:in this (?:paper|work|study|article)|here|moreover|furthermore|in addition|additionally"
    r"|however|in particular|specifically|finally|therefore|thus|to this end|for example|as a"
    r" result|our results (?:show|suggest|indicate) that|we (?:show|find|found|demonstrate) that"
    r"|results showed that|it was found that),?\s+",
    re.IGNORECASE,
)
_AUTHORS = re.compile(r"\b(?:we|our|us|this paper|this work|this study|the authors)\b", re.I)


@dataclass(frozen=True, slots=True)
class Example:
    """A claim, the texts it cites, and whether they support it."""

    claim: str
    cited: tuple[str, ...]
    supported: bool
    kind: str
    group: str
    """The collection it is from, which is left out as a whole."""


def _pairs(text: str, *, both: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in text.split():
        one, other = pair.split("/")
        found.setdefault(one, []).append(other)
        if both:
            found.setdefault(other, []).append(one)
    return found


_OPPOSITE, _ALIKE = _pairs(OPPOSITES, both=True), _pairs(SAME, both=True)


def made_examples(papers: Sequence[Paper], group: str, count: int, seed: int = 0) -> list[Example]:
    """Examples made from the sentences of papers, true and false about as many.

    Args:
        papers: A collection.
        group: Its name.
        count: Sentences that are drawn; of each come about four examples.
        seed: Of the draw and of the edits.
    """
    draw = random.Random(f"{group} {seed}")  # noqa: S311 - a draw, not a secret
    chosen = [papers[at] for at in draw.sample(range(len(papers)), min(count, len(papers)))]
    pool = [name for paper in papers for name in names(clean_text(paper.title))]
    found: list[Example] = []
    for at, paper in enumerate(chosen):
        texts = _sentences(paper)
        if len(texts) < 3:
            continue
        other = chosen[at - 1]
        found += _of_sentence(paper, texts, _sentences(other), pool, group, draw)
        if at % 4 == 0 and _sentences(other):
            found += _of_two((paper, texts), (other, _sentences(other)), group, draw)
    return found


def _sentences(paper: Paper) -> list[str]:
    abstract = clean_text(paper.abstract)
    texts = [" ".join(abstract[a:b].split()) for a, b in sentence_spans(abstract)]
    return [text for text in texts if 8 <= len(text.split()) <= 45]


def _called(paper: Paper) -> str:
    return paper.head or "The paper"


def _of_sentence(
    paper: Paper,
    texts: Sequence[str],
    foreign: Sequence[str],
    pool: Sequence[str],
    group: str,
    draw: random.Random,
) -> list[Example]:
    title = paper.display_title
    text = draw.choice(texts)
    cited = [f"{title}: {text}"]
    if draw.random() < 0.3:  # more is cited than is needed
        cited.append(f"{title}: {draw.choice(texts)}")
    base = reworded(text, paper, draw)
    found = [Example(base, tuple(cited), True, "reworded", group)]
    if draw.random() < 0.5:
        found.append(Example(text, tuple(cited), True, "verbatim", group))
    edits = [*EDITS.items(), ("name", None)]
    draw.shuffle(edits)
    made = 0
    for kind, edit in edits:
        said = base if draw.random() < 0.6 else text
        changed = edit(said, draw) if edit else renamed(said, pool, draw)
        if changed and changed.lower() not in (base.lower(), text.lower()):
            found.append(Example(changed, tuple(cited), False, kind, group))
            made += 1
        if made == 2:
            break
    another = draw.choice(texts)
    if another != text and len(cited) == 1 and draw.random() < 0.5:
        found.append(Example(reworded(another, paper, draw), tuple(cited), False, "else", group))
        both = f"{base.rstrip('.')}{draw.choice(_JOINS)}{_lower(reworded(another, paper, draw))}"
        is_cited = draw.random() < 0.4
        more = (*cited, f"{title}: {another}") if is_cited else tuple(cited)
        found.append(Example(both, more, is_cited, "both" if is_cited else "addition", group))
    if foreign and draw.random() < 0.2:
        stranger = f"{_called(paper)}: {_lower(draw.choice(foreign))}"
        found.append(Example(stranger, tuple(cited), False, "stranger", group))
    return found


def _of_two(
    one: tuple[Paper, Sequence[str]],
    other: tuple[Paper, Sequence[str]],
    group: str,
    draw: random.Random,
) -> list[Example]:
    """Sentences over two papers: both halves true, and the halves exchanged."""
    (a, a_texts), (b, b_texts) = one, other
    if not (a.head and b.head):
        return []
    x, y = draw.choice(a_texts), draw.choice(b_texts)
    cited = (f"{a.display_title}: {x}", f"{b.display_title}: {y}")
    join = draw.choice(_JOINS)

    def said(first: str, second: str) -> str:
        left = f"{first}: {_lower(reworded(x, a, draw)).rstrip('.')}"
        return f"{left}{join}{second}: {_lower(reworded(y, b, draw))}"

    return [
        Example(said(a.head, b.head), cited, True, "two papers", group),
        Example(said(b.head, a.head), cited, False, "exchanged", group),
    ]


def reworded(text: str, paper: Paper, draw: random.Random) -> str:
    """A sentence in words that keep its meaning: shorter, in the third person, with synonyms."""
    said = _LEADS.sub("", text) if draw.random() < 0.8 else text
    said = re.sub(r"\s*\([^()]{0,80}\)", "", said) if draw.random() < 0.6 else said
    subject = draw.choice((_called(paper), "The authors", "The paper"))
    if _AUTHORS.search(said):
        said = re.sub(r"\b(?:this (?:paper|work|study))\b", subject, said, flags=re.I)
        said = re.sub(r"\b[Ww]e\b", subject, said)
        said = re.sub(r"\bour\b", "their", said)
        said = re.sub(r"\bOur\b", "Their", said)
        said = re.sub(r"\bus\b", "them", said)
    words = said.split(" ")
    for at, word in enumerate(words):
        core = word.strip(".,;:()").lower()
        if core in _ALIKE and draw.random() < 0.6:
            words[at] = re.sub(re.escape(core), draw.choice(_ALIKE[core]), word, flags=re.I)
    said = " ".join(words)
    head, comma, rest = said.partition(", ")
    if comma and draw.random() < 0.25 and 2 <= len(head.split()) <= 8 and len(rest.split()) > 5:
        said = f"{_upper(rest.rstrip('.'))}, {_lower(head)}."
    return _upper(said)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _number(text: str, draw: random.Random) -> str | None:
    found = list(_NUMBER.finditer(text))
    if found:
        match = draw.choice(found)
        value = float(match[0].replace(",", ""))
        near = (value + 1, value - 1, value * 1.1, value * 2, value / 2, value * 10, 100 - value)
        other = draw.choice([each for each in near if each > 0 and each != value])
        is_whole = "." not in match[0] or value > 1000
        spelt = f"{other:,.0f}" if is_whole else f"{other:.2f}".rstrip("0")
        return text[: match.start()] + spelt.rstrip(".") + text[match.end() :]
    written = re.search(rf"\b({'|'.join(_WRITTEN)})\b", text)
    if not written:
        return None
    new = draw.choice([word for word in _WRITTEN if word != written[0]])
    return text[: written.start()] + new + text[written.end() :]


def _denied(text: str, draw: random.Random) -> str | None:
    if found := _DENIED.search(text):
        return text[: found.start()] + (found[1] or "can") + text[found.end() :]
    auxiliaries = list(_AUXILIARY.finditer(text))
    if auxiliaries:
        at = draw.choice(auxiliaries).end()
        return f"{text[:at]} not{text[at:]}"
    verb = re.search(r"\b(\w{4,})s\b(?= (?:the|a|an|that|in|on|to|better|more)\b)", text)
    return f"{text[: verb.start()]}does not {verb[1]}{text[verb.end() :]}" if verb else None


def _opposite(text: str, draw: random.Random) -> str | None:
    places = [m for m in re.finditer(r"[A-Za-z]+", text) if m[0].lower() in _OPPOSITE]
    if not places:
        return None
    match = draw.choice(places)
    return text[: match.start()] + draw.choice(_OPPOSITE[match[0].lower()]) + text[match.end() :]


def _roles(text: str, draw: random.Random) -> str | None:
    """Two names or two numbers of a sentence exchanged."""
    numbers = [m[0] for m in _NUMBER.finditer(text)]
    for found in (list(names(text)), numbers):
        distinct = list(dict.fromkeys(found))
        if len(distinct) >= 2:
            one, other = draw.sample(distinct, 2)
            if one in other or other in one:
                continue
            return text.replace(one, "\0").replace(other, one).replace("\0", other)
    return None


def renamed(text: str, pool: Sequence[str], draw: random.Random) -> str | None:
    """A name of a sentence replaced by one of another paper."""
    known = names(text)
    if not known or not pool:
        return None
    new = draw.choice(pool)
    return None if new.lower() in text.lower() else text.replace(draw.choice(known), new)


def _by(table: Sequence[tuple[str, str]]) -> Callable[[str, random.Random], str | None]:
    def edit(text: str, draw: random.Random) -> str | None:
        fitting = [(p, new) for p, new in table if re.search(p, text, re.IGNORECASE)]
        if not fitting:
            return None
        pattern, new = draw.choice(fitting)
        return _upper(re.sub(pattern, new, text, count=1, flags=re.IGNORECASE))

    return edit


def _unit(text: str, draw: random.Random) -> str | None:
    fitting = [(a, b) for a, b in _UNITS if re.search(rf"(?<![A-Za-z]){a}(?![A-Za-z])", text)]
    if not fitting:
        return None
    one, other = draw.choice(fitting)
    return re.sub(rf"(?<![A-Za-z]){one}(?![A-Za-z])", other, text, count=1)


EDITS: dict[str, Callable[[str, random.Random], str | None]] = {
    "number": _number,
    "unit": _unit,
    "negation": _denied,
    "opposite": _opposite,
    "roles": _roles,
    "hedge": _by(_HEDGES),
    "scope": _by(_SCOPES),
    "extent": _by(_EXTENTS),
    "cause": _by(_CAUSES),
}
"""What changes the meaning of a sentence, by its kind; None where it has no place for that."""
