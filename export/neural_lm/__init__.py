"""``python -m export neural-lm``: from text to a small recurrent language model that re-scores sentences."""
