"""Every "no evidence" carries its sensitivity: a number, and the same number in words."""

from saliency.audit.judgement.verdict import BLIND


def check_said(verdict):
    """Assert that a verdict of "no evidence" says how probably it would have told."""
    if verdict.finding != "no evidence":
        assert verdict.sensitivity is None
        return
    assert 0 <= verdict.sensitivity <= 1
    if verdict.sensitivity == 0:
        assert BLIND in verdict.sentence or "found in 0 of" in verdict.sentence
    else:
        told = f"in {100 * verdict.sensitivity:.0f} % of audits like this one"
        assert told in verdict.sentence or " that the audit drew " in verdict.sentence
