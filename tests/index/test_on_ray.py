"""A real Ray cluster on this machine, one of whose workers is killed in the middle."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import hashing_encoder
import numpy as np
import pytest
import ray
from hashing_encoder import HashingEncoder, pots

from index.build import build_papers
from index.errors import EncoderError, InputError
from index.remote import RAY_BATCH, RayEncoder
from index.store import Index


def _making(folder: Path) -> Callable[[], HashingEncoder]:
    """Makes an encoder that leaves a file with its process and the texts of each batch."""

    def tell(texts: Sequence[str]) -> None:
        if "refuse" in texts:
            raise ValueError("cannot read this")
        (folder / f"{os.getpid()}-{time.monotonic_ns()}").write_text(str(len(texts)))
        time.sleep(0.2)

    return partial(HashingEncoder, before=tell)


@pytest.fixture(scope="module", autouse=True)
def _by_value() -> Iterator[None]:
    ray.cloudpickle.register_pickle_by_value(hashing_encoder)
    yield
    ray.cloudpickle.unregister_pickle_by_value(hashing_encoder)


def test_a_killed_worker_costs_no_text_and_doubles_none(tmp_path: Path) -> None:
    (told := tmp_path / "told").mkdir()
    encoder = RayEncoder(_making(told))
    killed: list[int] = []

    def kill() -> None:
        while not killed:
            working = {int(path.name.partition("-")[0]) for path in told.iterdir()}
            if len(working) == 2:
                killed.append(min(working))
                os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert len(encoder.workers) == 2
        report = build_papers(pots(1500), tmp_path / "store", encoder)
        with pytest.raises(EncoderError, match=r"a Ray worker could not encode .*cannot read"):
            encoder.encode(["kettle"] * RAY_BATCH + ["refuse"])
    finally:
        killer.join(30)
        encoder.close()
    assert killed
    after = {int(path.name.partition("-")[0]) for path in told.iterdir()}
    assert len(after) == 3  # the two, and the one that took the place of the killed one
    assert (report.papers, report.embedded) == (1500, 3000)
    index = Index.open(tmp_path / "store")
    right = [HashingEncoder().encode_query(passage.text) for passage in index.passages[::100]]
    assert np.allclose(index.passage_vectors[np.arange(0, 1500, 100)], right, atol=1e-6)
    assert len(np.unique(index.cuts.passage_keys)) == 1500


def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Ray cluster at ray://127"):
        RayEncoder(_making(tmp_path), "ray://127.0.0.1:1")
