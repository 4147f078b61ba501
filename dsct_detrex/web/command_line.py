"""The work of ``dsct web``: a checkpoint in, a page in the browser until Ctrl-C."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.cli.web import DEMO
from dsct_detrex.errors import UserError
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.web.guard import LOOPBACK
from dsct_detrex.web.serving import address_of, check_gradio, kept_nowhere, listen, serve, server_of
from dsct_detrex.web.uploads import Limits


def web(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Show the page; returns the exit status."""
    if arguments.checkpoint == DEMO and not Path(DEMO).exists():
        raise UserError(
            f"web: no checkpoint was named, and that of the demo, {DEMO}, is not there. Make it with "
            f"`{spoken('demo')}`, or name one: `{spoken('web', ['CHECKPOINT'])}`."
        )
    check_gradio()
    device = device_named(arguments.device, "--device")
    with listen(arguments.host, arguments.port) as listening:  # before the model, which may take a while
        if arguments.hosts_from == "detrex":
            locate()
        predictor = Predictor.from_checkpoint(arguments.checkpoint, str(device), threshold=0.0, nms=arguments.nms)
        print(f"weights: {predictor.origin}", flush=True)
        with kept_nowhere():
            from dsct_detrex.web.page import build_page  # imports gradio, which asks at once where its files go

            limits = Limits()
            server = server_of(build_page(predictor, limits, arguments.threshold), limits, arguments.host)
            if arguments.host not in LOOPBACK:
                print("Everybody who reaches this machine can open the page; it asks for no password.")
            print(f"page: {address_of(listening, arguments.host)} (Ctrl-C ends it)", flush=True)
            serve(server, listening)
    print("ended; the pictures that were shown are deleted")
    return 0
