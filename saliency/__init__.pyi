from saliency.archive.run import RunSummary as RunSummary
from saliency.archive.run import explain_archive as explain_archive
from saliency.audit.judgement.results import Verdict as Verdict
from saliency.audit.report.report import AuditReport as AuditReport
from saliency.audit.run import audit as audit
from saliency.dicom import read_dicom as read_dicom
from saliency.dicom import read_frames as read_frames
from saliency.errors import DicomError as DicomError
from saliency.errors import ExplainerError as ExplainerError
from saliency.errors import InputError as InputError
from saliency.errors import MissingExtraError as MissingExtraError
from saliency.errors import ModelError as ModelError
from saliency.errors import NotFiniteError as NotFiniteError
from saliency.errors import SaliencyError as SaliencyError
from saliency.errors import TargetError as TargetError
from saliency.evaluation.evaluate import evaluate as evaluate
from saliency.evaluation.report import EvaluationReport as EvaluationReport
from saliency.explainers.ablation import FeatureAblation as FeatureAblation
from saliency.explainers.ablation import ShapleySampling as ShapleySampling
from saliency.explainers.attention import AttentionRollout as AttentionRollout
from saliency.explainers.attention import GradientAttention as GradientAttention
from saliency.explainers.cams import CAM as CAM
from saliency.explainers.cams import FEM as FEM
from saliency.explainers.cams import EigenCAM as EigenCAM
from saliency.explainers.cams import EigenGradCAM as EigenGradCAM
from saliency.explainers.cams import GradCAM as GradCAM
from saliency.explainers.cams import GradCAMPlusPlus as GradCAMPlusPlus
from saliency.explainers.cams import HiResCAM as HiResCAM
from saliency.explainers.cams import LayerCAM as LayerCAM
from saliency.explainers.cams import XGradCAM as XGradCAM
from saliency.explainers.catalogue import catalogue as catalogue
from saliency.explainers.controls import EdgeMap as EdgeMap
from saliency.explainers.controls import RandomisedModel as RandomisedModel
from saliency.explainers.controls import RandomMap as RandomMap
from saliency.explainers.deeplift import DeepLIFT as DeepLIFT
from saliency.explainers.fastcam import FastCAM as FastCAM
from saliency.explainers.fastcam import Smoe as Smoe
from saliency.explainers.fullgrad import FullGrad as FullGrad
from saliency.explainers.gradients import Gradient as Gradient
from saliency.explainers.gradients import GradientTimesInput as GradientTimesInput
from saliency.explainers.guided import BetaSmooth as BetaSmooth
from saliency.explainers.guided import DeconvNet as DeconvNet
from saliency.explainers.guided import GuidedBackprop as GuidedBackprop
from saliency.explainers.guided import GuidedGradCAM as GuidedGradCAM
from saliency.explainers.masked_cams import AblationCAM as AblationCAM
from saliency.explainers.masked_cams import ReciproCAM as ReciproCAM
from saliency.explainers.masked_cams import ScoreCAM as ScoreCAM
from saliency.explainers.occlusion import Occlusion as Occlusion
from saliency.explainers.optimised import ExtremalPerturbation as ExtremalPerturbation
from saliency.explainers.optimised import (
    MeaningfulPerturbation as MeaningfulPerturbation,
)
from saliency.explainers.paths import BlurIntegratedGradients as BlurIntegratedGradients
from saliency.explainers.paths import ExpectedGradients as ExpectedGradients
from saliency.explainers.paths import (
    GuidedIntegratedGradients as GuidedIntegratedGradients,
)
from saliency.explainers.paths import (
    IntegratedDecisionGradients as IntegratedDecisionGradients,
)
from saliency.explainers.paths import IntegratedGradients as IntegratedGradients
from saliency.explainers.perturbation import HSIC as HSIC
from saliency.explainers.perturbation import LIME as LIME
from saliency.explainers.perturbation import RISE as RISE
from saliency.explainers.perturbation import KernelSHAP as KernelSHAP
from saliency.explainers.perturbation import Sobol as Sobol
from saliency.explainers.regions import XRAI as XRAI
from saliency.explainers.relevance import LRP as LRP
from saliency.explainers.smooth import SmoothGrad as SmoothGrad
from saliency.explainers.smooth import SmoothGradSquared as SmoothGradSquared
from saliency.explainers.smooth import VarGrad as VarGrad
from saliency.export.files import export_dicom as export_dicom
from saliency.pipeline.common_scale import common_scale as common_scale
from saliency.pipeline.explain import explain as explain
from saliency.pipeline.explain_many import explain_many as explain_many
from saliency.pipeline.explanation import Explanation as Explanation
from saliency.pipeline.layers import LayerMaps as LayerMaps
from saliency.pipeline.layers import explain_layers as explain_layers
from saliency.pipeline.load import load as load
from saliency.pipeline.prepare import Prepare as Prepare
from saliency.probe.closed_form import ClosedFormProbe as ClosedFormProbe
from saliency.probe.keras_probe import KerasProbe as KerasProbe
from saliency.probe.protocol import Probe as Probe
from saliency.probe.score_targets import Contrast as Contrast
from saliency.probe.score_targets import Region as Region
from saliency.render.palettes import Palette as Palette
from saliency.training.callback import ExplainCallback as ExplainCallback
from saliency.training.dataset import tf_dataset as tf_dataset
from saliency.values.failure import Failure as Failure
from saliency.values.heatmap import Heatmap as Heatmap
from saliency.values.image import DicomImage as DicomImage
from saliency.values.mask import Mask as Mask
from saliency.values.mask import above as above
from saliency.values.mask import top_fraction as top_fraction
from saliency.values.model_input import ModelInput as ModelInput
from saliency.values.overlay import Overlay as Overlay
from saliency.values.placement import Placement as Placement
from saliency.values.window import Window as Window
from saliency.values.zone import Zone as Zone
from saliency.volumes.animation import Animation as Animation
from saliency.volumes.animation import animate as animate
from saliency.volumes.explanation import VolumeExplanation as VolumeExplanation
from saliency.volumes.series import read_series as read_series
from saliency.volumes.volume import DicomVolume as DicomVolume

__version__: str
