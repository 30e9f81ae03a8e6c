"""Bytes of a log in, events out, in bounded memory. Pure: the caller reads the file.

Most lines of a log say nothing about starts and outages. A line is split at its bars, and whatever comes from a module
that ``kinds`` does not name is dropped there and then, undecoded.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping

from ovsnet.explain.carriers import HOST, NAME, Split, from_json, json_in, number_of, split
from ovsnet.explain.clock import Moment, Zone, first_in
from ovsnet.explain.daemons import PROGRAMS, daemon_by_module, daemon_by_path, daemon_by_sender, stem
from ovsnet.explain.event import UNKNOWN, Event, Source
from ovsnet.explain.host_kinds import HOST_KINDS, marks_in
from ovsnet.explain.kind import Kind
from ovsnet.explain.kinds import ABORTED, ANYWHERE, CUT, JUMP, LIVES_ON, MODULES, module
from ovsnet.explain.numbering import PLAIN, Numbering
from ovsnet.explain.silences import Silences

LONGEST = 1 << 16
"""A line longer than this is none of a daemon."""
FIRST = 10_000
"""Lines of which one is of a daemon where any is."""
SECTION = b"==> "
"""tail(1) names the files that it puts one after the other."""
HOSTLY = 4096
"""Nor is one longer than this one of the kernel, which cuts them at 1024 (kernel/printk/internal.h)."""
SERVERS = 16
"""As many processes of servers as are listened to at once: the latest."""
SERVER = b"ovsdb-server"
OPENED = b"opened log file "
NAMES = 5000
"""As many names of modules and threads as are remembered: garbage has more."""
SOURCES = 1000
"""As many senders of one stream as are told apart: a journal of a cluster has hundreds, garbage has millions."""
TEXT = 300
"""As much of a line as is kept to prove something."""
BACKWARDS = 2.0
"""Seconds that a clock must go back to be reported: threads write side by side, and swap places by milliseconds."""
LOUD = frozenset((b"WARN", b"ERR", b"EMER"))
LEVELS = LOUD | {b"INFO", b"DBG"}


def _begins(apart: Split) -> bool:
    """Whether it is the first line of a process that logs to a file."""
    return apart.text.startswith(OPENED) and apart.number.lstrip(b"0") == b"1"


Rule = tuple[bool, tuple[Kind, ...], Mapping[bytes, tuple[bytes, ...]]]
"""What is done with a module's lines: whether the main thread says them, the kinds they may be of, and the marks of
those by level. A text without any of them says nothing."""
QUIET = module(())


class Reader:
    """One stream. Feed it blocks of bytes; ``events`` grows by what counts, and ``timeless`` by what has no date."""

    def __init__(self, name: str, zone: Zone, *, limit: int = 50_000) -> None:
        self.name = name
        self.sources: dict[tuple[bytes, bytes, bytes, bytes], Source] = {}
        self.events: list[Event] = []
        self.lines = 0
        self.timeless: deque[str] = deque(maxlen=NAMES)
        self._zone = zone
        self._limit = limit
        self._rest = b""
        self._skipping = False
        self._begun = False
        self._kept: Counter[tuple[int, str, str]] = Counter()
        self._last: dict[tuple[int, str, str], Event] = {}
        self._before = b""
        self._head = b""
        self._numbering = Numbering(self._missing)
        self._section = b""
        self._servers: deque[tuple[bytes, Source]] = deque(maxlen=SERVERS)
        self._rules: dict[bytes, Rule] = {}
        self._silences = Silences(zone)

    def feed(self, block: bytes) -> None:
        """Take the next bytes of the stream."""
        block = self._rest + block
        lines = block.split(b"\n")
        self._rest = lines.pop()
        if self._skipping and lines:
            lines[0], self._skipping = b"", False
        if len(self._rest) > LONGEST:
            self._rest, self._skipping = b"", True
        if not self._begun:
            self._begin(lines)
        self._silences.look(lines)
        self._take(lines)
        for process, source in self._servers:
            self._hear(process, source, block)

    def end(self) -> None:
        """The stream is over: its last line may lack its end."""
        if self._rest and not self._skipping:
            if not self._begun:
                self._begin([self._rest])
            self._take([self._rest])
        self._rest = b""
        if (apart := split(self._before)) is not None and (moment := apart.moment(self._zone)) is not None:
            source = self._source_of(apart)
            source.last = max(source.last or moment.at, moment.at)
            source.first = min(source.first or moment.at, moment.at)
        for source in self.sources.values():
            source.lines = self.lines
            source.silences = self._silences.found if len(self.sources) == 1 else ()
            source.numbers = (self._silences.first, self._numbering.following if len(self.sources) == 1 else 0)
            source.mixed = source.mixed or (self._numbering.mixed and not source.host)

    def _hear(self, process: bytes, source: Source, block: bytes) -> None:
        """A server's last line in ``block``, whatever it says, shows that it ran beside those that began before."""
        pid = process.partition(b" ")[0]
        at = max(block.rfind(SERVER + b"[" + pid + b"]: "), block.rfind(b'"_PID":"' + pid + b'"'))
        at = max(at, block.rfind(b"\n" + pid + b" ") + 1)
        end = block.find(b"\n", at)
        if end < 0 or (apart := split(block[block.rfind(b"\n", 0, at) + 1 : end])) is None:
            return
        if apart.process == process and (moment := apart.moment(self._zone)) is not None:
            source.last = max(source.last or moment.at, moment.at)

    def _begin(self, lines: list[bytes]) -> None:
        """Its first line tells since when there are any, also where it does not count otherwise."""
        for line in lines[:FIRST]:
            if line.startswith(SECTION):
                break
            if line.count(b"|") < 4 or (apart := split(line)) is None or apart.level not in LEVELS:
                continue
            if (moment := apart.moment(self._zone)) is not None:
                self._note(self._source_of(apart), moment, apart)
                break
        else:
            self._begun = self.lines > FIRST
            return
        self._begun = True

    def _take(self, lines: list[bytes]) -> None:
        """The hot loop: everything in it is done for every line of a gigabyte."""
        rules, since, before, head = self._rules, self.lines, self._before, self._head
        number = since
        numbering, own, count, broken = self._numbering, b"", 0, False
        hosts: list[bytes] | None = None
        for number, line in enumerate(lines, since + 1):
            parts = line.split(b"|", 4)
            if len(parts) != 5:
                if line:
                    if hosts is None:
                        hosts = marks_in(b"\n".join(lines))
                    if hosts or line.startswith(SECTION):
                        self._without_bars(line, hosts, number)
                    before = b"" if line.startswith(SECTION) else before
                    head, broken = b"", True
                continue
            at, numbered, module, level, text = parts
            main, kinds, marks = rules.get(module) or self._rule(module)
            if main:
                if at < head:
                    self._backwards(before, line, number)
                head, own = at, numbered
                count += 1
            for mark in marks.get(level, ()):
                if mark in text:
                    self.lines = number
                    self._look(line, kinds, number, before)
                    break
            before = line
        if count and (numbering.following or len(head) < PLAIN):
            if broken or len(head) >= PLAIN or number_of(own) + 1 != numbering.following + count:
                numbering.count(lines, since)
            else:
                numbering.following += count
        elif broken:
            numbering.following = 0
        self.lines, self._before, self._head = number, before, head

    def _rule(self, name: bytes) -> Rule:
        """What counts of a module as a line names it, ``rconn(ovn_pinctrl0)``."""
        bare, thread, _ = name.partition(b"(")
        known = MODULES.get(bare, QUIET)
        rule = (not thread, known.kinds, known.marks)
        if len(self._rules) > NAMES:
            self._rules.clear()
        if len(name) <= NAME:
            self._rules[name] = rule
        return rule

    def _without_bars(self, line: bytes, marks: list[bytes], number: int) -> None:
        """The words of the kernel, of systemd and of the kubelet are all that counts here."""
        if line.startswith(SECTION):
            self._section = line[:TEXT]
            self._numbering.section()
        elif len(line) < HOSTLY and (found := [mark for mark in marks if mark in line]):
            self._host(line, min(found, key=line.index).decode(), number)

    def _host(self, line: bytes, mark: str, number: int) -> None:
        host = b""
        if (held := json_in(line)) and (opened := from_json(held)) is not None:
            line, _, host, _ = opened
        text = line.decode(errors="replace")
        kinds = (kind for kind in HOST_KINDS if kind.mark == mark)
        found = next(((kind, match) for kind in kinds if (match := kind.pattern.match(text))), None)
        if named := HOST.search(line[:120]):
            host = named[1]
        if found is not None and (moment := first_in(line[:80], self._zone.of_host(host))) is None:
            self.timeless.append(text[:TEXT].strip())
        if found is None or moment is None:
            return
        source = self._source(b"kernel", host)
        source.first = min(source.first or moment.at, moment.at)
        source.last = max(source.last or moment.at, moment.at)
        kind, match = found
        self._keep(kind, moment, source, number, text, "", match.groupdict(""))

    def _look(self, line: bytes, kinds: Iterable[Kind], number: int, before: bytes) -> None:
        """A line of a module that may say something."""
        if len(line) > LONGEST or (apart := split(line)) is None or (moment := apart.moment(self._zone)) is None:
            return
        before = b"" if self._follow(apart) else before
        source = self._source_of(apart)
        self._note(source, moment, apart)
        text = apart.text.decode(errors="replace")
        name, _, thread = apart.module.decode(errors="replace").rstrip(")").partition("(")
        thread = "" if thread in PROGRAMS else thread  # that of a restarted process bears its name (lib/daemon-unix.c)
        ends = apart.level == b"EMER" and name not in LIVES_ON
        for kind in (*kinds, *(ANYWHERE if apart.level in LOUD else ()), *((ABORTED,) if ends else ())):
            if found := kind.pattern.match(text):
                said = {key: value[:TEXT] for key, value in found.groupdict().items() if value is not None}
                said |= {"number": apart.number[:NAME].decode(), "module": name[:NAME]}
                if kind.name == "opened" and _begins(apart) and before:
                    moment = self._ended(source, before, moment)
                self._keep(kind, moment, source, number, text, thread, said)
                break

    def _ended(self, source: Source, before: bytes, began: Moment) -> Moment:
        """Keep the last line of the process before: what stands before the first line of a process. The very first
        line of a process has no milliseconds, and so seems to be older than that; its moment is corrected."""
        apart = split(before)
        if apart is None or source is not self.sources.get(self._key(apart)):
            return began
        if (moment := apart.moment(self._zone)) is None or apart.text.startswith(OPENED):
            return began
        kind = Kind("last-line", "", (), "", "the line before the first line of the next process")
        self._keep(kind, moment, source, self.lines - 1, apart.text.decode(errors="replace"), "", {})
        return moment if 0 < moment.at - began.at < 1 else began

    def _key(self, apart: Split) -> tuple[bytes, bytes, bytes, bytes]:
        """Of a host's servers several may run at once: each process is a stream of its own, and so is a container with
        a label. A process's monitor, which is another process, speaks of it."""
        server = apart.program == SERVER and not apart.module.endswith(b"(monitor)")
        told_apart = server or apart.process == apart.program
        return apart.program, apart.host, apart.process if told_apart else b"", self._section

    def _source_of(self, apart: Split) -> Source:
        program, host, process, _ = self._key(apart)
        return self._source(program, host, process)

    def _source(self, program: bytes, host: bytes, process: bytes = b"") -> Source:
        """The sender's own stream: a journal holds those of several."""
        key = (program, host, process, self._section)
        if len(self.sources) >= SOURCES and key not in self.sources:
            key = program, host, process, self._section = b"", b"", b"", b""
        if (source := self.sources.get(key)) is None:
            source = Source(self.name, host=host.decode(errors="replace"), process=process.decode(errors="replace"))
            source.daemon = daemon_by_sender(program.decode(errors="replace"), source.unit)
            self.sources[key] = source
            if process:
                self._servers.append((process, source))
        return source

    def _follow(self, apart: Split) -> bool:
        """Logs of several daemons may come one after the other through one pipe: each begins by naming its file.
        Whether another begins here."""
        if not _begins(apart):
            return False
        path = apart.text[len(OPENED) :].decode(errors="replace").rstrip()
        now = self.sources.get(self._key(apart))
        if now is None or now.daemon == UNKNOWN:
            return False
        another = daemon_by_path(UNKNOWN, path) not in (UNKNOWN, now.daemon)
        if another or (now.opened and stem(now.opened) != stem(path)):
            self._section = stem(path).encode()
            return True
        return False

    def _note(self, source: Source, moment: Moment, apart: Split) -> None:
        """When the source begins and ends, and whose it is."""
        if source.first is None or moment.at < source.first:
            source.first = moment.at
        if source.last is None or moment.at > source.last:
            source.last = moment.at
        source.zoned = source.zoned and moment.sure
        if source.daemon in (UNKNOWN, "ovsdb-server"):
            source.daemon = daemon_by_module(source.daemon, apart.module, apart.text)
        if apart.text.startswith(OPENED):
            source.opened = apart.text[len(OPENED) :].decode(errors="replace").rstrip()
            source.daemon = daemon_by_path(source.daemon, source.opened)

    def _backwards(self, before: bytes, line: bytes, number: int) -> None:
        """The heads of two lines compare as bytes: a true jump is found by their times."""
        first, second = split(before), split(line)
        if first is None or second is None or self._key(first) != self._key(second):
            return
        self._follow(second)
        if self.sources.get(self._key(second)) is None:
            return
        early, late = second.moment(self._zone), first.moment(self._zone)
        if early is None or late is None or late.at - early.at < BACKWARDS:
            return
        source = self._source_of(second)
        if _begins(second) and not (source.host or source.process):
            source.mixed = True  # the log of another follows; of a sender that is named the clock was set back
        said = {"seconds": f"{late.at - early.at:.3f}"}
        self.lines = number
        self._keep(JUMP, early, source, number, second.text.decode(errors="replace"), "", said)

    def _keep(
        self, kind: Kind, moment: Moment, source: Source, line: int, text: str, thread: str, said: dict[str, str]
    ) -> None:
        subject = said.get("subject", "")
        if "#" in subject or "<->" in subject or len(self._kept) > NAMES:
            subject = ""  # a server's clients: each has a name of its own, and there may be millions
        key = (id(source), kind.name, subject)
        last = self._last.get(key)
        soon = last is not None and 0 <= moment.at - last.at < kind.apart
        self._kept[key] += not soon
        if soon or self._kept[key] > kind.many or len(self.events) >= self._limit:
            if last is not None:
                last.repeated += 1
                last.until = max(last.until, moment.at)
            return
        event = Event(kind.name, moment.at, source, line, text[:TEXT], thread, said, order=len(self.events))
        self._last[key] = event
        self.events.append(event)

    def _missing(self, count: int, line: bytes, number: int) -> None:
        """Lines between two numbers are not here."""
        if (apart := split(line)) is None or (moment := apart.moment(self._zone)) is None:
            return
        text = apart.text.decode(errors="replace")
        self._keep(CUT, moment, self._source_of(apart), number, text, "", {"count": str(count)})
