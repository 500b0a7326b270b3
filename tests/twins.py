"""Slow twins: each kernel once more, as loops in numpy, written from the papers."""

import itertools
import math

import numpy as np


def smoe_scale(activations):
    """S = m log2 m - m mean_c log2 y, pixel by pixel, in float64."""
    maps = np.zeros(activations.shape[:-1])
    for place in np.ndindex(maps.shape):
        y = np.maximum(activations[place].astype(np.float64), 0) + 1e-7
        maps[place] = y.mean() * (math.log2(y.mean()) - np.log2(y).mean())
    return maps


def gaussian_cdf(maps):
    """Return each pixel's normal distribution function under its own map's moments."""
    out = np.zeros(maps.shape)
    for one, result in zip(maps.astype(np.float64), out, strict=True):
        deviation = one.std(ddof=1)
        for place in np.ndindex(one.shape):
            score = (one[place] - one.mean()) / deviation
            result[place] = 0.5 * (1 + math.erf(score / math.sqrt(2)))
    return out


def bilinear(image, size):
    """One map (h, w) on another grid: half-pixel centres, edges held."""
    rows, columns = image.shape
    out = np.zeros(size)
    for place in np.ndindex(size):
        at = (np.array(place) + 0.5) * image.shape / np.array(size) - 0.5
        (top, left), (down, across) = np.floor(at).astype(int), at - np.floor(at)
        for row, column in itertools.product((0, 1), (0, 1)):
            share = (down if row else 1 - down) * (across if column else 1 - across)
            source = (
                min(max(top + row, 0), rows - 1),
                min(max(left + column, 0), columns - 1),
            )
            out[place] += share * image[source]
    return out


def combine(maps, size, weights):
    """Weighted mean of resized maps of one picture each."""
    total = sum(
        weight * bilinear(one, size) for one, weight in zip(maps, weights, strict=True)
    )
    return total / sum(weights)


def path_gradient(gradient, inputs, baseline, steps):
    """Midpoint sum, one point at a time."""
    total = np.zeros_like(inputs)
    for step in range(steps):
        total += gradient(baseline + (step + 0.5) / steps * (inputs - baseline))
    return (inputs - baseline) * total / steps


def occlusion(score, picture, fill, window, stride):
    """Hide one window after the other of one picture (H, W, C)."""
    rows, columns = picture.shape[:2]
    total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    tops = {*range(0, max(rows - window, 0), stride), max(rows - window, 0)}
    lefts = {*range(0, max(columns - window, 0), stride), max(columns - window, 0)}
    for top, left in itertools.product(tops, lefts):
        hidden = picture.copy()
        part = slice(top, top + window), slice(left, left + window)
        hidden[part] = fill[part]
        total[part] += score(picture) - score(hidden)
        count[part] += 1
    return total / count


def gradcam_weights(activation, gradient):
    """Mean gradient of each channel (h, w, c)."""
    del activation
    return np.array([gradient[..., k].mean() for k in range(gradient.shape[-1])])


def xgradcam_weights(activation, gradient):
    """Gradient weighted by the activation's share of its channel."""
    return np.array(
        [
            sum(
                activation[place][k]
                / (activation[..., k].sum() + 1e-6)
                * gradient[place][k]
                for place in np.ndindex(activation.shape[:2])
            )
            for k in range(activation.shape[-1])
        ]
    )


def gradcampp_weights(activation, gradient):
    """Sum of alpha relu(g) with alpha = g^2 / (2 g^2 + g^3 sum A)."""
    weights = np.zeros(activation.shape[-1])
    for k in range(activation.shape[-1]):
        total = activation[..., k].sum()
        for place in np.ndindex(activation.shape[:2]):
            g = gradient[place][k]
            below = 2 * g**2 + g**3 * total
            alpha = g**2 / below if below else 0.0
            weights[k] += alpha * max(g, 0)
    return weights


def guided_path_gradient(gradient, inputs, steps, fraction, distance):
    """Follow algorithm 1 of guided integrated gradients from black, trapezoid on each step."""
    here, slope = np.zeros_like(inputs), None
    total, way = np.zeros_like(inputs), np.abs(inputs).sum()
    slope = gradient(here)
    for step in range(1, steps + 1):
        part = step / steps
        there = here.copy()
        low, high = max(part - distance, 0) * inputs, min(part + distance, 1) * inputs
        behind = np.abs(there) < np.abs(low)
        there[behind] = low[behind]
        sizes = np.abs(slope).astype(np.float64)
        while (budget := np.abs(inputs - there).sum() - way * (1 - part)) > 1e-6:
            sizes[np.isclose(there, high, rtol=0, atol=1e-7)] = np.inf
            group = int(fraction * (sizes.size - 1)) + 1
            chosen = np.zeros(sizes.size, bool)
            chosen[np.argsort(sizes, axis=None, kind="stable")[:group]] = True
            chosen = chosen.reshape(sizes.shape) & np.isfinite(sizes)
            room = np.abs(high - there)[chosen].sum()
            if room == 0:
                break
            there[chosen] += min(budget / room, 1) * (high - there)[chosen]
        after = gradient(there)
        total += (there - here) * (slope + after) / 2
        here, slope = there, after
    return total


def scorecam_weights(score, picture, activation, size):
    """Softmax over channels of score(picture under the channel's mask) - score(black)."""
    rises = []
    for k in range(activation.shape[-1]):
        mask = bilinear(activation[..., k], size)
        mask = (mask - mask.min()) / max(mask.max() - mask.min(), 1e-9)
        rises.append(score(picture * mask[..., None]) - score(picture * 0))
    powers = np.exp(np.array(rises) - max(rises))
    return powers / powers.sum()


def ablation_weights(head, activation):
    """Fall of the score without a channel, as a share of |score|."""
    weights = []
    for k in range(activation.shape[-1]):
        without = activation.copy()
        without[..., k] = 0
        weights.append((head(activation) - head(without)) / abs(head(activation)))
    return np.array(weights)


def reciprocam(head, activation):
    """Score the last layer under a 3 x 3 bell around each place, stretched to [0, 1]."""
    rows, columns = activation.shape[:2]
    found = np.zeros((rows, columns))
    for row, column in np.ndindex(rows, columns):
        seen = np.zeros((rows, columns, 1))
        for down, across in itertools.product((-1, 0, 1), (-1, 0, 1)):
            if 0 <= row + down < rows and 0 <= column + across < columns:
                seen[row + down, column + across] = (
                    (2 - abs(down)) * (2 - abs(across)) / 16
                )
        found[row, column] = head(activation * seen)
    return (found - found.min()) / (found.max() - found.min())


def first_principal_map(activation):
    """Project places on the first right singular vector of the uncentred (h w, c) matrix."""
    matrix = activation.reshape(-1, activation.shape[-1]).astype(np.float64)
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    found = left[:, 0] * values[0]
    return (found * np.sign(found.sum())).reshape(activation.shape[:2])


def grow(attribution, masks):
    """Add the segment (S, P) with the densest new pixels until none has any."""
    free, result = np.ones(attribution.shape, bool), np.zeros(attribution.shape)
    while free.any():
        parts = [(mask > 0) & free for mask in masks]
        best = max(
            (part for part in parts if part.any()),
            key=lambda part: attribution[part].mean(),
        )
        result[best] = attribution[best].mean()
        free &= ~best
    return result
