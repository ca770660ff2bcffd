"""Answers about kites, and a look at HTML as a browser sees it, for the tests of the chat."""

from datetime import date
from html.parser import HTMLParser

from index.papers import Paper, Source
from rag.citations import Block, Claim, Span, compose, escape
from rag.schema import Answer, IndexInfo, NearPaper, Support, Usage
from rag.support import Verdict

HOSTILE = '<img src=x onerror="alert(1)"> </div><script>x</script> {{x}} ${y} `z` [9](http://e.org)'
ABSTRACT = 'Kites fly at 37.8\\% of the cost. They~(kites) need wind. Ragnar\\"ok is a storm.'
COST = "Kites fly at 37.8\\% of the cost."
WIND = "They~(kites) need wind."


class Elements(HTMLParser):
    """The elements and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(str(html))  # plain, whatever it is marked as
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        name = (dict(attrs).get("class") or tag).split()[-1]
        if tag not in ("img", "input", "br", "path"):
            self._open.append((tag, name))
            self.inside.setdefault(name, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        for _, name in self._open:
            self.inside[name][-1] += data

    def names(self) -> set[str]:
        return {name for name, _ in self.tags}

    def having(self, attribute: str) -> list[str]:
        return [str(attrs[attribute]) for _, attrs in self.tags if attribute in attrs]

    def ids(self) -> list[str]:
        return self.having("id")

    def links(self) -> list[str]:
        return self.having("href")


def paper(abstract: str = ABSTRACT, title: str = "Kites: A Survey", **fields: object) -> Paper:
    source = Source(name="march.txt", date=date(2025, 3, 14), position=7)
    given = {"id": "kites", "title": title, "abstract": abstract, "sources": (source,)}
    return Paper.model_validate(given | fields)


def span(whole: Paper, text: str) -> Span:
    start = whole.abstract.index(text)
    return Span(whole, start, start + len(text))


def claim(text: str, *spans: Span, support: Support = "supported", why: str | None = None) -> Claim:
    return Claim(text, spans, Verdict(support, None, why))


def answer(*blocks: Block | Claim, **fields: object) -> Answer:
    """An answer of these blocks; by default one sentence about what kites cost."""
    given = [each if isinstance(each, Block) else Block((each,)) for each in blocks]
    composition = compose(given or [Block((claim("Kites are cheap.", span(paper(), COST)),))])
    return Answer.model_validate(
        {
            "question": "What do kites cost?",
            "standalone_question": "What do kites cost?",
            "status": "answered",
            "mode": "extractive",
            "text": composition.text,
            "sentences": composition.sentences,
            "references": composition.references,
            "nearest": (),
            "usage": Usage(),
            "timings_ms": {},
            "index": IndexInfo(id="g", papers=1, encoder="e"),
        }
        | fields
    )


def refusal(reason: str = "Nothing is about <boats>.", **fields: object) -> Answer:
    near = (NearPaper(id="kites", title="Kites: A~Survey", score=0.2),)
    return answer(
        **{
            "status": "insufficient_evidence",
            "reason": reason,
            "text": f"The abstracts do not say. {escape(reason)}",
            "sentences": (),
            "references": (),
            "nearest": near,
        }
        | fields
    )
