"""Palettes, paint, PNG, figures."""
