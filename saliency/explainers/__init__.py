"""One file per family of explainers: frozen recipes with a call."""
