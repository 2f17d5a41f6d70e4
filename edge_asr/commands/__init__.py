"""What ``edge-asr`` can do, one command a module. Imports of the engine wait until a command runs."""
