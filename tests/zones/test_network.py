"""The weights of text and markers: those of the fit, bit for bit, and what is made of them."""

import hashlib
from math import tanh

import numpy as np
import pytest

from saliency.zones import marker_classifier, text_classifier
from saliency.zones.network import Network, load_network
from saliency.zones.text_lines import TextLine

#: sha256 of hidden weights, their bias, output weights and their bias, float64 in memory order.
SHIPPED = {
    "text_classifier": "52e8733518bf6f9717967f65ac5a62f4ec481210b435050e29ddededae091e6d",
    "marker_classifier": "670cec8c2f855fc7e55fc6fcec42454d2923b15a3ae62bd87eba617bb585dedd",
}
FITTED = {"text_classifier": "2026-11-30", "marker_classifier": "2026-11-28"}


@pytest.mark.parametrize("name", SHIPPED)
def test_weights_are_those_that_docs_tell_of(name):
    """benchmarks/zones.md holds for these numbers, and the file says when they were fitted."""
    network = load_network(name)
    numbers = (network.hidden, network.hidden_bias, network.output, network.output_bias)
    digest = hashlib.sha256(b"".join(np.float64(value).tobytes() for value in numbers))
    assert digest.hexdigest() == SHIPPED[name]
    assert network.fitted == FITTED[name]
    assert len(network.features) == len(network.hidden)


def test_a_network_is_two_sums_and_a_tanh():
    """The log odds are those of the double loop."""
    rng = np.random.default_rng(0)
    hidden, bias, output = (
        rng.normal(size=(3, 4)),
        rng.normal(size=4),
        rng.normal(size=4),
    )
    network = Network("2000-01-01", ("a", "b", "c"), hidden, bias, output, 0.5)
    features = rng.normal(size=(5, 3))
    slow = [
        0.5
        + sum(
            output[unit]
            * tanh(bias[unit] + sum(row[k] * hidden[k, unit] for k in range(3)))
            for unit in range(4)
        )
        for row in features
    ]
    np.testing.assert_allclose(network(features), slow, rtol=1e-12)
    np.testing.assert_allclose(network(features[0]), slow[0], rtol=1e-12)


def test_features_are_in_the_order_of_the_file():
    """Each name of the file is the measure of a line that stands in its place."""
    names = text_classifier.NETWORK.features
    line = TextLine(
        **{field: 0.001 * k + 0.001 for k, field in enumerate(TextLine._fields)}
    )
    logs = {"letters", "crossings", "components", "ridge"}
    for name, value in zip(names, text_classifier.features(line), strict=True):
        measure = getattr(line, name.replace(" ", "_"))
        assert value == pytest.approx(np.log(measure) if name in logs else measure)
    assert len(marker_classifier.NETWORK.features) == 6 + 8 + 5 + 36
