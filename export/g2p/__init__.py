"""Letter-to-phone models: guesses for the words that no dictionary has."""
