"""Whether what was read as a digest is one: any text has lines that look like titles and abstracts.

No word tells, but what papers have in common: an abstract speaks of what its title speaks of, has
sentences, is about as long as the others, and is not in capitals.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean, median, pstdev

from index.papers import Paper
from index.passages import sentence_spans
from index.readers import cues
from index.readers.records import Problem

_ENOUGH = 2
"""Weight of the signs from which a text is no digest: one that is sure, or two others."""
_TAG = re.compile(r"[A-Za-z0-9@%<{\"'/#]{1,12}\s{0,2}[-:=>|)}\]]{1,2}(?=\s|\")|[{<\"'%@\\/#]+")
"""What begins a line of a format that is not known: short, and closed by a sign."""


def plausible(
    name: str, found: Iterator[Paper | Problem], *, is_named: bool
) -> Iterator[Paper | Problem]:
    """All of a digest at once, or why nothing of it is taken, unless a user named its format.

    A text that is far too short to be an abstract beside the others is a remark.
    """
    known = [*found]
    papers = [each for each in known if isinstance(each, Paper)]
    if papers and not is_named and (reason := _doubt(known, papers)):
        option = "--format digest reads it all the same"
        yield Problem(name, None, f"{reason}: nothing of it is taken", option=option)
        return
    lengths = [len(each.abstract.split()) for each in papers]
    least = median(lengths) / 6 if len(lengths) >= 3 else 0
    for each in known:
        if isinstance(each, Paper) and len(each.abstract.split()) < least:
            yield Problem(name, None, f"no abstract, but a remark: {each.title[:60]!r}")
        else:
            yield each


def _doubt(found: Sequence[Paper | Problem], papers: Sequence[Paper]) -> str | None:
    """Why a text can be no digest, though titles and abstracts seem to be in it; None if it can."""
    last = max(at for at, each in enumerate(found) if isinstance(each, Paper))
    lost = sum(isinstance(each, Problem) and not each.is_warning for each in found[:last])
    signs = [(2, f"{len(papers)} papers and {lost} lines that are none")]
    signs = (signs if lost > max(len(papers), 2) else []) + _signs(papers)
    if sum(weight for weight, _ in signs) < _ENOUGH:
        return None
    told = [reason for _, reason in sorted(signs, key=lambda sign: -sign[0])[:2]]
    return f"{' and '.join(told)}: it is no digest"


def _signs(papers: Sequence[Paper]) -> list[tuple[int, str]]:
    """What speaks against papers, each with its weight."""
    count, abstracts = len(papers), [paper.abstract for paper in papers]
    lengths = [cues.count_words(abstract) for abstract in abstracts]
    usual, spread = median(lengths), pstdev(lengths) / max(1.0, fmean(lengths))
    known = sum(bool(paper.arxiv or paper.doi or paper.authors) for paper in papers) * 2 >= count
    words = fmean(cues.count_words(paper.title) for paper in papers)
    share = median(cues.shared(paper.title, paper.abstract) for paper in papers)
    likely = median(cues.title_like(paper.title, is_heading=False) for paper in papers)
    loud = fmean(sum(map(str.isupper, a)) > 0.4 * sum(map(str.isalpha, a)) for a in abstracts)
    sentences = median(len(sentence_spans(abstract)) for abstract in abstracts)
    starts = Counter(tag[0] if (tag := _TAG.match(t)) else t for t in (p.title for p in papers))
    start, often = starts.most_common(1)[0]
    rows = (
        (2 * (count == 1 and len(abstracts[0]) > 8_000), "one text of more than 8,000 characters"),
        (2 * (words < 2.4 and not known), f"titles of {words:.1f} words"),
        (2 * (count > 2 and often > 0.6 * count), f"{often} of {count} titles are {start[:40]!r}"),
        (2 * (loud >= 0.25), "texts in capitals"),
        (
            (share < 0.5 and usual > 12) + (share < 0.35 and usual > 45),
            "titles that no text speaks of",
        ),
        ((spread > 0.6) + (spread > 0.9), "texts of very different lengths"),
        (1 * (likely < 1.7), "lines that do not read as titles"),
        (1 * (sentences < 2 and share < 0.9 and not known), "texts of a few words"),
    )
    return [(weight, reason) for weight, reason in rows if weight]
