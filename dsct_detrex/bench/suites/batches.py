"""R50 pictures of one size, one by one, as evaluation scripts read them, and in batches of growing size.

Results are those of the single pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from dsct_detrex.bench.contracts import LARGE, Candidate, Case, Ready, Setting, Size
from dsct_detrex.bench.models import rewritten
from dsct_detrex.bench.suites.model import decoding, official_decoding
from dsct_detrex.bench.twins import PAPERS_HOST, our_dsct

BATCHES, BATCHES_QUICK = (2, 4, 8), (2, 4)


def cases(setting: Setting) -> Iterator[Case]:
    for host in setting.hosts_or((PAPERS_HOST,), (PAPERS_HOST,)):
        for size in setting.sizes_or(LARGE):
            yield _case(setting, host, size, BATCHES_QUICK if setting.quick else BATCHES)


def _case(setting: Setting, host: str, size: Size, batches: tuple[int, ...]) -> Case:
    count = batches[-1]
    build = partial(our_dsct, setting, host)

    def ours(batch: int) -> Ready:
        return decoding(rewritten(build()), size, build, count, batch)

    found = [Candidate("plain, one by one", lambda: decoding(build(), size, build, count))]
    official = setting.rival("official") if host == PAPERS_HOST else None
    if official:
        found.insert(0, Candidate("official, one by one", partial(official_decoding, official, setting, size, count)))
    found.append(Candidate("rewritten, one by one", partial(ours, 1)))
    found.extend(Candidate(f"rewritten, batches of {batch}", partial(ours, batch)) for batch in batches)
    return Case(f"{host}, {size}", found, images=count)
