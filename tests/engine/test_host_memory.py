"""Freed memory is kept, so that asking again costs no pages; a user's own set-up is left alone."""

import os
import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
import torch
from dsct_detrex.engine.host_memory import keep_freed_memory

kept = keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(64 << 18)  # 64 MiB, 16384 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(kept, min(faults() for _ in range(3)))
"""


def kept_and_faults(**environment: str) -> tuple[str, int]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_", "LD_PRE"))}
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS], env=own | environment, check=True, capture_output=True, text=True
    )
    kept, faults = done.stdout.split()
    return kept, int(faults)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_freed_memory_is_used_again_unless_the_user_set_up_the_allocator():
    kept, faults = kept_and_faults()
    assert kept == "True"
    assert faults < 100
    assert kept_and_faults(MALLOC_MMAP_THRESHOLD_="1000000")[0] == "False"
