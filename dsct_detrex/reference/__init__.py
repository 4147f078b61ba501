"""The page of all config keys (``docs/config.md``), made from the configs and the docstrings of what they build."""

from dsct_detrex.reference.docstrings import meanings
from dsct_detrex.reference.keys import Key, Section, sections
from dsct_detrex.reference.page import REFRESH, config_page

__all__ = ["REFRESH", "Key", "Section", "config_page", "meanings", "sections"]
