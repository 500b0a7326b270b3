"""Saliency maps for Keras models, painted on the diagnostic pixels of DICOM images.

An explainer is a function of a probe and an image::

    import saliency as sal

    image = sal.read_dicom("chest.dcm")
    result = sal.explain(model, image, "fastcam", target=1)
    result.overlay().save("chest.png")

Names are loaded on first use: ``import saliency`` loads neither numpy nor TensorFlow.
"""

from importlib import import_module as _import_module
from os import path as _path

__version__ = "0.1.0"

# pathlib would take a third of the 50 ms that an import may cost.
if any(_path.isdir(_path.join(__path__[0], room)) for room in ("tf1", "metrics")):  # noqa: PTH112, PTH118
    _clash = (
        "Two libraries are mixed in one folder: 'dicom-saliency' and PAIR's 'saliency' install the "
        "same import name, and the later one overwrote files of the earlier. Keep one: "
        "pip uninstall -y saliency dicom-saliency && pip install dicom-saliency"
    )
    raise ImportError(_clash)

_HOMES = {
    "saliency.archive.run": "RunSummary explain_archive",
    "saliency.audit.report.report": "AuditReport",
    "saliency.audit.run": "audit",
    "saliency.audit.judgement.results": "Verdict",
    "saliency.dicom": "read_dicom read_frames",
    "saliency.evaluation.evaluate": "evaluate",
    "saliency.evaluation.report": "EvaluationReport",
    "saliency.errors": "DicomError ExplainerError InputError MissingExtraError ModelError "
    "NotFiniteError SaliencyError TargetError",
    "saliency.explainers.ablation": "FeatureAblation ShapleySampling",
    "saliency.explainers.attention": "AttentionRollout GradientAttention",
    "saliency.explainers.cams": "CAM EigenCAM EigenGradCAM FEM GradCAM GradCAMPlusPlus "
    "HiResCAM LayerCAM XGradCAM",
    "saliency.explainers.catalogue": "catalogue",
    "saliency.explainers.controls": "EdgeMap RandomMap RandomisedModel",
    "saliency.explainers.deeplift": "DeepLIFT",
    "saliency.explainers.fastcam": "FastCAM Smoe",
    "saliency.explainers.fullgrad": "FullGrad",
    "saliency.explainers.gradients": "Gradient GradientTimesInput",
    "saliency.explainers.guided": "BetaSmooth DeconvNet GuidedBackprop GuidedGradCAM",
    "saliency.explainers.masked_cams": "AblationCAM ReciproCAM ScoreCAM",
    "saliency.explainers.occlusion": "Occlusion",
    "saliency.explainers.optimised": "ExtremalPerturbation MeaningfulPerturbation",
    "saliency.explainers.paths": "BlurIntegratedGradients ExpectedGradients "
    "GuidedIntegratedGradients IntegratedDecisionGradients IntegratedGradients",
    "saliency.explainers.perturbation": "HSIC KernelSHAP LIME RISE Sobol",
    "saliency.explainers.regions": "XRAI",
    "saliency.explainers.relevance": "LRP",
    "saliency.explainers.smooth": "SmoothGrad SmoothGradSquared VarGrad",
    "saliency.pipeline.common_scale": "common_scale",
    "saliency.export.files": "export_dicom",
    "saliency.pipeline.explain_many": "explain_many",
    "saliency.pipeline.explain": "explain",
    "saliency.pipeline.explanation": "Explanation",
    "saliency.pipeline.load": "load",
    "saliency.pipeline.layers": "LayerMaps explain_layers",
    "saliency.pipeline.prepare": "Prepare",
    "saliency.probe.closed_form": "ClosedFormProbe",
    "saliency.probe.keras_probe": "KerasProbe",
    "saliency.probe.protocol": "Probe",
    "saliency.probe.score_targets": "Contrast Region",
    "saliency.render.palettes": "Palette",
    "saliency.slides.explain": "explain_slide",
    "saliency.slides.level": "Level",
    "saliency.slides.open": "open_slide",
    "saliency.slides.result": "SlideExplanation",
    "saliency.slides.result_load": "load_slide",
    "saliency.slides.slide": "Slide",
    "saliency.training.callback": "ExplainCallback",
    "saliency.training.dataset": "tf_dataset",
    "saliency.values.failure": "Failure",
    "saliency.values.heatmap": "Heatmap",
    "saliency.values.image": "DicomImage",
    "saliency.values.mask": "Mask above top_fraction",
    "saliency.values.model_input": "ModelInput",
    "saliency.values.overlay": "Overlay",
    "saliency.values.placement": "Placement",
    "saliency.values.window": "Window",
    "saliency.values.zone": "Zone",
    "saliency.volumes.animation": "Animation animate",
    "saliency.volumes.explanation": "VolumeExplanation",
    "saliency.volumes.series": "read_series",
    "saliency.volumes.volume": "DicomVolume",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_ROOMS = frozenset(
    {
        "archive",
        "audit",
        "dicom",
        "errors",
        "evaluation",
        "explainers",
        "export",
        "interventions",
    }
    | {
        "kernels",
        "pipeline",
        "probe",
        "render",
        "slides",
        "statistics",
        "testing",
        "training",
        "values",
    }
    | {"volumes", "zones"}
)

__all__ = [*_HOME_OF]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return _import_module(f"saliency.{name}")
    if name not in _HOME_OF:
        msg = f"module 'saliency' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(_import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
