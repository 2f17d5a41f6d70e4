"""Lets the tests below this folder import ``drawn_networks`` and ``exhaustive_ctc`` too: pytest puts the
folder of a conftest.py on the path."""
