"""Many explanations, one verdict: what this model looks at."""
