"""Curves: a number against another."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from saliency.values.arrays import Array


def curve(across: Array, up: Array, across_name: str, up_name: str) -> Figure:
    """Draw one curve with a dot at each value.

    Parameters
    ----------
    across, up
        (n,) numbers.
    across_name, up_name
        Words for the axes.
    """
    figure = Figure(figsize=(6, 3), layout="constrained")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    panel.plot(across, up, marker=".", color="#1b7837")
    panel.set(xlabel=across_name, ylabel=up_name)
    panel.grid(visible=True, alpha=0.3)
    return figure
