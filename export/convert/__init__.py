"""From a checkpoint to the files that inference engines load, one engine a module."""
