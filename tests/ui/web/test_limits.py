"""Who opens much and says little: the page stays open for others, and its memory small."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from running import free_port, started
from starlette.responses import PlainTextResponse

from ui.web.limits import Bodies, Limits
from ui.web.own_host import Reach
from ui.web.server import launch
from ui.web.site import AT_ONCE, WAITING, Site

NAMES = ("OSWorld", "WebArena", "Mind2Web", "AndroidWorld", "TheAgentCompany", "MindSearch")
CLOSE = b"\r\nConnection: close\r\n\r\n"
TOO_LONG = (b"400", b"431")
"""What is said to a head that is read in pieces, and to one that is read whole."""

pytestmark = pytest.mark.anyio


def memory(address: str) -> int:
    """The bytes of the process that serves a page which are in memory."""
    port = address.rpartition(":")[2].encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"ui" in words and port in words:
                return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    raise AssertionError(f"nobody serves {address}")


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(address: str, said: bytes = b"") -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    writer.write(said)
    return reader, writer


async def status(connection: Streams) -> bytes:
    return (await asyncio.wait_for(connection[0].read(100), 10)).split()[1]


@pytest.fixture(scope="module")
def served(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is, as a user starts it, asked once."""
    with started(sample_store, tmp_path_factory.mktemp("limits") / "data") as address:
        httpx.post(f"{address}/api/ask", json={"question": "What is OSWorld?"}, timeout=30)
        yield address


@asynccontextmanager
async def opened(served: str, count: int, said: bytes) -> AsyncIterator[None]:
    """So many connections at once, each of which has said so much and says no more."""

    async def one() -> asyncio.StreamWriter | None:
        try:
            _, writer = await connected(served, said)
            await asyncio.wait_for(writer.drain(), 2)
        except (OSError, TimeoutError):
            return None  # closed to make room
        return writer

    writers = await asyncio.gather(*(one() for _ in range(count)))
    yield
    for writer in writers:
        if writer:
            writer.close()


async def load(served: str, tries: int = 5) -> list[float]:
    """The seconds in which a stranger loads the page, several times."""
    seconds = []
    for _ in range(tries):
        transport, begun = httpx.AsyncHTTPTransport(local_address="127.0.0.2"), time.monotonic()
        async with httpx.AsyncClient(transport=transport, timeout=20) as client:
            assert (await client.get(served)).status_code == 200
        seconds.append(time.monotonic() - begun)
        await asyncio.sleep(0.3)
    return seconds


def head(path: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


# A small page with small limits


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are written as they come, with a part of an upload that broke off long ago."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "tmp0old").touch()
    os.utime(tmp_path / "tmp0old", (0, 0))
    return tmp_path


@pytest.fixture
def small(uploads: Path, site: Site) -> Iterator[str]:
    """16 connections, 4 from an address; two seconds for a body; 100 kB of bodies from one."""
    seconds = {"head_seconds": 0.5, "event_seconds": 2, "upload_seconds": 0.5}
    limits = Limits(connections=16, held=400_000, **seconds)
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("a page")
    yield launch(page, site, Reach("127.0.0.1"), free_port(), limits=limits)
    page.close(verbose=False)


async def test_the_oldest_that_has_not_asked_makes_room(small: str) -> None:
    waiting = [await connected(small, b"GET / HT") for _ in range(8)]
    async with httpx.AsyncClient(timeout=5) as client:
        assert (await client.get(small)).status_code == 200
    closed = [reader.at_eof() or reader.exception() is not None for reader, _ in waiting]
    for reader, _ in waiting:
        with contextlib.suppress(OSError):
            assert await asyncio.wait_for(reader.read(), 3) == b""  # its time is over
    assert sum(closed) >= 5
    assert closed == sorted(closed, reverse=True)


async def test_a_slow_body_is_told_a_steady_one_taken_and_all_are_bounded(small: str) -> None:
    said = head("/gradio_api/queue/join", 70_000) + b" " * 60_000
    first, second = [await connected(small, said) for _ in range(2)]
    assert [await status(each) for each in (second, first)] == [b"503", b"408"]
    third = await connected(small, said + b" " * 10_000)
    assert await status(third) not in (b"503", b"408")
    steady = await connected(small, head("/gradio_api/queue/join", 60_000))
    for _ in range(10):
        await asyncio.sleep(0.1)
        steady[1].write(b" " * 6_000)
    assert await status(steady) not in (b"408", b"503")


async def test_nothing_is_left_of_uploads_that_break_off(small: str, uploads: Path) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhalf'
    kind = b"Content-Type: multipart/form-data; boundary=b"
    said = head("/gradio_api/upload", 5_000).replace(b"Content-Type: application/json", kind)
    assert not (uploads / "tmp0old").exists()
    async with asyncio.timeout(20):
        _, writer = await connected(small, said + part)
        while not any(uploads.glob("tmp*")):
            await asyncio.sleep(0.05)
        writer.close()
        while any(uploads.glob("tmp*")):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("said", ["GET /?papers={} HTTP/1.1\r\n", "GET / HTTP/1.1\r\nX: {}\r\n"])
async def test_a_head_has_a_size_in_pieces_or_at_once(small: str, said: str) -> None:
    for length, codes in ((30_000, [b"200"]), (40_000, TOO_LONG), (500_000, TOO_LONG)):
        begin = said.format("x" * length).encode()
        assert await status(await connected(small, begin + b"Host: localhost" + CLOSE)) in codes


@pytest.mark.parametrize("path", ["/api/ask", "/mcp"])
async def test_calls_beyond_those_that_may_wait_are_refused_unread(path: str) -> None:
    reads: list[None] = []
    statuses: list[int] = []
    release, most = asyncio.Event(), AT_ONCE + WAITING

    async def answer(*call: Any) -> None:
        await release.wait()
        await PlainTextResponse("answered")(*call)

    async def receive() -> dict[str, object]:
        reads.append(None)
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    limited = Bodies(answer, page=gr.Blocks(analytics_enabled=False))
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    calls = [asyncio.create_task(limited(scope, receive, send)) for _ in range(60)]
    await asyncio.sleep(0.1)
    assert statuses == [503] * (60 - most)
    release.set()
    await asyncio.gather(*calls)
    assert statuses.count(200) == len(reads) == most


# The page as it is

SLOW = {
    "900 slow bodies": (900, head("/gradio_api/queue/join", 60_000) + b"{" * 30_000),
    "300 slow heads": (300, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "),
    "120 large bodies": (120, head("/gradio_api/queue/join", 4_900_000) + b" " * 4_800_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("attack", SLOW)
async def test_whoever_is_slow_keeps_nobody_out_and_takes_little(served: str, attack: str) -> None:
    await load(served, 1)
    before = memory(served)
    async with opened(served, *SLOW[attack]):
        seconds, growth = await load(served), memory(served) - before
    assert max(seconds) <= 1, "of a stranger's page load meanwhile"
    assert growth <= 60_000_000, "bytes"


async def test_a_hundred_at_once_get_their_own_answer_or_are_told_to_try_again(served: str) -> None:
    ready = asyncio.Barrier(100)

    async def ask(number: int) -> int:
        question = f"What is {NAMES[number % len(NAMES)]}? I am reader {number}."
        body = json.dumps({"question": question}).encode()
        reader, writer = await connected(served)
        await ready.wait()
        writer.write(head("/api/ask", len(body)).replace(b"\r\n\r\n", CLOSE) + body)
        reply = await reader.read()
        writer.close()
        if reply.split()[1] == b"200":
            answer = json.loads(reply.partition(b"\r\n\r\n")[2])
            cited = {each["paper"]["title"].partition(":")[0] for each in answer["references"]}
            assert answer["question"] == question
            assert cited <= {NAMES[number % len(NAMES)]}
        return int(reply.split()[1])

    async with asyncio.timeout(60):
        statuses = await asyncio.gather(*(ask(number) for number in range(100)))
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= AT_ONCE
