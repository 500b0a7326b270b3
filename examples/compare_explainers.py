"""One picture, every explainer there is, and one of your own.

"random" and "edges" know nothing of the model. A map no more convincing than theirs says nothing.
"""

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import tensorflow as tf

import saliency as sal
from lesions import on_ring, ring, slices
from sheet import save_sheet

CENTRE, RADIUS = (330, 215), 36


def main() -> None:
    """Write an overlay for each, print its cost and where its hottest pixels lie."""
    out = Path((*sys.argv, "out/compare_explainers")[1])
    out.mkdir(parents=True, exist_ok=True)
    head = np.clip(ring(slices()[1], CENTRE, (RADIUS, RADIUS), 0.6), 0, 1)
    image = sal.DicomImage.from_array(head * 255, window=sal.Window(128, 256))
    probe = sal.KerasProbe(Path(__file__).with_name("demo_model.keras"))
    panels = [("the picture", image.display)]
    for name, explainer in {"edge_weighted": edge_weighted, **sal.catalogue()}.items():
        start = perf_counter()
        try:
            result = sal.explain(probe, image, explainer, target=1)
        except sal.SaliencyError as error:  # not every method fits every model
            print(f"{name}: {error}")
            continue
        seconds = perf_counter() - start
        result.overlay().save(out / f"{name}.png")
        share = on_ring(result.heatmap, CENTRE, RADIUS)
        print(
            f"{name}: {share:.0%} of the hottest 1 % on the lesion, {seconds:.1f} s with tracing"
        )
        panels.append((f"{name}: {share:.0%}", result.overlay().rgb))
    rows = [panels[start : start + 5] for start in range(0, len(panels), 5)]
    print(save_sheet(rows, out / "all.png"))


def edge_weighted(probe: sal.Probe, inputs: Any) -> Any:
    """Weigh the gradient with local contrast: an explainer of your own is a function."""
    contrast = tf.image.sobel_edges(inputs)
    return probe.gradient(inputs) * tf.norm(contrast, axis=-1)


if __name__ == "__main__":
    main()
