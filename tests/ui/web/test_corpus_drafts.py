"""What a visitor is about to add is this visitor's alone, and is not kept for long."""

import time
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder

from index.errors import InputError
from ui.web.corpus import drafts
from ui.web.corpus.drafts import MOST_DRAFTS, Drafts, pasted, read_uploaded

TEXT = pasted("Mar 14, 2025\n\nA title\n\nAn abstract.", "a.txt")


def test_a_draft_is_read_by_its_visitor_alone() -> None:
    kept = Drafts()
    key = kept.keep("ann", TEXT)
    assert kept.read("ann", key) == TEXT
    for visitor, asked in (("bob", key), ("ann", "guessed"), ("ann", None), ("ann", ["x"])):
        with pytest.raises(InputError, match="not kept any more"):
            kept.read(visitor, asked)
    kept.drop("bob", key)
    assert kept.read("ann", key) == TEXT
    kept.drop("ann", key)
    with pytest.raises(InputError):
        kept.read("ann", key)


def test_a_visitor_has_one_draft_and_all_together_a_few() -> None:
    kept = Drafts()
    first, second = kept.keep("ann", TEXT), kept.keep("ann", TEXT)
    with pytest.raises(InputError):
        kept.read("ann", first)
    for number in range(MOST_DRAFTS):
        kept.keep(f"visitor {number}", TEXT)
    with pytest.raises(InputError):
        kept.read("ann", second)


def test_a_draft_is_forgotten_after_half_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Drafts()
    key = kept.keep("ann", TEXT)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + drafts.SECONDS_KEPT + 1)
    with pytest.raises(InputError):
        kept.read("ann", key)


def test_only_files_that_were_uploaded_are_read_and_they_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    folder = Path(get_upload_folder()) / "hash"
    folder.mkdir(parents=True)
    own = tmp_path / "secret.txt"
    own.write_text("secret")
    sent = folder / "march.txt"
    sent.write_text("text")
    (folder / "link.txt").symlink_to(own)
    for path in (own, folder / "link.txt", folder / ".." / ".." / "secret.txt", folder / "no.txt"):
        with pytest.raises(InputError, match="did not arrive"):
            read_uploaded([str(path)])
    (upload,) = read_uploaded([str(sent)])
    assert (upload.name, upload.content) == ("march.txt", b"text")
    assert not sent.exists()
    assert own.read_text() == "secret"


def test_too_much_at_a_time_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="MB: add it in parts"):
        pasted("a long text", "a.txt")
    with pytest.raises(InputError, match="nothing was pasted"):
        pasted("  \n", "a.txt")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    files = [tmp_path / f"{number}.txt" for number in range(drafts.MOST_FILES + 1)]
    for file in files:
        file.write_text("x")
    with pytest.raises(InputError, match="at most 50 files"):
        read_uploaded([str(file) for file in files])
