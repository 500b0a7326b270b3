"""One image, many images: prepare, explain, place back."""
