"""Numbers about explanations: which map tells the truth about a model.

Metrics are functions. Those of a map and a truth take a heatmap and a mask; those of a probe take
(probe, inputs, attribution) or (probe, inputs, explainer). None means anything without baselines:
:func:`saliency.evaluate` measures explainers beside random, centre and edge maps.
"""

from saliency.evaluation.curves import Curve, deletion, exchange, insertion, irof, road
from saliency.evaluation.faithfulness import (
    infidelity,
    max_sensitivity,
    mufidelity,
    sensitivity_n,
)
from saliency.evaluation.retraining import Retrained, kar, roar
from saliency.evaluation.sanity import (
    cascade,
    randomisation,
    repeatability,
    sparseness,
)
from saliency.evaluation.truth import (
    auprc,
    energy_inside,
    miou,
    miou_otsu,
    otsu_mask,
    pointing_game,
)

__all__ = [
    "Curve",
    "Retrained",
    "auprc",
    "cascade",
    "deletion",
    "energy_inside",
    "exchange",
    "infidelity",
    "insertion",
    "irof",
    "kar",
    "max_sensitivity",
    "miou",
    "miou_otsu",
    "mufidelity",
    "otsu_mask",
    "pointing_game",
    "randomisation",
    "repeatability",
    "road",
    "roar",
    "sensitivity_n",
    "sparseness",
]
