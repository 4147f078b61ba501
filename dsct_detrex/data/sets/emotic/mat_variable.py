"""One variable of a MATLAB file. Damage may end the process that reads it, so it is never this one that ends.

MATLAB compresses what it saves (``-v7``), and each compressed variable carries a checksum, so that damage is found. A
file that is not compressed (``-v6``, and ``scipy.io.savemat`` unless asked) has none, and scipy's reader follows its
lengths wherever they lead; such a file is read by a process of its own, which takes a second more.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, Literal

from scipy.io import loadmat

_HEADER: Final = 128  # bytes, of which the last two tell the order of bytes in numbers
_COMPRESSED: Final = 15  # the type of a compressed element, in the MAT-file format's table of types
_COPY: Final = """
import io, sys
from scipy.io import loadmat, savemat
try:
    found = loadmat(sys.argv[1], variable_names=[sys.argv[2]])
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
copy = io.BytesIO()
savemat(copy, {name: value for name, value in found.items() if not name.startswith("__")}, do_compression=True)
sys.stdout.buffer.write(copy.getvalue())
"""


def read(path: Path, name: str) -> dict[str, Any]:
    """The variable, by its name, among what else scipy gives; without it where the file has none.

    Raises:
        NotImplementedError: the file is of MATLAB 7.3.
        Exception: scipy's, of many kinds: the file is damaged.
    """
    file = path if has_checksums(path) else io.BytesIO(_copied(path, name))
    variables: dict[str, Any] = loadmat(file, simplify_cells=True, variable_names=[name])
    return variables


def _copied(path: Path, name: str) -> bytes:
    """The variable in a compressed file."""
    done = subprocess.run([sys.executable, "-c", _COPY, str(path), name], capture_output=True, check=False)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if said.startswith(NotImplementedError.__name__):
        raise NotImplementedError(said)
    raise ValueError(said.splitlines()[-1] if done.returncode == 1 and said else "its lengths lead out of the file")


def has_checksums(path: Path) -> bool:
    """Whether every element of the file is a compressed one, and together they are as long as the file."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
        order: Literal["little", "big"] = "little" if header[126:128] == b"IM" else "big"
        place, end = _HEADER, path.stat().st_size
        while place < end:
            file.seek(place)
            tag = file.read(8)
            if len(tag) < 8 or int.from_bytes(tag[:4], order) != _COMPRESSED:
                return False
            place += 8 + int.from_bytes(tag[4:], order)
    return place == end
