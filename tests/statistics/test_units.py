"""Images of one patient are one observation: levels, intervals, and who is drawn."""

import numpy as np
import pytest

from saliency.statistics import contrast as statistics
from saliency.statistics.contrast import contrast, student_t
from saliency.statistics.units import (
    majority,
    numbered,
    resampled,
    shares_of_unit,
    shuffled,
    unit_means,
)

HOSTS = 8


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """A level of 5 % can be told with fewer draws than an audit takes."""
    monkeypatch.setattr(statistics, "DRAWS", 199)
    monkeypatch.setattr(statistics, "RESAMPLES", 400)


def leaning(margin):
    """Two groups: what speaks for one speaks against the other; float (n, hosts, 2)."""
    return np.stack([-margin, margin], axis=-1)


def repeated(generator, patients, each):
    """Return the effects of contents that know nothing of the group, groups, patients."""
    units = np.repeat(np.arange(patients), each)
    own = generator.normal(size=patients)[units]
    effect = own + 0.3 * generator.normal(size=len(units))
    by_host = effect[:, np.newaxis] * (1 + 0.3 * generator.normal(size=HOSTS))
    return leaning(by_host), units % 2, units


def below(patients, each, *, as_units, draws=200):
    """Return how often a null draw has p < 0.05."""
    found = []
    for seed in range(draws):
        generator = np.random.default_rng(seed)
        effects, member, units = repeated(generator, patients, each)
        given = units if as_units else None
        test = contrast(effects, 0 * effects, member, generator, units=given)
        found.append(test.p_value < 0.05)
    return float(np.mean(found))


@pytest.mark.slow
@pytest.mark.parametrize(("patients", "each"), [(8, 6), (12, 4)])
def test_repeated_images_keep_the_level_and_images_as_patients_do_not(patients, each):
    """5 % where patients are permuted; a version that ignores patients fails by far."""
    assert below(patients, each, as_units=True) <= 0.08
    assert below(patients, each, as_units=False) >= 0.25


def test_patients_with_images_of_both_groups_keep_the_level():
    """Sizes and shares of groups differ from patient to patient."""
    found = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        units = np.repeat(np.arange(10), generator.integers(1, 9, 10))
        leans = generator.random(10)[units]
        member = (generator.random(len(units)) < leans).astype(int)
        member[:2] = 0, 1
        effect = generator.normal(size=10)[units] + generator.normal(size=len(units))
        effects = leaning(np.tile(effect[:, np.newaxis], HOSTS))
        test = contrast(effects, 0 * effects, member, generator, units=units)
        found.append(test.p_value < 0.05)

    assert np.mean(found) <= 0.08


def drawn_world(seed, *, patients, each, scatter):
    """Return effects whose true contrast is 1, over patients and over hosts."""
    generator = np.random.default_rng(seed)
    units = np.repeat(np.arange(patients), each)
    member = units % 2
    in_host = 1 + scatter * generator.normal(size=HOSTS)
    of_patient = 0.4 * generator.normal(size=patients)[units]
    content = (2 * member - 1 + of_patient)[:, np.newaxis] / 2
    noise = 0.3 * generator.normal(size=(len(units), HOSTS))
    host = 3 * generator.normal(size=HOSTS)
    tissue = 0.2 * generator.normal(size=(len(units), HOSTS))
    return leaning(in_host * content + noise + host), leaning(tissue), member, units


def covered(draws=120, **world):
    """Return how often the interval holds the truth."""
    held = []
    for seed in range(draws):
        zone, tissue, member, units = drawn_world(seed, **world)
        generator = np.random.default_rng(seed)
        low, high = contrast(zone, tissue, member, generator, units=units).interval
        held.append(low <= 1 <= high)
    return float(np.mean(held))


@pytest.mark.parametrize(
    "world",
    [
        {"patients": 24, "each": 1, "scatter": 0.8},
        {"patients": 10, "each": 4, "scatter": 0.4},
    ],
    ids=["hosts scatter", "patients repeat"],
)
def test_the_interval_holds_the_truth_where_hosts_scatter(world, monkeypatch):
    """93 % and more of draws; with hosts held fixed the same interval misses it."""
    # Of 120 draws of a 93 % interval, 106 hold the truth at least, but for one time in 40.
    assert covered(**world) >= 106 / 120
    if world["each"] == 1:
        monkeypatch.setattr(
            statistics,
            "_over_hosts",
            lambda parts, weights: np.asarray(
                parts.mean(axis=-1) + 0 * weights[..., 0]
            ),
        )
        assert covered(60, **world) < 0.7


def test_two_groups_of_whole_patients_by_a_loop():
    """The contrast is that of means of patients, in each host, however many images each has."""
    generator = np.random.default_rng(4)
    units = np.repeat(np.arange(6), [1, 5, 2, 2, 7, 3])
    member = units % 2
    margin = generator.normal(size=(len(units), 3))
    slow = []
    for host in range(3):
        means = [margin[units == unit, host].mean() for unit in range(6)]
        slow.append(np.mean(means[1::2]) - np.mean(means[::2]))
    found = contrast(
        leaning(margin), 0 * leaning(margin), member, generator, units=units
    )

    assert np.isclose(found.zone, np.mean(slow))


def test_a_cell_that_is_unknown_is_left_out():
    """Hosts that lack a content compare the others; the result is that of the known cells."""
    generator = np.random.default_rng(5)
    margin = generator.normal(size=(8, 2))
    member = np.arange(8) % 2
    holes = leaning(margin)
    holes[0, 0] = np.nan
    slow = [
        margin[1::2, 0].mean() - margin[2::2, 0].mean(),
        margin[1::2, 1].mean() - margin[::2, 1].mean(),
    ]

    assert np.isclose(contrast(holes, 0 * holes, member, generator).zone, np.mean(slow))


def test_whole_patients_change_groups():
    """Where each patient has one group, each draw keeps that, and the numbers of patients."""
    units = np.array([5, 5, 5, 2, 9, 9, 1])
    member = np.array([1, 1, 1, 0, 0, 0, 1])
    drawn = shuffled(member, units, np.random.default_rng(0), 300)

    for row in drawn:
        of_patient = [set(row[units == unit].tolist()) for unit in (1, 2, 5, 9)]
        assert all(len(groups) == 1 for groups in of_patient)
        assert sum(groups == {1} for groups in of_patient) == 2
    assert len({tuple(row) for row in drawn.tolist()}) == 6


def test_patients_of_one_size_exchange_all_their_groups():
    """A patient of two groups gives both of them to another patient, in either order."""
    units, member = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    drawn = {
        tuple(row)
        for row in shuffled(member, units, np.random.default_rng(0), 200).tolist()
    }

    assert drawn == {(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)}


def test_a_patient_takes_groups_of_another_size_evenly():
    """One image takes each of four groups of another equally often; four images repeat two."""
    units, member = np.array([0, 1, 1, 1, 1]), np.array([5, 0, 1, 2, 3])
    drawn = shuffled(member, units, np.random.default_rng(0), 800)
    taken = drawn[drawn[:, 0] != 5, 0]

    assert (np.abs(np.bincount(taken) / len(taken) - 0.25) < 0.08).all()
    pairs = shuffled(
        np.array([6, 7, 0, 1, 2, 3]),
        np.array([0, 0, 1, 1, 1, 1]),
        np.random.default_rng(0),
        50,
    )
    moved = pairs[(pairs[:, :2] < 6).all(axis=1)]
    assert (np.sort(moved[:, 2:], axis=1) == [6, 6, 7, 7]).all()


def test_a_draw_takes_whole_patients_and_one_fewer():
    """The variance of the drawn mean is that of the mean, without the factor (n - 1) / n."""
    generator = np.random.default_rng(0)
    units = np.array([3, 3, 7, 7, 7, 8, 9])
    times = resampled(units, np.zeros(4, int), generator, 4000)
    values = np.array([2.0, 5.0, 1.0, 4.0])
    by_image = values[[0, 0, 1, 1, 1, 2, 3]] * shares_of_unit(units)
    means = times @ by_image / (times @ shares_of_unit(units))

    assert (times[:, 0] == times[:, 1]).all()
    assert np.isclose(means.var(), values.var(ddof=1) / 4, rtol=0.1)


def test_who_has_no_name_is_alone():
    """None, NaN and empty texts are no patient that images share."""
    missing = float("nan")
    found = numbered(["a", None, "b", "a", missing, missing, "", "", None, np.nan])

    assert found.tolist() == [0, 1, 2, 0, 3, 4, 5, 6, 7, 8]


def test_means_and_majorities_of_patients():
    """Units keep the order of their numbers; a tie goes to the lower group."""
    units = np.array([4, 1, 4, 1, 4])
    values = np.array([[3.0, 0], [1, 1], [6, 0], [2, 5], [0, 3]])

    assert unit_means(values, units).tolist() == [[1.5, 3], [3, 1]]
    assert majority(np.array([1, 1, 0, 0, 1]), units).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("freedom", "value"), [(2, 4.303), (3, 3.182), (7, 2.365), (30, 2.042)]
)
def test_students_t_as_tables_have_it(freedom, value):
    """Fisher and Yates's table of the 97.5 % quantile."""
    assert np.isclose(student_t(freedom), value, rtol=0.035 if freedom == 2 else 0.01)
