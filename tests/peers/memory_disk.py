"""Temporary files lie in memory where there is room: tests kill processes, never the power.

What a killed process wrote is the kernel's and stays, in memory as on a disk; only waiting for the
disk goes.
"""

import os
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - only as the folder of temporary folders
_ROOM_BYTES = 3 * 1024**3


def _has_room() -> bool:
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return False
    runs_programs = not room.f_flag & os.ST_NOEXEC
    return runs_programs and room.f_bavail * room.f_frsize >= _ROOM_BYTES


# At import, before anybody makes a temporary folder; TMPDIR set by a person stays.
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and _has_room():
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)
