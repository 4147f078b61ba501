"""Functions of vectors for compiled numba code: sums over the lanes, choices between lanes, exponentials.

`vectors` has the type itself, its operators and its traffic with memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from llvmlite import ir
from numba import types

from dsct_detrex.ops.vectors import FUSED, Vector, code_for_llvm, shuffle

# The sum of all lanes may be taken in any order.
_REORDERED = ("reassoc",)
# To so many lanes a vector is folded before four vectors are added up together: about as many as a register has.
_FOLDED = 16


def _call(builder: Any, name: str, result: Any, *arguments: Any, fastmath: Sequence[str] = ()) -> Any:
    """A function of the last argument, a vector, that LLVM itself knows by this name and the type."""
    vector = arguments[-1].type
    suffix = f"v{vector.count}f{64 if isinstance(vector.element, ir.DoubleType) else 32}"
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    function = builder.module.declare_intrinsic(f"llvm.{name}.{suffix}", (), kind)
    return builder.call(function, arguments, fastmath=fastmath)


@code_for_llvm
def total(_: Any, vector: Any) -> Any:
    """The sum of the lanes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        element = args[0].type.element
        zero = ir.Constant(element, 0.0)
        return _call(builder, "vector.reduce.fadd", element, zero, args[0], fastmath=_REORDERED)

    return vector.element(vector), generate


@code_for_llvm
def largest(_: Any, vector: Any) -> Any:
    """The greatest lane that is a number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "vector.reduce.fmax", args[0].type.element, args[0])

    return vector.element(vector), generate


@code_for_llvm
def four_totals(_: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """The four sums over lanes, as a vector of four; half the work of four sums one after the other."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a, b, c, d = (_fold(builder, vector) for vector in args)
        width = a.type.count
        first, second, third, fourth = (range(k, width, 4) for k in range(4))
        ab = _add_lanes(builder, a, b, (first, second), (third, fourth))  # in fours: a a b b
        cd = _add_lanes(builder, c, d, (first, second), (third, fourth))
        sums = _add_lanes(builder, ab, cd, (first, third), (second, fourth))  # in fours: a b c d
        while sums.type.count > 4:
            half = sums.type.count // 2
            low, high = (shuffle(builder, sums, sums, range(start, start + half)) for start in (0, half))
            sums = builder.fadd(low, high, flags=FUSED)
        return sums

    return Vector(a.element, 4)(a, b, c, d), generate


def _add_lanes(builder: Any, x: Any, y: Any, left: Sequence[range], right: Sequence[range]) -> Any:
    """Of every four lanes two sums of two lanes of `x`, then the same two of `y`."""
    width = x.type.count

    def chosen(lanes: Sequence[range]) -> Any:
        fours = zip(*lanes)
        return shuffle(builder, x, y, [lane + place for four in fours for place in (0, width) for lane in four])

    return builder.fadd(chosen(left), chosen(right), flags=FUSED)


def _fold(builder: Any, vector: Any) -> Any:
    """A vector of the same sum with 4, 8, ... lanes, at most `_FOLDED`; where lanes are missing they count as zero."""
    length = vector.type.count
    width = 4
    while width < min(length, _FOLDED):
        width *= 2
    parts = -(-length // width)
    if parts * width != length:
        zeros = ir.Constant(vector.type, [0.0] * length)
        vector = shuffle(builder, vector, zeros, [min(lane, length) for lane in range(parts * width)])
    cut = [shuffle(builder, vector, vector, range(k * width, (k + 1) * width)) for k in range(parts)]
    return reduce(lambda x, y: builder.fadd(x, y, flags=FUSED), cut)


@code_for_llvm
def select(_: Any, condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`."""
    return yes(condition, yes, no), lambda context, builder, signature, args: builder.select(*args)


@code_for_llvm
def floor(_: Any, vector: Any) -> Any:
    """The largest whole number up to each lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "floor", args[0].type, args[0])

    return vector(vector), generate


@code_for_llvm
def integers(_: Any, vector: Any) -> Any:
    """Lanes as int32, towards zero; every lane must fit."""
    result = Vector(types.int32, vector.length)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fptosi(args[0], context.get_value_type(result))

    return result(vector), generate


# exp(r) for |r| <= log(2) / 2, highest power first; a minimax polynomial with a relative error of 1e-7.
# Source: Stephen Moshier, Cephes Mathematical Library, expf.
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0, 1.0)
_LOG2_HIGH, _LOG2_LOW = 0.693359375, -2.12194440e-4  # log(2), the first part short enough for exact products
_LEAST = -87.0  # below, the result is no normal number


@code_for_llvm
def exp(_: Any, vector: Any) -> Any:
    """e to the power of each lane, which is at most 88; in float32 zero below -87."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        if isinstance(kind.element, ir.DoubleType):  # lane by lane by the C library: doubles are for tests
            return _call(builder, "exp", kind, args[0])

        def constant(number: float) -> Any:
            return ir.Constant(kind, [number] * kind.count)

        def multiply_add(x: Any, factor: float | Any, added: Any) -> Any:
            factor = constant(factor) if isinstance(factor, float) else factor
            return builder.fadd(builder.fmul(x, factor, flags=FUSED), added, flags=FUSED)

        vanishes = builder.fcmp_ordered("<", args[0], constant(_LEAST))
        x = builder.select(vanishes, constant(_LEAST), args[0])
        power = _call(builder, "floor", kind, multiply_add(x, 1.4426950408889634, constant(0.5)))  # of 2, nearest
        rest = multiply_add(power, -_LOG2_LOW, multiply_add(power, -_LOG2_HIGH, x))
        polynomial = reduce(lambda sum_, term: multiply_add(sum_, rest, constant(term)), _EXP[1:], constant(_EXP[0]))
        whole = ir.VectorType(ir.IntType(32), kind.count)
        exponent = builder.add(builder.fptosi(power, whole), ir.Constant(whole, [127] * kind.count))
        scale = builder.bitcast(builder.shl(exponent, ir.Constant(whole, [23] * kind.count)), kind)
        return builder.select(vanishes, constant(0.0), builder.fmul(polynomial, scale))

    return vector(vector), generate
