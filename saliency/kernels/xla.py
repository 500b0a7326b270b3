"""One walk through memory for what TensorFlow does in several."""

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps

import tensorflow as tf

from saliency.kernels.batches import Tensor


def fused(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compile a function of tensors to one XLA kernel for each shape.

    The kernel reads each argument and writes each result once. Where TensorFlow comes without
    a compiler for its device, the function runs operation by operation.
    """
    compiled = tf.function(
        function, autograph=False, jit_compile=True, reduce_retracing=True
    )

    @wraps(function)
    def run(*tensors: Tensor) -> Tensor:
        return compiled(*tensors) if _compiler() else function(*tensors)

    return run


def fused_samples(
    function: Callable[[Tensor], Tensor], activations: Sequence[Tensor]
) -> list[Tensor]:
    """Run a function of (..., C) -> (...) over each of several activations (N, h, w, C).

    In a graph each is one XLA kernel, which reads its activation once or twice. XLA compiles for
    fixed shapes: so it is given one sample after another, and compiles once for all batch sizes.
    A kernel holds no weights and is kept for its function and shape: models share it, and the
    next model adds none. Outside of a graph, where the sizes are free, or where XLA cannot compile
    for the device, it is operation by operation.
    """
    static = all(layer.shape[1:].is_fully_defined() for layer in activations)
    if tf.executing_eagerly() or not static or not _compiler():
        return [function(layer) for layer in activations]
    shapes = [tuple(layer.shape[1:]) for layer in activations]
    kernels = [_kernel(function, shape) for shape in shapes]

    def sample(number: Tensor) -> list[Tensor]:
        """Run one sample; its number is mapped, since mapped activations would be copied."""
        pairs = zip(kernels, activations, strict=True)
        return [kernel(tf.cast(layer[number], tf.float32)) for kernel, layer in pairs]

    specs = [tf.TensorSpec(shape[:-1], tf.float32) for shape in shapes]
    numbers = tf.range(tf.shape(activations[0])[0])
    return list(tf.map_fn(sample, numbers, fn_output_signature=specs))


@lru_cache(maxsize=256)
def _kernel(
    function: Callable[[Tensor], Tensor], shape: tuple[int, ...]
) -> Callable[..., Tensor]:
    """Return the compiled function of one float32 sample of a shape: the same for all models."""
    spec = tf.TensorSpec(shape, tf.float32)
    with tf.init_scope():
        traced = tf.function(function, autograph=False, jit_compile=True)
        kernel: Callable[..., Tensor] = traced.get_concrete_function(spec)
    return kernel


@lru_cache(maxsize=1)
def _compiler() -> bool:
    """Try whether there is one: some builds and devices of TensorFlow come without."""
    try:
        tf.function(tf.negative, autograph=False, jit_compile=True)(tf.zeros(1))
    except (tf.errors.OpError, ValueError):
        return False
    return True
