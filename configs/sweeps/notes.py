"""What several sweeps have in common. Numbers are as printed in arXiv:2404.17205: mAP on EMOTIC, accuracy on CAER-S."""

# Test images of EMOTIC by number of annotated people (Tables 4 and 12).
images = dict(emotic={"1": 2444, "2": 938, "3": 234, "4": 37, "5plus": 29})

# The paper's early fusion, all layers: the same numbers are printed in Tables 4 and 12.
dsct_by_people = dict(emotic={"1": 36.91, "2": 35.20, "3": 31.20, "4": 40.96, "5plus": 35.97})

six_layers = "hosts.deformable_detr.transformer.decoder.num_layers=6"  # of the decoder, at any scale


def backbone(depth, width=64):
    """The overrides that choose a ResNet; twice the width makes a Wide-ResNet."""
    wide = [] if width == 64 else [f"hosts.deformable_detr.backbone.width_per_group={width}"]
    return [f"hosts.deformable_detr.backbone.depth={depth}", *wide]


def resnets(printed):
    """Cells of DSCT by its backbone: depth -> (kind of emotions -> the paper's number, parameters in millions)."""
    return [
        dict(
            name=f"r{depth}",
            label=f"DSCT-R{depth}",
            printed_as=f"Ours-R{depth}",
            overrides=backbone(depth),
            paper=scores,
            params_m=params,
            backbone=f"ResNet{depth}",
        )
        for depth, (scores, params) in printed.items()
    ]
