"""Thin adapters of existing distributed engines."""
