"""Files that are rotated: by the stack, by logrotate, by several processes, or not, being refused."""

from __future__ import annotations

import os
import resource
import threading
import time

from laboratory import Broken, Fault


class _Rotated(Fault):
    promise = 4
    anew = True
    sink = None
    needs = ("setup_rotating",)

    def rotate(self, child, size):
        child.stack.setup_rotating(str(child.path), size, 60)
        return child.stack.get_logger("app")

    def written(self, folder):
        return b"".join(path.read_bytes() for path in sorted(folder.glob("app.log*")))


class RotationOfThreads(_Rotated):
    """Rotation by size under four threads: all files together are complete, each line whole."""

    events = tuple(f"{thread} {i}" for thread in "abcd" for i in range(150))

    def act(self, child):
        log = self.rotate(child, 20_000)

        def work(me):
            for i in range(150):
                log.info(f"{me} {i}", pad="x" * 100)

        threads = [threading.Thread(target=work, args=(me,)) for me in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        child.flush()
        child.note("files", len([*child.folder.glob("app.log*")]))

    def judge(self, seen):
        if seen.note("files") < 4:
            raise Broken("wrong", f"{seen.note('files')} files")


class RotationOfProcesses(_Rotated):
    """Three processes that rotate one file by size lose nothing, and nobody's lines twice."""

    anew = False
    alone = True
    events = tuple(f"{writer} {i}" for writer in "abc" for i in range(200))

    def act(self, child):
        log = self.rotate(child, 6_000)
        child.note("ready")
        child.wait()
        for i in range(200):
            log.info(f"{os.environ['WRITER']} {i}", pad="x" * 200)

    def around(self, lab):
        for writer in "abc":
            lab.start(WRITER=writer)
        lab.wait_for("ready", 3)
        lab.go_on()
        lab.finish()

    def judge(self, seen):
        if len(seen.events) != len(set(seen.events)):
            raise Broken("twice")


class RotationRefused(_Rotated):
    """A rotation that is refused, by permissions say, loses nothing and floods nothing."""

    events = tuple(f"entry {i}" for i in range(300))

    def act(self, child):
        log = self.rotate(child, 20_000)

        def refuse(*_args, **_kwargs):
            raise PermissionError(13, "Permission denied")

        real, os.rename, os.replace = (os.rename, os.replace), refuse, refuse
        for event in self.events:
            child.attempt(log.info, event, pad="x" * 100)
        child.flush()
        os.rename, os.replace = real

    def judge(self, seen):
        if len(seen.errors) > 20_000:
            raise Broken("floods", f"{len(seen.errors):,} bytes on stderr")


class RotationWithoutDescriptors(_Rotated):
    """A rotation that finds every descriptor in use loses nothing."""

    events = tuple(f"entry {i}" for i in range(300))

    def act(self, child):
        log = self.rotate(child, 20_000)
        log.info("entry 0")
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
        taken = []
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        for event in self.events[1:]:
            child.attempt(log.info, event, pad="x" * 100)
        child.flush()
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class _Logrotate(Fault):
    promise = 4
    anew = True
    events = tuple(f"entry {i}" for i in range(200))

    def act(self, child):
        for i, event in enumerate(self.events):
            child.log.info(event)
            if i in (60, 120):
                child.flush()
                self.rotate(child, i)
        deadline = time.monotonic() + 3
        while not child.size() and time.monotonic() < deadline:
            child.log.info("one more")  # who looks but once a second is given that second
            time.sleep(0.05)
        child.note("current", child.size())
        child.note_dropped()

    written = _Rotated.written


class LogrotateRename(_Logrotate):
    """logrotate's rename loses nothing, and is followed: new lines come to the old name."""

    def rotate(self, child, i):
        if child.path.exists():
            child.path.rename(f"{child.path}.{i}")

    def judge(self, seen):
        if not seen.note("current"):
            raise Broken("wrong", "lines go on into the renamed file")


class LogrotateCreate(LogrotateRename):
    """logrotate's rename with `create` is followed, too."""

    def rotate(self, child, i):
        super().rotate(child, i)
        child.path.touch()


class LogrotateCopy(_Logrotate):
    """logrotate's copytruncate leaves no hole of zeros, and no torn line."""

    def rotate(self, child, i):
        content = child.path.read_bytes()
        (child.folder / f"app.log.{i}").write_bytes(content)
        os.truncate(child.path, 0)


class TornTail(Fault):
    """The torn last line of a process that was killed is closed: the next line is whole."""

    promise = 4
    anew = True
    sink = None

    def act(self, child):
        child.path.write_bytes(b'{"event":"torn')
        child.setup(str(child.path)).info("after")

    def written(self, folder):
        return b"".join(super().written(folder).splitlines(keepends=True)[1:])

    def judge(self, seen):
        seen.lost("after" not in seen.events, "it is glued to the torn one", may_tell=False)
