"""Warnings of pydicom quote values of a file: no thread hears them while one of them reads."""

import logging
import threading
import warnings

from saliency.dicom.file.guard import without_warnings


def test_the_first_thread_that_is_done_does_not_end_the_silence():
    """Two overlap, the first leaves: what the second provokes is still kept back, and then told."""
    inside, gone, told = threading.Event(), threading.Event(), []
    logger, handler = logging.getLogger("pydicom"), logging.Handler()
    handler.emit = told.append

    def second():
        inside.wait()
        with without_warnings():
            gone.set()
            first.join()
            warnings.warn("DOE^JOHN", stacklevel=1)
            logger.warning("DOE^JOHN")

    def first_one():
        with without_warnings():
            inside.set()
            gone.wait()

    first, other = threading.Thread(target=first_one), threading.Thread(target=second)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            for each in (first, other):
                each.start()
            other.join()
            assert (heard, told) == ([], [])
            warnings.warn("of somebody else", stacklevel=1)
            logger.warning("of somebody else")
    finally:
        logger.removeHandler(handler)
    assert [str(each.message) for each in heard] == ["of somebody else"]
    assert [each.getMessage() for each in told] == ["of somebody else"]
