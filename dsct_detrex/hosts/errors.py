"""The error of a configuration that asks a host for something it cannot be."""

from dsct_detrex.errors import UserError


class HostConfigError(UserError, ValueError):
    """A host's constructor arguments contradict each other or name something unknown."""
