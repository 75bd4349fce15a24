# SPDX-License-Identifier: Apache-2.0
"""How long the black-box tests wait for what has to come."""
import os
import select
import time

PATIENCE = float(os.environ.get("GATEHOUSE_PATIENCE", "15"))  # seconds until a missing event is a failure


def until(condition, what, patience=PATIENCE):
    """Ask again and again; for what tells nobody when it changes (/proc, files)."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not come within {patience:g} s: {what() if callable(what) else what}")
        select.select([], [], [], 0.005)
