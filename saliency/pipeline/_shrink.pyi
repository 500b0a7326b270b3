from saliency.values.arrays import Array

def shrink(
    pixels: Array, width: int, first: Array, weights: Array, found: Array
) -> None: ...
