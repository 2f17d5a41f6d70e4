"""Fewer bits a weight: imitated while a network trains, and written into graphs of what was trained."""
