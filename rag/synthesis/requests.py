"""Small requests to a chat model: how they are put, and what every reply to one is held to."""

import logging
import re
from collections.abc import Iterable

from index.lexical import tokenize
from index.text import clean_text
from rag.chat import ChatError, Complete, StoppedError
from rag.support.numbers import quantities

logger = logging.getLogger(__name__)

_WORD = re.compile(r"[^\W_][\w.+]*(?:[-/'’][\w.+]+)*")
_OPENS = re.compile(r"(?:^|[.?!:;\n])[\s\"'“”‘’(\[*_#>-]*$")
_FENCE = re.compile(r"^\s*```.*$", re.MULTILINE)
_ONE = re.compile(r"\ban? (?=hundred|thousand|million|billion)", re.IGNORECASE)
_AROUND = " \t\"'“”‘’`*_"


def ask(complete: Complete, system: str, request: str) -> str | None:
    """The reply to one request, without code fences; None if there is none.

    A model that cannot be asked is logged and never raised: each caller can do without it.
    """
    try:
        reply = complete(
            [{"role": "system", "content": system}, {"role": "user", "content": request}]
        )
    except StoppedError:
        raise
    except ChatError as error:
        logger.info("%s", error)
        return None
    return _FENCE.sub("", reply).strip() or None


def data(label: str, lines: str | Iterable[str]) -> str:
    """Text of others as an element that nothing inside it can end: `<question> … </question>`.

    Args:
        label: The element's name, which tells the model what it is.
        lines: The text; if it is several, one a line, each with its white space made single.
    """
    text = lines if isinstance(lines, str) else "\n".join(" ".join(each.split()) for each in lines)
    return f"<{label}>\n{text.replace('</', '< /').strip()}\n</{label}>"


def cut(text: str, longest: int) -> str:
    """The first `longest` code points, up to the end of a word, an ellipsis after what is cut."""
    if len(text) <= longest:
        return text
    head, space, _ = text[:longest].rpartition(" ")
    return f"{head if space else text[:longest]} …"


def bare(line: str) -> str:
    """A line of a reply in single spaces, without quotes, emphasis and code marks around it."""
    return " ".join(line.split()).strip(_AROUND)


def foreign_names(text: str, known: str) -> tuple[str, ...]:
    """The names and numbers in a text that a known text does not have.

    A name is a word with a digit, with a capital after its first letter, or with a capital inside
    a sentence. It is known if all its tokens are: `LLMs` by `LLM`, `GPT-4` by `GPT4`; a number
    also if it stands there in words: `100` by "a hundred".
    """
    tokens = set(tokenize(clean_text(known)))
    numbers = {quantity.value for quantity in quantities(_ONE.sub("1 ", clean_text(known)))}
    return tuple(
        name
        for name in names_in(text)
        if not tokens.issuperset(tokenize(name)) and not _is_one_of(name, numbers)
    )


def _is_one_of(name: str, numbers: set[float]) -> bool:
    values = {quantity.value for quantity in quantities(name)}
    return bool(values) and values <= numbers


def names_in(text: str) -> tuple[str, ...]:
    """The words of a text that look like names or numbers, each once, in its order."""
    found: list[str] = []
    text = clean_text(text)
    for match in _WORD.finditer(text):
        word = match[0].rstrip(".")
        opens = _OPENS.search(text[: match.start()])
        if re.search(r"\d|.[A-Z]", word) or (word[:1].isupper() and not opens):
            found.append(word)
    return tuple(dict.fromkeys(found))
