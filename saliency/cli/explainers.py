"""``saliency explainers``."""

import argparse
from typing import Any

from saliency.cli.codes import DONE
from saliency.cli.options import add_verb
from saliency.cli.quiet import start_tensorflow
from saliency.errors import SaliencyError


def add_explainers(commands: Any) -> None:
    """Add the verb."""
    add_verb(
        commands, "explainers", "list the explainers, their cost and needs", explainers
    )


def explainers(options: argparse.Namespace) -> int:  # noqa: ARG001 - a verb takes its options
    """Print each explainer with its cost and needs."""
    start_tensorflow()
    from saliency.explainers.catalogue import DEMANDING, ENTRIES, installed

    for name, entry in {**ENTRIES, **DEMANDING}.items():
        print(f"{name:<22} {entry.summary}")
        print(f"{'':<22} costs {entry.cost}; needs {entry.needs or 'nothing'}")
    for plugin in installed():
        try:
            print(
                f"{plugin.name:<22} {plugin.said('summary')} ({plugin.package or 'a plug-in'})"
            )
            print(f"{'':<22} costs {plugin.said('cost')}; needs {plugin.said('needs')}")
        except SaliencyError as error:  # the others are listed all the same
            print(f"  {error}")
    return DONE
