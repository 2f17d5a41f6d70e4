"""``python -m export lm``: from text to a pruned back-off n-gram in the ARPA format."""
