"""What the words of a built-in slot mean: pure functions from words to a value, a kind a module."""
