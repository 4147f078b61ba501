"""How pages and terminals write large numbers and times."""


def millions(count: int) -> str:
    """4_000_000 -> ``"4.0 M"``; 75_000 -> ``"75 k"``."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def duration(seconds: float) -> str:
    """75 -> ``"1 min 15 s"``; hours once they are needed."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
