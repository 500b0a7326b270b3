"""What is drawn is found, whatever it is; what is anatomy, or everywhere, is not."""

import numpy as np
import pytest

from saliency.zones.fixed_patterns import alignment, fixed_patterns, parts_of

SIZE = 60, 80
MEMBER = np.arange(24) % 2


def tissue(generator, count=24):
    """Return smooth random images: waves of all lengths, each image its own."""
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    images = np.zeros((count, *SIZE))
    for number in range(count):
        for _ in range(30):
            y, x, phase = generator.uniform(-0.5, 0.5, 3)
            images[number] += np.cos(y * down + x * across + 7 * phase)
    return 0.5 + 0.02 * images + 0.01 * generator.normal(size=images.shape)


def found(frames, member=MEMBER, seed=0):
    return fixed_patterns(frames, member, np.random.default_rng(seed))


def stroke(image, by):
    image[50, 10:30] += by


def other_words(image, by, generator):
    """Other strokes in every image, all in one line of text."""
    image[48:54, 10:40] += by * (generator.random((6, 30)) < 0.5)


@pytest.mark.parametrize("by", [0.1, -0.1, 1.0])
def test_a_line_of_one_pixel_is_found(by):
    """Faint, dark or white: in one group alone, and nowhere else."""
    frames = tissue(np.random.default_rng(0))
    for number in np.flatnonzero(MEMBER):
        stroke(frames[number], by)
    mask = found(frames)

    assert mask[50, 10:30].mean() > 0.8
    assert mask.sum() < 20 * 14


def test_a_plaster_is_found_as_a_whole():
    """Only its edges are sharp; what a border encloses is not filled."""
    frames = tissue(np.random.default_rng(9))
    for number in np.flatnonzero(MEMBER):
        frames[number, 40:50, 10:22] += 0.4
    plaster = found(frames)
    for number in np.flatnonzero(MEMBER):
        frames[number, 4:56, 4] = frames[number, 4:56, 75] = 1
        frames[number, 4, 4:76] = frames[number, 55, 4:76] = 1
    bordered = found(frames)

    assert plaster[40:50, 10:22].all()
    assert plaster.mean() < 0.08
    assert not bordered[12:36, 26:70].any()


def test_words_that_differ_are_found_by_their_energy():
    """No stroke is where another is, so the mean shows nothing."""
    generator = np.random.default_rng(1)
    frames = tissue(generator)
    for number in np.flatnonzero(MEMBER):
        other_words(frames[number], 0.3, generator)
    mask = found(frames)

    assert mask[48:54, 10:40].mean() > 0.8
    assert mask[:40].mean() < 0.05


def blob(image, row, column):
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    image += 0.35 * np.exp(-((down - row) ** 2 + (across - column) ** 2) / 32)


@pytest.mark.parametrize("case", ["nothing", "all", "grain", "brightness", "lesions"])
def test_what_is_not_drawn_in_one_group_is_not_found(case):
    """Nothing, one mark in all images, grain and brightness everywhere, lesions here and there."""
    generator = np.random.default_rng(2)
    frames = tissue(generator)
    for number, ill in enumerate(MEMBER):
        if case == "all":
            stroke(frames[number], 0.5)
        if case == "grain":
            frames[number] += 0.05 * ill * generator.normal(size=SIZE)
        if case == "brightness":
            frames[number] += 0.2 * ill
        if case == "lesions" and ill:
            blob(frames[number], generator.integers(15, 45), generator.integers(20, 60))

    assert not found(frames).any()


def test_a_place_that_is_black_in_all_images_but_one_does_not_rule():
    """Where nothing varies, one speck has an infinite ratio to nothing."""
    frames = tissue(np.random.default_rng(4))
    frames[:, :20] = 0
    frames[3, 10, 40] = 0.2

    assert not found(frames).any()


def test_what_differs_all_over_is_no_mark():
    """Stripes from edge to edge in one group: a scanner, and nothing drawn at a place."""
    frames = tissue(np.random.default_rng(10))
    frames[MEMBER == 1, ::6] += 0.6

    assert not found(frames).any()


def test_images_without_groups_have_no_difference():
    """One group, or none."""
    frames = tissue(np.random.default_rng(5))

    assert not found(frames, np.zeros(24, int)).any()
    assert not found(frames, np.full(24, -1)).any()


def test_heat_makes_the_search_narrower():
    """A mark too faint for the whole frame is found where heat lies, at the same 5 %."""
    generator = np.random.default_rng(8)
    frames = tissue(generator)
    hot = np.zeros(SIZE, bool)
    hot[46:54, 8:32] = True
    least = None
    for by in np.arange(0.004, 0.1, 0.004):
        marked = frames.copy()
        for number in np.flatnonzero(MEMBER):
            stroke(marked[number], by)
        cold = found(marked).any()
        warm = fixed_patterns(marked, MEMBER, np.random.default_rng(0), hot).any()
        assert warm or not cold
        least = by if warm and not cold and least is None else least

    assert least is not None


def test_parts_lie_apart():
    """Two words are two; letters of one word are one; the largest comes first."""
    mask = np.zeros(SIZE, bool)
    mask[5:8, 5:8] = mask[5:8, 9:12] = True
    mask[40:50, 40:60] = True
    parts = parts_of(mask, 5)

    assert [int(part.sum()) for part in parts] == [200, 18]
    assert (np.logical_or.reduce(parts) == mask).all()
    assert parts_of(mask, 1)[0].sum() == 200
    assert parts_of(np.zeros(SIZE, bool), 3) == []


def test_one_anatomy_in_one_place_is_told_from_a_shared_frame():
    """The same body in all images, or another in each."""
    generator = np.random.default_rng(6)
    frames = tissue(generator)
    body = tissue(np.random.default_rng(7), 1)[0]

    assert alignment(0.3 * frames + body) > 0.8
    assert abs(alignment(frames)) < 0.3
    # An image is not compared with itself: of four that would be half.
    assert abs(alignment(frames[:4])) < 0.3
    assert alignment(frames[:1]) == 0
    assert np.isfinite(alignment(np.ones((4, *SIZE))))
