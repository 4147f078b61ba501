"""The systems that the paper's leaderboards quote, as printed: score in per cent, parameters in millions, networks."""


def _quoted(kind, rows):
    return [
        dict(label=label, paper={kind: score}, params_m=params, backbone=networks)
        for label, score, params, networks in rows
    ]


# Table 1
caer_s = _quoted(
    "caer_s",
    [
        ("CAER-Net-S", 73.51, 22, "12-layer CNN"),
        ("GNN-CNN", 77.21, 23, "VGG16"),
        ("EfficientFace", 85.87, 25, "MobileNet28, ResNet18"),
        ("EMOT-Net", 74.51, 32, "ResNet18 x 2"),
        ("SIB-Net", 74.56, 33, "ResNet18 x 3"),
        ("GRERN", 81.31, 45, "ResNet101"),
        ("RRLA", 84.82, 48, "ResNet50, RCNN50"),
        ("MA-Net", 88.42, 52, "Multi-Scale ResNet18"),
        ("EmotiCon", 88.65, 181, "OpenPose, RobustTP, Megadepth"),
        ("VRD", 90.49, 380, "{VGG19, ResNet50, FRCNN50} x 2"),
        ("CCIM+EmotiCon", 91.17, 223, "OpenPose, RobustTP, Megadepth, ResNet101"),
    ],
)

# Table 2
emotic = _quoted(
    "emotic",
    [
        ("EMOT-Net", 27.93, 84, "YOLO, ResNet18"),
        ("CAER-Net", 20.84, 84, "YOLO, CNN-12"),
        ("EmotiCon (1)", 31.35, 85, "OpenPose, 15-layer CNN"),
        ("EmotiCon (1,3)", 35.28, 108, "OpenPose, 15-layer CNN, Megadepth"),
        ("HECO (1)", 22.25, 135, "YOLO, AlphaPose, ResNet18"),
        ("EmotiCon (1,2)", 32.03, 139, "OpenPose, RobustTP, ResNet18"),
        ("HECO (1,2)", 36.18, 146, "YOLO, AlphaPose, ResNet18 x 2"),
        ("HECO (1,2,3)", 34.93, 173, "YOLO, AlphaPose, ResNet50, ResNet18 x 2"),
        ("EmotiCon (1,2,3)", 32.03, 183, "OpenPose, RobustTP, ResNet18, Megadepth"),
        ("GCN-CNN", 28.16, 189, "YOLO, VGG16, 6-layer GCN"),
        ("HECO (1,2,3,4)", 37.76, 219, "YOLO, AlphaPose, {ResNet18, ResNet50} x 2, Faster RCNN50"),
        ("EmotionCLIP", 32.91, 577, "YOLO, ViT-B/32"),
    ],
)
