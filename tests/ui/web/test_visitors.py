"""Who is asking, and what tells one visitor from another."""

from http.cookies import SimpleCookie
from types import SimpleNamespace
from urllib.request import Request, urlopen

import pytest

from ui.web.visitors import COOKIE, visitor

SECRET = "a" * 43


def asked(cookies: dict[str, str], username: str | None = None) -> str:
    request = SimpleNamespace(username=username, cookies=cookies, session_hash="s1")
    return visitor(request)  # type: ignore[arg-type]


def test_a_login_counts_more_than_a_cookie() -> None:
    assert asked({COOKIE: SECRET}, "ada") == "user ada"
    assert asked({COOKIE: SECRET}) == f"cookie {SECRET}"


@pytest.mark.parametrize("forged", ["", "short", f"{SECRET}x", "user ada", "../" * 20])
def test_what_is_no_secret_of_ours_lets_nobody_in(forged: str) -> None:
    assert asked({COOKIE: forged}) == "session s1"


def test_a_name_can_never_be_taken_for_a_cookie_or_a_session() -> None:
    names = {asked({}, "s1"), asked({COOKIE: SECRET}), asked({}), asked({}, f"cookie {SECRET}")}
    assert len(names) == 4


def cookie_of(address: str, sent: str = "") -> SimpleCookie:
    with urlopen(Request(address, headers={"Cookie": sent} if sent else {})) as response:
        return SimpleCookie(response.headers.get("Set-Cookie", ""))


def test_each_browser_gets_a_secret_that_scripts_cannot_read(address: str) -> None:
    first, second = cookie_of(address)[COOKIE], cookie_of(address)[COOKIE]
    assert first.value != second.value
    assert first["httponly"]
    assert first["samesite"] == "Lax"
    assert not first["secure"]  # it is served over http here
    assert asked({COOKIE: first.value}) == f"cookie {first.value}"


def test_a_secret_is_kept_and_a_damaged_one_replaced(address: str) -> None:
    kept = cookie_of(address)[COOKIE].value
    assert COOKIE not in cookie_of(address, f"{COOKIE}={kept}")
    assert COOKIE in cookie_of(address, f"{COOKIE}=damaged")


@pytest.mark.parametrize("odd", ['prefs={"theme":"dark"}', "a/b=1", "a@b=2", "x=\xe9", "=", ";;"])
def test_cookies_of_other_programs_do_not_hide_the_secret(address: str, odd: str) -> None:
    assert COOKIE not in cookie_of(address, f"{odd}; {COOKIE}={SECRET}")
    assert COOKIE in cookie_of(address, odd)


def test_only_pages_bring_a_secret(address: str) -> None:
    assert COOKIE not in cookie_of(f"{address}/config")
