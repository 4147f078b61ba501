"""What cards of every kind of model have in common: pictures, data, training, terms, and a table of two columns."""

from __future__ import annotations

from dsct_detrex.engine.model_card.facts import UNKNOWN, Facts


def picture_size(facts: Facts) -> str:
    """To which size pictures are brought."""
    short, long = (facts.get(f"dataloader.test.mapper.transforms.{key}") for key in ("size", "max_size"))
    if short is None:
        return f"size {UNKNOWN}"
    return f"shorter side resized to {short} pixels, longer side at most {long or 'as it comes'}"


def data_words(facts: Facts) -> str:
    """What it was trained on."""
    title, split = facts.data_title, facts.get("dataloader.train.dataset.split")
    if facts.is_drawn:
        return (
            "Trained on drawn scenes: pictures that this package paints, with labels that follow from what it paints. "
            "It has never seen a photograph, and says nothing about real people.\n"
        )
    if title == UNKNOWN:
        return "Trained on data that this card knows nothing about: no data set of this package.\n"
    warning = facts.data_set.warning if facts.data_set else None
    known = (
        f"Trained on {title}{f', split `{split}`' if split else ''}. Which of its pictures could be used, and how "
        "many, stands in `data.json` of the run.\n"
    )
    return known + (f"\n{warning}\n" if warning else "")


def chosen_by(facts: Facts) -> str:
    """The sentence beside scores that chose the weights they are of; else nothing."""
    if facts.file != "best.safetensors":
        return ""
    return " These weights were chosen among those of the run by this very evaluation, so read it as somewhat too good."


def training(facts: Facts) -> str:
    """How it was trained."""
    return table(
        {
            "started from": facts.start,
            "budget": facts.budget,
            "optimizer": _optimizer(facts),
            "all settings": f"inside the file; `dsct info {facts.file}` shows what trained it",
        }
    )


def _optimizer(facts: Facts) -> str:
    name, rate = facts.get("optimizer._target_"), facts.get("optimizer.lr")
    if name is None:
        return UNKNOWN
    return str(name).rpartition(".")[2] + (f", learning rate {rate:g}" if isinstance(rate, float) else "")


def terms(facts: Facts) -> str:
    """What weights and data may be used for."""
    data = facts.data_set
    if facts.is_drawn:
        of_data = "The drawn scenes are made by this package and bind nobody."
    else:
        of_data = data.terms if data else "Of the data nothing is known here: ask whoever gave out this file."
    start = "" if facts.start == "random weights" else f" They started from `{facts.start}`, which may bring terms too."
    return (
        f"{of_data}\n\nNo licence is stated for these weights: that is for whoever trained them to say, within the "
        f"terms of the data.{start} The code of dsct_detrex is under Apache-2.0.\n"
    )


def table(rows: dict[str, str]) -> str:
    """Two columns without a head."""
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())
