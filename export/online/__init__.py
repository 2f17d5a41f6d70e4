"""Speech distorted anew each time it is heard, on the device that trains.

The cache (export/cache.py) holds a few variants of each utterance, which a long training learns by heart.
Here the recordings themselves are kept, as samples, and speed, rooms, other voices, noises, microphones and
levels are drawn and computed for each batch, with the features.
"""
