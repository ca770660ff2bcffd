"""What a model writes around its answer: greetings, labels, the question, and the sentinel."""

import re

from rag.synthesis.prompts import SENTINEL

_LABEL = re.compile(
    r"(?:(?:sure|certainly|of course|okay|ok)\b[,!.]?\s+)?"
    r"(?:here(?: is| are|[’']s) (?:the|my|your|an?) (?:\w+ ){0,2}"
    r"(?:answers?|responses?|reply|summary|list|overview)\b[^.:!?]{0,80}(?::|[.!]$)"
    r"|(?:the |final |short )*(?:answer|response)(?: is)?:)\s*",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|ok|great question)(?: thing)?\W*"
    r"|(?:i )?hope (?:this|that|it) helps\b.*"
    r"|(?:please )?(?:let me know|feel free to|do not hesitate to|don[’']t hesitate to)\b.*"
    r"|if you (?:have|need|would like|want)\b.*\b(?:questions?|details|help|information)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_ASKED = re.compile(r"(?:question|in parts):", re.IGNORECASE)
_OPENINGS = (
    "sure", "certainly", "of course", "absolutely", "ok", "great question", "here is",
    "here are", "here's", "here’s", "answer:", "response:", "the answer", "final answer",
    "short answer", "the response", "the final", "the short", "i hope", "hope this",
    "hope that", "hope it", "please let", "please feel", "please do", "let me know", "feel free",
    "do not hesitate", "don't hesitate", "don’t hesitate", "if you", "question:", "in parts:",
)  # fmt: skip
"""How a sentence begins that may be none of the answer."""
_SENTINEL = re.compile(rf"\b{SENTINEL}?\b", re.IGNORECASE)
_MAY_BE_SENTINEL = re.compile(
    r"\b" + "(?:".join(map(re.escape, SENTINEL)) + ")?" * (len(SENTINEL) - 1) + "$", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"(?:\s*[,;:–—]\s*|\s+)(?:but|however|although|though|while|yet|whereas)\b[\s,]*|[;:]\s+",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|do|did|can|cannot|could|will|would|may|might|must"
    r"|should)\b|n[’']t\b",
    re.IGNORECASE,
)
# How sentences open and labels do not: "It has", "The benchmark", but not "The Bottom Line".
_OPENS_SENTENCE = re.compile(
    r"(?i:its?|they|their|there|this|these|those|we|the|an?|both|each|all|in|on|at|by|for|from|to"
    r"|with|when|while|as|since|because|if|although|yes|no),? [a-z\d]"
)
_MOST_WORDS = 3


def label_length(text: str) -> int:
    """How many characters at the beginning of a sentence only announce the answer: "Answer: "."""
    match = _LABEL.match(text)
    return match.end() if match else 0


def is_talk(text: str, *, first: bool) -> bool:
    """Whether a sentence is no part of the answer.

    Args:
        text: The sentence, without a label before it.
        first: Whether nothing of the answer came before, so that it may repeat the question.
    """
    return not text or bool(_TALK.fullmatch(text)) or (first and bool(_ASKED.match(text)))


def may_be_talk(begun: str) -> bool:
    """Whether a sentence that begins so is to be looked at as a whole before it is shown."""
    said = begun.lower()
    return any(opening.startswith(said) or said.startswith(opening) for opening in _OPENINGS)


def shown_length(begun: str) -> int:
    """How much of a sentence may be shown before it is whole: nothing of the sentinel."""
    match = _SENTINEL.search(begun) or _MAY_BE_SENTINEL.search(begun)
    return len(begun[: match.start()].rstrip()) if match else len(begun)


def has_sentinel(text: str) -> bool:
    """Whether a sentence says somewhere that the answer is not there."""
    return bool(_SENTINEL.search(text))


def without_sentinel(text: str) -> str:
    """The clauses of a sentence that say something else; empty if there are none."""
    kept = [part for part in _CLAUSE.split(text) if part.strip() and not has_sentinel(part)]
    rest = "; ".join(part.strip(" ,") for part in kept)
    return rest[:1].upper() + rest[1:]


def is_label(text: str) -> bool:
    """Whether a line is a label of what follows, and states nothing: "**Limitations**"."""
    return may_be_label(text) and not re.search(r"[.!?。！？]\W*$", text) and not _VERB.search(text)


def may_be_label(begun: str) -> bool:
    """Whether a line that begins so may become a label."""
    return (
        len(begun.split()) <= _MOST_WORDS
        and not re.search(r"\d", begun)
        and not _OPENS_SENTENCE.match(begun)
    )
