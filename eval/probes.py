"""Question sets that put one ability to the test, made from data that is there.

What a part is worth shows only where it is needed: few real questions have a typing error, and few
are as short as a name.
"""

import random
import re
from collections.abc import Sequence

from eval.datasets import Question
from index.papers import Paper

SEED = 0
_LONG_WORD = re.compile(r"[A-Za-z]{6,}")
_FORMS = (
    "What is {}?",
    "How well does {} do?",
    "What does {} propose?",
    "Which problem does {} address?",
    "why is {} needed",
    "{} results",
)


def with_typos(questions: Sequence[Question], seed: int = SEED) -> list[Question]:
    """The same questions, each with two letters swapped inside its longest word of letters.

    Questions without a word of six letters stay as they are.
    """
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    return [
        question.model_copy(update={"question": _mistyped(question.question, draw)})
        for question in questions
    ]


def _mistyped(text: str, draw: random.Random) -> str:
    words = _LONG_WORD.findall(text)
    if not words:
        return text
    word = max(words, key=len)
    at = draw.randrange(1, len(word) - 2)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return text.replace(word, swapped, 1)


def by_name(papers: Sequence[Paper]) -> list[Question]:
    """A question of each paper whose title begins with a name, by that name alone.

    Every second name is in lower case. The question's forms take turns.
    """
    questions = []
    for at, paper in enumerate(papers):
        if name := paper.head:
            form = _FORMS[at % len(_FORMS)]
            questions.append(
                Question(
                    id=paper.id,
                    type="name",
                    question=form.format(name.lower() if at % 2 else name),
                    answerable=True,
                    papers=(paper.title,),
                )
            )
    return questions
