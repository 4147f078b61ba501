"""Near names: by likeness, and by the last part of a dotted key."""

from dsct_detrex.suggestions import did_you_mean, nearest


def test_likeness_comes_first_then_same_ending() -> None:
    assert nearest("trian.lr", ["train.lr", "optimizer.lr", "x"], dotted=True) == ["train.lr", "optimizer.lr"]
    assert nearest("lr", ["optimizer.params.lr", "optimizer.lr", "blr"], dotted=True)[-1] == "optimizer.params.lr"
    assert nearest("bas.py", ["base.py", "x.py"]) == ["base.py"], "a file ending is no last part of a key"
    assert nearest("zzz", ["a", "b"]) == []


def test_sentences() -> None:
    assert did_you_mean("abc", []) == ""
    assert did_you_mean("max_iters", ["max_iter", "max_epoch"]) == " Did you mean `max_iter`?"
    assert did_you_mean("abcd", ["abce", "abcf"]) == " Did you mean `abcf` or `abce`?"
    assert did_you_mean("abcd", ["abce", "abcf", "abcg"]).count("`") == 6
