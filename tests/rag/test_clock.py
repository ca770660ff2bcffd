"""Where the time of an answer goes."""

import pytest

from rag.clock import Clock


def test_a_step_that_fails_took_its_time_too() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="broken"), clock.step("write"):
        raise ValueError("broken")
    with clock.step("cite"):
        pass
    assert list(clock.done()) == ["write", "cite", "total"]
