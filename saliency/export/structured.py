"""What was found, as a measurement report (SR, TID 1500 of PS3.16)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from saliency import __version__
from saliency.dicom.kind import PRODUCT
from saliency.export.full_heat import full_heat
from saliency.export.matching import matched
from saliency.export.objects import (
    MANUFACTURER,
    builder_arguments,
    built,
    finished,
    highdicom,
    leading_of,
    new_uid,
    quantity_of,
    stand_in,
    subject_of,
    views_of,
)
from saliency.export.outlines import outlines_by_area
from saliency.interventions.zone_shares import shares
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.method_words import class_of
from saliency.values.arrays import Array
from saliency.volumes.explanation import VolumeExplanation

SERIES: Final = 9004
#: The region of the report has at least this share of full heat.
_HOT: Final = 0.5
#: Unit of a score. The code of "no units" is "1", which viewers write behind the value, where it
#: is read as a digit, and OHIF leaves out a value of 0: a share of none was shown as 1.
_SCORE: Final = Code("{score}", "UCUM", "score")
#: Our own codes, for what the standard has none.
SCHEME: Final = "99SALIENCY"


def report(
    result: Explanation | VolumeExplanation,
    source: object,
    *,
    objects: Sequence[Dataset] = (),
    audit: Any = None,
    vmax: float | None = None,
) -> Dataset:
    """Return class, probability and shares of heat as a Comprehensive SR (TID 1500).

    Parameters
    ----------
    result
        An Explanation, or a VolumeExplanation: the slice of greatest score speaks for it, of one
        answer for the whole volume that of most heat.
    source
        As for :func:`saliency.export.secondary_capture`.
    objects
        What was made of the same result, as a Parametric Map: the report refers to them.
    audit
        The AuditReport of the model, where there is one: its verdict on each zone, with the effect
        and the corrected p value, is written beside what was found in this image.
    vmax
        Full heat, in the method's unit, that several results share; None: the result's own.

    Returns
    -------
    pydicom.Dataset
        One group of measurements about the frame explained: the class as finding, its probability
        where the model gives one, the score, the share of |heat| outside the diagnostic pixels and
        in each zone, and whether the map lies under a veil; the algorithm with its version and
        parameters. Probabilities and shares are in percent. Its region is the outline of the
        largest part of the frame that has at least half of full heat; without heat there is none.

    Raises
    ------
    SaliencyError
        As for :func:`saliency.export.secondary_capture`; or highdicom is not installed (extra
        ``pacs``).
    """
    hd = highdicom()
    frames, views = matched(result, source), views_of(result)
    lead = leading_of(views)
    frame = frames[views.index(lead)]
    looked_at = stand_in(frame)
    numbers = [frame.frame + 1] if frame.frames > 1 else None
    image = (str(looked_at.SOPClassUID), str(looked_at.SOPInstanceUID), numbers)
    words = _group_arguments(hd, lead, objects, audit)
    top = full_heat(np.stack([view.heatmap.values for view in views]), vmax)
    outlines = outlines_by_area(np.abs(lead.heatmap.values), _HOT * top)
    device = hd.sr.ObserverContext(
        codes.DCM.Device,
        hd.sr.DeviceObserverIdentifyingAttributes(
            uid=new_uid(),
            name=PRODUCT,
            manufacturer_name=MANUFACTURER,
            model_name=PRODUCT,
        ),
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=device),
        procedure_reported=_own(hd, "explanation", "Explanation of a model's output"),
        imaging_measurements=[_group(hd, outlines, image, words)],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=[looked_at],
    )
    made = built(
        hd.sr.ComprehensiveSR,
        [frame],
        [looked_at],
        evidence=[looked_at, *objects],
        content=content[0],
        is_complete=True,
        **builder_arguments(lead, SERIES),
    )
    return finished(made, [frame], lead, "report")


def _group(
    hd: Any, outlines: Sequence[Array], image: Any, words: Mapping[str, Any]
) -> Any:
    """Return a group about the region of the first outline (TID 1410), else about the image.

    OHIF shows a report over the image that a region lies in, and shows nothing without one.
    """
    if not outlines:
        looked_at = hd.sr.SourceImageForMeasurementGroup(*image)
        return hd.sr.MeasurementsAndQualitativeEvaluations(
            source_images=[looked_at], **words
        )
    region = hd.sr.ImageRegion(
        "POLYLINE", outlines[0], hd.sr.SourceImageForRegion(*image)
    )
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=region, **words
    )


def _group_arguments(
    hd: Any, result: Explanation, objects: Sequence[Dataset], audit: Any
) -> dict[str, Any]:
    """Return what a group of measurements is told, whether or not it has a region."""
    shown = [
        hd.sr.SourceImageForMeasurement(each.SOPClassUID, each.SOPInstanceUID)
        for each in objects
    ]
    return {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            new_uid(), subject_of(result)[:64]
        ),
        "finding_type": _own(hd, str(result.target), subject_of(result)),
        "method": hd.sr.CodedConcept.from_code(quantity_of(result)),
        "algorithm_id": hd.sr.AlgorithmIdentification(
            class_of(result.recipe), __version__, parameters=_parameters(result)
        ),
        "measurements": [
            hd.sr.Measurement(
                _own(hd, number.code, number.words),
                number.value,
                number.unit,
                referenced_images=shown or None,
            )
            for number in (*_measured_numbers(result), *_effects_of_audit(audit))
        ],
        "qualitative_evaluations": [
            hd.sr.QualitativeEvaluation(
                _own(hd, "veiled", "The map is not to be believed"),
                codes.SCT.Yes if result.veiled else codes.SCT.No,
            ),
            *(
                hd.sr.QualitativeEvaluation(
                    _own(hd, f"reads:{name}", f"Audit: does the model read {name}?"),
                    _own(hd, verdict.finding.replace(" ", "-"), verdict.finding),
                )
                for name, verdict in _verdicts(audit).items()
            ),
        ],
    }


@final
@dataclass(frozen=True)
class _Number:
    """A measurement: its code, what it is in words, its value in the unit."""

    code: str
    words: str
    value: float
    unit: Code


def _measured_numbers(result: Explanation) -> Iterator[_Number]:
    """Yield every number about the image."""
    if result.probability is not None:
        words = "Probability of the class, by the model"
        yield _percent_item("probability", words, result.probability)
    words = f"Score of the class, by the model ({result.explains})"
    yield _Number("score", words, result.score, _SCORE)
    if result.outside is not None:
        words = "Share of heat outside the diagnostic pixels"
        yield _percent_item("outside", words, result.outside)
        for name, share in shares(result.image, result.heatmap).items():
            words = f"Share of heat in the zone {name}"
            yield _percent_item(f"in:{name}", words, share.heat)


def _percent_item(code: str, words: str, share: float) -> _Number:
    return _Number(code, words, 100 * share, codes.UCUM.Percent)


def _verdicts(audit: Any) -> Mapping[str, Any]:
    return {} if audit is None else audit.verdicts


def _effects_of_audit(audit: Any) -> Iterator[_Number]:
    """Yield every number that an audit measured of the model."""
    for name, verdict in _verdicts(audit).items():
        words = f"Audit: effect of {name} on the score"
        yield _Number(f"effect:{name}", words, verdict.effect, _SCORE)
        words = f"Audit: corrected p value of {name}"
        yield _percent_item(f"p:{name}", words, verdict.p_value)


def _parameters(result: Explanation) -> list[str]:
    model = result.model
    whose = [] if model is None else [f"model {model.name}", f"sha256 {model.sha256}"]
    return [result.recipe, *whose]


def _own(hd: Any, code: str, meaning: str) -> Any:
    """Return a code of ours; of more than 16 signs it is a Long Code Value (PS3.3 8.1)."""
    return hd.sr.CodedConcept(code, SCHEME, meaning[:64])
