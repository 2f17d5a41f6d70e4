"""Processors that are not at hand: the runtime in QEMU's user mode, and its instructions counted."""
