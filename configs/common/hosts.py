"""The table of hosts, one per file of ``hosts/``; lazy, so that ``host.name=<name>`` builds only the one chosen.

Files whose name starts with ``_`` hold what several hosts share. A file may also define ``training``: the training
options that the host is known for, which DSCT then applies to its own queries (``denoising``, ``one_to_many``,
``matcher``). What it does not mention is as in ``default``. And it may say as ``detrex`` which model config of detrex's
is the same host, ``projects/<project>/configs/models/<file>.py`` as ``config="<project>/<file>"``, and what ``changes``
in it (key -> value): ``--hosts-from detrex`` builds that one. A variant of a host is called ``<host>_<what>``.
"""

from pathlib import Path

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import get_config
from dsct_detrex.data.catalogue import subjects_of_emotions
from dsct_detrex.objective import HungarianMatcher

_paths = sorted(Path(__file__).with_suffix("").glob("[!_]*.py"))
_files = {path.stem: get_config(f"common/hosts/{path.name}") for path in _paths}

hosts = {name: file.host for name, file in _files.items()}
subject_training = {name: file.training for name, file in _files.items() if "training" in file}
detrex = {name: file.detrex for name, file in _files.items() if "detrex" in file}
# Relatives that only detrex itself provides (``--hosts-from detrex``).
subject_training["dn_deformable_detr"] = "${subject_training.dn_detr}"
subject_training |= dict.fromkeys(("align_detr", "dino_eva", "focus_detr"), "${subject_training.dino}")
subject_training["default"] = dict(
    num_subjects=subjects_of_emotions(),  # emotions.name -> N of Table 5, read by model.num_subjects
    denoising=None,
    one_to_many=None,
    matcher=L(HungarianMatcher)(
        classification="${classification}",
        # theta of Eq. 2 (paper 4.1; GIoU as in the official run.sh)
        cost_class=2.0,
        cost_bbox=5.0,
        cost_giou=2.0,
    ),
)
