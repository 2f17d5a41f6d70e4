"""Speech from text in many voices, for words that recordings lack. It replaces no recording.

A new engine is a module with a class that fulfils ``engine.Engine``, a line here, and one in
export/sources.py.
"""

from __future__ import annotations

ENGINES = {
    "kokoro": "export.synthesize.kokoro:Kokoro",
    "piper": "export.synthesize.piper:Piper",
    "festival": "export.synthesize.festival:Festival",
    "flite": "export.synthesize.flite:Flite",
    "pico": "export.synthesize.pico:Pico",
    "espeak-ng": "export.synthesize.espeak:Espeak",
}
"""Name -> class, imported on use."""
