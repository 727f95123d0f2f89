"""Two independent OpenStack sites on one machine, with no hypervisor.

  up SITE|all             configure and start (seeds a site the first time)
  down SITE|all [--kill]  end exactly what `up` started; --kill is SIGKILL, a disaster
  status                  what runs, its memory, and whether each API answers
  reset SITE|all          forget a site's data (keeps the saved first day)
"""

import argparse
import concurrent.futures
import fcntl
import os
import shutil
import sys
import time

from .infra import infra_down, infra_procs, infra_up
from .processes import Failed, say
from .rest import http
from .settings import LAB, SERVICES, SITES
from .site import Site, versions


def chosen(name):
    if name == 'all':
        return [Site(n) for n in SITES]
    if name not in SITES:
        raise Failed('no such site: %s (one of %s, all)' % (name, ', '.join(SITES)))
    return [Site(name)]


def anything_runs():
    return any(p.pid() for name in SITES for p in Site(name).procs.values())


def up(name):
    began = time.time()
    if shutil.which('mariadbd', path='/usr/sbin:/usr/bin') is None:
        raise Failed('not installed: ./dev setup openstack')
    infra_up()
    sites = chosen(name)
    if os.path.exists(os.path.join(LAB, 'cache', 'schema-' + versions(), '.complete')):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(site.up) for site in sites]:
                future.result()
    else:  # the first day's schemas are made once and used again, so the sites take turns then
        for site in sites:
            site.up()
    say('up in %.1f s' % (time.time() - began))


def down(name, kill=False):
    began = time.time()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ended = sum(pool.map(lambda site: site.down(kill), chosen(name)))
    if not anything_runs():
        infra_down(kill)
    say('ended %d processes (%.1f s)' % (ended, time.time() - began))


def reset(name):
    for site in chosen(name):
        site.reset()
    if not anything_runs():
        infra_down()
        if name == 'all':  # a new bus and a new database server
            shutil.rmtree(os.path.join(LAB, 'infra'), ignore_errors=True)
    say('reset ' + name)


def memory(pid):
    try:
        with open('/proc/%d/smaps_rollup' % pid, encoding='ascii') as f:
            return next((int(line.split()[1]) for line in f if line.startswith('Pss:')), 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0


def status():
    total, bad = 0, 0
    for group, processes in [('infra', list(infra_procs().values()))] + [(n, list(Site(n).procs.values())) for n in SITES]:
        for process in processes:
            pid = process.pid()
            used = sum(memory(member) for member in process.members(pid)) if pid else 0
            total += used
            bad += not pid
            print('%-8s %-18s %-10s %s' % (group, process.name, 'pid %d' % pid if pid else 'down', '%d MiB' % (used // 1024) if pid else ''))
        for svc in SERVICES if group in SITES and any(process.pid() for process in processes) else ():
            try:
                answer = http('GET', Site(group).url(svc, '/'), timeout=10)[0]
            except OSError as error:
                answer = error
                bad += 1
            print('%-8s   %-28s %s' % (group, Site(group).url(svc), answer))
    print('memory (PSS): %d MiB' % (total // 1024))
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(prog='openstack_lab', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    for name in ('up', 'down', 'reset'):
        command = commands.add_parser(name)
        command.add_argument('site', nargs='?', default='all')
        if name == 'down':
            command.add_argument('--kill', action='store_true')
    commands.add_parser('status')
    arguments = parser.parse_args()
    os.makedirs(LAB, exist_ok=True)
    if arguments.command == 'status':
        return status()
    with open(LAB + '.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if arguments.command == 'down':
            down(arguments.site, arguments.kill)
        else:
            {'up': up, 'reset': reset}[arguments.command](arguments.site)
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Failed as error:
        say(str(error))
        sys.exit(1)
