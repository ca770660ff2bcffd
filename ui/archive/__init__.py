"""The archive of conversations, in one SQLite file; each visitor can only reach their own."""

import builtins
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError
from pydantic_core import PydanticSerializationError

from index.errors import InputError
from rag.citations import unescape
from rag.conversation import plain
from rag.schema import Answer, Filters, Mode, Options
from ui.archive.database import Database, hashed
from ui.archive.marks import Marks

FILE = "conversations.sqlite3"
LONGEST_TITLE = 60
LONGEST_NAME = 200
NOT_THERE = "there is no such conversation, or it was deleted: reload the page"

_MATCH = "visitor = ? AND id = ? AND deleted IS NULL"
_FIND = "SELECT id, title, created, updated FROM conversations WHERE visitor = ?"
_HAS_WORD = (
    " AND (instr(searched, ?) OR EXISTS (SELECT 1 FROM turns"
    " WHERE conversation = conversations.id AND instr(turns.searched, ?)))"
)

Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


def new_id() -> str:
    """Make an id that nobody can guess: 22 letters, digits, `-` and `_`, 128 random bits."""
    return secrets.token_urlsafe(16)


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


# Fields that a newer version wrote are ignored.
class Turn(BaseModel, frozen=True, extra="ignore"):
    """One question and, once finished, its `answer`, `problem`, or `partial` text if stopped."""

    id: str = Field(default_factory=new_id)
    asked: Moment = Field(default_factory=now, description="When it was asked, in UTC.")
    question: str
    filters: Filters = Filters()
    mode: Mode = "auto"
    options: Options = Options()
    answer: Answer | None = None
    problem: str | None = Field(default=None, description="Why there is no answer, in one line.")
    partial: str | None = Field(default=None, description="The text so far, if it was stopped.")
    followups: tuple[str, ...] = ()
    vote: Literal["up", "down"] | None = None
    vote_reason: str | None = None


class Conversation(BaseModel, frozen=True, extra="ignore"):
    """A sequence of questions; each may refer to those before it."""

    id: str
    title: str
    created: Moment
    updated: Moment
    turns: tuple[Turn, ...] = Field(default=(), description="Oldest first.")

    def turn(self, id: str) -> Turn | None:  # noqa: A002 - its name everywhere
        """Return the turn with this id, or None."""
        return next((turn for turn in self.turns if turn.id == id), None)

    def changed(self, turn_id: str, **fields: object) -> "Conversation":
        """Return a copy in which these fields of one turn are changed."""
        turns = (t.model_copy(update=fields) if t.id == turn_id else t for t in self.turns)
        return self.model_copy(update={"turns": tuple(turns)})


class Archive:
    """Conversations in `<folder>/conversations.sqlite3`, which the first write creates.

    A method that takes a visitor reaches nothing of another one. Threads may share an archive, and
    processes the file. Every method raises a `StoreError` if the file cannot be read or written,
    and an `InputError` for an empty visitor, whom all would share; most also for an unknown id.
    """

    def __init__(self, folder: Path) -> None:
        """Open the archive in `folder`, and erase what was deleted before."""
        self._database = Database(folder / FILE)
        self.marks = Marks(self._database)
        if self._database.path.exists():
            with self._database.writing() as rows:
                rows.execute("DELETE FROM conversations WHERE deleted IS NOT NULL")

    def list(self, visitor: str, search: str = "") -> builtins.list[Conversation]:
        """Return the visitor's conversations without their turns, the last one asked in first.

        With `search`, only those with each of these words, or parts of words, in any case.
        """
        words = _folded(search[:500]).split()
        conditions = " AND deleted IS NULL" + _HAS_WORD * len(words)
        query = f"{_FIND}{conditions} ORDER BY updated DESC, rowid DESC"
        given = (hashed(visitor), *(word for word in words for _ in range(2)))
        with self._database.reading() as rows:
            return [Conversation(**dict(row)) for row in rows.execute(query, given)]

    def read(self, visitor: str, id: str) -> Conversation | None:  # noqa: A002
        """Return a conversation with its turns; None if this visitor has none with that id."""
        with self._database.reading() as rows:
            return _read(rows, hashed(visitor), id)

    def begin(self, visitor: str, question: str) -> Conversation:
        """Make a conversation without turns; its title is the question, shortened."""
        moment = now()
        made = Conversation(id=new_id(), title=title_of(question), created=moment, updated=moment)
        with self._database.writing() as rows:
            rows.execute(
                "INSERT INTO conversations (id, visitor, title, searched, created, updated)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                (made.id, hashed(visitor), made.title, _folded(made.title), _stored(moment)),
            )
        return made

    def put(self, visitor: str, id: str, turn: Turn) -> Conversation:  # noqa: A002
        """Append a turn of valid Unicode text, and return the conversation with it."""
        content = _columns(turn)
        with self._database.writing() as rows:
            before = _require(rows, visitor, id)
            rows.execute(
                "INSERT INTO turns (asked, question, body, searched, id, conversation, number)"
                " SELECT ?1, ?2, ?3, ?4, ?5, ?6, coalesce(max(number), 0) + 1 FROM turns"
                " WHERE conversation = ?6",
                (*content, turn.id, id),
            )
            rows.execute("UPDATE conversations SET updated = ? WHERE id = ?", (_stored(now()), id))
        return before.model_copy(update={"turns": (*before.turns, turn)})

    def change(self, visitor: str, id: str, turn: str, **fields: object) -> Conversation | None:  # noqa: A002
        """Change fields of a turn; return the conversation, or None if there is no such turn."""
        query = (
            "UPDATE turns SET asked = ?, question = ?, body = ?, searched = ?"
            " WHERE id = ? AND conversation = ?"
        )
        with self._database.writing() as rows:
            before = _read(rows, hashed(visitor), id)
            after = before.changed(turn, **fields) if before else None
            changed = after.turn(turn) if after else None
            if changed:
                rows.execute(query, (*_columns(changed), turn, id))
        return after if changed else None

    def cut(self, visitor: str, id: str, turn: str) -> tuple[Turn, ...]:  # noqa: A002
        """Remove a turn and all after it, and return them; an unknown turn is an `InputError`."""
        with self._database.writing() as rows:
            before = _require(rows, visitor, id)
            first = before.turn(turn)
            if first is None:
                raise InputError("there is no such question in this conversation: reload the page")
            gone = before.turns[before.turns.index(first) :]
            query = "DELETE FROM turns WHERE conversation = ? AND id = ?"
            rows.executemany(query, [(id, each.id) for each in gone])
        return gone

    def rename(self, visitor: str, id: str, title: str) -> None:  # noqa: A002
        """Set a title of 1 to 200 characters, in which white space becomes single spaces."""
        title = plain(title)
        if not title:
            raise InputError("a title needs at least one character")
        if len(title) > LONGEST_NAME:
            raise InputError(f"a title has at most {LONGEST_NAME} characters, not {len(title)}")
        change = "UPDATE conversations SET title = ?, searched = ? WHERE "
        self._change(change + _MATCH, title, _folded(title), hashed(visitor), id)

    def delete(self, visitor: str, id: str) -> None:  # noqa: A002
        """Delete a conversation, and erase the one deleted before; `restore` can bring it back."""
        with self._database.writing() as rows:
            _require(rows, visitor, id)
            gone = "DELETE FROM conversations WHERE visitor = ? AND deleted IS NOT NULL"
            rows.execute(gone, (hashed(visitor),))
            query = "UPDATE conversations SET deleted = ? WHERE id = ?"
            rows.execute(query, (_stored(now()), id))

    def last_deleted(self, visitor: str) -> Conversation | None:
        """Return the conversation that `restore` would bring back, or None."""
        query = f"{_FIND} AND deleted IS NOT NULL"
        with self._database.reading() as rows:
            row = rows.execute(query, (hashed(visitor),)).fetchone()
        return Conversation(**dict(row)) if row else None

    def restore(self, visitor: str) -> None:
        """Bring back the conversation that was deleted last."""
        query = "UPDATE conversations SET deleted = NULL WHERE visitor = ? AND deleted IS NOT NULL"
        self._change(query, hashed(visitor))

    def _change(self, query: str, *values: str) -> None:
        """Run an update; raise an `InputError` if it finds no conversation of the visitor."""
        with self._database.writing() as rows:
            if not rows.execute(query, values).rowcount:
                raise InputError(NOT_THERE)

    def share(self, visitor: str, id: str, turn: str, *, is_alone: bool) -> str:  # noqa: A002
        """Make a secret with which anyone may read one turn, or it and all turns before it."""
        secret = new_id()  # only its hash is stored
        given = (hashed(secret), id, turn, is_alone)
        with self._database.writing() as rows:
            _require(rows, visitor, id)
            rows.execute("INSERT INTO links VALUES (?, ?, ?, ?)", given)
        return secret

    def unshare(self, visitor: str, id: str) -> int:  # noqa: A002
        """Withdraw all secrets of a conversation and its turns; return how many there were."""
        ids = f"SELECT id FROM conversations WHERE {_MATCH}"  # noqa: S608
        query = f"DELETE FROM links WHERE conversation IN ({ids})"  # noqa: S608
        with self._database.writing() as rows:
            return rows.execute(query, (hashed(visitor), id)).rowcount

    def shared(self, secret: str) -> Conversation | Turn | None:
        """Return what a secret gives access to; None if it is withdrawn, deleted or unknown."""
        query = (
            "SELECT visitor, id, turn, is_alone FROM conversations JOIN links ON conversation = id"
            " WHERE secret = ?"
        )
        with self._database.reading() as rows:
            link = rows.execute(query, (hashed(secret),)).fetchone()
            conversation = _read(rows, link["visitor"], link["id"]) if link else None
        last = conversation.turn(link["turn"]) if conversation else None
        if conversation is None or last is None or link["is_alone"]:
            return last
        before = conversation.turns[: conversation.turns.index(last) + 1]
        return conversation.model_copy(update={"turns": before})


def history(turns: Iterable[Turn]) -> list[dict[str, object]]:
    """Return the turns that have a text as messages, with the ids of the papers they cite."""
    messages: list[dict[str, object]] = []
    for turn in turns:
        text = unescape(turn.answer.text) if turn.answer else turn.partial
        if not text:
            continue
        reply: dict[str, object] = {"role": "assistant", "content": text}
        if turn.answer and turn.answer.references:
            reply["references"] = [reference.paper.id for reference in turn.answer.references]
        messages += {"role": "user", "content": turn.question}, reply
    return messages


def title_of(question: str) -> str:
    """Make a title of the first whole words of a question, `LONGEST_TITLE` characters at most."""
    line = plain(question)
    if len(line) <= LONGEST_TITLE:
        return line or "Untitled"
    start = line[:LONGEST_TITLE]  # "…" takes the place of the last character
    words = start.rpartition(" ")[0].rstrip(" ,;:.-–—")
    return (words or start[:-1]) + "…"


def _read(rows: sqlite3.Connection, owner: str, id_: str) -> Conversation | None:
    """Return a conversation with its turns, or None; `owner` is the hash of its visitor."""
    query = f"{_FIND} AND id = ? AND deleted IS NULL"
    id_ = id_.encode("utf-8", "replace").decode()  # a browser may send half a character
    found = rows.execute(query, (owner, id_)).fetchone()
    if found is None:
        return None
    query = "SELECT id, asked, question, body FROM turns WHERE conversation = ? ORDER BY number"
    turns = tuple(_parse_turn(*turn) for turn in rows.execute(query, (id_,)))
    return Conversation(**dict(found), turns=turns)


def _require(rows: sqlite3.Connection, visitor: str, id_: str) -> Conversation:
    found = _read(rows, hashed(visitor), id_)
    if found is None:
        raise InputError(NOT_THERE)
    return found


def _parse_turn(id_: str, asked: str, question: str, body: str) -> Turn:
    """Parse a stored turn; if it cannot be read any more, return its question with a problem."""
    try:
        return Turn.model_validate_json(body)
    except ValidationError:
        saved = "This answer was saved by another version of AbstractQA"
        problem = f"{saved} and cannot be shown: ask again."
        moment = datetime.fromisoformat(asked)
        return Turn(id=id_, asked=moment, question=question, problem=problem)


def _columns(turn: Turn) -> tuple[str, str, str, str]:
    """Return the stored columns of a turn: time, question, all as JSON, text to search."""
    reply = unescape(turn.answer.text) if turn.answer else turn.partial or ""
    try:
        body = turn.model_dump_json()
    except PydanticSerializationError as error:  # half of a surrogate pair
        raise InputError("the question contains an invalid character: type it again") from error
    return _stored(turn.asked), turn.question, body, _folded(f"{turn.question}\n{reply}")


def _stored(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")  # of one length, so that texts sort as times


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", plain(text).casefold())
