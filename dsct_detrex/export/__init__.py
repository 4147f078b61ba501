"""A finished model as one file that runs without this package: an ONNX file, or a program of ``torch.export``."""

from dsct_detrex.export.function import OUTPUTS, PeopleOfPictures
from dsct_detrex.export.onnx_file import write_onnx
from dsct_detrex.export.program import program_of, write_program

__all__ = ["OUTPUTS", "PeopleOfPictures", "program_of", "write_onnx", "write_program"]
