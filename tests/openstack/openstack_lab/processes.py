"""Processes of the lab: started in a session of their own, known by a pid file "pid start-time", ended with all they started.
"""

import os
import signal
import subprocess
import sys
import time

from .settings import LAB



def say(msg):
    print('openstack-lab: ' + msg, file=sys.stderr, flush=True)


class Failed(Exception):
    pass


def write(path, text, mode=0o600):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    tmp = path + '.new'
    with open(tmp, 'w') as f:
        f.write(text)
    os.chmod(tmp, mode)
    os.replace(tmp, path)


def start_time(pid):
    """The process's start time in ticks; None when there is no such (living) process."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            rest = f.read().rsplit(')', 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if rest[0] == 'Z' else rest[19]


class Proc:
    """A process started here, in a session of its own, known by a pid file 'pid start-time'."""

    def __init__(self, group, name):
        self.group, self.name = group, name
        self.pidfile = os.path.join(LAB, group, 'run', name + '.pid')
        self.log = os.path.join(LAB, group, 'log', name + '.log')

    def pid(self):
        try:
            with open(self.pidfile) as f:
                pid, born = f.read().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == born else None

    def start(self, argv, env=None, cwd=None):
        if self.pid():
            return False
        os.makedirs(os.path.dirname(self.pidfile), exist_ok=True)
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        full = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8',
                'HOME': os.path.join(LAB, self.group), 'PYTHONUNBUFFERED': '1'}
        full.update(env or {})
        with open(self.log, 'ab') as log:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log, env=full, cwd=cwd or '/',
                                 start_new_session=True)
        write(self.pidfile, '%d %s\n' % (p.pid, start_time(p.pid)))
        return True

    def members(self, pid):
        """Living processes of the session that `pid` leads."""
        out = []
        for d in os.listdir('/proc'):
            if d.isdigit():
                try:
                    with open('/proc/%s/stat' % d) as f:
                        rest = f.read().rsplit(')', 1)[1].split()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if rest[3] == str(pid) and rest[0] != 'Z':
                    out.append(int(d))
        return out

    def signal(self, sig):
        pid = self.pid()
        if pid:
            for p in ([pid] if sig == signal.SIGTERM else self.members(pid)):
                try:
                    os.kill(p, sig)
                except ProcessLookupError:
                    pass

    def tail(self, n=15):
        try:
            with open(self.log, errors='replace') as f:
                return ''.join(f.readlines()[-n:])
        except FileNotFoundError:
            return ''


def stop(procs, kill=False, grace=10.0):
    """Ends these processes and what they started."""
    living = [(p, p.pid()) for p in procs]
    living = [(p, pid, p.members(pid)) for p, pid in living if pid]
    for p, _, _ in living:
        p.signal(signal.SIGKILL if kill else signal.SIGTERM)
    deadline = time.time() + grace
    while time.time() < deadline:
        if not any(start_time(m) for _, _, ms in living for m in ms):
            break
        time.sleep(0.1)
    for p, pid, ms in living:
        left = set(p.members(pid)) | {m for m in ms if start_time(m)
                                      and session_of(m) == pid}
        for m in left:
            try:
                os.kill(m, signal.SIGKILL)
            except ProcessLookupError:
                pass
    for p in procs:
        if not p.pid():
            try:
                os.unlink(p.pidfile)
            except FileNotFoundError:
                pass
    return len(living)


def session_of(pid):
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def run(argv, env=None, log=None, check=True, stdin=None, stdout=None):
    full = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8',
            'HOME': LAB, 'PYTHONWARNINGS': 'ignore'}
    full.update(env or {})
    r = subprocess.run(argv, env=full, stdin=stdin or subprocess.DEVNULL,
                       stdout=stdout or subprocess.PIPE,
                       stderr=subprocess.STDOUT if not stdout else subprocess.PIPE)
    out = (r.stdout or r.stderr or b'')
    if log:
        with open(log, 'ab') as f:
            f.write(('$ %s\n' % ' '.join(argv)).encode() + out + b'\n')
    if check and r.returncode:
        text = (out or r.stderr or b'').decode(errors='replace')
        raise Failed('%s: exit %d\n%s' % (' '.join(argv), r.returncode, text[-3000:]))
    return r


def wait_for(what, fn, timeout, procs=(), every=0.25):
    deadline = time.time() + timeout
    last = None
    while True:
        try:
            v = fn()
            if v:
                return v
        except Exception as e:      # noqa: not there yet
            last = e
        for p in procs:
            if not p.pid():
                raise Failed('%s ended while waiting for %s:\n%s' % (p.name, what, p.tail()))
        if time.time() > deadline:
            raise Failed('%s: not ready after %d s (%s)\n%s' % (
                what, timeout, last, '\n'.join(p.tail() for p in procs)))
        time.sleep(every)
