"""What the words of a command line name: one small file a kind in ``kinds/``, and all of it read as it is needed."""
