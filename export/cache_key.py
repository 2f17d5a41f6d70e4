"""What the cache knows a thing by."""

from __future__ import annotations

import hashlib
import json


def cache_key(what: object) -> str:
    """Twelve hexadecimal digits that change with anything in ``what``, which JSON must be able to hold."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
