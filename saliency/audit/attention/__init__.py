"""Where heatmaps lie: worth a look, never a verdict."""
