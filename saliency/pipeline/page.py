"""An explanation as HTML: image, overlay and caption, with nothing loaded from elsewhere."""

from html import escape
from typing import Any, Final

from saliency import png
from saliency.pipeline.band import caption_lines, captioned
from saliency.pipeline.redact import redacted_display
from saliency.values.arrays import Array
from saliency.values.notebook import shrunk_for_notebook
from saliency.values.overlay import Overlay

_STYLE: Final = (
    "body{font-family:sans-serif;margin:1rem;background:#141414;color:#e1e1e1}"
    "figure{display:inline-block;margin:0 1rem 1rem 0;vertical-align:top}"
    "img{max-width:100%;image-rendering:pixelated}"
)


def page_of(result: Any, overlay: Overlay, *, redact: bool) -> str:
    """Return a page for a browser, readable without a script; the picture comes first."""
    display = redacted_display(result.image) if redact else result.image.display
    said = "".join(f"<p>{escape(line.text)}</p>" for line in caption_lines(result))
    title = escape(result.caption)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>"
        f"<figure>{picture_tag(display, 'the image')}<figcaption>image</figcaption></figure>"
        f"<figure>{picture_tag(captioned(result, overlay), title)}</figure>"
        f"{said}</body></html>\n"
    )


def notebook_form(result: Any) -> str:
    """Return a figure for a notebook: the overlay, at most 1,024 pixels long, and its caption."""
    overlay = result.overlay()
    picture = captioned(result, overlay, shrunk_for_notebook(overlay.rgb))
    title = escape(result.caption)
    return f"<figure>{picture_tag(picture, title)}<figcaption>{title}</figcaption></figure>"


def picture_tag(picture: Array, words: str) -> str:
    """Return a picture as HTML; its words are escaped already."""
    address = png.data_url(png.encode(picture))
    return f'<img alt="{words}" src="{address}">'
