"""Papers without a question: one of them, those like it, those that are new."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from made_up import BOATS, KITES, paper

from index.build import build_papers
from index.embedding import SentenceEncoder
from index.errors import InputError
from index.papers import Paper
from rag import Assistant

Open = Callable[[Sequence[Paper]], Assistant]


def test_a_paper_is_found_by_its_id(library: Assistant) -> None:
    for known in library.papers()[:3]:
        assert library.paper(known.id) == known
    with pytest.raises(InputError, match="no paper 'nowhere'"):
        library.paper("nowhere")


def test_the_papers_like_one_are_the_nearest_by_their_whole_abstracts(
    library: Assistant,
) -> None:
    hits = library.similar("hivescan", 4)
    assert len(hits) == 4
    assert "hivescan" not in {hit.paper.id for hit in hits}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(-1 <= hit.score <= 1 and hit.found == "dense" for hit in hits)
    for hit in hits:
        assert hit.passages
        for at in hit.passages:
            assert hit.paper.abstract[at.start : at.end] == at.text
    assert len(library.similar("hivescan", 10_000)) == len(library.papers()) - 1


def test_likeness_to_an_unknown_paper_or_to_none_is_refused(library: Assistant) -> None:
    with pytest.raises(InputError, match="no paper"):
        library.similar("nowhere")
    with pytest.raises(InputError, match="at least 1"):
        library.similar(library.papers()[0].id, 0)


def test_new_since_a_day_are_the_papers_first_seen_then_or_later(open_papers: Open) -> None:
    old = paper("old", "Old gardens", "Gardens were old.", day=date(2025, 3, 1))
    new = paper("new", "New gardens", "Gardens are new.", day=date(2025, 4, 1))
    newer = paper("newer", "Newer gardens", "Gardens are newer.", day=date(2025, 5, 1))
    again = old.model_copy(update={"sources": (*old.sources, *newer.sources)})
    assistant = open_papers([again, new, newer, KITES])
    assert [p.id for p in assistant.newest(date(2025, 4, 1))] == ["newer", "new"]
    assert [p.id for p in assistant.newest(date(2025, 4, 2))] == ["newer"]
    assert assistant.newest(date(2025, 6, 1)) == []


def test_new_in_the_last_change_are_the_papers_that_were_not_there_before(
    tmp_path: Path, encoder: SentenceEncoder
) -> None:
    store = tmp_path / "store"
    build_papers([KITES], store, encoder)
    assistant = Assistant(store, encoder)
    assert [p.id for p in assistant.newest()] == [KITES.id], "there was nothing before"
    build_papers([BOATS], store, encoder)
    assert [p.id for p in assistant.newest()] == ["boats"]
    changed = KITES.model_copy(update={"abstract": "KiteNet keeps 13 kites in the air."})
    build_papers([changed], store, encoder)
    assert assistant.newest() == [], "a changed paper is not a new one"


def test_an_index_has_a_map_with_every_paper(library: Assistant) -> None:
    found = library.collection_map()
    assert found is not None
    assert {point.id for point in found.points} == {p.id for p in library.papers()}
