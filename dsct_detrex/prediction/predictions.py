"""``Predictions``: the results of several pictures as a list that can be a table, COCO results or a file as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, overload

from dsct_detrex.counting import counted
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import exports, notebook, saving
from dsct_detrex.prediction.prediction import Prediction
from dsct_detrex.structures import Emotions


class Predictions(Sequence[Prediction]):
    """A ``Prediction`` for each picture, in their order.

    Args:
        results: of one predictor.
        emotions: its label set.
    """

    def __init__(self, results: Iterable[Prediction], emotions: Emotions) -> None:
        self._results = list(results)
        self.emotions = emotions

    def to_dict(self) -> list[dict[str, Any]]:
        """The content of ``predictions.json``: a row for each picture, see ``rows.py``."""
        return [result.to_dict() for result in self]

    def to_json(self) -> str:
        """``to_dict`` as text."""
        return json.dumps(self.to_dict())

    def to_pandas(self) -> Any:
        """One ``pandas.DataFrame`` with a row per person, see ``exports.data_frame``.

        Raises:
            UserError: pandas is not installed.
        """
        return exports.data_frame(self.to_dict(), self.emotions)

    def to_supervision(self) -> list[Any]:
        """A ``supervision.Detections`` for each picture.

        Raises:
            UserError: supervision is not installed.
        """
        return [result.to_supervision() for result in self]

    def to_coco(self, image_ids: Sequence[int | str] | None = None) -> list[dict[str, Any]]:
        """COCO results of all pictures, see ``exports.coco_results``.

        Args:
            image_ids: one for each picture; None: 0, 1, 2, ...

        Raises:
            UserError: not as many as there are pictures.
        """
        ids = range(len(self)) if image_ids is None else image_ids
        if len(ids) != len(self):
            raise UserError(f"Predictions.to_coco(image_ids=) expects {len(self)}, one a picture. Got {len(ids)}.")
        return [row for result, image_id in zip(self, ids, strict=True) for row in result.to_coco(image_id)]

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        """Write ``predictions.json`` under a name that ends in ``.json``; for pictures, save the results one by one.

        Raises:
            UserError: another suffix, something is there and ``overwrite`` is not set, or the disk refuses.
        """
        saving.write_rows(self.to_dict(), saving.free_place(path, (saving.ROWS,), overwrite))

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, item: int) -> Prediction: ...
    @overload
    def __getitem__(self, item: slice) -> Predictions: ...
    def __getitem__(self, item: int | slice) -> Prediction | Predictions:
        return Predictions(self._results[item], self.emotions) if isinstance(item, slice) else self._results[item]

    def _repr_html_(self) -> str:
        rows = [result._repr_html_() for result in self._results[: notebook.MOST]]
        more = len(self) - len(rows)
        rest = f"<p>and {counted(more, 'more picture')}: index or slice this list to see them.</p>" if more else ""
        return f"<p>{counted(len(self), 'picture')}</p>{''.join(rows)}{rest}"

    def __repr__(self) -> str:
        people = sum(len(result) for result in self)
        return "\n".join(
            [
                f"{counted(len(self), 'picture')}, {counted(people, 'person')}",
                *(notebook.text(row) for row in self.to_dict()),
            ]
        )
