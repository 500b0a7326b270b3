"""The drop of the score when a part of the image is hidden."""

from dataclasses import dataclass
from typing import final

from saliency.explainers.queries import check_positive, score_copies, settled, tensor
from saliency.kernels.baselines import Reference, check_reference, reference
from saliency.kernels.occlusion import occlusion
from saliency.probe.protocol import Probe, Tensor


@final
@dataclass(frozen=True)
class Occlusion:
    """The drop of the score when a window over the pixel is filled.

    Returns float32 (N, H, W), signed, in units of the score: the mean drop over all windows that
    hold the pixel. Asks the model about one image for each window. Zeiler and Fergus, arXiv
    1311.2901, section 4.2.

    Parameters
    ----------
    window, stride
        Pixels of the model's input. The last window of a row ends at the edge.
    fill
        What fills the window: a name, number or array, see
        :func:`saliency.kernels.baselines.reference`.
    seed
        Of the fill ``"noise"``.

    Raises
    ------
    InputError
        ``window`` or ``stride`` is not above 0, or the fill is unknown.
    """

    window: int = 16
    stride: int = 8
    fill: Reference = "mean"
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive("Occlusion", window=self.window, stride=self.stride)
        check_reference(self.fill)

    def __call__(self, probe: Probe, inputs: Tensor) -> Tensor:
        inputs = tensor(inputs)
        probe, many = settled(probe, inputs), score_copies(probe, inputs)
        filled = reference(inputs, self.fill, self.seed)
        return occlusion(probe.score, inputs, filled, self.window, self.stride, many)
