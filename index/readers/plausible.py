"""Whether a text is a digest at all: any text has lines that look like titles and abstracts."""

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from index.papers import Paper
from index.readers.records import Problem

_SHARED_PREFIX = 0.6
_LONE_ABSTRACT = 8_000
"""Characters of an abstract that is alone in a file of no known format: it is another text."""
_LEAST_TITLE = 2.4
"""Words that titles have on average, at least: chapters and sections have fewer."""
_FAR_SHORTER = 6
_CODE = re.compile(
    r"[;{}(\[\\]\s*$|^\s*[})\]]|^\s*(?:[#/]{1,2}|--|<!--)\s?\S|\w\(\)|(?:^|\s)[\w.\[\]'\"]+\s*[:+]?=\s*\S"
    r"|==|=>|->|::|^\s*</?\w+|^\s*(?:def|import|return|class|const|var|let|function|select|insert"
    r"|create|if|for|while|else|try|end)\b.{0,60}[:(;]?$|^\W?\d{4}-\d\d-\d\d[ T]\d\d:\d\d",
    re.IGNORECASE,
)
_MOST_CODE = 0.25
_TAG = re.compile(r"[A-Za-z0-9@%<{\"'/#]{1,12}\s{0,2}[-:=>|)}\]]{1,2}(?=\s|\")|[{<\"'%@\\/#]+")
_FEW = 3
_LEAST_WORDS = 4


def doubt(plain: str, found: Sequence[Paper | Problem]) -> str | None:
    """Why a text cannot be a digest, though titles and abstracts seem to be in it.

    `plain` is the beginning of a text without markup.
    """
    papers = [each for each in found if isinstance(each, Paper)]
    if not papers:
        return None
    what = "it is no digest: nothing of it is taken; --format digest reads it all the same"
    lines = [line for line in plain.split("\n") if line.strip()]
    coded = sum(bool(_CODE.search(line)) for line in lines)
    if len(lines) >= _FEW and coded > _MOST_CODE * len(lines):
        return f"{coded} of {len(lines)} lines read as those of a program or a log: {what}"
    last = max(at for at, each in enumerate(found) if isinstance(each, Paper))
    rejected = [each for each in found[:last] if isinstance(each, Problem) and not each.is_warning]
    if len(rejected) > max(len(papers), 2):
        return f"{len(papers)} papers and {len(rejected)} lines that are none: {what}"
    if len(papers) == 1 and len(papers[0].abstract) > _LONE_ABSTRACT:
        return f"one text of {len(papers[0].abstract):,} characters: {what}"
    words = sum(len(paper.title.split()) for paper in papers) / len(papers)
    is_labelled = re.search(r"^\W*title\s*:", plain, re.IGNORECASE | re.MULTILINE)
    is_known = is_labelled or any(paper.arxiv or paper.doi or paper.authors for paper in papers)
    if words < _LEAST_TITLE and not is_known:
        return f"titles of {words:.1f} words: {what}"
    if len(papers) < _FEW:
        return None
    signs = Counter(_sign(paper.title) for paper in papers)
    sign, often = signs.most_common(1)[0]
    if sign and often > _SHARED_PREFIX * len(papers):
        return f"{often} of {len(papers)} titles begin with {sign!r}: {what}"
    short = sum(len(paper.abstract.split()) < _LEAST_WORDS for paper in papers)
    if short > len(papers) / 2:
        return f"{short} of {len(papers)} abstracts have a few words only: {what}"
    return None


def without_remarks(found: Sequence[Paper | Problem]) -> list[Paper | Problem]:
    """What was found, without texts that are far too short to be abstracts beside the others."""
    lengths = [len(each.abstract.split()) for each in found if isinstance(each, Paper)]
    least = median(lengths) / _FAR_SHORTER if len(lengths) >= _FEW else 0
    return [
        Problem(each.sources[0].name, None, f"no abstract, but a remark: {each.title[:60]!r}")
        if isinstance(each, Paper) and len(each.abstract.split()) < least
        else each
        for each in found
    ]


def _sign(title: str) -> str:
    """The beginning of a title that a field's tag would be: short, and closed by a sign."""
    match = _TAG.match(title)
    return match[0] if match else ""
