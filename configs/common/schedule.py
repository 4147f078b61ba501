"""50 epochs with a drop to a tenth at 40; the milestones are fractions of whatever length a run has."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import MultiStepParamScheduler, WarmupParamScheduler

lr_multiplier = L(WarmupParamScheduler)(
    scheduler=L(MultiStepParamScheduler)(values=[1.0, 0.1], milestones=[40, 50]),
    warmup_length=0.0,
    warmup_factor=0.001,
    warmup_method="linear",
)
