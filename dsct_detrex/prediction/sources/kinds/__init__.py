"""The kinds of sources; every file here is one, see ``sources.contract.Source``."""
