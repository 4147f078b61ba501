"""Arguments and what docstrings say of them."""

from dsct_detrex.reference import meanings


class Base:
    """A base.

    Args:
        shared, also: of both.
        replaced: of the base.
    """


class Kind(Base):
    """A kind.

    Args:
        replaced: of the kind, over
            two lines: with a colon.

    Returns:
        nothing: at all.

    Attributes:
        kept: (B, N) of the attributes.
    """


def function(one: int) -> None:
    """Not an argument: this line.

    Args:
        one: a number.

    Raises:
        ValueError: never.
    """


def test_of_a_class_and_its_bases() -> None:
    assert meanings(Kind) == {
        "shared": "of both.",
        "also": "of both.",
        "replaced": "of the kind, over two lines: with a colon.",
        "kept": "(B, N) of the attributes.",
    }


def test_of_a_function() -> None:
    assert meanings(function) == {"one": "a number."}


def test_of_nothing() -> None:
    assert meanings(lambda: None) == {}
