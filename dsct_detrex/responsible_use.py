"""What a reader of emotion predictions must know before using them; shown in every report and model card."""

RESPONSIBLE_USE = (
    "These models guess how annotators would label a person's apparent emotion from one picture. They do not measure "
    "what a person feels, and they repeat the habits of their annotators and data.",
    "In the European Union, inferring emotions of people at work and in education is prohibited since 2 February 2025, "
    "except for medical or safety reasons (AI Act, Article 5(1)(f)); other emotion recognition is high-risk. "
    "Do not use these models to decide about people.",
    "EMOTIC is for non-commercial research and education only. No terms of CAER-S were found: read its project page "
    "before use. Other data sets have terms of their own. EMOTIC contains COCO images, so a host trained on COCO may "
    "have seen some of its test pictures.",
)
"""Paragraphs. Sources: EU AI Act, Article 5(1)(f); licence of the EMOTIC release."""
