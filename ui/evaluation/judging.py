"""What readers thought of answers: listed, and made questions to measure by."""

import json
from argparse import Namespace

from index.errors import InputError
from ui.evaluation.choices import settings_of
from ui.terminal import note, say, wrap


def cases(arguments: Namespace) -> int:
    """List the answers that were voted on; write them as a questions file."""
    from eval.datasets import write_questions
    from eval.feedback import FILE, case, is_case, load

    folder = settings_of(arguments).data
    voted = [each for each in load(folder) if arguments.vote in ("all", each.vote)]
    if arguments.out:
        found = [case(each) for each in voted if is_case(each)]
        if not found:
            raise InputError(f"there is nothing to write: no such vote in {folder / FILE}")
        write_questions(arguments.out, found)
        note(f"{len(found)} cases in {arguments.out}")
        if left := len(voted) - len(found):
            note(f"{left} left out: refused because of filters, which a question has none of.")
        if down := sum(each.type == "downvoted" for each in found):
            note(f"{down} voted down: nobody said what is right; add papers, evidence and nuggets.")
    if arguments.json:
        say(json.dumps([each.model_dump(mode="json") for each in voted], ensure_ascii=False))
        return 0
    for each in voted:
        day = each.asked.date()
        said = each.reason or "no reason given"
        say(wrap(" ".join(each.question.split()), f"{each.vote or '':<5}{day}  ", " " * 17))
        say(wrap(" ".join(said.split()), " " * 17, " " * 17))
    if not voted:
        note(
            f"No such vote in {folder / FILE}: the thumbs below an answer of the page write there."
        )
    return 0
