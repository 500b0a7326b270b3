"""``python -m saliency``."""
