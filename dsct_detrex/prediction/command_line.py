"""The work of ``dsct predict``: a checkpoint and sources in; rows (``rows.py``), tables and drawn copies out.

One picture that cannot be read does not cost the others: its row has the reason, and the exit status says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dsct_detrex.cli.predict import VIDEO
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.prediction.precision import spoken_precision
from dsct_detrex.prediction.predictor import Predictor
from dsct_detrex.prediction.run.loop import Run
from dsct_detrex.prediction.run.merging import merge_shards
from dsct_detrex.prediction.run.session import Session
from dsct_detrex.prediction.run.shards import chosen_shard, merging_alone
from dsct_detrex.prediction.run.tracking import check_trackers
from dsct_detrex.prediction.sources.av import pyav
from dsct_detrex.prediction.sources.contract import Clip, Search
from dsct_detrex.prediction.sources.discovery import name_units


def predict(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Annotate pictures and clips; returns the exit status, see ``--help``."""
    if arguments.hosts_from == "detrex":
        locate()
    shard = chosen_shard(arguments.shard)
    device = device_named(arguments.device, "--device")
    if device.type == "cpu":
        keep_freed_memory()
    search = Search(arguments.recursive)
    named = name_units(arguments.inputs, search)
    has_clips = any(isinstance(unit, Clip) for unit in named.known)
    if has_clips:
        pyav("predict: reading a video")
        if not arguments.no_tracks:
            check_trackers()
    session = Session(arguments, named, shard)
    predictor = Predictor.from_checkpoint(
        arguments.checkpoint,
        str(device),
        threshold=arguments.threshold,
        nms=arguments.nms,
        rewrites=arguments.rewrites,
        amp=arguments.amp,
    )
    rows = session.open(predictor)
    if shard is None or shard.number == 1:
        print(f"weights: {predictor.origin}")
        if arguments.amp != "off":
            print(f"precision: {spoken_precision(arguments.amp, device)}")
        if search.left_out:
            print(f"left out: {search.left_out.sentence()}")
        if has_clips and VIDEO in arguments.format and not arguments.no_pictures:
            print("videos are drawn without their sound")
    if rows.replaced:
        print("the earlier predictions.json is now predictions.previous.json")
    run = Run(session, predictor, rows)
    interrupted = run.run()
    if interrupted:
        return interrupted
    who = f"shard {shard.number} of {shard.of}: " if shard else ""
    written = str(session.folder) if shard else session.tables.spoken(session.folder)
    print(f"{who}{run.tally.words()}: {written} ({run.speed.words()})", flush=True)
    if shard is not None and shard.end(session.folder):
        with merging_alone(session.folder) as alone:
            if alone:
                print(merge_shards(session.folder, arguments.format, arguments.overwrite)[0], flush=True)
    return run.tally.status(arguments.on_error, whole=shard is None)
