"""Names in questions and titles: what must be in a paper for it to be the one asked about."""

import re
from collections.abc import Sequence
from functools import lru_cache

from index.lexical import LexicalIndex, fold, tokenize
from index.papers import Paper, letters
from index.text import clean_text

_WORD = re.compile(r"[^\W_][\w.+]*(?:[-/][\w.+]+)*")
_NUMBER_AFTER = re.compile(r" \d+(?:\.\d+)*\b(?! ?%)")
_ACRONYM = re.compile(r"\(([^\W\d_a-z][\w-]*[A-Z0-9][\w-]*)\)")
_BRACKETED = re.compile(r"\(([^()]*)\)")
COMMON_SHARE = 0.05
_INTRODUCED = re.compile(
    r"(?:[Pp]ropos|[Ii]ntroduc|[Pp]resent|[Dd]evelop|[Nn]amed|[Cc]alled|[Dd]ubbed|[Tt]erm|[Cc]oin)"
    r"[a-z]*,? (?:(?:an?|the|our|as) )?([A-Z][\w-]*[A-Z0-9][\w-]*)"
)
_LONGEST_NAME = 5
_SHORTEST_NAME = 4
_RARE = 1

# Acronyms of the field that are words by now: a paper can be about them without using them.
_GENERIC = frozenset(
    """ai agi ml nlp nlu cv rl rlhf llm lm mllm vlm lvlm mlm qa ir rag kg kv cpu gpu tpu npu api ui
    gui os pc cot icl sft moe cnn rnn lstm gan vae mlp vit dnn nn asr tts ocr sota usa us uk eu un
    phd faq url pdf sql html json csv it ceo r nr ok diy 2d 3d""".split()
)  # fmt: skip


@lru_cache(maxsize=8192)
def title_name(paper: Paper) -> str | None:
    """The name that a title begins with: "WebArena" of "WebArena: A Realistic …"."""
    head, colon, _ = clean_text(paper.title).partition(":")
    return head.strip() if colon and len(head.split()) <= _LONGEST_NAME else None


@lru_cache(maxsize=8192)
def own_names(paper: Paper) -> tuple[str, ...]:
    """What a paper calls itself and its parts.

    The head of its title if it has one, acronyms in brackets, and what it says it introduces:
    "RoboFuME" of "we propose RoboFuME".
    """
    head, colon, _ = clean_text(paper.title).partition(":")
    abstract = clean_text(paper.abstract)
    found = (*_ACRONYM.findall(abstract), *_INTRODUCED.findall(abstract))
    return ((head,) if colon else ()) + tuple(dict.fromkeys(found))


def subjects(text: str, papers: Sequence[Paper], lexical: LexicalIndex) -> list[Paper]:
    """The papers that a text names, in its order.

    By the name their title begins with, or by a name they coin themselves.
    """
    found = named_papers(text, papers, lexical)
    where = {paper.id: _place(text, title_name(paper) or "")[0] for paper in found}
    for name in asked_names(text, lexical):
        coined = [paper for paper in papers if _coins(paper, name) and mentions(paper, name)]
        if len(coined) == 1 and coined[0].id not in where:
            where[coined[0].id] = _place(text, name)[0]
            found.append(coined[0])
    return sorted(found, key=lambda paper: where[paper.id])


def _place(text: str, name: str) -> tuple[int, int]:
    match = _whole_word(name, ignore_case=True).search(fold(text))
    return match.span() if match else (len(text), len(text))


def swap_name(text: str, paper: Paper, other: str) -> str | None:
    """A text with the name that a paper's title begins with replaced; None if it has none."""
    start, end = _place(text, title_name(paper) or "")
    return (
        text[:start] + other + text[end:] if start < end and len(fold(text)) == len(text) else None
    )


def _coins(paper: Paper, name: str) -> bool:
    """Whether a name is one of a paper's own, or stands in brackets in its title."""
    return letters(name) in _own_letters(paper)


@lru_cache(maxsize=8192)
def _own_letters(paper: Paper) -> frozenset[str]:
    bracketed = _BRACKETED.findall(clean_text(paper.title))
    return frozenset(letters(name) for name in (*own_names(paper), *bracketed))


def named_papers(text: str, papers: Sequence[Paper], lexical: LexicalIndex) -> list[Paper]:
    """The papers whose title's head stands in a text as words of its own.

    In any case ("webarena"), unless the head is a word that several abstracts use ("HoME").
    """
    said = fold(text)
    found: list[Paper] = []
    for paper in papers:
        name = title_name(paper)
        if not name or len(letters(name)) < _SHORTEST_NAME:
            continue
        frequencies = [lexical.document_frequency.get(t, 0) for t in tokenize(name.lower())]
        rarest = min(frequencies, default=0)
        if _whole_word(name, ignore_case=rarest <= _RARE).search(said):
            found.append(paper)
    return found


@lru_cache(maxsize=8192)
def _whole_word(name: str, *, ignore_case: bool) -> re.Pattern[str]:
    """A name as words of its own, however it is spaced or hyphenated, perhaps in the plural."""
    runs = [re.escape(run) for run in re.findall(r"\d+(?:\.\d+)*|[^\W\d_]+", fold(name))]
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    spaced = r"[\W_]*".join(runs)
    return re.compile(rf"(?<![^\W_]){spaced}s?(?![^\W_]|\.\d)", flags)


@lru_cache(maxsize=8192)
def _folded(paper: Paper) -> str:
    return fold(f"{clean_text(paper.title)}\n{clean_text(paper.abstract)}")


@lru_cache(maxsize=8192)
def paper_tokens(paper: Paper) -> frozenset[str]:
    """The tokens of a paper's title and abstract."""
    return frozenset(tokenize(f"{clean_text(paper.title)}\n{clean_text(paper.abstract)}"))


def mentions(paper: Paper, name: str) -> bool:
    """Whether a paper's title or abstract has a name as a word of its own.

    Spaces and hyphens do not matter ("GPT-4o", "GPT4o"); case does for a name in capitals,
    since "DARE" is not "dare". Other names without digits may be inflected.
    """
    if _whole_word(name, ignore_case=not name.isupper()).search(_folded(paper)):
        return True
    if name.isupper() or re.search(r"\d", name):
        return False
    return paper_tokens(paper).issuperset(tokenize(name))


def _looks_like_name(word: str) -> bool:
    """Digits among letters, a capital after the first one, or a plus: `o1`, `DARE`, `C++`."""
    bare = re.sub(r"(?<=[A-Z])s$", "", word)
    if bare.lower() in _GENERIC or not re.search(r"[^\W\d_]", bare):
        return False
    if re.fullmatch(r"\d[\d.]*(?:[a-z%]{1,3}|st|nd|rd|th|-[a-z]+)", bare, re.IGNORECASE):
        return False  # a quantity: 2.4B, 32k, 3rd, 8-bit
    return bool(re.search(r"\d|[^\W_].*[A-Z]|\+$", bare)) and len(bare) > 1


def asked_names(
    text: str, lexical: LexicalIndex, *, common: float = COMMON_SHARE
) -> tuple[str, ...]:
    """The names in a question that the paper asked about has to mention.

    These are words in the shape of a name (`DARE`, `o1-preview`, `Llama 3`), and capitalised
    words inside a sentence that no abstract of the index has (`Voyager`). Words that more than
    the share `common` of the abstracts have, and the field's acronyms, do not count.
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = re.sub(r"['’]s$", "", match[0].rstrip("."))
        before = text[: match.start()].rstrip()
        opens = not before or before[-1] in '.?!:"“('
        number = _NUMBER_AFTER.match(text, match.end())
        if word[:1].isupper() and not opens and number:
            found.append(word + number[0])
            continue
        tokens = tokenize(word)
        if not tokens:
            continue
        if _looks_like_name(word):
            whole = lexical.correct(tokens[0])
            if lexical.document_frequency.get(whole, 0) <= max(2, common * lexical.size):
                found.append(word if whole == tokens[0] else whole)
        elif word[:1].isupper() and not opens and not any(
            lexical.document_frequency.get(token) for token in tokens
        ):  # fmt: skip
            found.append(word)
    return tuple(dict.fromkeys(found))
