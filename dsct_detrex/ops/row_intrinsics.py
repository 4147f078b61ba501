"""Three vector operations on rows of an array, as LLVM code for numba: what deformable attention does at every sample.

A *row* is a run of D neighbouring elements of a flat array, named by the index of its first one; D is known to the
compiler as the length of the tuple `lanes`, so a row is one vector value of the processor (or a few registers). Written
as numba loops the same operations are three to six times slower: numba guards every index against being negative, and
cannot know that the arrays do not overlap. Nothing here checks bounds; the callers do.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# A product and a sum may become one fused instruction; NaN and infinity keep their meaning.
_FUSED = ("contract",)
# The sum over a row may be taken in any order (needed for a vector reduction).
_REORDERED = ("reassoc",)


def _intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = intrinsic(function)
    return made


def _row_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, length: int) -> tuple[Any, int]:
    """Pointer to the row of `length` elements at `index`, and the alignment (bytes) it is sure to have."""
    element = context.get_data_type(array_type.dtype)
    start = builder.gep(context.make_array(array_type)(context, builder, array).data, [index])
    return builder.bitcast(start, ir.VectorType(element, length).as_pointer()), context.get_abi_sizeof(element)


def _spread(builder: Any, scalar: Any, length: int) -> Any:
    """A vector with `scalar` in every lane."""
    undefined = ir.Constant(ir.VectorType(scalar.type, length), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), length), [0] * length)
    return builder.shuffle_vector(first, undefined, zeros)


@_intrinsic
def add_blended_rows(_: Any, out: Any, at: Any, rows: Any, corners: Any, weights: Any, lanes: Any) -> tuple[Any, Any]:
    """`out[at] += sum of weights[k] * rows[corners[k]]` over four corners; brackets name rows."""
    length = len(lanes)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target, align = _row_pointer(context, builder, signature.args[0], args[0], args[1], length)
        blended = None
        for k in range(4):
            corner = builder.extract_value(args[3], k)
            source, _ = _row_pointer(context, builder, signature.args[2], args[2], corner, length)
            weight = _spread(builder, builder.extract_value(args[4], k), length)
            term = builder.fmul(builder.load(source, align=align), weight, flags=_FUSED)
            blended = term if blended is None else builder.fadd(blended, term, flags=_FUSED)
        builder.store(builder.fadd(builder.load(target, align=align), blended, flags=_FUSED), target, align=align)
        return context.get_dummy_value()

    return types.void(out, at, rows, corners, weights, lanes), generate


@_intrinsic
def dot_rows(_: Any, rows: Any, corners: Any, other: Any, at: Any, lanes: Any) -> tuple[Any, Any]:
    """The four scalar products of `rows[corners[k]]` with `other[at]`."""
    length = len(lanes)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        right, align = _row_pointer(context, builder, signature.args[2], args[2], args[3], length)
        factor = builder.load(right, align=align)
        scalar = factor.type.element
        name = f"llvm.vector.reduce.fadd.v{length}f{8 * align}"
        add_up = builder.module.declare_intrinsic(name, (), ir.FunctionType(scalar, [scalar, factor.type]))
        products = []
        for k in range(4):
            corner = builder.extract_value(args[1], k)
            left, _ = _row_pointer(context, builder, signature.args[0], args[0], corner, length)
            product = builder.fmul(builder.load(left, align=align), factor, flags=_FUSED)
            products.append(builder.call(add_up, [ir.Constant(scalar, 0.0), product], fastmath=_REORDERED))
        return context.make_tuple(builder, signature.return_type, products)

    return types.UniTuple(rows.dtype, 4)(rows, corners, other, at, lanes), generate


@_intrinsic
def add_to_rows(_: Any, rows: Any, corners: Any, weights: Any, other: Any, at: Any, lanes: Any) -> tuple[Any, Any]:
    """`rows[corners[k]] += weights[k] * other[at]`, one corner after the other, so that corners may coincide."""
    length = len(lanes)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, align = _row_pointer(context, builder, signature.args[3], args[3], args[4], length)
        added = builder.load(source, align=align)
        for k in range(4):
            corner = builder.extract_value(args[1], k)
            target, _ = _row_pointer(context, builder, signature.args[0], args[0], corner, length)
            term = builder.fmul(added, _spread(builder, builder.extract_value(args[2], k), length), flags=_FUSED)
            builder.store(builder.fadd(builder.load(target, align=align), term, flags=_FUSED), target, align=align)
        return context.get_dummy_value()

    return types.void(rows, corners, weights, other, at, lanes), generate
