"""The memory: where every record of every drop is, and what was last written where."""
