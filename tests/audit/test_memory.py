"""However many pictures there are, few are in memory."""

import shutil
import weakref

from marked_pictures import reader
from pydicom.data import get_testdata_file

import saliency as sal
from saliency.audit.cases import first_pass
from saliency.audit.cases.first_pass import AHEAD, CHUNK
from saliency.audit.run import HOSTS

COUNT = 72


def test_few_pictures_are_alive_at_once(tmp_path, monkeypatch):
    """A chunk, those read ahead, and the hosts: not more, of 72 files."""
    for number in range(COUNT):
        shutil.copy(get_testdata_file("MR_small.dcm"), tmp_path / f"{number}.dcm")
    alive, most = weakref.WeakSet(), []
    as_image = first_pass.as_image

    def counted(source):
        image = as_image(source)
        alive.add(image)
        most.append(len(alive))
        return image

    monkeypatch.setattr(first_pass, "as_image", counted)
    report = sal.audit(reader(20, 20), tmp_path)

    assert report.facts["pictures"] == COUNT
    assert len(most) > COUNT
    assert max(most) <= CHUNK + AHEAD + HOSTS + 2
