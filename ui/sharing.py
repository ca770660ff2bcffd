"""Sharing the page on a network: who may log in, and what is said about it at the start."""

import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import InputError
from ui.terminal import note, say

if TYPE_CHECKING:
    from ui.web.accounts import Accounts
    from ui.web.own_host import Reach


def accounts(path: Path | None, reach: "Reach") -> "Accounts | None":
    """The people of the file of `--auth`, if there is one.

    A line on stderr warns of a page that everybody can use, and of a file that everybody can read.

    Raises:
        InputError: the file cannot be used.
    """
    if path is None:
        if not reach.only_here:
            note(
                f"Anyone who can reach {reach.host} can use this page, there is no login: papers"
                " cannot be added or removed there. Give a file of people with --auth."
            )
        return None
    from ui.web.accounts import Accounts

    people = Accounts(path)
    if people.is_open:
        note(f"Others on this machine can read {path}: run chmod 600 {path}")
    return people


def add_user(path: Path | None, name: str) -> int:
    """Add a person to the file of `--auth`; the password is asked for, or read from a pipe.

    Raises:
        InputError: no file is named, or the name or the password cannot be used.
    """
    from ui.web.accounts import add, check_name

    if path is None:
        raise InputError("--add-user needs the file to add to: give it with --auth FILE")
    check_name(name)
    known = add(path, name, _password())
    say(f"{name} has a new password in {path}." if known else f"{name} is now in {path}.")
    return 0


def _password() -> str:
    """The password, asked for twice where a person types it; one line of a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        first, second = getpass("Password: "), getpass("Once more: ")
    except EOFError as error:
        raise InputError("no password was given") from error
    if first != second:
        raise InputError("the two passwords are not the same; nothing was changed")
    return first
