"""Sharing with a login: the file of people, and a page that is closed to everybody else."""

import asyncio
import base64
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher, extract_parameters
from gradio_client import Client
from running import Capture, failed, started, succeeded
from starlette.exceptions import HTTPException

from index.errors import InputError
from rag.schema import Answer
from ui import cli
from ui.web.accounts import Accounts, add
from ui.web.api import MCP_PATH
from ui.web.own_host import Reach
from ui.web.visitors import Guesses, network_of

PASSWORD = "correct horse ä 1"
PROXY = "127.0.0.2"
FREE, MANY, LONGEST_SECONDS = Guesses.FREE, Guesses.MANY, Guesses.LONGEST_SECONDS
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x", salt=bytes(16))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people"
    add(path, "ada", PASSWORD)
    return path


@pytest.fixture(scope="module")
def shared_page(
    people: Path, sample_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The page with a login and with tools, as a user starts it."""
    data = tmp_path_factory.mktemp("login") / "data"
    options = ("--auth", str(people), "--mcp", "--trusted-proxy", PROXY)
    with started(sample_store, data, *options) as address:
        yield address


# The file


def test_a_right_password_is_known_and_a_wrong_one_is_not(people: Path) -> None:
    accounts = Accounts(people)
    assert all(accounts.check("ada", PASSWORD) for _ in range(2))
    for wrong in (("ada", PASSWORD + " "), ("bob", PASSWORD), ("", ""), ("ada", "x" * 5_000_000)):
        assert not accounts.check(*wrong)


def test_a_password_of_nobody_is_hashed_too(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts, hashed = Accounts(people), []
    verify = PasswordHasher.verify
    seen = lambda *given: hashed.append(given[1]) or verify(*given)  # noqa: E731
    monkeypatch.setattr(PasswordHasher, "verify", seen)
    for name in ("ada", "nobody"):
        assert not accounts.check(name, "wrong")
    known, unknown = map(extract_parameters, hashed)
    assert known == unknown


def test_the_file_holds_hashes_and_is_read_again_unless_damaged(tmp_path: Path) -> None:
    path = tmp_path / "people"
    add(path, "ada", PASSWORD)
    add(path, "bob", PASSWORD)
    first, second = path.read_text().splitlines()
    assert first.startswith("ada:$argon2id$")
    assert PASSWORD not in path.read_text()
    assert first.partition(":")[2] != second.partition(":")[2], "of one password"
    assert path.stat().st_mode & 0o777 == 0o600
    accounts = Accounts(path)
    add(path, "ada", "another")
    add(path, "eve", "third")
    assert accounts.check("ada", "another")
    assert not accounts.check("ada", PASSWORD)
    assert accounts.check("eve", "third")
    path.write_text("eve\n")
    assert accounts.check("eve", "third")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it has no accounts"),
        ("# only a comment\n", "it has no accounts"),
        ("ada\n", ":1: not a name:hash line"),
        ("\nada:secret\n", ":2: not a name:hash line"),
        (f"ada:{HASH.replace('argon2id', 'argon2i')}\n", ":1: not a name:hash line"),
        ("ada:scrypt$16$8$1$AAAAAAAAAAA=$AAAA==\n", ":1: not a name:hash line"),
        (f"a b:{HASH}\n", ":1: 'a b' is not a login name"),
        (f"a:{HASH}\n" * 2, ":2: a is listed twice"),
    ],
)
def test_a_damaged_file_is_told_before_anything_is_served(
    text: str, told: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "people"
    path.write_text(text)
    assert told in failed(capsys, "ui", "--auth", str(path))


# Adding a person


def test_add_user_adds_a_line_and_keeps_the_others_or_says_why_not(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed = iter(["one", "another"])  # it is asked twice
    monkeypatch.setattr("ui.cli.getpass", lambda _: next(typed))
    with pytest.raises(InputError, match="passwords differ"):
        cli.add_user(path, "ada")
    assert "No such file" in failed(capsys, "ui", "--auth", str(path))
    assert "name it with --auth FILE" in failed(capsys, "ui", "--add-user", "ada")
    wrong = ("a:b", "x", "is not a login name"), ("ada", "", "the password is empty")
    for name, password, told in wrong:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        assert told in failed(capsys, "ui", "--auth", str(path), "--add-user", name)
    assert not path.exists()
    path.write_text("# the group\n")
    for password, told in (("first", "ada is now in"), ("second", "ada has a new password in")):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        out, _ = succeeded(capsys, "ui", "--auth", str(path), "--add-user", "ada")
        assert told in out
    assert path.read_text().startswith("# the group\nada:$argon2id$")
    assert len(path.read_text().splitlines()) == 2
    assert Accounts(path).check("ada", "second")


def test_an_open_page_warns(people: Path, capsys: Capture, tmp_path: Path) -> None:
    assert cli.accounts(None, Reach("127.0.0.1")) is None
    assert capsys.readouterr().err == ""
    for reach in (Reach("0.0.0.0"), Reach("127.0.0.1", proxies=("127.0.0.1",))):
        assert cli.accounts(None, reach) is None
        (line,) = capsys.readouterr().err.splitlines()
        assert "without a login" in line
    readable = tmp_path / "readable"
    readable.write_bytes(people.read_bytes())
    readable.chmod(0o644)
    assert cli.accounts(readable, Reach("0.0.0.0")) is not None
    (line,) = capsys.readouterr().err.splitlines()
    assert "chmod 600" in line


# The page

CLOSED = (Path(__file__).parent / "closed_addresses.txt").read_text()


def test_without_a_login_every_address_is_closed(shared_page: str) -> None:
    wrong = "Basic " + base64.b64encode(b"ada:wrong").decode()
    with httpx.Client(base_url=shared_page) as http:
        for method, path in map(str.split, CLOSED.splitlines()):
            reply = http.request(method, f"{shared_page}{path}")
            assert reply.status_code in (401, 404), (method, path, reply.status_code)
            assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
        for header in (wrong, "Basic !!!", "Basic YWRh", "Bearer x", "Basic"):
            reply = http.get("/config", headers={"Authorization": header})
            assert reply.status_code == 401
        login = http.get("/").text
    assert '"auth_required":true' in login
    assert "OSWorld" not in login


def test_programs_log_in_or_send_the_password_with_each_request(shared_page: str) -> None:
    client = Client(shared_page, auth=("ada", PASSWORD), verbose=False, analytics_enabled=False)
    answer = Answer.model_validate(client.predict("What is OSWorld?", api_name="/ask"))
    client.close()
    assert answer.status == "answered"
    with pytest.raises(ValueError, match="Could not login"):
        Client(shared_page, auth=("ada", "wrong"), verbose=False, analytics_enabled=False)
    begun = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=shared_page, auth=("ada", PASSWORD), timeout=20) as http:
        assert len(http.post("/api/papers", json={"limit": 1}).json()["papers"]) == 1
        assert http.get("/gradio_api/user").json() == "ada"
        assert '"ask"' in http.post(MCP_PATH, json=begun, headers=accept).text


def test_who_is_taken_out_of_the_file_is_out_at_once(shared_page: str, people: Path) -> None:
    add(people, "bob", "pass")
    with httpx.Client(base_url=shared_page) as http:
        login = http.post("/login", data={"username": "bob", "password": "pass"})
        assert login.json() == {"success": True}
        assert http.get("/config").status_code == 200
        lines = people.read_text().splitlines()
        people.write_text("\n".join(line for line in lines if not line.startswith("bob:")) + "\n")
        assert http.get("/config").status_code == 401


# Guessing


def log_in(address: str, name: str, password: str, **headers: str) -> httpx.Response:
    sent = {"username": name, "password": password}
    return httpx.post(f"{address}/login", data=sent, headers=headers)


def through_the_proxy(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, transport=httpx.HTTPTransport(local_address=PROXY))


def test_guessing_has_to_wait_whatever_address_is_claimed(shared_page: str) -> None:
    replies = [
        log_in(shared_page, "eve", "no", **{"X-Forwarded-For": f"10.0.0.{guess}"})
        for guess in range(40)
    ]
    assert [reply.status_code for reply in replies[:FREE]] == [400] * FREE
    assert sum(reply.status_code == 400 for reply in replies) <= 10
    reply = replies[FREE]
    assert (reply.status_code, int(reply.headers["Retry-After"]) > 0) == (429, True)
    assert "too many wrong passwords: wait" in reply.json()["detail"]
    with httpx.Client(base_url=shared_page, auth=("eve", "no")) as http:
        codes = {http.get("/config", headers={"X-Forwarded-For": f"10.1.0.{i}"}) for i in range(3)}
    assert 429 in {reply.status_code for reply in codes}
    assert log_in(shared_page, "ada", PASSWORD).status_code == 200


def test_a_right_password_from_elsewhere_gets_in_while_somebody_guesses(shared_page: str) -> None:
    with through_the_proxy(shared_page) as http:

        def code(password: str, chain: str) -> int:
            headers = {"X-Forwarded-For": chain}
            return http.get("/config", auth=("ada", password), headers=headers).status_code

        guessed = [code("no", f"10.9.9.{guess}, 10.2.0.1") for guess in range(FREE + 1)]
        assert guessed == [401] * FREE + [429]
        assert code(PASSWORD, "10.2.0.1") == 429
        assert code(PASSWORD, "10.2.0.1, 10.2.0.2") == 200
        assert code(PASSWORD, f"10.2.0.3, {PROXY}") == 200
    assert httpx.get(f"{shared_page}/config", auth=("ada", PASSWORD)).status_code == 200


def test_the_cookies_of_a_login_stay_on_this_site(shared_page: str) -> None:
    sent = {"username": "ada", "password": PASSWORD}
    for scheme, secure in (("https", True), ("http", False)):
        with through_the_proxy(shared_page) as http:
            reply = http.post("/login", data=sent, headers={"X-Forwarded-Proto": scheme})
            assert http.get("/gradio_api/user").json() == "ada" or secure
        cookies = reply.headers.get_list("Set-Cookie")
        assert len(cookies) == 2
        for cookie in cookies:
            told = [part.strip().lower() for part in cookie.split(";")]
            assert {"httponly", "samesite=lax"} <= set(told)
            assert "samesite=none" not in told
            assert ("secure" in told) == secure


# How long those who guess have to wait


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


@pytest.mark.anyio
async def test_only_right_passwords_are_free_however_many_come_at_once(guesses: Guesses) -> None:
    sent = (guesses.check("ada", "right", "a") for _ in range(50))
    assert await asyncio.gather(*sent) == [True] * 50, "as programs send them"
    tried = (guesses.check("ada", f"wrong {each}", "a") for each in range(3 * FREE))
    told = await asyncio.gather(*tried, return_exceptions=True)
    assert told.count(False) == FREE
    assert sum(isinstance(each, HTTPException) for each in told) == 2 * FREE


def test_one_sender_has_one_address() -> None:
    for sender, address in {
        "192.168.0.7": "192.168.0.7",
        "2001:db8::1": "2001:db8::/64",
        "2001:db8::ffff:1": "2001:db8::/64",
        "fe80::1%eth0": "fe80::/64",
        "::ffff:192.168.0.7": "192.168.0.7",
        "": "",
        "unknown": "unknown",
    }.items():
        assert network_of(sender) == address
