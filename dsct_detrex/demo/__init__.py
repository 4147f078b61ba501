"""The demo: two trainings side by side on drawn scenes, measured against exact bounds, told on one page."""
