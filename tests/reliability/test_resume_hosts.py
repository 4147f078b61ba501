"""A training of each kind of host goes on to the last bit; ``resume_hosts.py`` has the others."""

from pathlib import Path

import pytest

from tests.reliability.resume_hosts import goes_on_exactly


@pytest.mark.parametrize("host", ["dino"])
def test_a_host_goes_on_to_the_last_bit(host: str, tmp_path: Path) -> None:
    goes_on_exactly(host, tmp_path)
