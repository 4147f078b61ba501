"""The commands as functions of their words: ``train(["--config", ...])`` returns the exit status."""

from functools import partial

from dsct_detrex.cli.running import run_command

train = partial(run_command, "train")
evaluate = partial(run_command, "eval")
predict = partial(run_command, "predict")
data = partial(run_command, "data")
sweep = partial(run_command, "sweep")
demo = partial(run_command, "demo")
dashboard = partial(run_command, "dashboard")
convert = partial(run_command, "convert")
info = partial(run_command, "info")
bench = partial(run_command, "bench")
calibrate = partial(run_command, "calibrate")
explain = partial(run_command, "explain")
export = partial(run_command, "export")
visualize = partial(run_command, "visualize")
web = partial(run_command, "web")
