"""Sky, weather and light, over the whole picture or behind a window."""

from __future__ import annotations

import numpy as np

from ..dice import Dice
from .canvas import Color, Frame, Point, Sheet, arc, bend, mix
from .palette import WHITE

_SKIES: dict[tuple[str, str], tuple[Color, Color]] = {  # (light, weather) -> colour at the top and at the horizon
    ("day", "clear"): ((72, 166, 244), (202, 234, 252)),
    ("day", "rain"): ((122, 140, 162), (182, 194, 206)),
    ("day", "storm"): ((58, 62, 92), (132, 128, 146)),
    ("day", "snow"): ((166, 190, 216), (230, 238, 246)),
    ("dusk", "clear"): ((98, 78, 152), (255, 168, 104)),
    ("dusk", "rain"): ((98, 84, 118), (214, 150, 130)),
    ("dusk", "storm"): ((50, 36, 72), (160, 88, 90)),
    ("dusk", "snow"): ((140, 122, 168), (250, 194, 176)),
    ("night", "clear"): ((12, 18, 58), (56, 64, 122)),
    ("night", "rain"): ((18, 24, 46), (54, 64, 90)),
    ("night", "storm"): ((12, 10, 30), (54, 46, 78)),
    ("night", "snow"): ((24, 32, 74), (92, 102, 152)),
}
_CLOUDS: dict[str, Color] = {
    "clear": (255, 255, 255),
    "rain": (150, 160, 178),
    "storm": (66, 64, 88),
    "snow": (226, 232, 242),
}


_HAZE = {"day": 0.1, "dusk": 0.42, "night": 0.68}
"""How much of the sky's colour clouds take on."""
_DARKNESS = {"day": 0.0, "dusk": 0.15, "night": 0.35}
"""How much darker rain is than by day."""

Area = tuple[float, float, float, float]


def paint_sky(sheet: Sheet, page: Frame, dice: Dice, weather: str, light: str, window: Area, hidden: str = "") -> None:
    """Fill the sheet with sky; sun, moon, clouds and lightning appear within ``window``.

    Args:
        sheet: for the gradient.
        page: frame in picture heights, origin at the upper left corner.
        dice: positions of clouds and stars.
        weather, light: names of the table.
        window: xyxy in picture heights; outdoors the upper half of the picture.
        hidden: ``weather`` or ``light``, where that is painted out (``painting_out``).
    """
    x0, y0, x1, y1 = window
    top, bottom = _colors(weather, light, hidden)
    sheet.gradient(top, bottom)
    weather_page = page.unseen() if hidden == "weather" else page
    light_page = page.unseen() if hidden in ("weather", "light") else page
    wide, high = x1 - x0, y1 - y0
    if light == "night" and weather == "clear":
        stars = light_page.thing("light", "stars")
        for _ in range(26):
            r = dice.between(0.003, 0.007)
            stars.disc(dice.between(x0, x1), dice.between(y0, y1), r, r, (255, 250, 214))
    for _ in range({"clear": 2, "rain": 5, "storm": 6, "snow": 4}[weather]):
        size = high * dice.between(0.16, 0.26)
        color = mix(_CLOUDS[weather], top, _of_light(_HAZE, light, hidden))
        _paint_cloud(
            weather_page.thing("weather", "cloud"),
            dice.between(x0, x1),
            y0 + high * dice.between(0.04, 0.4),
            size,
            color,
        )
    shows_sun = weather == "clear" or (weather in ("rain", "snow") and light != "day")
    if shows_sun:
        x = x0 + wide * (0.22 if dice.chance(0.5) else 0.78)
        orb = light_page.thing("light", "moon" if light == "night" else "sun")
        _paint_sun_or_moon(orb, light, weather, x, y0 + high * 0.34, high)
    if weather == "storm":
        for share in (dice.between(0.14, 0.32), dice.between(0.62, 0.86)):
            _paint_bolt(weather_page.thing("weather", "lightning"), x0 + wide * share, y0 + high * 0.24, high * 0.66)


def paint_precipitation(page: Frame, dice: Dice, weather: str, light: str, area: Area, hidden: str = "") -> None:
    """Rain or snow within ``area`` (xyxy, picture heights); nothing under a clear sky, slanted streaks in a storm.

    ``hidden`` as for ``paint_sky``.
    """
    x0, y0, x1, y1 = area
    if hidden == "weather":
        page = page.unseen()
    count = int(90 * (x1 - x0) * (y1 - y0)) + 12
    if weather in ("rain", "storm"):
        rain = page.thing("weather", "rain")
        color = mix((206, 224, 246), (90, 110, 160), _of_light(_DARKNESS, light, hidden))
        slant = 0.012 if weather == "rain" else 0.06
        for _ in range(count if weather == "rain" else count * 2 // 3):
            x, y, length = dice.between(x0, x1), dice.between(y0, y1), dice.between(0.05, 0.09)
            rain.line(((x, y), (x - slant, y + length)), 0.007, color, False)
    elif weather == "snow":
        snow = page.thing("weather", "snow")
        for _ in range(count):
            r = dice.between(0.007, 0.014)
            snow.disc(dice.between(x0, x1), dice.between(y0, y1), r, r, WHITE)


def _colors(weather: str, light: str, hidden: str) -> tuple[Color, Color]:
    """At the top and at the horizon; the mean over what is hidden."""
    known = {"weather": light, "light": weather}.get(hidden)
    if known is None:
        return _SKIES[light, weather]
    skies = np.array([colors for key, colors in _SKIES.items() if known in key])
    (a, b, c), (d, e, f) = skies.mean(0).round().astype(int).tolist()
    return (a, b, c), (d, e, f)


def _of_light(shares: dict[str, float], light: str, hidden: str) -> float:
    return sum(shares.values()) / len(shares) if hidden == "light" else shares[light]


def _paint_sun_or_moon(page: Frame, light: str, weather: str, x: float, y: float, high: float) -> None:
    r = high * 0.15
    if light == "night":
        inner = bend((x - r * 0.34, y + r * 0.94), (x + r * 0.95, y), (x - r * 0.34, y - r * 0.94))
        page.polygon([*arc(x, y, r, r, -110, 110), *inner], (252, 244, 206))
    elif light == "dusk":
        y += high * 0.42
        page.disc(x, y, r * 1.5, r * 1.5, mix(_SKIES["dusk", weather][1], (255, 220, 150), 0.35))
        page.disc(x, y, r * 1.1, r * 1.1, (255, 116, 76))
    else:
        for ray in range(12):
            (a, b), (c, d) = (arc(x, y, r * k, r * k, ray * 30, ray * 30, 1)[0] for k in (1.3, 1.75))
            page.line(((a, b), (c, d)), r * 0.2, (255, 214, 80))
        page.disc(x, y, r, r, (255, 214, 64))


def _paint_cloud(page: Frame, x: float, y: float, size: float, color: Color) -> None:
    for dx, dy, k in ((-1.0, 0.12, 0.55), (-0.35, -0.18, 0.75), (0.4, -0.1, 0.65), (1.0, 0.14, 0.5)):
        page.disc(x + dx * size, y + dy * size, size * k, size * k * 0.72, color)
    page.disc(x, y + size * 0.3, size * 1.4, size * 0.3, color)


def _paint_bolt(page: Frame, x: float, y: float, length: float) -> None:
    bolt: tuple[Point, ...] = ((0.1, 0), (-0.16, 0.52), (0.0, 0.5), (-0.1, 1.0), (0.24, 0.38), (0.08, 0.4), (0.28, 0))
    page.polygon([(x + dx * length, y + dy * length) for dx, dy in bolt], (255, 236, 92))
