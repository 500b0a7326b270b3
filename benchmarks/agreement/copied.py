"""The small network of tests/peer_network.py in PyTorch, and what its libraries say of it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from peer_network import HALVES, STRIPS
from torch import nn

EPSILON = 1e-3
"""Of Keras's batch normalisation. It is added to the copy's variance, and the copy's own is 0:
zennit 0.5.1 folds a normalisation into the convolution, and leaves sqrt(1 + epsilon) behind."""

Maps = Mapping[str, Callable[[], Any]]


def copy_of(model: Any, pool: str = "max") -> nn.Sequential:
    """Return the network with its weights: kernels (kh, kw, in, out) become (out, in, kh, kw)."""
    pooling = {"max": nn.MaxPool2d, "mean": nn.AvgPool2d}[pool]
    weights = [np.asarray(each) for each in model.get_weights()]
    first, second = weights[0], weights[6]
    net = nn.Sequential(
        nn.Conv2d(first.shape[2], first.shape[3], 3, padding=1),
        nn.BatchNorm2d(first.shape[3], eps=0.0),
        nn.ReLU(),
        pooling(2),
        nn.Conv2d(second.shape[2], second.shape[3], 3, padding=1),
        nn.BatchNorm2d(second.shape[3], eps=0.0),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(*weights[12].shape),
        nn.ReLU(),
        nn.Linear(*weights[14].shape),
    )
    for layer, start in ((0, 0), (4, 6)):
        _fill(
            net[layer], np.transpose(weights[start], (3, 2, 0, 1)), weights[start + 1]
        )
        _fill(net[layer + 1], weights[start + 2], weights[start + 3])
        net[layer + 1].running_mean.copy_(torch.tensor(weights[start + 4]))
        net[layer + 1].running_var.copy_(torch.tensor(weights[start + 5] + EPSILON))
    _fill(net[8], _reordered(weights[12], model), weights[13])
    _fill(net[10], weights[14].T, weights[15])
    return net.eval()


def captum(net: nn.Sequential, inputs: Any, target: int) -> Maps:
    """Return captum's maps: (N, H, W, C), or (N, H, W) of a layer, resized."""
    from captum import attr  # noqa: PLC0415

    x = _channels_first(inputs)
    ask = {"inputs": x, "target": target}
    layer, to = net[6], tuple(x.shape[2:])

    def cam() -> Any:
        found = attr.LayerGradCam(net, layer).attribute(**ask, relu_attributions=True)
        return attr.LayerAttribution.interpolate(found, to, "bilinear")

    def regional(kind: Any, regions: Any, **more: Any) -> Any:
        mask = torch.tensor(regions)[None, None]
        found = kind(net).attribute(**ask, baselines=0 * x, feature_mask=mask, **more)
        return found.mean(1, keepdim=True)

    middle = {"baselines": 0 * x, "n_steps": 32, "method": "riemann_middle"}
    window = {
        "sliding_window_shapes": (x.shape[1], 4, 4),
        "strides": (x.shape[1], 4, 4),
    }
    guided = attr.GuidedGradCam(net, layer)
    found: dict[str, Callable[[], Any]] = {
        "gradient": lambda: attr.Saliency(net).attribute(**ask, abs=False),
        "gradient_x_input": lambda: attr.InputXGradient(net).attribute(**ask),
        "integrated_gradients": lambda: attr.IntegratedGradients(net).attribute(
            **ask, **middle
        ),
        "guided_backprop": lambda: attr.GuidedBackprop(net).attribute(**ask),
        "deconvnet": lambda: attr.Deconvolution(net).attribute(**ask),
        "guided_gradcam": lambda: guided.attribute(**ask, interpolate_mode="bilinear"),
        "gradcam": cam,
        "deeplift": lambda: attr.DeepLift(net).attribute(**ask, baselines=0 * x),
        "deeplift_shap": lambda: attr.DeepLiftShap(net).attribute(
            **ask, baselines=torch.cat([0 * x, 0 * x + 0.5])
        ),
        "occlusion": lambda: (
            attr.Occlusion(net).attribute(**ask, **window).mean(1, keepdim=True)
        ),
        "feature_ablation": partial(regional, attr.FeatureAblation, STRIPS),
        "shapley_values": partial(regional, attr.ShapleyValues, HALVES),
    }
    return {name: partial(_channels_last, job) for name, job in found.items()}


def zennit(net: nn.Sequential, inputs: Any, target: int) -> Maps:
    """Return zennit's maps (N, H, W, C); relevance starts with the logit."""
    _name_operators()
    from zennit import composites as made  # noqa: PLC0415
    from zennit import rules, types  # noqa: PLC0415
    from zennit.attribution import Gradient  # noqa: PLC0415
    from zennit.canonizers import SequentialMergeBatchNorm  # noqa: PLC0415

    x, folded = _channels_first(inputs), [SequentialMergeBatchNorm()]
    everywhere = [(types.Activation, rules.Pass()), (types.AvgPool, rules.Norm())]
    mixed = {"epsilon": rules.Epsilon(), "gamma": rules.Gamma(0.25)}

    def of(composite: Any, *, logit: bool = False) -> Any:
        def start(output: Any) -> Any:
            hot = torch.nn.functional.one_hot(
                torch.tensor([target] * len(x)), output.shape[1]
            )
            return hot * (output if logit else 1.0)

        with Gradient(net, composite) as ask:
            return ask(x, start)[1]

    def layered(convolution: str) -> Any:
        rows = [
            *everywhere,
            (types.Convolution, mixed[convolution]),
            (nn.Linear, rules.Epsilon()),
        ]
        return made.LayerMapComposite(layer_map=rows, canonizers=folded)

    named = {
        "epsilon_plus": made.EpsilonPlus,
        "epsilon_plus_flat": made.EpsilonPlusFlat,
        "epsilon_alpha2_beta1": made.EpsilonAlpha2Beta1,
        "epsilon_alpha2_beta1_flat": made.EpsilonAlpha2Beta1Flat,
        "epsilon_gamma_box": partial(made.EpsilonGammaBox, 0 * x[:1], 0 * x[:1] + 1),
        "excitation_backprop": made.ExcitationBackprop,
    }
    relevance = {name: partial(kind, canonizers=folded) for name, kind in named.items()}
    relevance |= {
        "epsilon": lambda: layered("epsilon"),
        "epsilon_gamma": lambda: layered("gamma"),
    }
    found: dict[str, Callable[[], Any]] = {
        "gradient": lambda: of(None),
        "guided_backprop": lambda: of(made.GuidedBackprop()),
        "deconvnet": lambda: of(made.DeconvNet()),
        "beta_smooth": lambda: of(made.BetaSmooth()),
    }
    for name, kind in relevance.items():
        found[f"lrp {name}"] = lambda kind=kind: of(kind(), logit=True)
    return {name: partial(_channels_last, job) for name, job in found.items()}


def grad_cam(net: nn.Sequential, inputs: Any, target: int) -> Maps:
    """Return pytorch-grad-cam's maps (N, H, W) before they are stretched to [0, 1]."""
    _name_operators()
    import pytorch_grad_cam as made  # noqa: PLC0415
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # noqa: PLC0415

    x, layer = _channels_first(inputs), net[6]
    targets = [ClassifierOutputTarget(target) for _ in x]

    def of(kind: Any) -> Any:
        cam = kind(model=net, target_layers=[layer])
        watched = cam.activations_and_grads
        answer = watched(x.clone().requires_grad_())
        net.zero_grad()
        total = sum(wanted(one) for wanted, one in zip(targets, answer, strict=True))
        total.backward(retain_graph=True)
        kept = [
            each.data.numpy() for each in (watched.activations[0], watched.gradients[0])
        ]
        found = np.maximum(cam.get_cam_image(x, layer, targets, *kept, False), 0)  # noqa: FBT003
        watched.release()
        low = torch.tensor(np.asarray(found, np.float32))[:, None]
        return torch.nn.functional.interpolate(low, tuple(x.shape[2:]), mode="bilinear")

    kinds = {
        "gradcam": made.GradCAM,
        "gradcam_plus_plus": made.GradCAMPlusPlus,
        "xgradcam": made.XGradCAM,
        "hirescam": made.HiResCAM,
        "layercam": made.LayerCAM,
        "scorecam": made.ScoreCAM,
        "ablationcam": made.AblationCAM,
    }
    return {
        name: partial(_channels_last, lambda kind=kind: of(kind))
        for name, kind in kinds.items()
    }


LIBRARIES = {"captum": captum, "zennit": zennit, "pytorch-grad-cam": grad_cam}


def _fill(layer: Any, weight: Any, bias: Any) -> None:
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(np.array(weight)))
        layer.bias.copy_(torch.tensor(np.array(bias)))


def _reordered(kernel: Any, model: Any) -> Any:
    """Return the first dense layer's kernel for channels that come first when flattened."""
    shape = model.get_layer("seen").output.shape[1:]
    return np.transpose(kernel.reshape(*shape, -1), (3, 2, 0, 1)).reshape(
        kernel.shape[1], -1
    )


def _channels_first(pictures: Any) -> Any:
    return torch.tensor(np.array(np.transpose(pictures, (0, 3, 1, 2)))).requires_grad_()


def _channels_last(job: Callable[[], Any]) -> Any:
    """Return (N, H, W, C), or (N, H, W) where there is one map for all channels."""
    found = np.transpose(job().detach().numpy(), (0, 2, 3, 1))
    return found[..., 0] if found.shape[-1] == 1 else found


def _name_operators() -> None:
    """Name what a torchvision made for another build of torch lacks; nobody calls it here."""
    boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    try:
        import torchvision  # noqa: F401, PLC0415
    except (ImportError, RuntimeError):
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", boxes)
