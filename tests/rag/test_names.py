"""Names as people type them find the paper they mean."""

import pytest
from made_up import first_sentence, titles

from index.lexical import LexicalIndex
from rag import Assistant
from rag.names import subjects

TYPED = {
    "m3vit": "M³ViT",
    "M3ViT": "M³ViT",
    "M^3ViT": "M³ViT",
    "jiuzhang2.0": "JiuZhang 2.0",
    "jiuzhang": "JiuZhang 2.0",
    "jiu zhang": "JiuZhang 2.0",
    "Ragnarok": "Ragnarök",
    "ragnarök": "Ragnarök",
    "mindserch": "MindSearch",
    "Mind Search": "MindSearch",
    "web arena": "WebArena",
    "android world": "AndroidWorld",
    "os world": "OSWorld",
    "qwen audio": "Qwen-Audio",
    "bigbench": "Beyond the Imitation Game",
    "ties merging": "Resolving Interference",
    "mind2web": "Mind2Web",
    "dobb e": "On Bringing Robots Home",
    "cybnech": "Cybench",
    "breadcrums": "Model Breadcrumbs",
    "rt-h": "RT-H",
}


@pytest.mark.parametrize(("typed", "title"), TYPED.items())
def test_a_name_as_typed_finds_its_paper_first(
    sample_assistant: Assistant, typed: str, title: str
) -> None:
    assert sample_assistant.search(typed, limit=1)[0].paper.display_title.startswith(title)


@pytest.mark.parametrize(
    ("question", "title", "fact"),
    [
        ("how much does m3vit cut flops?", "M³ViT", "88%"),
        ("how many pages does mindserch collect?", "MindSearch", "300 web pages"),
        ("web arena success rate", "WebArena", "10.59%"),
        ("what is ragnarok?", "Ragnarök", "framework"),
        ("What architecture does jiuzhang2.0 use?", "JiuZhang 2.0", ""),
    ],
)
def test_questions_with_names_as_typed_are_answered_from_their_paper(
    sample_assistant: Assistant, question: str, title: str, fact: str
) -> None:
    answer = sample_assistant.ask(question)
    assert titles(answer)[0].startswith(title)
    assert fact in first_sentence(answer)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("which has more tasks, AndroidWorld or OSWorld?", ["AndroidWorld", "OSWorld"]),
        ("What do P5 and M2TRec share?", ["Recommendation as Language Processing", "M2TRec"]),
        ("how well does GPT-4 do?", []),
        ("what do agents do?", []),
    ],
)
def test_a_text_names_papers_by_their_own_names_in_its_order(
    sample_assistant: Assistant, text: str, names: list[str]
) -> None:
    papers = sample_assistant.papers()
    found = subjects(text, papers, LexicalIndex.build(papers))
    assert [paper.display_title[: len(n)] for paper, n in zip(found, names, strict=True)] == names
