"""The illustrator: turns a ``Scene`` into pixels with Pillow's plain shapes; no text, no fonts, no global state."""

from .picture import paint_scene, paint_with_notes

__all__ = ["paint_scene", "paint_with_notes"]
