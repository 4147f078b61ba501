"""The user's own detrex: found, made usable without its compiled operator, its models as hosts of DSCT.

Importing this package imports nothing of detrex; ``locate`` does. ``python -m dsct_detrex.integrations.detrex
SCRIPT ...`` runs a script of detrex's with everything in place. See ``docs/detrex.md``.
"""

from dsct_detrex.integrations.detrex.errors import DetrexError
from dsct_detrex.integrations.detrex.hosts import build_host, host_config, host_configs, live_hosts
from dsct_detrex.integrations.detrex.installation import Installation, locate, located
from dsct_detrex.integrations.detrex.operator_stand_in import register_stand_in

__all__ = [
    "DetrexError",
    "Installation",
    "build_host",
    "host_config",
    "host_configs",
    "live_hosts",
    "locate",
    "located",
    "register_stand_in",
]
