"""What a reader does to finished turns: take the last one back, bring it back, say how it was."""

from typing import TYPE_CHECKING, Any

from eval.datasets import Message
from eval.feedback import Feedback, append
from ui.archive.models import Conversation, Turn
from ui.web.chat import view
from ui.web.chat.history import history
from ui.web.chat.panel import Panel
from ui.web.chat.restoring import Restorable
from ui.web.chat.transcript import Transcript
from ui.web.chat.view import Update

if TYPE_CHECKING:
    from ui.web.site import Site

LONGEST_REASON = 500


class Changes:
    """Changes of conversations over one site; each is the visitor's own or nothing happens."""

    def __init__(
        self, site: "Site", transcript: Transcript, panel: Panel, restorable: Restorable
    ) -> None:
        self._site = site
        self._transcript = transcript
        self._panel = panel
        self._restorable = restorable

    def whole(
        self,
        conversation: Conversation | None,
        *,
        writing: str = "",
        live: Any = "",
        **told: str,
    ) -> Update:
        """A conversation as the page shows it, with all its turns and cards.

        Args:
            conversation: None for a new one.
            writing: The id of its turn that is being written.
            live: That turn as it is now, or `view.SKIP` if the page itself shows it.
            told: What else `view.transcript` tells.
        """
        turns = conversation.turns if conversation else ()
        order = [turn.id for turn in turns]
        pieces = self._transcript.pieces(conversation, without=writing)
        return Update(
            conversation=conversation.id if conversation else "",
            transcript=view.transcript(conversation, pieces, without=writing, **told),
            live=live,
            sources=view.sources(
                order, self._panel.sections(conversation), order[-1] if order else None
            ),
        )

    def undo(self, visitor: str, conversation_id: str, turn_id: str) -> Update | None:
        """Take the last turn back, which must be this one; its question returns to the box.

        Returns:
            None if it is not the last: what the page shows is not what there is.
        """
        conversation = self._site.archive.read(visitor, conversation_id)
        if not conversation or not conversation.turns or conversation.turns[-1].id != turn_id:
            return None
        last = conversation.turns[-1]
        self._site.archive.cut(visitor, conversation.id, last.id)
        self._restorable.keep(visitor, conversation.id, (last,))
        left = self._site.archive.read(visitor, conversation.id)
        notice = view.notice_html("Undone.", "Restore", "restore")
        return self.whole(left, notice=notice, refill=last.question)

    def restore(self, visitor: str, conversation_id: str) -> Update:
        """Bring back what was undone or replaced, once."""
        taken = self._restorable.take(visitor, conversation_id)
        archive = self._site.archive
        conversation = archive.read(visitor, conversation_id)
        if not taken or not conversation:
            return self.whole(conversation)
        if taken.instead and conversation.turn(taken.instead):
            archive.cut(visitor, conversation_id, taken.instead)
        for turn in taken.turns:
            archive.put(visitor, conversation_id, turn)
        back = "" if taken.instead else taken.turns[-1].question
        return self.whole(archive.read(visitor, conversation_id), said="Restored.", withdraw=back)

    def vote(
        self, visitor: str, conversation_id: str, turn_id: str, vote: object, reason: object
    ) -> Update:
        """Keep what a reader thinks of an answer; the same thumb again takes it back."""
        conversation = self._site.archive.read(visitor, conversation_id)
        turn = conversation.turn(turn_id) if conversation else None
        if not conversation or not turn or not turn.answer or vote not in ("up", "down"):
            return Update()
        why = " ".join(str(reason).split())[:LONGEST_REASON] if reason else None
        taken_back = turn.vote == vote and why is None
        voted = turn.model_copy(
            update={"vote": None, "vote_reason": None}
            if taken_back
            else {"vote": vote, "vote_reason": why}
        )
        if not self._site.archive.update(visitor, conversation_id, voted):
            return Update()
        self._record(voted, conversation.turns[: conversation.turns.index(turn)])
        return Update(
            transcript=view.transcript(
                conversation,
                {turn.id: self._transcript.turn(voted)},
                said="Feedback taken back." if taken_back else "Thank you for the feedback.",
            )
        )

    def _record(self, turn: Turn, before: tuple[Turn, ...]) -> None:
        """Write the vote where evaluation cases come from; a later one takes its place there."""
        if turn.answer is None:
            return
        given = Feedback.on(
            turn.answer,
            turn.vote,
            turn.vote_reason,
            id=turn.id,
            asked=turn.asked,
            history=[
                Message(role=str(told["role"]), content=str(told["content"]))
                for told in history(before)
            ],
            filters=turn.filters,
            mode=turn.mode,
            options=turn.options,
        )
        append(self._site.settings.data, given)
