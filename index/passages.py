"""Cut abstracts into sentence passages, each with its span in the stored abstract."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.papers import Paper
from index.text import clean

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

_COPYRIGHT = re.compile(
    r"\W{0,3}(?:copyright\b.{0,60}(?:\d{4}|\bof\b|©)|\(c\) ?\d{4}|all rights reserved"
    r"|this (?:article|work|abstract) is protected by copyright"
    r"|published by .{3,80}(?:ltd|inc|b\.v)|copyright applies)|[^\w\s]{0,2}©",
    re.IGNORECASE,
)
"""A copyright sentence, which says nothing about the paper and must not be cited."""
_COPYRIGHT_TO_THE_END = re.compile(r"\W{0,2}(?:abstract (?:from|provided by)|copyright of)\b", re.I)
# A stop, any closing quotes or brackets, and white space (not in Chinese) before an opening.
_BOUNDARY = re.compile(
    r"(?<=[.!?…])[\"”’')\]]*(?P<gap>\s+)(?=[\"“‘'(\[«~$#<≈•–—-]*(?P<opening>\w))"
    r"|(?<=[。！？])[”’」』）]*(?P<wide>\s*)(?=\S)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|al|resp|approx|Fig|Figs|Eq|Eqs|Sec|Tab|No|Nos|Vol|Ref|Refs|Dr|Mr"
    r"|Mrs|Ms|Prof|St|Jr|Sr|ca|w\.r\.t|a\.k\.a|ver|min|max|spp|sp|var|Inc|Ltd|Co|U\.S|Ph\.D)"
    r"|\b[A-Z])\.$"
    # A capitalised word inside a sentence is a name, and so is its mark: "in Yahoo! Answers".
    r"|[\w,] [A-Z]\w*!$"
)
_LIST_NUMBER = re.compile(r"(?:^|[:;]\s|[a-z]{4}[.!?]\s)\(?\d{1,2}\.$")
_SURE_START = re.compile(
    r"(?:The|This|These|Those|In|We|Our|It|Its|However|To|For|By|As|While|Although|Moreover"
    r"|Furthermore|Additionally|Finally|Here|With|When|An?|Extensive|Experiments?|Results?|Then"
    r"|Specifically|Thus|Hence|Therefore|Such|They|But|And)\b"
)
# An item of a list that is no sentence: "2) GPU idleness."
_ITEM = re.compile(r"\(?(?:(?P<first>1|a|i)|\d{1,2}|[b-h]|[ivx]{2,4})\) (?:\S+\s+){0,8}\S+")


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence of an abstract: code points `[start, end)` of the stored one, and cleaned."""

    paper_id: str
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        """The passage's id, unique in an index and the same on every machine."""
        return f"{self.paper_id}:{self.start}-{self.end}"

    def node(self) -> "TextNode":
        """Return the passage as a LlamaIndex node whose embedded text is only the sentence."""
        # Imported here: LlamaIndex takes about two seconds, and indexing needs no nodes.
        from llama_index.core.schema import TextNode

        known = {"paper": self.paper_id, "start": self.start, "end": self.end}
        node = TextNode(id_=self.id, text=self.text, metadata=known)
        node.start_char_idx, node.end_char_idx = self.start, self.end
        node.excluded_embed_metadata_keys, node.excluded_llm_metadata_keys = [*known], [*known]
        return node


def cut(paper: Paper) -> list[Passage]:
    """Cut a paper's abstract into sentences, in order, with distinct spans, without copyrights."""
    cleaned, opened = clean(paper.abstract), 0
    passages: list[Passage] = []
    for start, end in sentence_spans(cleaned.text):
        stored_start, stored_end = cleaned.stored_span(start, end)
        if passages and stored_start < passages[-1].end:
            # One stored piece became the end of a sentence and the start of the next.
            stored_start = passages.pop().start
        else:
            opened = start
        passages.append(Passage(paper.id, stored_start, stored_end, cleaned.text[opened:end]))
    ends = (at for at, each in enumerate(passages) if _COPYRIGHT_TO_THE_END.match(each.text))
    citable = [each for each in passages[: next(ends, None)] if not _COPYRIGHT.match(each.text)]
    return citable or passages


def paper_text(paper: Paper) -> str:
    """Return the text whose vector represents a paper: clean title, full stop, clean abstract."""
    return f"{paper.display_title}. {clean(paper.abstract).text}"


def _in_brackets(text: str, start: int, end: int) -> bool:
    """Check whether `end` is inside short brackets, as in "(see Smith et al. Also B.)"."""
    opened = text.rfind("(", max(start, end - 200), end)
    if opened < 0 or ")" in text[opened:end]:
        return False
    closed = text.find(")", end, opened + 200)
    return closed >= 0 and "(" not in text[end:closed]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans `[start, end)` of a text's sentences, in code points, in linear time."""
    spans: list[tuple[int, int]] = []
    start = len(text) - len(text.lstrip())
    for match in _BOUNDARY.finditer(text, start):
        gap, opening = "gap" if match["opening"] else "wide", match["opening"] or ""
        if opening.islower() and not "α" <= opening <= "ω":  # as in `α-actin`
            continue
        head = text[max(start, match.start() - 40) : match.start()]
        is_open = _ABBREVIATION.search(head)
        if _LIST_NUMBER.search(head) or (is_open and not _SURE_START.match(text, match.end())):
            continue
        if not _in_brackets(text, start, match.end(gap)):
            spans.append((start, match.start(gap)))
            start = match.end(gap)
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return _merge_items(text, spans)


def _merge_items(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge list items that are no sentences with that before, headings with that after them."""
    whole: list[tuple[int, int]] = []
    was_item = is_heading = False
    for start, end in spans:
        item = _ITEM.fullmatch(text, start, end)
        is_merged = bool(whole) and (is_heading or bool(item and (item["first"] or was_item)))
        whole.append((whole.pop()[0] if is_merged else start, end))
        was_item, is_heading = bool(item), bool(item) and not is_merged
    return whole
