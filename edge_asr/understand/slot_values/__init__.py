"""What the words of a built-in slot mean, one kind of value a module: pure functions from words to a value."""
