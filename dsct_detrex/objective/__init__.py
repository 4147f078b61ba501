"""Paper section 3.1, Eq. 1-3: which subject query answers for which person, and what its mistakes cost."""

from dsct_detrex.objective.assignment import Assigner, Assignment
from dsct_detrex.objective.classification import EmotionFocal, MultiClassFocal, MultiLabelFocal, focal_for
from dsct_detrex.objective.criterion import DSCTCriterion
from dsct_detrex.objective.denoising import Denoising, NoisedPeople
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.iou_assignment import IoUAssigner
from dsct_detrex.objective.matcher import HungarianMatcher
from dsct_detrex.objective.one_to_many import OneToMany, RepeatedAssigner
from dsct_detrex.objective.proposals import ProposalLoss, Proposals
from dsct_detrex.objective.targets import Target, pad_targets, target_from_instances, targets_from_instances
from dsct_detrex.objective.token_loss import TokenLoss, TokenPredictions

__all__ = [
    "Assigner",
    "Assignment",
    "DSCTCriterion",
    "Denoising",
    "EmotionFocal",
    "GroupTask",
    "HungarianMatcher",
    "IoUAssigner",
    "MultiClassFocal",
    "MultiLabelFocal",
    "NoisedPeople",
    "OneToMany",
    "ProposalLoss",
    "Proposals",
    "RepeatedAssigner",
    "Target",
    "TokenLoss",
    "TokenPredictions",
    "focal_for",
    "pad_targets",
    "target_from_instances",
    "targets_from_instances",
]
