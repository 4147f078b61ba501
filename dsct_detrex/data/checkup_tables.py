"""A checkup for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dsct_detrex.data.doctor import Checkup, SplitCheckup

_LEAKS_SHOWN = 5
_MOST_PEOPLE = 8


def print_checkup(checkup: Checkup, console: Console) -> None:
    """Everything in ``checkup``: what was found split by split, then the histograms, then what to worry about."""
    for found in checkup.splits.values():
        _print_split(found, console)
    console.print("\nimages by number of people", style="bold")
    console.print(_people_table(checkup))
    if checkup.emotions:
        console.print(Text(f"\nemotions: {checkup.emotions}"), soft_wrap=True)
    several = "a person may have several" if checkup.several else "one a person"
    console.print(f"\npeople by label ({several})", style="bold")
    console.print(_label_table(checkup))
    for split, sentence in checkup.failures.items():
        console.print(Text(f"{split} cannot be used. {sentence}", style="red"), soft_wrap=True)
    for split, sentence in checkup.absent.items():
        console.print(Text(f"There is no {split} split. {sentence}"), soft_wrap=True)
    if checkup.near_duplicates is not None:
        _print_leaks(checkup.near_duplicates, checkup.splits["test"].report.images, console)
    for warning in checkup.warnings:
        console.print(Text(warning, style="yellow"), soft_wrap=True)


def _print_split(found: SplitCheckup, console: Console) -> None:
    release = f"; {found.release}" if found.release else ""
    console.print(Text(f"\n{found.report.headline()}", style="bold"))
    console.print(Text(f"{found.description}{release}"), soft_wrap=True)
    if found.report.counts:
        console.print(found.report.table())
    if found.repeated_boxes:
        console.print(Text(f"{found.repeated_boxes} people share their box with another person of the image"))


def _people_table(checkup: Checkup) -> Table:
    """One row per split; the last column also counts the images with more people than it says."""
    most = max(number for found in checkup.splits.values() for number in found.people_per_image)
    columns = min(most, _MOST_PEOPLE)
    table = Table()
    table.add_column("split")
    for number in range(1, columns + 1):
        table.add_column(f"{number}+" if number < most and number == columns else str(number), justify="right")
    for split, found in checkup.splits.items():
        images = [0] * columns
        for number, count in found.people_per_image.items():
            images[min(number, columns) - 1] += count
        table.add_row(split, *map(str, images))
    return table


def _label_table(checkup: Checkup) -> Table:
    table = Table()
    table.add_column("label")
    for split in checkup.splits:
        table.add_column(split, justify="right")
        table.add_column("%", justify="right")
    for label in next(iter(checkup.splits.values())).labels:
        cells: list[str] = [label]
        for found in checkup.splits.values():
            cells += [str(found.labels[label]), f"{100 * found.labels[label] / found.report.people:.1f}"]
        table.add_row(*cells)
    return table


def _print_leaks(leaks: list[tuple[str, str, int]], test_images: int, console: Console) -> None:
    headline = f"{len(leaks)} of {test_images} test pictures look like a training picture (near-duplicates)"
    console.print(Text(headline, style="yellow" if leaks else ""))
    for test, train, distance in leaks[:_LEAKS_SHOWN]:
        console.print(Text(f"  {test} ~ {train} ({distance} of 64 bits differ)"), soft_wrap=True)
