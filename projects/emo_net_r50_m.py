"""EMO-Net-R50-M: EMO-Net-R50 whose scene branch never sees the person."""

from .emo_net_r50 import classification, data, dataloader, emotions, evaluation, lr_multiplier, model, optimizer, train

model.mask_subjects = True
train.output_dir = "runs/emo_net_r50_m"
