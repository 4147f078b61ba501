"""TensorBoard event files in ``<output_dir>/tensorboard``, for those who keep it open."""

from __future__ import annotations

from pathlib import Path

from dsct_detrex.engine.loggers.record import Record
from dsct_detrex.errors import UserError


class TensorboardLogger:
    """Writes every scalar at its iteration.

    Args:
        resumed_at: as for ``JsonlLogger``; TensorBoard then hides what the interrupted run wrote later.

    Raises:
        UserError: the package is not installed.
    """

    def __init__(self, folder: Path, resumed_at: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(
                "train.tensorboard.enabled=True needs the tensorboard package: pip install tensorboard."
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=resumed_at + 1 if resumed_at else None)

    def log(self, record: Record) -> None:
        for name, value in record.scalars.items():
            self._writer.add_scalar(name, value, record.iteration)
        self._writer.flush()

    def close(self, failed: bool) -> None:
        self._writer.close()
