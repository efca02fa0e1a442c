"""A disk that fails at one chosen call: the library `Tests/ShimDisk` before the C library of core, and its control."""

import mmap
import os
import struct
import subprocess
from collections import namedtuple

import contract

SOURCE = contract.ROOT / "Tests" / "ShimDisk" / "disk.c"

# The faults by their numbers in disk.c, and the calls for which each is possible (None: all).
WRITES, SYNCS = ("pwrite64", "write"), ("fdatasync", "fsync")
FAULTS = {
    "eio": (1, None),
    "full": (2, None),
    "short": (3, WRITES),
    "torn": (4, WRITES),
    "done": (5, None),
    "kill-before": (6, None),
    "kill-after": (7, None),
    "kill-within": (8, WRITES),
    "power": (9, None),
    "lost": (10, SYNCS),
}

Call = namedtuple("Call", "number call name at length fault")


def build(folder):
    library = folder / "libdisk.so"
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-lpthread"], check=True
    )
    return library


def applies(fault, call):
    return FAULTS[fault][1] is None or call in FAULTS[fault][1]


def file_of(name):
    """A file's name without what changes from run to run: temporary files have the process and the time in theirs."""
    return name.split(".new")[0].rstrip("0123456789.") + ".new" if name.endswith(".new") else name


class Disk:
    """Counts what is written in some folders, and lets a call of it fail."""

    def __init__(self, library, folder, watched):
        folder.mkdir()
        self.folder = folder
        control = folder / "control"
        control.write_bytes(bytes(4096))
        with open(control, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), 4096)
        self.set("<I", 32, 1)
        self.environment = {
            "LD_PRELOAD": str(library),
            "DISK_DIR": str(folder),
            "DISK_WATCH": ":".join(map(str, watched)),
        }

    def set(self, form, offset, *values):
        struct.pack_into(form, self.control, offset, *values)

    def arm(self, at=0, fault=None, *, lasting=False, only="", without="", after="", call=""):
        """From here on, or from the first call on the file `after`, calls count. The one numbered `at` fails, or the
        next that the fault is possible for; all from there on where that is to last.
        """
        self.disarm()
        (self.folder / "calls.log").write_bytes(b"")
        self.set("<QQII", 8, at, 0, 0, lasting)
        self.set("<I48s48s48s16s", 36, 0, *(word.encode() for word in (only, without, after, call)))
        self.set("<II", 0, 1, FAULTS[fault][0] if fault else 0)

    def disarm(self):
        self.set("<II", 0, 0, 0)

    @property
    def count(self):
        return struct.unpack_from("<Q", self.control, 16)[0]

    @property
    def fired(self):
        return struct.unpack_from("<I", self.control, 24)[0] == 1

    def calls(self):
        """The calls since `arm`, as they were noted."""
        log = self.folder / "calls.log"
        words = [line.split() for line in log.read_text().splitlines()] if os.path.exists(log) else []
        return [Call(int(n), call, file_of(name), int(at), int(size), int(f)) for n, call, name, at, size, f in words]

    def failed(self):
        """The first call that failed."""
        return next((each for each in self.calls() if each.fault), None)
