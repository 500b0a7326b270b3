"""What was found, as a measurement report (SR, TID 1500 of PS3.16)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from saliency import __version__
from saliency.dicom.kind import PRODUCT
from saliency.export.matching import SourceFrame, matched
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
from saliency.interventions.zone_shares import shares
from saliency.pipeline.explanation import Explanation
from saliency.pipeline.method_words import class_of
from saliency.volumes.explanation import VolumeExplanation

SERIES: Final = 9004
#: Our own codes, for what the standard has none.
SCHEME: Final = "99SALIENCY"


def report(
    result: Explanation | VolumeExplanation,
    source: object,
    *,
    objects: Sequence[Dataset] = (),
    audit: Any = None,
) -> Dataset:
    """Return class, probability and shares of heat as a Comprehensive SR (TID 1500).

    Parameters
    ----------
    result
        An Explanation, or a VolumeExplanation: the slice of greatest score speaks for it.
    source
        As for :func:`saliency.export.secondary_capture`.
    objects
        What was made of the same result, as a Parametric Map: the report refers to them.
    audit
        The AuditReport of the model, where there is one: its verdict on each zone, with the effect
        and the corrected p value, is written beside what was found in this image.

    Returns
    -------
    pydicom.Dataset
        One group of measurements about the frame explained: the class as finding, its probability
        where the model gives one, the score, the share of |heat| outside the diagnostic pixels and
        in each zone, 0..1, and whether the map lies under a veil; the algorithm with its version
        and parameters.

    Raises
    ------
    SaliencyError
        As for :func:`saliency.export.secondary_capture`; or highdicom is not installed (extra
        ``pacs``).
    """
    hd = highdicom()
    frames, views = matched(result, source), views_of(result)
    lead = leading_of(result, views)
    frame = frames[views.index(lead)]
    looked_at = stand_in(frame)
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
        imaging_measurements=[
            _group(hd, lead, _image_reference(hd, looked_at, frame), objects, audit)
        ],
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
    return finished(made, frame, lead, "report")


def _image_reference(hd: Any, looked_at: Dataset, frame: SourceFrame) -> Any:
    """Return a reference to the frame explained."""
    numbers = [frame.frame + 1] if frame.frames > 1 else None
    return hd.sr.SourceImageForMeasurementGroup(
        str(looked_at.SOPClassUID), str(looked_at.SOPInstanceUID), numbers
    )


def _group(
    hd: Any, result: Explanation, image: Any, objects: Sequence[Dataset], audit: Any
) -> Any:
    shown = [
        hd.sr.SourceImageForMeasurement(each.SOPClassUID, each.SOPInstanceUID)
        for each in objects
    ]
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            new_uid(), subject_of(result)[:64]
        ),
        finding_type=_own(hd, str(result.target), subject_of(result)),
        method=hd.sr.CodedConcept.from_code(quantity_of(result)),
        algorithm_id=hd.sr.AlgorithmIdentification(
            class_of(result.recipe), __version__, parameters=_parameters(result)
        ),
        measurements=[
            hd.sr.Measurement(
                _own(hd, code, words),
                value,
                codes.UCUM.NoUnits,
                referenced_images=shown or None,
            )
            for code, words, value in (
                *_measured_numbers(result),
                *_effects_of_audit(audit),
            )
        ],
        qualitative_evaluations=[
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
        source_images=[image],
    )


def _measured_numbers(result: Explanation) -> Iterator[tuple[str, str, float]]:
    """Yield code, words and value of every number."""
    if result.probability is not None:
        yield (
            "probability",
            "Probability of the class, by the model",
            result.probability,
        )
    yield "score", f"Score of the class, by the model ({result.explains})", result.score
    if result.outside is not None:
        yield "outside", "Share of heat outside the diagnostic pixels", result.outside
        for name, share in shares(result.image, result.heatmap).items():
            yield (
                f"in:{name}"[:16],
                f"Share of heat in the zone {name}"[:64],
                share.heat,
            )


def _verdicts(audit: Any) -> Mapping[str, Any]:
    return {} if audit is None else audit.verdicts


def _effects_of_audit(audit: Any) -> Iterator[tuple[str, str, float]]:
    """Yield code, words and value of what an audit measured of the model."""
    for name, verdict in _verdicts(audit).items():
        yield f"effect:{name}", f"Audit: effect of {name} on the score", verdict.effect
        yield f"p:{name}", f"Audit: corrected p value of {name}", verdict.p_value


def _parameters(result: Explanation) -> list[str]:
    model = result.model
    whose = [] if model is None else [f"model {model.name}", f"sha256 {model.sha256}"]
    return [result.recipe, *whose]


def _own(hd: Any, code: str, meaning: str) -> Any:
    return hd.sr.CodedConcept(code[:16], SCHEME, meaning[:64])
