"""What several sweeps have to say about themselves."""

rows_are_ours = dict(
    note="The rows are the settings that this package has a switch for. The paper's numbers of this table were not at "
    "hand, so its column is empty."
)
