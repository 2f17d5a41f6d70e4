"""From recognized words to what they ask for."""
