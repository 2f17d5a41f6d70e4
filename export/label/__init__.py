"""``python -m export label RECORDINGS``: what a model hears in recordings that nobody has written down.

Self-training: a model labels speech, what it is sure of is learned by the next one, which labels better. The
recordings are a set with a manifest, whose words are not looked at but to say how many would be others, or
any folder of audio files. One that is longer than utterances are learned is cut where the recognizer heard
someone pause.

Source: J. Kahn, A. Lee and A. Hannun, "Self-training for end-to-end speech recognition", ICASSP 2020
(labels of a language model's beam search, filtered by confidence).
"""
