"""Notes about a file that is shown although something in it is wrong.

They go to the logger ``saliency.dicom``, not to ``warnings``: a run over an archive asks for every
one of them, not for the first. They name tags and clauses, never a value of the file.
"""

import logging


def warn(message: str) -> None:
    """Log a note."""
    logging.getLogger("saliency.dicom").warning(message)
