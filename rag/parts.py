"""The parts of retrieval and of answering that can be switched off, to measure what each is worth.

A measuring device, not a setting: `abstractqa eval ablate` answers the same questions with one
part off at a time. What does not pay is to be removed from the product, not switched off in it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parts:
    """Which parts work; each field says what is done instead where its part does not."""

    whole_abstracts: bool = True
    """Off: the cosine with the whole abstract has no share in a paper's score."""
    sentences: bool = True
    """Off: the cosines with its nearest sentences have no share in a paper's score."""
    lexical: bool = True
    """Off: BM25 has no share in a paper's score."""
    mending: bool = True
    """Off: words are searched for as they are typed."""
    names_first: bool = True
    """Off: the paper a question names has to win by its score like any other."""
    better_sentence: bool = True
    """Off: of papers close to each other the first one answers, whatever its sentences say."""
    question_parts: bool = True
    """Off: a question of several parts is compared with sentences as a whole only."""
    overlap: bool = True
    """Off: the rare words a sentence shares with the question do not count."""
    cues: bool = True
    """Off: a sentence counts the same whether a number, a reason, a name or a meaning is asked."""
    form: bool = True
    """Off: background, results and where the code is count like any other sentence."""
    neighbours: bool = True
    """Off: a sentence comes without the one it leans on and without the items it announces."""
    follow_ups: bool = True
    """Off: a question takes nothing from the turns before it."""
    digest_scopes: bool = True
    """Off: what a question says about digests is searched for like its other words."""
    lists: bool = True
    """Off: a question for several papers is answered from one."""
    comparisons: bool = True
    """Off: a question that compares is answered from one paper, unless it names several."""
    abstention: bool = True
    """Off: the nearest sentences are given, however far they are; without any, it refuses."""


EVERY_PART = Parts()
"""The product as it is."""
