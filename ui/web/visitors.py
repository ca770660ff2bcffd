"""Identify visitors, require a login, and slow down password guessing.

A visitor is the name of a login, or a secret that the browser keeps as a cookie. If there are
accounts, every address needs a login except those listed here: Gradio checks it on most of its own
addresses, but not on all, and not on other routes. A program may send name and password with each
request (HTTP Basic, RFC 7617) instead of the cookie that a login sets.

After a few wrong passwords each attempt waits longer; the right one still works from another
address. Wrong passwords are counted for each account at each address, so those of others elsewhere
never delay a first attempt. They delay a second one, once an account has got many of them from
everywhere, or an address has sent many to all accounts.
"""

import asyncio
import base64
import binascii
import secrets
import time
from collections import OrderedDict
from contextvars import ContextVar
from ipaddress import ip_address, ip_network
from math import ceil
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.web.accounts import Accounts

if TYPE_CHECKING:
    from gradio.routes import App

COOKIE = "abstractqa_visitor"


def visitor(request: gr.Request) -> str:
    """Return the unguessable identity of a visitor; without cookies each page load is a new one."""
    if request.username:
        return f"user {request.username}"
    found = request.cookies.get(COOKIE, "")
    if _is_secret(found):
        return f"cookie {found}"
    # A program without a session is a new visitor each time.
    return f"session {request.session_hash or secrets.token_urlsafe()}"


def secret_of(headers: Headers) -> str | None:
    """Return the secret that a browser sent, or None; cookies of other programs may be invalid."""
    found = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return found if _is_secret(found) else None


def _is_secret(text: str) -> bool:
    """Return whether this has the form of `secrets.token_urlsafe` for 32 bytes."""
    return len(text) == 43 and text.isascii() and text.replace("-", "_").replace("_", "").isalnum()


def new_secret() -> str:
    """Return a cookie with a new secret, for a browser that has none."""
    return f"{COOKIE}={secrets.token_urlsafe()}; Path=/; Max-Age={365 * 24 * 60 * 60}"


# Addresses open without a login: those of the login page. Shared pages are guarded by their secret.
_OPEN = frozenset(
    "/ /logout /theme.css /favicon.ico /manifest.json /robots.txt /gradio_api/theme.css"
    " /gradio_api/login_check /gradio_api/login_check/".split()
)


class Gate:
    """ASGI middleware that requires a login (sessions are Gradio's), and slows down guessing."""

    def __init__(self, app: ASGIApp, guesses: "Guesses", gradio_app: "App") -> None:
        self.app = app
        self.guesses = guesses
        self.gradio_app = gradio_app
        self._tokens: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        served = self.app
        if scope["type"] == "lifespan" or _is_open(scope) or self._has_session(scope):
            pass
        elif scope["path"] in {"/login", "/login/"} and scope["method"] == "POST":
            caller.set(sender(scope))
        else:
            try:
                scope = await self._with_session(scope)
            except HTTPException as error:
                served = JSONResponse({"detail": error.detail}, error.status_code, error.headers)
        await served(scope, receive, send)

    def _has_session(self, scope: Scope) -> bool:
        """Return whether the request has a login's cookie of a person who is still in the file."""
        app = self.gradio_app
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        kinds = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        token = next((cookies[kind] for kind in kinds if cookies.get(kind)), "")
        name = app.tokens.get(token)
        return name is not None and self.guesses.accounts.knows(name)

    async def _with_session(self, scope: Scope) -> Scope:
        """Check the name and password of a request; return it with the session of that person."""
        headers = MutableHeaders(raw=list(scope["headers"]))
        found = _basic(headers.get("authorization", ""))
        if found is None or not await self.guesses.check(*found, sender(scope)):
            raise HTTPException(401, "log in first, or send name and password (HTTP Basic)")
        app, name = self.gradio_app, found[0]
        # One session for all requests with this person's password; a logout ends all of a name.
        token = self._tokens.setdefault(name, secrets.token_urlsafe())
        app.tokens[token] = name
        headers["cookie"] = f"access-token-unsecure-{app.cookie_id}={token}"
        return {**scope, "headers": headers.raw}


def _is_open(scope: Scope) -> bool:
    path = scope["path"]
    is_shared = path.startswith("/shared/") and path.count("/") == 2
    is_open = path in _OPEN or is_shared or path.startswith(("/assets/", "/static/"))
    return scope["method"] in {"GET", "HEAD"} and is_open


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value.strip()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


caller: ContextVar[str] = ContextVar("caller", default="")
"""The address of a login request: Gradio passes only the name and password on."""


class Guesses:
    """Checks passwords, and delays guessing by the wrong passwords of the last day."""

    FREE = 5  # wrong passwords for an account from one address; then it waits 1 s, 2 s, 4 s, …
    MANY = 50  # after so many for one account, or from one address, no wrong password is free
    FIRST_DOUBLINGS = 5  # if none is free, the first wait is 2 ** `FIRST_DOUBLINGS` seconds
    LONGEST_SECONDS = 900
    FORGOTTEN_SECONDS = 86_400
    MOST_COUNTS = 30_000
    LONGEST_NAME = 64
    MOST_HASHED = 2  # passwords hashed at the same time: each takes a processor, and 19 MiB

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self._wrong: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._hashing = asyncio.Semaphore(self.MOST_HASHED)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def login(self, name: str, password: str) -> bool:
        """Run `check` for the address of this request, as Gradio's `auth`."""
        return await self.check(name, password, caller.get())

    async def check(self, name: str, password: str, address: str) -> bool:
        """Return whether this is that person's password; raise a 429 if the address has to wait."""
        turn = self._turns.setdefault(address, asyncio.Lock())
        async with turn:  # else those sent at the same time would all be free
            seconds = ceil(self.wait(name, address))
            if seconds > 0:
                detail = f"too many wrong passwords: wait {seconds} s"
                raise HTTPException(429, detail, {"Retry-After": str(seconds)})
            right = False
            try:
                async with self._hashing:
                    right = await asyncio.to_thread(self.accounts.check, name, password)
            finally:
                self.note(name, address, right=right)
        return right

    def wait(self, name: str, address: str) -> float:
        """Return the seconds until the next attempt; 0 or less if it is allowed now."""
        (wrong, last), *wider = (self._count(key) for key in _keys(name, address))
        none_free = any(count >= self.MANY for count, _ in wider)
        doublings = wrong - 1 + self.FIRST_DOUBLINGS if none_free else wrong - self.FREE
        if wrong == 0 or doublings < 0:
            return 0
        return last + min(2.0 ** min(doublings, 30), self.LONGEST_SECONDS) - time.monotonic()

    def note(self, name: str, address: str, *, right: bool) -> None:
        """Count a wrong password; a right one resets the count of the account at this address."""
        keys = _keys(name, address)
        if right:
            self._wrong.pop(keys[0], None)
            return
        for key in keys:
            self._wrong[key] = self._count(key)[0] + 1, time.monotonic()
            self._wrong.move_to_end(key)
        while len(self._wrong) > self.MOST_COUNTS:
            self._wrong.popitem(last=False)

    def _count(self, key: tuple[str, str]) -> tuple[int, float]:
        """Return the number of wrong passwords, and the time of the last one (`time.monotonic`)."""
        count, last = self._wrong.get(key, (0, 0.0))
        return (count, last) if time.monotonic() - last < self.FORGOTTEN_SECONDS else (0, 0.0)


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """Return the keys to count: the account at the address, the account, and the address."""
    name = name[: Guesses.LONGEST_NAME]
    return (name, address), (name, ""), ("", address)


def sender(scope: Scope) -> str:
    """Return the address of a request's sender, by which limits count."""
    return network_of(scope["client"][0]) if scope.get("client") else ""


def network_of(address: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address: one sender has many."""
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if number.version == 4:
        return str(number)
    return str(number.ipv4_mapped or ip_network((number, 64), strict=False))
