"""Answers that were given elsewhere, measured as if they were given now."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.datasets import Beir, load_questions, load_trec_run
from eval.datasets.ragnarok import RagnarokAnswer, load_ragnarok
from eval.systems import Found, Subject
from index.errors import InputError
from index.papers import Paper
from index.sources import sha256_of
from rag.citations import Block, Claim, Span, compose
from rag.conversation import History, read_history
from rag.schema import Answer, IndexInfo, Mode, Usage


class Replayed:
    """A system that says what it has said before."""

    def __init__(
        self, name: str, answers: dict[str, RagnarokAnswer], papers: Sequence[Paper]
    ) -> None:
        """Take the answers by their question (`_key`)."""
        self.name = name
        self._answers = answers
        self._papers = {paper.id: paper for paper in papers}

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers of the answer's references, in their order."""
        found = self._answers[_key(query, ())].references[:limit]
        return [(paper, 1 / rank) for rank, paper in enumerate(found, start=1)]

    def ask(self, question: str, history: History, mode: Mode) -> Answer:  # noqa: ARG002 - the protocol's
        """The recorded answer; each citation is of the whole abstract."""
        given = self._answers[_key(question, history)]
        claims = tuple(
            Claim(sentence.text, tuple(self._whole(id_) for id_ in given.cited(sentence)))
            for sentence in given.answer
        )
        composed = compose([Block((claim,)) for claim in claims])
        return Answer(
            question=question,
            standalone_question=question,
            status="answered" if claims else "insufficient_evidence",
            reason=None if claims else "The recorded answer is empty.",
            mode="generative",
            text=composed.text,
            sentences=composed.sentences,
            references=composed.references,
            nearest=(),
            usage=Usage(),
            timings_ms={},
            index=IndexInfo(id="recorded", papers=len(self._papers), encoder="unknown"),
        )

    def _whole(self, id_: str) -> Span:
        paper = self._papers[id_]
        return Span(paper, 0, len(paper.abstract))


def _key(question: str, history: History) -> str:
    """A question with what came before it: a follow-up can be asked in the same words twice."""
    return json.dumps([question, [turn.text for turn in read_history(history)]])


def replay(path: Path, questions: Path, papers: Sequence[Paper]) -> Subject:
    """The answers of a file of Ragnarök's JSON as a system.

    Args:
        path: The answers, one for each question.
        questions: The questions they answer; topics are their ids.
        papers: Those that the answers may cite, by id.

    Raises:
        InputError: a question has no answer, or an answer cites a paper that is not there.
    """
    given = {answer.topic_id: answer for answer in load_ragnarok(path)}
    known = {paper.id for paper in papers if paper.abstract}
    answers: dict[str, RagnarokAnswer] = {}
    for question in load_questions(questions):
        answer = given.get(question.id)
        if answer is None:
            raise InputError(f"{path}: question {question.id!r} of {questions} has no answer")
        if unknown := [id_ for id_ in answer.references if id_ not in known]:
            raise InputError(f"{path}: topic {question.id!r}: no abstract of {unknown[0]!r} here")
        turns = [turn.model_dump() for turn in question.history]
        answers[_key(question.question, turns)] = answer
    run_id = next((answer.run_id for answer in given.values() if answer.run_id), path.stem)
    system = Replayed(run_id, answers, papers)
    return Subject(system, papers, {"answers": sha256_of(path)})


class ReplayedRanking:
    """A ranking that was made elsewhere. It answers nothing."""

    def __init__(self, name: str, rankings: Mapping[str, Mapping[str, float]]) -> None:
        """Take the rankings by the text of their query."""
        self.name = name
        self._rankings = rankings

    def search(self, query: str, limit: int) -> list[Found]:
        """The papers of the ranking, best first."""
        found = self._rankings.get(query, {})
        return sorted(found.items(), key=lambda hit: -hit[1])[:limit]

    def ask(self, question: str, history: History, mode: Mode) -> Answer:
        """Not to be called: a ranking has no answers."""
        raise NotImplementedError(f"{self.name} is a ranking and answers nothing: {question}")


def replay_ranking(path: Path, beir: Beir) -> Subject:
    """A run in TREC's format as a system. A query that it lacks finds nothing.

    Raises:
        InputError: a line is damaged, or no query of the benchmark is in it.
    """
    run = load_trec_run(path)
    if not run.keys() & beir.qrels.keys():
        raise InputError(f"{path} ranks none of the benchmark's queries")
    by_text = {beir.queries[query]: run[query] for query in beir.qrels if query in run}
    system = ReplayedRanking(path.stem, by_text)
    return Subject(system, beir.papers, {"ranking": sha256_of(path)})
