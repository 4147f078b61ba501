"""The paper's section 3: subject queries, relational aggregation, the decoder loop, heads and the detector."""

from dsct_detrex.dsct.adapters import HostAdapter, MultiScaleAdapter, SingleScaleAdapter, adapter_for, register_adapter
from dsct_detrex.dsct.context_detection import ContextDetection, context_detection
from dsct_detrex.dsct.context_heads import ContextHeads
from dsct_detrex.dsct.decoder import LayerOutput, SubjectContextDecoder
from dsct_detrex.dsct.decoder_layer import DSCTDecoderLayer
from dsct_detrex.dsct.detector import DSCT
from dsct_detrex.dsct.formulas import FORMULAS, Softmax, register_formula
from dsct_detrex.dsct.frozen_start import FrozenStart
from dsct_detrex.dsct.heads import SubjectHeads
from dsct_detrex.dsct.host_training import HostTraining
from dsct_detrex.dsct.observation import Features, Observation, Sampling
from dsct_detrex.dsct.relational_aggregation import Aggregation, RelationalAggregation
from dsct_detrex.dsct.reweighting import REWEIGHTINGS, Pairs, register_reweighting
from dsct_detrex.dsct.subject_queries import QuerySpec, SubjectQueries, Subjects

__all__ = [
    "DSCT",
    "FORMULAS",
    "REWEIGHTINGS",
    "Aggregation",
    "ContextDetection",
    "ContextHeads",
    "DSCTDecoderLayer",
    "Features",
    "FrozenStart",
    "HostAdapter",
    "HostTraining",
    "LayerOutput",
    "MultiScaleAdapter",
    "Observation",
    "Pairs",
    "QuerySpec",
    "RelationalAggregation",
    "Sampling",
    "SingleScaleAdapter",
    "Softmax",
    "SubjectContextDecoder",
    "SubjectHeads",
    "SubjectQueries",
    "Subjects",
    "adapter_for",
    "context_detection",
    "register_adapter",
    "register_formula",
    "register_reweighting",
]
