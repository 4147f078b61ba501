"""The table of hosts, one per file of ``hosts/``; lazy, so that ``host.name=<name>`` builds only the one chosen."""

from pathlib import Path

from dsct_detrex.config import get_config

_files = sorted(Path(__file__).with_suffix("").glob("*.py"))
hosts = {path.stem: get_config(f"common/hosts/{path.name}").host for path in _files}
