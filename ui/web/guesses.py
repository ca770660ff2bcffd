"""Guessing passwords gets slower with each wrong one, and a right one gets in from elsewhere.

Wrong passwords are counted for each account at each address; those of others, elsewhere, never make
the first attempt wait. They make the second one wait longer once an account has got many of them
from everywhere, or an address has sent many to all accounts.
"""

import asyncio
import time
from collections import OrderedDict
from contextvars import ContextVar
from ipaddress import ip_address, ip_network
from math import ceil
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException

from ui.web.accounts import Accounts

FREE = 5
"""Wrong passwords for one account from one address; then the next waits a second, then two, …"""
MANY = 50
"""Wrong passwords for one account, or from one address, from which on none is free."""
LONGEST_SECONDS = 900
FIRST_DOUBLINGS = 5
"""Where none is free, the first wait is of 2 ** 5 seconds."""

MOST_HASHED = 2
"""Passwords that are looked at at the same time: each takes a processor, and 19 MiB."""

_FORGOTTEN_SECONDS = 86_400
_MOST_COUNTS = 30_000
_LONGEST_NAME = 64

caller: ContextVar[str] = ContextVar("caller", default="")
"""The address that asks for a login: Gradio passes name and password on, and no more."""


class Guesses:
    """The accounts, and the wrong passwords of the last day."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self._wrong: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._hashing = asyncio.Semaphore(MOST_HASHED)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def login(self, name: str, password: str) -> bool:
        """`check` for the address of this request: Gradio's `auth`."""
        return await self.check(name, password, caller.get())

    async def check(self, name: str, password: str, address: str) -> bool:
        """Whether this is the password of that person.

        Raises:
            HTTPException: 429, this address has to wait before it tries again.
        """
        turn = self._turns.setdefault(address, asyncio.Lock())
        async with turn:  # or those sent at the same time would all be free
            seconds = ceil(self.wait(name, address))
            if seconds > 0:
                told = f"too many wrong passwords: wait {seconds} s"
                raise HTTPException(429, told, {"Retry-After": str(seconds)})
            right = False
            try:
                async with self._hashing:
                    right = await asyncio.to_thread(self.accounts.check, name, password)
            finally:
                self.note(name, address, right=right)
        return right

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next attempt; none or fewer if it may be made now."""
        (wrong, last), *wider = (self._count(key) for key in _keys(name, address))
        none_free = any(count >= MANY for count, _ in wider)
        doublings = wrong - 1 + FIRST_DOUBLINGS if none_free else wrong - FREE
        if wrong == 0 or doublings < 0:
            return 0
        return last + min(2.0 ** min(doublings, 30), LONGEST_SECONDS) - time.monotonic()

    def note(self, name: str, address: str, *, right: bool) -> None:
        """Count a wrong password; a right one clears its account at its address."""
        keys = _keys(name, address)
        if right:
            self._wrong.pop(keys[0], None)
            return
        for key in keys:
            self._wrong[key] = self._count(key)[0] + 1, time.monotonic()
            self._wrong.move_to_end(key)
        while len(self._wrong) > _MOST_COUNTS:
            self._wrong.popitem(last=False)

    def _count(self, key: tuple[str, str]) -> tuple[int, float]:
        """How many there were, and when the last one was."""
        count, last = self._wrong.get(key, (0, 0.0))
        return (count, last) if time.monotonic() - last < _FORGOTTEN_SECONDS else (0, 0.0)


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """What is counted: an account at an address, the account everywhere, the address at all."""
    name = name[:_LONGEST_NAME]
    return (name, address), (name, ""), ("", address)


def network_of(address: str) -> str:
    """Who an address stands for; of IPv6 the network, since one sender has many addresses."""
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if number.version == 4:
        return str(number)
    return str(number.ipv4_mapped or ip_network((number, 64), strict=False))
