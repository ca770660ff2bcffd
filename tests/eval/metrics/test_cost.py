import subprocess
import sys
from pathlib import Path

import pytest
from handmade import answer

from eval.metrics.cost import (
    EnergyMeter,
    cost_usd,
    index_bytes,
    percentiles,
    stages,
    tokens,
)
from index.errors import StoreError
from index.manifest import GENERATIONS
from rag.schema import Answer, Usage


def took(**timings_ms: float) -> Answer:
    return answer("x").model_copy(update={"timings_ms": timings_ms})


def used(read: int, written: int, usd: float | None) -> Answer:
    usage = Usage(prompt_tokens=read, completion_tokens=written, cost_usd=usd)
    return answer("x").model_copy(update={"usage": usage})


def test_percentiles_lie_between_the_values_they_fall_between() -> None:
    assert percentiles([*range(101)]) == {"p50": 50, "p95": 95, "p99": 99}
    assert percentiles([1, 2]) == {"p50": 1.5, "p95": 1.95, "p99": 1.99}
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}


def test_each_stage_is_timed_over_the_answers_that_went_through_it() -> None:
    found = stages([took(retrieve=1, total=3), took(retrieve=3, write=5, total=9)])
    assert list(found)[:2] == ["retrieve_p50", "retrieve_p95"]
    assert (found["retrieve_p50"], found["write_p50"], found["total_p50"]) == (2, 5, 6)


def test_money_is_unknown_as_soon_as_one_price_is() -> None:
    known = [used(10, 5, 0.25), used(0, 0, None), used(1, 1, 0.5)]
    assert tokens(known) == (11, 6)
    assert cost_usd(known) == 0.75
    assert cost_usd([*known, used(1, 0, None)]) is None
    assert cost_usd([]) == 0


def test_peak_memory_is_in_bytes_and_remembers_what_was_given_back() -> None:
    held = (
        "from eval.metrics.cost import peak_memory_bytes\n"
        "before = peak_memory_bytes()\n"
        "len(bytearray(b'x') * (before + 50_000_000))\n"
        "print(before, peak_memory_bytes())\n"
    )
    done = subprocess.run([sys.executable, "-c", held], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before > 10_000_000
    assert before + 50_000_000 <= after < 10_000_000_000


def test_an_index_weighs_what_the_files_of_its_live_generation_weigh(tmp_path: Path) -> None:
    generation = "20250314T120000-0123abcd"
    for name in (generation, "20200101T000000-00000000"):
        folder = tmp_path / GENERATIONS / name / "deep"
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"12345")
    (tmp_path / GENERATIONS / generation / "other").write_bytes(b"678")
    (tmp_path / "CURRENT").write_text(generation)
    assert index_bytes(tmp_path) == 8
    with pytest.raises(StoreError, match="no index"):
        index_bytes(tmp_path / "nothing here")


def zone(folder: Path, number: str, name: str, energy_uj: int, span_uj: int = 1_000_000) -> Path:
    made = folder / f"intel-rapl:{number}"
    made.mkdir(parents=True)
    (made / "name").write_text(f"{name}\n")
    (made / "energy_uj").write_text(f"{energy_uj}\n")
    (made / "max_energy_range_uj").write_text(f"{span_uj}\n")
    return made


def test_energy_adds_up_the_packages_and_survives_a_counter_that_begins_again(
    tmp_path: Path,
) -> None:
    first = zone(tmp_path, "0", "package-0", 400_000)
    second = zone(tmp_path, "1", "package-1", 900_000)
    parts = [zone(tmp_path, "0:0", "core", 0), zone(tmp_path, "2", "psys", 0)]
    with EnergyMeter(tmp_path) as meter:
        assert meter.joules is None
        (first / "energy_uj").write_text("650000\n")
        (second / "energy_uj").write_text("50000\n")
        for part in parts:
            (part / "energy_uj").write_text("123456\n")
    assert meter.joules == pytest.approx(0.25 + 0.15)


def test_energy_is_unknown_where_the_machine_does_not_say(tmp_path: Path) -> None:
    with EnergyMeter(tmp_path / "nothing here") as meter:
        pass
    assert meter.joules is None
    broken = zone(tmp_path, "0", "package-0", 1)
    (broken / "energy_uj").write_text("")
    with EnergyMeter(tmp_path) as meter:
        pass
    assert meter.joules is None
