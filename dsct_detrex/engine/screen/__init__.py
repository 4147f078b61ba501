"""What the person who started a run sees of it, and the ``log.txt`` that keeps all of it with the times."""

from dsct_detrex.engine.screen.block import Row, block_lines
from dsct_detrex.engine.screen.console import Console
from dsct_detrex.engine.screen.log_file import LogFile
from dsct_detrex.engine.screen.terminal import open_terminal

__all__ = ["Console", "LogFile", "Row", "block_lines", "open_terminal"]
