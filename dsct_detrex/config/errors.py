"""The three ways in which a config can be at fault; each is also the built-in error a detectron2 user would expect."""

from __future__ import annotations

from dsct_detrex.errors import UserError


class ConfigError(UserError, ValueError):
    """A key, value, target or override cannot be used."""


class ConfigKeyError(ConfigError, KeyError):
    """An override names a key that is not there, or that cannot be there."""

    __str__ = Exception.__str__  # that of KeyError puts the sentence between quotes


class ConfigFileError(UserError, FileNotFoundError):
    """A config file does not exist."""


class ConfigImportError(UserError, ImportError):
    """A config file imports something that is not there."""
