"""The shell: one file a verb."""

from saliency.cli.main import main

__all__ = ["main"]
