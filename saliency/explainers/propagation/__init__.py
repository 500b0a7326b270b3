"""Backward rules other than the gradient's; only explainers ask for them."""
