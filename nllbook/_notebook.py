"""Showing something in a notebook, without needing one."""

from __future__ import annotations

import sys
from typing import Any


def display(data: dict[str, str], metadata: dict[str, Any]) -> bool:
    """Publish a MIME bundle to the running notebook; False where there is none."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return False
    ipython.get_ipython().display_pub.publish(data=data, metadata=metadata)
    return True
