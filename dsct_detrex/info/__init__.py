"""``dsct info``: what is in a file of weights, and what this machine has to run them."""

from dsct_detrex.info.machine import describe_machine
from dsct_detrex.info.weights_file import describe_file

__all__ = ["describe_file", "describe_machine"]
