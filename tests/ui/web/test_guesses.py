"""How long those who guess passwords have to wait, and who does not."""

import asyncio
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from ui.web.accounts import Accounts, add
from ui.web.visitors import Guesses, network_of

FREE, MANY, LONGEST_SECONDS = Guesses.FREE, Guesses.MANY, Guesses.LONGEST_SECONDS

pytestmark = pytest.mark.anyio


@pytest.fixture
def guesses(tmp_path: Path) -> Guesses:
    add(tmp_path / "people", "ada", "right")
    return Guesses(Accounts(tmp_path / "people"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr("ui.web.visitors.time.monotonic", lambda: now[0])
    return now


def waits(guesses: Guesses, count: int, name: str = "ada", address: str = "a") -> list[float]:
    """The wait after each of so many wrong passwords."""
    seconds = []
    for _ in range(count):
        guesses.note(name, address, right=False)
        seconds.append(guesses.wait(name, address))
    return seconds


def test_waits_double_up_to_the_longest(guesses: Guesses, clock: list[float]) -> None:
    assert waits(guesses, FREE + 3) == [0] * (FREE - 1) + [1, 2, 4, 8]
    assert max(waits(guesses, 2_000)) == LONGEST_SECONDS
    clock[0] += LONGEST_SECONDS
    assert guesses.wait("ada", "a") <= 0


def test_only_the_account_at_that_address_waits(guesses: Guesses, clock: list[float]) -> None:
    waits(guesses, FREE)
    guesses.note("ada", "a", right=True)
    assert waits(guesses, 1) == [0]
    waits(guesses, 10 * MANY)
    assert guesses.wait("ada", "a") > 0
    assert guesses.wait("ada", "b") == 0
    assert guesses.wait("bob", "a") == 0
    clock[0] += 86_400
    assert waits(guesses, 1) == [0]


def test_guessing_from_many_addresses_has_to_wait(guesses: Guesses, clock: list[float]) -> None:
    for each in range(MANY):
        guesses.note("ada", f"10.0.0.{each}", right=False)
    assert guesses.wait("ada", "owner") == 0
    assert waits(guesses, 2, address="owner") == [32, 64]
    assert waits(guesses, 1, name="bob") == [0]


def test_trying_many_accounts_has_to_wait(guesses: Guesses, clock: list[float]) -> None:
    for each in range(MANY):
        guesses.note(f"name{each}", "a", right=False)
    assert guesses.wait("ada", "a") == 0
    assert waits(guesses, 1) == [32]
    assert waits(guesses, 1, address="b") == [0]


def test_what_is_remembered_is_bounded(
    guesses: Guesses, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guesses, "MOST_COUNTS", 100)
    for each in range(1_000):
        guesses.note(f"name{each}" + "x" * 10_000, f"10.0.0.{each}", right=False)
    assert len(guesses._wrong) == 100
    assert max(len(name) for name, _ in guesses._wrong) == 64


async def test_only_right_passwords_are_free_however_many_come_at_once(guesses: Guesses) -> None:
    sent = (guesses.check("ada", "right", "a") for _ in range(50))
    assert await asyncio.gather(*sent) == [True] * 50, "as programs send them"
    tried = (guesses.check("ada", f"wrong {each}", "a") for each in range(3 * FREE))
    told = await asyncio.gather(*tried, return_exceptions=True)
    assert told.count(False) == FREE
    assert sum(isinstance(each, HTTPException) for each in told) == 2 * FREE


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("192.168.0.7", "192.168.0.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.168.0.7", "192.168.0.7"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_one_sender_has_one_address(sender: str, address: str) -> None:
    assert network_of(sender) == address
