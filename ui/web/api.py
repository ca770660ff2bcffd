"""What programs may call: four endpoints of the page's server, the same ones as tools over MCP.

Each method of `Programs` is one. Its signature and texts are the documentation that clients show;
`Endpoint` checks what comes in, since over HTTP anything may.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Required, cast

import gradio as gr
from gradio.events import api
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
    validate_call,
)
from typing_extensions import TypedDict

from index.errors import AbstractQAError, InputError
from index.papers import Paper
from rag.schema import MOST_SOURCES, Answer, Event, Filters, Hit, Mode, Options, Strictness
from rag.tables.table import Table
from ui.dates import parse_day
from ui.web.events import LIMITED
from ui.web.site import Site

LONGEST_TEXT = 20_000
"""Code points of a question or of a message of the history."""
LONGEST_NAME = 500
"""Code points of a title, a digest, a column, a day, a model."""
MOST_ITEMS = 100
"""Items of a list that is given, and papers of one reply."""

FAILED = "something went wrong; the terminal that runs AbstractQA says what"

ENDPOINTS = ("ask", "search", "papers", "table")

_log = logging.getLogger(__name__)

_Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
_Name = Annotated[str, Field(max_length=LONGEST_NAME)]


class Part(TypedDict, total=False):
    """One part of a message's content, as Gradio's chat gives it."""

    text: _Text


class Message(TypedDict, total=False):
    """One message of a conversation."""

    role: Required[_Name]
    content: Required[_Text | Annotated[list[Part], Field(max_length=MOST_ITEMS)]]
    references: Annotated[list[_Name], Field(max_length=MOST_ITEMS)] | None


class PaperList(BaseModel):
    """Some of the papers that pass the filters, the newest first."""

    model_config = ConfigDict(frozen=True)

    papers: tuple[Paper, ...]
    total: int = Field(description="How many pass the filters.")


_Question = Annotated[_Text, Field(description="In plain words, at most 4,000 characters.")]
_Mode = Annotated[
    Mode,
    Field(
        description="extractive quotes sentences, generative has the chat model write, auto is"
        " generative if a chat model is configured."
    ),
]
_Digests = Annotated[
    list[_Name] | None,
    Field(
        max_length=MOST_ITEMS,
        description="Only papers of these digests, by file name or date; none means all.",
    ),
]
_Since = Annotated[_Name | None, Field(description="Only papers since this day, as 2025-03-14.")]
_Until = Annotated[_Name | None, Field(description="Only papers up to this day, inclusive.")]
_Title = Annotated[_Name | None, Field(description="Only papers whose title has this text.")]
_Papers = Annotated[
    list[_Name] | None,
    Field(max_length=MOST_ITEMS, description="Ids of the only papers that may answer."),
]


class Programs:
    """The endpoints of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.assistant = site.assistant

    def ask(
        self,
        question: _Question,
        history: Annotated[
            list[Message] | None,
            Field(
                max_length=MOST_ITEMS,
                description="Earlier messages, oldest first, each with a role (user or assistant)"
                " and a content; an answer's may have references: ids or titles of the papers it"
                " cites, in order.",
            ),
        ] = None,
        digests: _Digests = None,
        since: _Since = None,
        until: _Until = None,
        title: _Title = None,
        mode: _Mode = "auto",
        model: Annotated[_Name | None, Field(description="A chat model of the endpoint.")] = None,
        sources: Annotated[
            int | None,
            Field(ge=1, le=MOST_SOURCES, description="Papers that may be cited, at most."),
        ] = None,
        strictness: Annotated[
            Strictness, Field(description="How much a sentence must be borne out to be shown.")
        ] = "normal",
        papers: _Papers = None,
    ) -> Answer:
        """Answer a question from the indexed paper abstracts.

        Every sentence of the answer cites the sentence of an abstract that it rests on. If the
        abstracts do not say, the status is insufficient_evidence, with the reason and the nearest
        papers.
        """
        asking = self._asking(
            history, digests, since, until, title, mode, model, sources, strictness, papers
        )
        return self.assistant.ask(question, **asking)

    @functools.wraps(ask)
    def ask_events(self, question: str, **given: Any) -> Iterator[Event]:
        """`ask` in events: what is being done, pieces of the text, and last the answer."""
        return self.assistant.stream(question, **self._asking(**given))

    def _asking(
        self,
        history: list[Message] | None = None,
        digests: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        title: str | None = None,
        mode: Mode = "auto",
        model: str | None = None,
        sources: int | None = None,
        strictness: Strictness = "normal",
        papers: list[str] | None = None,
    ) -> dict[str, Any]:
        """What the assistant is asked, beside the question."""
        self.site.check_model(model)
        return {
            "history": [_plain(message) for message in history or ()],
            "filters": _filters(digests, since, until, title, papers),
            "mode": mode,
            "options": Options(model=model, sources=sources, strictness=strictness),
        }

    def search(
        self,
        query: Annotated[_Text, Field(description="What the papers should be about.")],
        limit: Annotated[int, Field(ge=1, le=MOST_ITEMS, description="Papers at most.")] = 10,
        digests: _Digests = None,
        since: _Since = None,
        until: _Until = None,
        title: _Title = None,
        papers: _Papers = None,
    ) -> list[Hit]:
        """Find the papers nearest to a query, best first, with the passages that match best."""
        filters = _filters(digests, since, until, title, papers)
        return self.assistant.search(query, limit, filters)

    def papers(
        self,
        digests: _Digests = None,
        since: _Since = None,
        until: _Until = None,
        title: _Title = None,
        limit: Annotated[int, Field(ge=0, le=MOST_ITEMS, description="Papers at most.")] = 20,
        offset: Annotated[int, Field(ge=0, description="How many of the first to skip.")] = 0,
    ) -> PaperList:
        """List the indexed papers with their abstracts, the newest first."""
        passing = self.assistant.papers(_filters(digests, since, until, title))
        passing.sort(key=lambda paper: paper.display_title.casefold())
        passing.sort(key=_newest, reverse=True)
        return PaperList(papers=tuple(passing[offset : offset + limit]), total=len(passing))

    def table(
        self,
        question: _Question,
        columns: Annotated[
            list[_Name] | None,
            Field(max_length=MOST_ITEMS, description="What to compare, in free words, up to 12."),
        ] = None,
        papers: Annotated[
            list[_Name] | None,
            Field(
                max_length=MOST_ITEMS,
                description="Titles or ids of the papers to compare, instead of those found.",
            ),
        ] = None,
        limit: Annotated[int, Field(ge=1, le=20, description="Rows at most.")] = 8,
        mode: _Mode = "auto",
        digests: _Digests = None,
        since: _Since = None,
        until: _Until = None,
        title: _Title = None,
    ) -> Table:
        """Compare papers in a table, a row a paper.

        Every cell is a verbatim quote of the paper's abstract, or empty where it states nothing.
        """
        return self.assistant.table(
            question,
            columns or None,
            papers=papers or (),
            filters=_filters(digests, since, until, title),
            limit=limit,
            mode=mode,
        )

    def endpoints(self) -> "tuple[Endpoint, ...]":
        """All of them, in the order of the documentation."""
        return tuple(Endpoint(getattr(self, name)) for name in ENDPOINTS)


class Endpoint:
    """One of the methods of `Programs`, called with what came over the network."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.name: str = method.__name__
        self.description: str = " ".join((method.__doc__ or "").split())
        self._method = method
        self._signature = inspect.signature(method)
        self._checked = validate_call(config=ConfigDict(strict=True))(method)
        self._returned: TypeAdapter[Any] = TypeAdapter(self._signature.return_annotation)

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON schema of the arguments, an object."""
        adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, self._method))
        return adapter.json_schema()

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON schema of what is returned."""
        return self._returned.json_schema(mode="serialization")

    @property
    def arguments(self) -> type[BaseModel]:
        """A model of the arguments as JSON has them; null is the same as leaving one out."""
        fields: dict[str, Any] = {}
        for name, each in self._signature.parameters.items():
            is_required = each.default is inspect.Parameter.empty
            kind = each.annotation if is_required else each.annotation | None
            fields[name] = (kind, ... if is_required else None)
        config = ConfigDict(extra="forbid", strict=True)
        return create_model(f"{self.name.capitalize()}Arguments", __config__=config, **fields)

    def run(self, arguments: Mapping[str, Any]) -> Any:
        """What the method returns; an argument that is None is one not given.

        Raises:
            AbstractQAError: it cannot be done, in one line for whoever asked. What concerns only
                whoever runs this server stands in its log.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            return self._checked(**given)
        except ValidationError as error:
            raise InputError(what_is_wrong(error.errors(include_input=False))) from error
        except InputError:
            raise
        except AbstractQAError as error:
            _log.error("a call of %s failed: %s", self.name, error)
            raise AbstractQAError(FAILED) from error
        except Exception as error:
            _log.exception("a call of %s failed", self.name)
            raise AbstractQAError(FAILED) from error

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        """What `run` returns, as JSON.

        Raises:
            AbstractQAError: as `run`.
        """
        return self._returned.dump_python(self.run(arguments), mode="json")

    def as_function(self) -> Callable[..., Any]:
        """A function with the method's arguments, whose errors Gradio tells the caller."""

        @functools.wraps(self._method)
        def call(*values: Any, **named: Any) -> Any:
            try:
                return self(self._signature.bind_partial(*values, **named).arguments)
            except AbstractQAError as error:
                raise gr.Error(one_line(error), print_exception=False) from error

        schema = self.output_schema
        returned = list[dict[str, Any]] if schema.get("type") == "array" else dict[str, Any]
        call.__signature__ = self._signature.replace(  # type: ignore[attr-defined]
            return_annotation=returned
        )
        return call


def add_endpoints(site: Site) -> None:
    """Add the endpoints to the page that is being built; nothing else of it is public."""
    for endpoint in Programs(site).endpoints():
        api(
            endpoint.as_function(),
            api_name=endpoint.name,
            api_description=endpoint.description,
            **LIMITED,
        )


def one_line(error: Exception) -> str:
    """What went wrong, for a client."""
    return " ".join(str(error).split())


def what_is_wrong(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first thing that a call got wrong, in one line without what was sent."""
    first = errors[0]
    where = ".".join(str(step) for step in first["loc"] if "[" not in str(step))
    told = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
    return f"{where}: {told}" if where else told


def _plain(message: Message) -> dict[str, object]:
    """A message with its content as one text."""
    content = message["content"]
    if not isinstance(content, str):
        content = "\n".join(part["text"] for part in content if part.get("text"))
    references = message.get("references") or []
    return {"role": message["role"], "content": content, "references": references}


def _filters(
    digests: list[str] | None,
    since: str | None,
    until: str | None,
    title: str | None,
    papers: list[str] | None = None,
) -> Filters:
    return Filters(
        digests=tuple(digests or ()),
        since=parse_day(since, "since") if since else None,
        until=parse_day(until, "until") if until else None,
        title=title or None,
        papers=tuple(papers or ()),
    )


def _newest(paper: Paper) -> str:
    """The last day it was found on, as text; none comes before every day."""
    return max((source.date.isoformat() for source in paper.sources if source.date), default="")
