"""Numbers about explanations."""
