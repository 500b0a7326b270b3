"""Time captum and FastCAM in PyTorch against a forward pass of PyTorch, in turns.

``out/peers/bin/python benchmarks/peers/torch_speed.py``, after ``install.sh`` beside it. The
network is MobileNetV2 (Sandler et al., arXiv 1801.04381, table 2) of random weights; FastCAM is
written from arXiv 1911.11293, sections 2 and 3: five layers, SMOE Scale, and Grad-CAM by a
backward pass to the last layer.
"""

import sys
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).resolve().parents[1] / "speed"))

import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Occlusion, Saliency
from clock import Job, once
from torch import Tensor, nn
from torch.nn.functional import interpolate

STEPS, SAMPLES, NOISE, WINDOW, ROUNDS, TARGET = 32, 25, 0.15, 32, 5, 3

#: Widening, channels, repeats and stride of each row of the paper's table.
TABLE = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def unit(
    before: int, after: int, size: int, stride: int, groups: int = 1
) -> nn.Sequential:
    """Convolve, normalise, and cut at 0 and 6."""
    conv = nn.Conv2d(before, after, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU6())


class Block(nn.Module):
    """An inverted residual."""

    def __init__(self, before: int, after: int, widening: int, stride: int) -> None:
        super().__init__()
        wide = before * widening
        first = [unit(before, wide, 1, 1)] if widening > 1 else []
        last = [nn.Conv2d(wide, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.body = nn.Sequential(*first, unit(wide, wide, 3, stride, wide), *last)
        self.around = before == after and stride == 1

    def forward(self, inputs: Tensor) -> Tensor:
        """Add where nothing changes size."""
        found = self.body(inputs)
        return inputs + found if self.around else found


class MobileNetV2(nn.Module):
    """The network, and its activations at the end of each scale."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [unit(3, 32, 3, 2)]
        before, self.ends = 32, []
        for widening, after, repeats, stride in TABLE:
            if stride == 2:
                self.ends.append(len(blocks))
            for number in range(repeats):
                blocks.append(
                    Block(before, after, widening, stride if number == 0 else 1)
                )
                before = after
        self.blocks = nn.ModuleList([*blocks, unit(before, 1280, 1, 1)])
        self.head = nn.Linear(1280, 1000)

    def layers(self, inputs: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the last activation of each scale, and the logits.

        Keras's taps lie in the block that steps down, behind its first ReLU6: so here.
        """
        found = []
        for number, block in enumerate(self.blocks):
            if number in self.ends:
                found.append(block.body[0](inputs))
            inputs = block(inputs)
        return [*found, inputs], self.head(inputs.mean((2, 3)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        for block in self.blocks:
            inputs = block(inputs)
        return self.head(inputs.mean((2, 3)))


def smoe(activation: Tensor) -> Tensor:
    """SMOE Scale (equation 9)."""
    values = activation + 1e-7
    mean = values.mean(1)
    return mean * (torch.log2(mean) - torch.log2(values).mean(1))


def normal(maps: Tensor) -> Tensor:
    """Gaussian distribution function of each map's own mean and deviation."""
    flat = maps.flatten(1)
    mean, spread = flat.mean(1)[:, None, None], flat.std(1)[:, None, None]
    return 0.5 * (1 + torch.erf((maps - mean) / (spread * 2**0.5)))


def fastcam(network: MobileNetV2, inputs: Tensor) -> Tensor:
    """Combine the statistics of five layers, and mask them by Grad-CAM."""
    activations, logits = network.layers(inputs.requires_grad_())
    (gradient,) = torch.autograd.grad(logits[:, TARGET].sum(), activations[-1])
    size = inputs.shape[2:]
    maps = [normal(smoe(each.detach()))[:, None] for each in activations]
    activity = torch.cat(
        [interpolate(each, size, mode="bilinear") for each in maps], 1
    ).mean(1)
    cam = (
        (gradient.mean((2, 3), keepdim=True) * activations[-1])
        .sum(1, keepdim=True)
        .relu()
    )
    return (activity * interpolate(cam, size, mode="bilinear")[:, 0]).detach()


def jobs(network: MobileNetV2, inputs: Tensor) -> dict[str, Job]:
    """Return what is timed: the unit first."""
    steps = {"target": TARGET, "internal_batch_size": 8}
    noise = {
        "nt_samples": SAMPLES,
        "nt_samples_batch_size": 8,
        "stdevs": NOISE,
        "target": TARGET,
    }
    saliency = Saliency(network)
    window = {
        "sliding_window_shapes": (3, WINDOW, WINDOW),
        "strides": (3, WINDOW, WINDOW),
    }
    occlusion = {**window, "target": TARGET, "perturbations_per_eval": 8}

    def forward() -> Tensor:
        with torch.no_grad():
            return network(inputs)

    return {
        "F": forward,
        "gradient": lambda: saliency.attribute(inputs, target=TARGET, abs=False),
        "SmoothGrad": lambda: NoiseTunnel(saliency).attribute(
            inputs, abs=False, **noise
        ),
        "integrated gradients": lambda: IntegratedGradients(network).attribute(
            inputs, n_steps=STEPS, **steps
        ),
        "occlusion": lambda: Occlusion(network).attribute(inputs, **occlusion),
        "FastCAM": lambda: fastcam(network, inputs.clone()),
    }


def main() -> None:
    """Print two lines of a table."""
    torch.manual_seed(0)
    network = MobileNetV2().eval()
    made = jobs(network, torch.randn(1, 3, 224, 224))
    for job in made.values():
        job()
    rounds = [{name: once(job)[1] for name, job in made.items()} for _ in range(ROUNDS)]
    print(
        f"MobileNetV2, 224 x 224, one picture, torch {torch.__version__}: processor time in F"
    )
    for name in made:
        ratios = sorted(each[name] / each["F"] for each in rounds)
        print(f"| {name} | {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) |")
    print(f"F: {1e3 * median(each['F'] for each in rounds):.0f} ms")


if __name__ == "__main__":
    main()
