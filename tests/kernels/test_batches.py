"""Runs of variants that are asked about in one call."""

from hypothesis import given
from hypothesis import strategies as st

from saliency.kernels.batches import chunks


@given(st.integers(0, 70), st.integers(1, 40))
def test_runs_are_few_and_even(count, size):
    """All items in order, in as few runs as will do, none more than one longer than another."""
    found = list(chunks(range(count), size))
    assert [item for run in found for item in run] == list(range(count))
    assert len(found) == -(-count // size)
    lengths = {len(run) for run in found}
    assert not lengths or size >= max(lengths) <= min(lengths) + 1
