"""The arena without a browser: who meets, who may vote, and what a page is told before a vote."""

import asyncio
from pathlib import Path

import pytest
from chat_server import ChatServer, fails, streams

from eval.arena import Vote, read_votes
from index.embedding import SentenceEncoder
from index.errors import InputError
from rag import Assistant
from rag.schema import Answer, Options
from rag.settings import Settings
from ui.web.lab.arena import battle_html, standings_html
from ui.web.lab.battles import (
    QUOTES,
    Battle,
    Battles,
    Configuration,
    Pair,
    configurations,
    contest,
)

LIST = "Which papers are about agents?"
ONE = next(each for each in QUOTES if each.options.sources == 1)
THREE = next(each for each in QUOTES if each.options.sources == 3)


def meet(
    assistant: Assistant, question: str, *chosen: Configuration
) -> tuple[Pair, tuple[Answer, Answer]]:
    known = configurations(assistant).values()
    return asyncio.run(contest(assistant, question, known, chosen))


@pytest.fixture(scope="module")
def met(sample_assistant: Assistant) -> tuple[Pair, tuple[Answer, Answer]]:
    return meet(sample_assistant, LIST, ONE, THREE)


@pytest.fixture
def battles(tmp_path: Path) -> Battles:
    return Battles(tmp_path / "data" / "votes.jsonl")


def begun(battles: Battles, met: tuple[Pair, tuple[Answer, Answer]], who: str = "ann") -> Battle:
    return battles.begin(who, LIST, *met)


def test_two_that_are_chosen_meet_and_each_answers_in_its_own_way(
    sample_assistant: Assistant,
) -> None:
    pair, answers = meet(sample_assistant, LIST, ONE, THREE)
    cited = {each.name: len(a.references) for each, a in zip(pair, answers, strict=True)}
    assert cited == {ONE.name: 1, THREE.name: 3}


def test_who_is_left_is_chance(sample_assistant: Assistant) -> None:
    sides = {meet(sample_assistant, LIST, ONE, THREE)[0][0].name for _ in range(12)}
    assert sides == {ONE.name, THREE.name}


def test_a_pair_that_is_drawn_has_answers_that_differ(sample_assistant: Assistant) -> None:
    (left, right), answers = meet(sample_assistant, LIST, ONE)
    assert ONE in (left, right)
    assert left != right
    assert answers[0].text != answers[1].text


def test_the_same_answers_leave_nothing_to_vote_on(sample_assistant: Assistant) -> None:
    with pytest.raises(InputError, match="both gave the same answer"):
        meet(sample_assistant, "How many tasks does OSWorld have?", QUOTES[0], THREE)
    with pytest.raises(InputError, match="two different configurations"):
        meet(sample_assistant, LIST, ONE, ONE)


def test_a_model_meets_quotes_and_one_that_fails_takes_no_vote(
    sample_store: Path, encoder: SentenceEncoder, chat_server: ChatServer
) -> None:
    settings = Settings(
        store=sample_store, openai_base_url=chat_server.base_url, chat_model="small", planning=False
    )
    assistant = Assistant(sample_store, encoder, settings=settings)
    known = configurations(assistant)
    assert {"small", "small, strict"} <= set(known)
    chat_server.script = lambda _: streams("OSWorld has 369 tasks [1.1].")
    pair, answers = meet(
        assistant, "How many tasks does OSWorld have?", known["small"], known["Quotes"]
    )
    written = answers[pair.index(known["small"])]
    assert written.model == "small"
    chat_server.script = lambda _: fails(400)
    with pytest.raises(InputError, match="small could not answer"):
        meet(assistant, "How many tasks does OSWorld have?", known["small"], known["Quotes"])
    assistant.close()


def test_other_models_of_an_endpoint_meet_only_by_choice(sample_assistant: Assistant) -> None:
    class Two:
        def chat_models(self) -> list[str]:
            return ["configured", "other"]

    known = configurations(Two())  # type: ignore[arg-type]
    assert [known[name].is_drawn for name in ("configured", "other", "Quotes")] == [
        True, False, True,
    ]  # fmt: skip
    assert known["other, strict"].options == Options(model="other", strictness="strict")
    assert list(configurations(sample_assistant)) == [each.name for each in QUOTES]


def test_nobody_votes_twice_nor_on_what_another_one_was_shown(
    battles: Battles, met: tuple[Pair, tuple[Answer, Answer]]
) -> None:
    battle = begun(battles, met)
    with pytest.raises(InputError, match="this battle is over"):
        battles.vote("bob", battle.id, "left")
    with pytest.raises(InputError, match="this battle is over"):
        battles.vote("ann", "made-up", "left")
    battles.vote("ann", battle.id, "left")
    with pytest.raises(InputError, match="you have voted"):
        battles.vote("ann", battle.id, "right")
    with pytest.raises(InputError, match="this battle is over"):
        battles.undo("bob", battle.id)
    assert len(read_votes(battles.path)) == 1


def test_a_vote_that_was_taken_back_can_be_given_anew(
    battles: Battles, met: tuple[Pair, tuple[Answer, Answer]]
) -> None:
    battle = begun(battles, met)
    with pytest.raises(InputError, match="no vote to take back"):
        battles.undo("ann", battle.id)
    battles.vote("ann", battle.id, "left")
    assert battles.undo("ann", battle.id).winner is None
    assert read_votes(battles.path) == ()
    battles.vote("ann", battle.id, "right")
    (vote,) = read_votes(battles.path)
    assert (vote.left, vote.right, vote.winner) == (met[0][0].name, met[0][1].name, "right")
    assert (vote.question, vote.index) == (LIST, met[1][0].index.id)


def test_one_visitor_s_battles_do_not_crowd_out_another_s(
    battles: Battles, met: tuple[Pair, tuple[Answer, Answer]]
) -> None:
    others = begun(battles, met, "bob")
    first = begun(battles, met)
    for _ in range(Battles.KEPT_OF_ONE):
        begun(battles, met)
    with pytest.raises(InputError, match="this battle is over"):
        battles.vote("ann", first.id, "left")
    battles.vote("bob", others.id, "tie")


def test_before_the_vote_nothing_on_the_page_tells_who_is_who(
    battles: Battles, met: tuple[Pair, tuple[Answer, Answer]]
) -> None:
    battle = begun(battles, met)
    blind = battle_html(battle)
    assert "sources" not in blind.replace("aqa-arena-sources", "")
    assert battle.id not in blind
    told = battle_html(battles.vote("ann", battle.id, "tie"))
    assert ONE.name in told
    assert "since the number of sources is set to 1" in told


def test_standings_name_groups_that_cannot_be_compared() -> None:
    def vote(id_: str, left: str, right: str) -> Vote:
        return Vote(
            id=id_, at="2025-03-14T09:00Z", question="q", left=left, right=right,  # type: ignore[arg-type]
            winner="left", index="i",
        )  # fmt: skip

    shown = standings_html([vote("1", "<b>a", "b"), vote("2", "c", "${x}")])
    assert "&#36;&#123;x&#125; with c; &lt;b&gt;a with b" in shown
    assert "No votes yet" in standings_html([])
