"""Lazy configs: describe a run in Python, change it from the command line, save it, build it.

The only import a config file needs. Where detectron2 (or fvcore) is installed, ``LazyCall``, ``LazyConfig``,
``instantiate``, the schedules and ``get_default_optimizer_params`` *are* its own objects, so one file runs under both
launchers; elsewhere they are equivalents with the same arguments. The other names are always ours.
"""

from typing import TYPE_CHECKING

from dsct_detrex.config.errors import ConfigError, ConfigFileError, ConfigImportError
from dsct_detrex.config.loading import config_from_values, config_from_yaml, load_config, selected
from dsct_detrex.config.overrides import apply_overrides
from dsct_detrex.config.param_groups import LrFactors
from dsct_detrex.config.project import get_config
from dsct_detrex.config.saving import config_to_yaml, save_config
from dsct_detrex.config.targets import locate, named
from dsct_detrex.config.trust import TRUSTED_TARGETS, instantiate_trusted
from dsct_detrex.integrations.detectron2 import detectron2_config, detectron2_solver, fvcore_schedulers
from dsct_detrex.integrations.detrex_operator import register_detrex_operator

register_detrex_operator()

_config = detectron2_config()
if TYPE_CHECKING or _config is None:
    from dsct_detrex.config.building import instantiate
    from dsct_detrex.config.lazy import LazyCall, LazyConfig
else:
    LazyCall, LazyConfig, instantiate = _config.LazyCall, _config.LazyConfig, _config.instantiate

_fvcore = fvcore_schedulers()
if TYPE_CHECKING or _fvcore is None:
    from dsct_detrex.config.schedules import (
        ConstantParamScheduler,
        CosineParamScheduler,
        LinearParamScheduler,
        MultiStepParamScheduler,
    )
else:
    ConstantParamScheduler = _fvcore.ConstantParamScheduler
    CosineParamScheduler = _fvcore.CosineParamScheduler
    LinearParamScheduler = _fvcore.LinearParamScheduler
    MultiStepParamScheduler = _fvcore.MultiStepParamScheduler

_solver = detectron2_solver()
if TYPE_CHECKING or _solver is None:
    from dsct_detrex.config.param_groups import get_default_optimizer_params
    from dsct_detrex.config.schedules import WarmupParamScheduler
else:
    WarmupParamScheduler = _solver.WarmupParamScheduler
    get_default_optimizer_params = _solver.get_default_optimizer_params

__all__ = [
    "TRUSTED_TARGETS",
    "ConfigError",
    "ConfigFileError",
    "ConfigImportError",
    "ConstantParamScheduler",
    "CosineParamScheduler",
    "LazyCall",
    "LazyConfig",
    "LinearParamScheduler",
    "LrFactors",
    "MultiStepParamScheduler",
    "WarmupParamScheduler",
    "apply_overrides",
    "config_from_values",
    "config_from_yaml",
    "config_to_yaml",
    "get_config",
    "get_default_optimizer_params",
    "instantiate",
    "instantiate_trusted",
    "load_config",
    "locate",
    "named",
    "save_config",
    "selected",
]
