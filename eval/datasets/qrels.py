"""Relevance judgements, in BEIR's columns or TREC's."""

import re
from collections.abc import Collection
from pathlib import Path

from eval.datasets.lines import read_lines
from index.errors import InputError

_GRADE = re.compile(r"(-?[0-9]{1,9})(?:\.0+)?")
_HEADER = ("score", "rel", "relevance")


def load_qrels(path: Path, queries: Collection[str]) -> dict[str, dict[str, int]]:
    """Read judgements: `query paper grade` (BEIR) or `query iteration paper grade` (TREC).

    Columns are parted by tabs or spaces; a first line that ends in `score`, `rel` or `relevance`
    is a header. A grade is a whole number ("1.0" is one too), relevant above 0; trec_eval knows
    no other. A pair that is judged twice keeps the later grade, as in BEIR's own loader. Papers
    need not be in the corpus, because the pools of real datasets reach beyond it.

    Args:
        path: The file; `.gz` is unpacked.
        queries: The ids of the queries that there are.

    Returns:
        query id → paper id → grade.

    Raises:
        InputError: the file cannot be read or holds no judgements, a line is broken, or it names
            a query that there is not; the message names file and line.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if number == 1 and fields[-1].lower() in _HEADER:
            continue
        grade = _GRADE.fullmatch(fields[-1])
        if len(fields) not in (3, 4) or not grade:
            raise InputError(
                f"{path}:{number}: expected query-id, corpus-id and a whole score, or TREC's "
                "query, iteration, paper and grade"
            )
        query, paper = fields[0], fields[-2]
        if query not in queries:
            raise InputError(
                f"{path}:{number}: query {query!r} is not among the queries; "
                "give queries and judgements of one dataset"
            )
        qrels.setdefault(query, {})[paper] = int(grade[1])
    if not qrels:
        raise InputError(f"{path} holds no judgements; write query-id, corpus-id, score a line")
    return qrels
