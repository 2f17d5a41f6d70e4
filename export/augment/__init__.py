"""What happens to speech on its way to a microphone, done to training speech on purpose.

One module a distortion, each a frozen dataclass of its settings that is called with samples and a random
generator; ``chain.py`` puts them in the order in which sound meets them. A new one is a module with a
``Step`` (``step.py``) and a field of ``Chain``.
"""
