"""Write the weights of a network of saliency/zones to the file that is shipped."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

ROOM = Path(__file__).parents[1] / "saliency" / "zones"


def write(
    name: str, by: str, features: Sequence[str], values: Sequence[np.ndarray]
) -> None:
    """Write hidden weights, their bias, output weights and their bias, to three digits each."""
    hidden, hidden_bias, output, (output_bias,) = (_rounded(value) for value in values)
    rows = dict(zip(features, hidden, strict=True))
    lines = [
        f' "fitted": "{date.today().isoformat()}"',  # noqa: DTZ011  the day where it was fitted
        f' "by": "{by}"',
        ' "hidden": {\n'
        + ",\n".join(f'  "{key}": {row}' for key, row in rows.items())
        + "\n }",
        f' "hidden_bias": {hidden_bias}',
        f' "output": {output}',
        f' "output_bias": {output_bias}',
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    json.loads(text)
    (ROOM / f"{name}.json").write_text(text, encoding="utf-8")


def _rounded(value: np.ndarray) -> list:
    """Return the numbers to three digits, in lists as deep as the array has axes."""
    return np.vectorize(lambda number: float(f"{number:.3g}"))(value).tolist()
