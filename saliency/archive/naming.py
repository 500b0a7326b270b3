"""Names of results: nothing of the source, no position, and nothing that a file system forbids."""

from hashlib import sha256
from typing import Final

from saliency.values.image import DicomImage

_LONGEST: Final = 60


def safe(text: str) -> str:
    """Return a part of a file name: without what some file system forbids, and not too long.

    Where that changes the text, four digits of its hash follow, so that two texts stay two.
    """
    allowed = [sign if sign.isalnum() or sign in " _.+=" else "_" for sign in text]
    kept = "".join(allowed[:_LONGEST]).strip(" .") or "_"
    if kept == text:
        return text
    digits = sha256(text.encode()).hexdigest()[:4]
    return f"{kept}~{digits}"


def stem_of(image: DicomImage, key: str, method: str, target: object) -> str:
    """Return the name of a result without its ending.

    Parameters
    ----------
    key
        Digits that tell apart what shows the same pixel data otherwise, or was asked of another
        model.
    """
    who = f"{image.digest[:12]}_{key}"
    return f"{who}-{image.frame}-{safe(method)}-{safe(str(target))}"
