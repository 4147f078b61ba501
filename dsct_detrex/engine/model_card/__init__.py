"""The model card beside every release: what the weights are, what was measured, what they are for, and what not."""

from dsct_detrex.engine.model_card.card import write_card
from dsct_detrex.engine.model_card.facts import Facts, facts_of
from dsct_detrex.engine.model_card.keeping import card_path, remove_card

__all__ = ["Facts", "card_path", "facts_of", "remove_card", "write_card"]
