"""What every rewrite owes: the module's numbers, its keys, its training; and that it comes and goes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import Rewrite, Rewriting, chosen, names, rewrite, rewritten


class Doubled(Rewrite):
    """Of a Linear; twice its numbers, so that a test sees which of the two computed."""

    name = "doubled"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return isinstance(module, nn.Linear)

    def prepare(self) -> Tensor:
        weight: Tensor = self.module.weight
        return 2 * weight

    def fast(self, prepared: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return args[0] @ prepared.T


class Learning(Doubled):
    name = "learning"
    trains = True


@pytest.fixture
def linear() -> nn.Linear:
    return nn.Linear(3, 2, bias=False).eval()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 3)


def put(kind: type[Rewrite], module: nn.Module) -> Rewriting:
    rewriting = Rewriting()
    rewriting.add(kind, module)
    return rewriting


def doubled(linear: nn.Linear, x: Tensor) -> bool:
    with torch.no_grad():
        return torch.allclose(linear(x), 2 * x @ linear.weight.T)


def test_a_rewrite_computes_only_where_no_gradient_flows(linear: nn.Linear, x: Tensor) -> None:
    put(Doubled, linear)
    assert doubled(linear, x)
    torch.testing.assert_close(linear(x), x @ linear.weight.T)  # gradients are on
    linear.train()
    with torch.no_grad():
        torch.testing.assert_close(linear(x), x @ linear.weight.T)


def test_a_rewrite_that_trains_computes_always_and_gives_gradients(linear: nn.Linear, x: Tensor) -> None:
    put(Learning, linear.train())
    linear(x).sum().backward()
    torch.testing.assert_close(linear.weight.grad, 2 * x.sum(0).expand(2, 3))


@pytest.mark.parametrize("change", ["in place", "load", "move", "data pointer"])
def test_what_was_prepared_follows_the_weights(linear: nn.Linear, x: Tensor, change: str) -> None:
    put(Doubled, linear)
    assert doubled(linear, x)
    with torch.no_grad():
        match change:
            case "in place":
                linear.weight.mul_(3)
            case "load":
                linear.load_state_dict({"weight": torch.ones(2, 3)})
            case "move":
                linear.double()
                x = x.double()
            case "data pointer":
                linear.weight.data = torch.ones(2, 3)
    assert doubled(linear, x)


def test_inference_tensors_changed_in_place_are_seen(x: Tensor) -> None:
    with torch.inference_mode():
        linear = nn.Linear(3, 2, bias=False).eval()
        put(Doubled, linear)
        assert doubled(linear, x)
        linear.weight.mul_(3)
        assert doubled(linear, x)


class Summed(Rewrite):
    """Of a Sequential of one Linear, whose ``forward`` it does not call."""

    name = "summed"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return isinstance(module, nn.Sequential) and type(module[0]) is nn.Linear

    def fast(self, prepared: None, *args: Any, **kwargs: Any) -> Tensor:
        return torch.zeros(())


def test_a_part_that_somebody_watches_is_run() -> None:
    outer, x = nn.Sequential(nn.Linear(3, 2)).eval(), torch.ones(3)
    put(Summed, outer)
    with torch.no_grad():
        assert outer(x).shape == ()
        for put_hook in (outer[0].register_forward_hook, outer[0].register_forward_pre_hook):
            seen: list[nn.Module] = []
            hook = put_hook(lambda module, *_, seen=seen: seen.append(module))
            assert outer(x).shape == (2,)
            assert seen == [outer[0]]
            hook.remove()
            assert outer(x).shape == ()


def test_a_part_that_was_replaced_is_run_unless_it_fits_too() -> None:
    class Adapted(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1

    outer, x = nn.Sequential(nn.Linear(3, 2)).eval(), torch.ones(3)
    put(Summed, outer)
    with torch.no_grad():
        outer[0] = Adapted(3, 2)
        assert outer(x).shape == (2,)
        outer[0] = nn.Linear(3, 2)
        assert outer(x).shape == ()


def test_writing_through_data_needs_a_refresh(linear: nn.Linear, x: Tensor) -> None:
    rewriting = put(Doubled, linear)
    assert doubled(linear, x)
    linear.weight.data.mul_(3)
    rewriting.refresh()
    assert doubled(linear, x)


def test_training_drops_what_was_prepared(linear: nn.Linear, x: Tensor) -> None:
    put(Doubled, linear)
    doubled(linear, x)
    standing: Any = linear.forward
    assert standing._kept is not None
    linear.train()(x)
    assert standing._kept is None


def test_keys_and_copies(linear: nn.Linear, x: Tensor) -> None:
    put(Doubled, linear)
    assert list(linear.state_dict()) == ["weight"]
    assert [type(m) for m in linear.modules()] == [nn.Linear]
    twin = copy.deepcopy(linear)
    with torch.no_grad():
        twin.weight.zero_()
    assert doubled(linear, x)
    assert doubled(twin, x)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_removing_in_any_order_gives_back_what_was_there(linear: nn.Linear, order: tuple[int, int]) -> None:
    both = put(Doubled, linear), put(Learning, linear)
    for which in order:
        both[which].remove()
    assert "forward" not in linear.__dict__


def test_a_forward_of_the_user_comes_back(linear: nn.Linear, x: Tensor) -> None:
    own = lambda x: x  # noqa: E731
    linear.forward = own  # type: ignore[method-assign]
    put(Doubled, linear).remove()
    assert linear.forward is own


def test_installing_twice_is_as_good_as_once() -> None:
    model = deformable()
    assert rewrite(model).counts
    assert not rewrite(model).counts
    assert list(model.state_dict()) == list(deformable().state_dict())


def test_rewritten_ends_with_its_block() -> None:
    model = deformable()
    with rewritten(model) as rewriting:
        assert rewriting.counts
    assert not any("forward" in module.__dict__ for module in model.modules())


def test_choice() -> None:
    assert list(dict.fromkeys(kind.name for kind in chosen("all"))) == list(names())
    assert len(set(names())) == len(names())
    assert len(chosen(["frozen_norm"])) == 2  # below a convolution, and alone
    assert chosen("none") == chosen([]) == ()
    assert [kind.name for kind in chosen(["deformable_attention"])] == ["deformable_attention"]
    with pytest.raises(UserError, match=r"train.rewrites expects all, none, or a list of names of .*Got 'deform'"):
        chosen(["deform"], "train.rewrites")
    for both in (["all", "none"], ["attention", "all"], ["none", "attention"]):
        with pytest.raises(UserError, match=rf"^train.rewrites expects (all|none) alone. Got {', '.join(both)}. Name "):
            chosen(both, "train.rewrites")


def deformable() -> nn.Module:
    from dsct_detrex.layers import MultiScaleDeformableAttention

    return MultiScaleDeformableAttention(16, 2, 2, 2)
