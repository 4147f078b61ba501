"""Vectors of the processor as a type that compiled numba code can compute with.

A *vector* holds a fixed number of lanes of one type, `Vector(float32, 32)`, in one register or a few; sums, products
and comparisons work on all lanes at once, and a scalar among the operands counts for every lane. The number of lanes is
that of the elements of a tuple (`lanes`), which the compiler knows. Any number works: the compiler takes as many
registers as it needs, of the widest kind that the processor has. `vector_functions` has what is not an operator.

Written as loops over arrays the same operations are three to six times slower: numba guards every index against being
negative, and cannot know that arrays do not overlap. Nothing here checks bounds; the callers do.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, lower_builtin, register_model, type_callable

# A product and a sum may become one fused instruction; NaN and infinity keep their meaning.
FUSED = ("contract",)


class Vector(types.Type):  # type: ignore[misc]  # numba has no types
    """The type of a vector: that of its elements and their number."""

    def __init__(self, element: Any, length: int) -> None:
        self.element, self.length = element, length
        super().__init__(f"Vector({element}, {length})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: Vector) -> None:
        element = ir.IntType(1) if vector.element is types.boolean else manager[vector.element].get_value_type()
        super().__init__(manager, vector, ir.VectorType(element, vector.length))


def code_for_llvm(function: Callable[..., Any]) -> Callable[..., Any]:
    """numba's `intrinsic`, which has no types: the function returns a signature and what generates the code."""
    made: Callable[..., Any] = intrinsic(function)
    return made


def shuffle(builder: Any, first: Any, second: Any, lanes: Sequence[int]) -> Any:
    """The lanes of two vectors, counted through both, in the order named."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes)))


def _spread(builder: Any, scalar: Any, length: int) -> Any:
    undefined = ir.Constant(ir.VectorType(scalar.type, length), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return shuffle(builder, first, undefined, [0] * length)


@code_for_llvm
def spread(_: Any, scalar: Any, lanes: Any) -> Any:
    """`scalar` in every lane."""
    vector = Vector(scalar, len(lanes))
    return vector(scalar, lanes), lambda context, builder, signature, args: _spread(builder, args[0], len(lanes))


def _operator(function: Any, build: Callable[[Any, Any, Any], Any], result: Any = None) -> None:
    """Make `function` work on two vectors of one type, or on a vector and a scalar of its elements' type."""

    def type_of_result(context: Any) -> Any:
        def typer(left: Any, right: Any) -> Any:
            vector = left if isinstance(left, Vector) else right
            if not isinstance(vector, Vector) or any(kind not in (vector, vector.element) for kind in (left, right)):
                return None
            return vector if result is None else Vector(result, vector.length)

        return typer

    type_callable(function)(type_of_result)

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        length = next(kind.length for kind in signature.args if isinstance(kind, Vector))
        pairs = zip(args, signature.args)
        return build(builder, *(a if isinstance(kind, Vector) else _spread(builder, a, length) for a, kind in pairs))

    for kinds in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(function, *kinds)(lower)


def _either(for_integers: str, for_floats: str) -> Callable[[Any, Any, Any], Any]:
    """The instruction for the elements at hand."""

    def build(builder: Any, left: Any, right: Any) -> Any:
        if isinstance(left.type.element, ir.IntType):
            return getattr(builder, for_integers)(left, right)
        return getattr(builder, for_floats)(left, right, flags=FUSED)

    return build


_operator(operator.add, _either("add", "fadd"))
_operator(operator.sub, _either("sub", "fsub"))
_operator(operator.mul, _either("mul", "fmul"))
_operator(operator.truediv, lambda builder, left, right: builder.fdiv(left, right))
_operator(operator.and_, lambda builder, left, right: builder.and_(left, right))


def _comparison(sign: str) -> Callable[[Any, Any, Any], Any]:
    """False where one of the two is NaN."""
    return lambda builder, left, right: builder.fcmp_ordered(sign, left, right)


_operator(operator.lt, _comparison("<"), types.boolean)
_operator(operator.le, _comparison("<="), types.boolean)
_operator(operator.gt, _comparison(">"), types.boolean)
_operator(operator.ge, _comparison(">="), types.boolean)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, kind: Any = None) -> tuple[Any, int]:
    """Pointer to the element `index` of a flat array, as one to `kind`; and the alignment in bytes it surely has."""
    element = context.get_data_type(array_type.dtype)
    pointer = builder.gep(context.make_array(array_type)(context, builder, array).data, [index])
    return builder.bitcast(pointer, (kind or element).as_pointer()), context.get_abi_sizeof(element)


@code_for_llvm
def item(_: Any, array: Any, index: Any) -> Any:
    """`array[index]`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *args)[0])

    return array.dtype(array, index), generate


@code_for_llvm
def load(_: Any, array: Any, index: Any, lanes: Any) -> Any:
    """`array[index : index + len(lanes)]`."""
    signature, generate = _load_in_turns(array, index, lanes, 1)
    vector = signature.return_type.dtype

    def first(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.extract_value(generate(context, builder, types.UniTuple(vector, 1)(*signature.args), args), 0)

    return vector(array, index, lanes), first


@code_for_llvm
def load_pairs(_: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Two vectors that lie in the array in turns: lane 0 of both, lane 1 of both, ..."""
    return _load_in_turns(array, index, lanes, 2)


@code_for_llvm
def load_quads(_: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Four vectors that lie in the array in turns."""
    return _load_in_turns(array, index, lanes, 4)


def _load_in_turns(array: Any, index: Any, lanes: Any, count: int) -> tuple[Any, Any]:
    vector = Vector(array.dtype, len(lanes))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        length = count * vector.length
        kind = ir.VectorType(context.get_value_type(array.dtype), length)
        pointer, align = _pointer(context, builder, signature.args[0], args[0], args[1], kind)
        together = builder.load(pointer, align=align)
        apart = [shuffle(builder, together, together, range(first, length, count)) for first in range(count)]
        return context.make_tuple(builder, signature.return_type, apart)

    return types.UniTuple(vector, count)(array, index, lanes), generate


@code_for_llvm
def store(_: Any, vector: Any, array: Any, index: Any) -> Any:
    """`array[index : index + lanes of vector] = vector`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer, align = _pointer(context, builder, signature.args[1], args[1], args[2], args[0].type)
        builder.store(args[0], pointer, align=align)
        return context.get_dummy_value()

    return types.void(vector, array, index), generate


@code_for_llvm
def store_pairs(_: Any, first: Any, second: Any, array: Any, index: Any) -> Any:
    """The reverse of `load_pairs`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        turns = [lane + place for lane in range(first.length) for place in (0, first.length)]
        together = shuffle(builder, args[0], args[1], turns)
        pointer, align = _pointer(context, builder, signature.args[2], args[2], args[3], together.type)
        builder.store(together, pointer, align=align)
        return context.get_dummy_value()

    return types.void(first, second, array, index), generate
