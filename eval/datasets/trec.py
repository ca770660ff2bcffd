"""TREC's files: topics and judgements as a benchmark, and the rankings of any system."""

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eval.datasets.beir import Beir, judged
from eval.datasets.lines import read_lines
from index.errors import InputError
from index.papers import Paper

QUERY_FIELDS = ("title", "query", "question", "desc", "description", "summary", "topic")
"""Fields of a topic that can be its query, the preferred first; "topic" is text in no field."""

# Unclosed tags are usual in TREC's SGML, so a field's text ends where any tag begins.
_TAG = re.compile(r"<(/?)([a-zA-Z]\w*)([^<>]*)>((?:[^<]|<(?![/a-zA-Z!?]))*)")
_NUMBER = re.compile(r"""\b(?:number|id)\s*=\s*["']([^"']*)["']""")
_LABEL = re.compile(r"^(?:number|topic|description|summary|narrative):\s*", re.IGNORECASE)


@dataclass
class _Topic:
    line: int
    id: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def load_trec(
    topics: Path, qrels: Path, papers: Sequence[Paper], query_field: str | None = None
) -> Beir:
    """A benchmark of TREC topics and judgements over papers that there are already.

    Topics may be tagged, in the classic SGML (`<top><num> Number: 301 <title> …`) or in XML
    (`<topic number="1"><query>…`), or be lines of id, tab and text. Judgements are
    `topic iteration paper grade`. The papers are a BEIR corpus (`load_corpus`) or an index's;
    judged ones that are not among them count as not found (`Beir.absent`).

    Args:
        topics: The topics; `.gz` is unpacked.
        qrels: The judgements (`load_qrels`).
        papers: What is searched; their ids are those of the judgements.
        query_field: The field of a tagged topic that is asked ("question", "desc"); by default
            the first that it has of `QUERY_FIELDS`.

    Raises:
        InputError: a file cannot be read, a topic has no id, no text or another's id, or the
            judgements do not fit (`judged`); the message names file and line.
    """
    lines = dict(read_lines(topics))
    if not lines:
        raise InputError(f"{topics} holds no topics; write <top> elements or id, tab, text")
    tagged = next(iter(lines.values())).startswith("<")
    queries: dict[str, str] = {}
    found = _tagged(lines, topics, query_field) if tagged else _tabbed(lines, topics)
    for line, topic, text in found:
        if topic in queries:
            raise InputError(f"{topics}:{line}: topic {topic!r} stands twice; ids must differ")
        queries[topic] = text
    return judged(papers, queries, qrels)


def _tabbed(lines: dict[int, str], path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in lines.items():
        topic, _, text = line.partition("\t")
        if not text.strip():
            raise InputError(f"{path}:{number}: expected a topic's id, a tab and its text")
        yield number, topic.strip(), text.strip()


def _tagged(
    lines: dict[int, str], path: Path, query_field: str | None
) -> Iterator[tuple[int, str, str]]:
    wanted = (query_field,) if query_field else QUERY_FIELDS
    for topic in _elements(lines):
        text = next((topic.fields[name] for name in wanted if topic.fields.get(name)), None)
        if not topic.id:
            raise InputError(f"{path}:{topic.line}: a topic without a number")
        if not text:
            has = ", ".join(topic.fields) or "none"
            raise InputError(
                f"{path}:{topic.line}: topic {topic.id} has no {' or '.join(wanted)}; "
                f"its fields: {has}"
            )
        yield topic.line, topic.id, text


def _elements(lines: dict[int, str]) -> Iterator[_Topic]:
    """The topics of a tagged file, each with the text of its fields."""
    whole = "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1))
    topic: _Topic | None = None
    for tag in _TAG.finditer(whole):
        closing, name, attributes = tag[1], tag[2].lower(), tag[3]
        text = _LABEL.sub("", " ".join(html.unescape(tag[4]).split()))
        if name in ("top", "topic"):
            if topic:
                yield topic
            topic = None
            if not closing:
                given = _NUMBER.search(attributes)
                line = 1 + whole.count("\n", 0, tag.start())
                topic = _Topic(line, given[1].strip() if given else "")
                name = "topic"
        if not topic or closing:
            continue
        if name in ("num", "number"):
            topic.id = text
        elif text:
            topic.fields.setdefault(name, text)
    if topic:
        yield topic


def load_trec_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a ranking in TREC's format, `query Q0 paper rank score tag`, of any system.

    Returns:
        query id → paper id → score, papers in the file's order. The rank is not kept:
        trec_eval, too, ranks by the scores alone.

    Raises:
        InputError: the file cannot be read or is empty, or a line has not six columns, a score
            that is no number, or a paper that the query has already; the message names file
            and line.
    """
    run: dict[str, dict[str, float]] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if len(fields) != 6:
            raise InputError(f"{path}:{number}: expected query, Q0, paper, rank, score and tag")
        query, _, paper, _, score, _ = fields
        try:
            value = float(score)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{path}:{number}: the score {score!r} is not a number")
        if paper in run.setdefault(query, {}):
            raise InputError(f"{path}:{number}: {paper!r} stands twice for query {query!r}")
        run[query][paper] = value
    if not run:
        raise InputError(f"{path} holds no ranking; write query, Q0, paper, rank, score and tag")
    return run
