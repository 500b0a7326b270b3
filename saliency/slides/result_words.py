"""What the answer about a slide says of itself, in plain words."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from saliency.pipeline.caption import DISCLAIMER, headline, percent, subject
from saliency.pipeline.method_words import method_words, unit_of
from saliency.render.band import Line

#: What heat is, of a model of multiple instances.
_OF_BAGS: Final = {
    "single": "probability of each tile alone",
    "integrated_gradients": "{score} if all tiles were like this one, by integrated gradients",
    "lrp": "{score} if all tiles were like this one, by relevance with attention held constant",
    "attention": "attention, 1 where it is even; it need not follow the score",
}


def doubt_of(result: Any) -> str:
    """Return why the map lies under a veil, "" where it does not."""
    probability = result.probability
    if result.bag is not None and probability is not None:
        if probability < result.cutoff:
            return f"not predicted: the slide's probability is below {percent(result.cutoff)}"
    elif (
        probability is not None and not np.nanmax(result.probabilities) >= result.cutoff
    ):
        return f"no tile is of this class: its probability stays below {percent(result.cutoff)}"
    if result.answer.saturated:
        return "the model's output is saturated: it is flat here, and its derivatives vanish"
    if result.indifferent:
        return (
            "the answer hardly depends on the tissue: all of it gets this class, and an even tile "
            "or shuffled pixels get it, too"
        )
    if result.peak == 0:
        return "the map is blank: no cell has heat"
    return ""


def tile_words(result: Any) -> str:
    """Return in how many tiles the class is predicted."""
    count = int(result.asked.sum())
    tiles = f"{count:,} tile{'s' * (count != 1)} with tissue"
    if result.probability is None:
        return f"{tiles} asked about"
    most = int((result.probabilities >= result.cutoff).sum())
    return f"probability of {percent(result.cutoff)} and more in {most:,} of {tiles}"


def tissue_words(result: Any) -> str:
    """Return which part of the slide was left out."""
    if result.slide.tissue is None:
        return "all of the slide was asked about, glass too"
    return f"{percent(result.dropped)} of the slide is glass and was not asked about"


def grid_words(result: Any) -> str:
    """Return how fine the map is, and at which scale the model looked."""
    cell = 1000 * result.placement[0, 0]
    spacing = 1000 * result.slide.spacing[0]
    assumed = ", that of level 0, assumed" if result.slide.assumed else ""
    return (
        f"a cell of the map is {cell:.3g} \N{MICRO SIGN}m long; the model saw "
        f"{spacing:.3g} \N{MICRO SIGN}m a pixel{assumed}"
    )


def method_of(result: Any) -> str:
    """Return the method in words."""
    if result.bag is None:
        return method_words(result.recipe)
    return f"bag of tiles, {result.bag.method.replace('_', ' ')}"


def title_of(result: Any) -> str:
    """Return class and probability, and of what they are."""
    of = "of the slide" if result.bag is not None else "in the tile of greatest score"
    return f"{headline(result)} {of}"


def unit_words(result: Any) -> str:
    """Return the unit of heat."""
    if result.bag is not None:
        unit = _OF_BAGS[result.bag.method].format(score=result.answer.explains)
        weigh = result.bag.method != "single" and result.probability is not None
        return f"{unit}{', times the probability of the slide' if weigh else ''}"
    unit = unit_of(result.recipe, result.answer.explains)
    weighed = "" if result.probability is None else ", times the tile's probability"
    return f"{unit}{weighed}"


def slide_caption_of(result: Any) -> str:
    """Return one line of plain words."""
    told = [
        title_of(result),
        doubt_of(result),
        tile_words(result),
        tissue_words(result),
        method_of(result),
        grid_words(result),
        f"full colour: {result.vmax:.3g} ({unit_words(result)})",
        DISCLAIMER,
    ]
    return ". ".join(words[0].upper() + words[1:] for words in told if words)


def heat_lines(result: Any) -> Iterator[Line]:
    """Yield the sentences below the picture of heat, the most important first."""
    yield Line(title_of(result), "head")
    doubt = doubt_of(result)
    if doubt:
        yield Line(f"{doubt}; heat is veiled in grey", "alarm")
    yield Line(tile_words(result))
    yield Line(method_of(result))
    yield Line(f"{tissue_words(result)}; {grid_words(result)}")
    yield Line(DISCLAIMER, "faint")


def class_lines(result: Any) -> Iterator[Line]:
    """Yield the sentences below the picture of classes."""
    yield Line("the class of greatest score in each tile", "head")
    doubt = doubt_of(result)
    if doubt:
        yield Line(f"{subject(result)}: {doubt}; classes are veiled in grey", "alarm")
    yield Line(f"{tissue_words(result)}; {grid_words(result)}")
    yield Line(DISCLAIMER, "faint")


def class_name(result: Any, index: int) -> str:
    """Return the label of a class, or its number."""
    return result.labels[index] if result.labels else f"class {index}"
