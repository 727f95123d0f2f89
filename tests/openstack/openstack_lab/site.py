"""One site: its databases, its processes, its first day and every later one."""

import base64
import calendar
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time
import uuid

from . import configuration, seed
from .infra import SOCK, sql
from .processes import Failed, Proc, run, say, stop, wait_for, write
from .rest import Client, http
from .settings import (CINDER_PY, DATABASES, DB_PORT, DB_ROOT_PW, DEMO_PROJECT, DEMO_USER, INFRA_IP, LAB, MQ_PORT, PORTS, PY,
                       RUNTIME, SERVICES, SITES, VENV, pw)

PROCESSES = ('keystone', 'placement', 'glance-api', 'nova-api', 'nova-conductor', 'nova-scheduler', 'nova-compute', 'cinder-api',
             'cinder-scheduler', 'cinder-volume', 'neutron-server')
DAEMONS = {name for name in PROCESSES if name.split('-')[0] in ('nova', 'cinder') and not name.endswith('-api')}
QUIET = {'PYTHONWARNINGS': 'ignore', 'MALLOC_ARENA_MAX': '2', 'PYTHONDONTWRITEBYTECODE': '1'}


class Site:
    def __init__(self, name):
        self.name = name
        self.d = SITES[name]
        self.ip = self.d['ip']
        self.dir = os.path.join(LAB, name)
        self.etc = os.path.join(self.dir, 'etc')
        self.logdir = os.path.join(self.dir, 'log')
        self.state = os.path.join(self.dir, 'state')
        self.setup_log = os.path.join(self.logdir, 'setup.log')
        self.procs = {n: Proc(name, n) for n in PROCESSES}
        self.started_at = 0

    # --- addresses

    def url(self, svc, path=''):
        return 'http://%s:%d%s' % (self.ip, PORTS[svc], path)

    @property
    def auth_url(self):
        return self.url('keystone', '/v3')

    def dbname(self, db):
        return '%s_%s' % (self.name.replace('-', '_'), db)

    def db_url(self, db):
        return 'mysql+pymysql://%s:%s@%s:%d/%s?charset=utf8' % (self.name, pw(self.name, 'db'), INFRA_IP, DB_PORT, self.dbname(db))

    @property
    def mq_url(self):
        return 'rabbit://%s:%s@%s:%d/%s' % (self.name, pw(self.name, 'mq'), INFRA_IP, MQ_PORT, self.name)

    def client(self, who='demo'):
        if who == 'admin':
            return Client(self, 'admin', pw(self.name, 'admin'), 'admin')
        return Client(self, DEMO_USER, pw(self.name, 'demo'), DEMO_PROJECT)

    # --- tools and databases

    def conf_args(self, svc, compute=False):
        name = 'glance-api' if svc == 'glance' else svc
        args = ['--config-file', '%s/%s/%s.conf' % (self.etc, svc, name)]
        if svc == 'nova' and not compute:
            args += ['--config-file', '%s/nova/nova-db.conf' % self.etc]
        return args

    def tool(self, svc, *args):
        name = {'neutron': 'neutron-db-manage', 'cinder': os.path.join(VENV, 'bin', 'cinder-manage')}.get(svc, svc + '-manage')
        environment = {'OS_PLACEMENT_CONFIG_DIR': self.etc + '/placement'}
        if svc != 'cinder':
            environment['PYTHONPATH'] = RUNTIME
        run([name] + self.conf_args(svc) + list(args), log=self.setup_log, env=environment)

    def make_databases(self):
        user = "'%s'@'%%'" % self.name
        text = "CREATE USER IF NOT EXISTS %s IDENTIFIED BY '%s';\n" % (user, pw(self.name, 'db'))
        for db in DATABASES:
            text += ('DROP DATABASE IF EXISTS {0}; CREATE DATABASE {0} CHARACTER SET utf8mb3; '
                     'GRANT ALL ON {0}.* TO {1};\n').format(self.dbname(db), user)
        sql(text)

    def dump(self, path):
        os.makedirs(path, exist_ok=True)

        def one(db):
            with open(os.path.join(path, db + '.sql'), 'wb') as f:
                run(['mariadb-dump', '--no-defaults', '-S', SOCK, '-uroot', '-p' + DB_ROOT_PW, '--single-transaction',
                     '--skip-comments', '--skip-dump-date', '--extended-insert', self.dbname(db)], stdout=f)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, DATABASES))

    def load(self, path):
        def one(db):
            with open(os.path.join(path, db + '.sql'), 'rb') as f:
                run(['mariadb', '--no-defaults', '-S', SOCK, '-uroot', '-p' + DB_ROOT_PW, self.dbname(db)], stdin=f)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, DATABASES))

    def make_schemas(self):
        """The tables of every service: from the copy that an earlier first day of these versions left, else by db sync."""
        cache = os.path.join(LAB, 'cache', 'schema-' + versions())
        if os.path.exists(cache + '/.complete'):
            self.load(cache)
            return
        say('%s: creating the schemas (once for these versions)' % self.name)
        chains = [
            lambda: (self.tool('nova', 'api_db', 'sync'),
                     self.tool('nova', 'cell_v2', 'map_cell0', '--database_connection', self.db_url('nova_cell0')),
                     self.tool('nova', 'db', 'sync')),
            lambda: self.tool('neutron', 'upgrade', 'heads'),
            lambda: self.tool('cinder', 'db', 'sync'),
            lambda: self.tool('keystone', 'db_sync'),
            lambda: (self.tool('glance', 'db_sync'), self.tool('glance', 'db_load_metadefs', '/etc/glance/metadefs')),
            lambda: self.tool('placement', 'db', 'sync'),
        ]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(chain) for chain in chains]:
                future.result()
        sql('DELETE FROM cell_mappings;', self.dbname('nova_api'))  # a site's own; see make_cells
        shutil.rmtree(cache, ignore_errors=True)
        self.dump(cache)
        write(cache + '/.complete', '')

    def make_cells(self):
        # What `nova-manage cell_v2 map_cell0` and `create_cell` write.
        sql('DELETE FROM cell_mappings;'
            'INSERT INTO cell_mappings (created_at, uuid, name, transport_url, database_connection, disabled) VALUES '
            "(NOW(), '%s', 'cell0', 'none:///', '%s', 0), (NOW(), '%s', 'cell1', '%s', '%s', 0);" % (
                uuid.UUID(int=0), self.db_url('nova_cell0'), uuid.uuid4(), self.mq_url, self.db_url('nova')),
            self.dbname('nova_api'))

    # --- processes

    def uwsgi(self, name, wsgi, env):
        self.procs[name].start([
            # Processes, not threads: with threads (and --thunder-lock) Keystone was once seen to answer no more.
            'uwsgi', '--plugins', 'python3', '--http-socket', '%s:%d' % (self.ip, PORTS[name]), '--wsgi-file', wsgi,
            '--processes', '2', '--enable-threads', '--need-app', '--die-on-term', '--master', '--buffer-size', '65535',
            '--disable-logging', '--so-keepalive', '--socket-timeout', '30', '--listen', '100', '--add-header',
            'Connection: close', '--max-fd', '4096', '--procname', '%s %s' % (self.name, name)], env=env)

    def daemon(self, name):
        svc = name.split('-')[0]
        arguments = [os.path.join(RUNTIME, 'labrun.py'), name] + self.conf_args(svc, name == 'nova-compute')
        if svc == 'cinder':
            self.procs[name].start([CINDER_PY] + arguments, env=QUIET)
        else:
            self.procs[name].start([PY] + arguments, env={**QUIET, 'PYTHONPATH': RUNTIME})

    def start_identity(self):
        self.uwsgi('keystone', '/usr/bin/keystone-wsgi-public', {'OS_KEYSTONE_CONFIG_DIR': self.etc + '/keystone',
                                                                 'OS_KEYSTONE_CONFIG_FILES': self.etc + '/keystone/keystone.conf'})

    def start_rest(self):
        self.uwsgi('placement', '/usr/bin/placement-api', {'OS_PLACEMENT_CONFIG_DIR': self.etc + '/placement'})
        for name in PROCESSES[2:]:
            self.daemon(name)

    def wait_identity(self):
        wait_for('%s keystone' % self.name, lambda: http('GET', self.auth_url)[0] == 200, 120, [self.procs['keystone']])

    def wait_rest(self):
        processes = list(self.procs.values())
        for svc, path in (('placement', '/'), ('glance', '/versions'), ('nova', '/'), ('cinder', '/'), ('neutron', '/')):
            wait_for('%s %s' % (self.name, svc), lambda: http('GET', self.url(svc, path))[0] in (200, 300), 180, processes)
        admin = self.client('admin')

        def reported(row):
            stamp = row['updated_at']
            fresh = stamp and calendar.timegm(time.strptime(stamp[:19], '%Y-%m-%dT%H:%M:%S')) >= self.started_at - 1
            return fresh and row['state'] == 'up'

        def agents():
            rows = admin.get('nova', '/os-services')['services'] + admin.get('cinder', '/os-services')['services']
            return DAEMONS <= {row['binary'] for row in rows if reported(row)}
        wait_for('%s services' % self.name, agents, 180, processes, every=0.5)

    # --- a day

    def first_day(self):
        self.make_schemas()
        for part in ('fernet-keys', 'credential-keys'):  # what `keystone-manage fernet_setup` and `credential_setup` write
            directory = os.path.join(self.etc, 'keystone', part)
            shutil.rmtree(directory, ignore_errors=True)
            os.makedirs(directory, 0o700)
            for n in '01':
                write(os.path.join(directory, n), base64.urlsafe_b64encode(os.urandom(32)).decode())
        self.tool('keystone', 'bootstrap', '--bootstrap-password', pw(self.name, 'admin'), '--bootstrap-admin-url', self.auth_url,
                  '--bootstrap-internal-url', self.auth_url, '--bootstrap-public-url', self.auth_url,
                  '--bootstrap-region-id', self.name)
        self.make_cells()

    def save(self, saved):
        shutil.rmtree(saved, ignore_errors=True)
        self.dump(saved)
        for part in ('fernet-keys', 'credential-keys'):
            shutil.copytree(os.path.join(self.etc, 'keystone', part), os.path.join(saved, part))
        run(['cp', '-a', '--sparse=always', os.path.join(self.state, 'glance'), saved])
        write(saved + '/.complete', '')

    def restore(self, saved):
        self.load(saved)
        for part in ('fernet-keys', 'credential-keys'):
            target = os.path.join(self.etc, 'keystone', part)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(os.path.join(saved, part), target)
        shutil.rmtree(os.path.join(self.state, 'glance'), ignore_errors=True)
        run(['cp', '-a', '--sparse=always', os.path.join(saved, 'glance'), self.state])

    def up(self):
        """Starts what does not run; the first time, or after `reset`, with nothing but what seed.py makes."""
        began = time.time()
        os.makedirs(self.logdir, exist_ok=True)
        marker = os.path.join(self.state, '.seeded')
        saved = os.path.join(LAB, 'cache', '%s-%s' % (self.name, seed_key()))
        configuration.render(self)
        known = os.path.exists(marker)
        kept = os.path.exists(saved + '/.complete')
        if not known:
            self.down()  # what an `up` that did not end well may have left
            self.make_databases()
            self.restore(saved) if kept else self.first_day()
        self.started_at = int(time.time())
        self.start_identity()
        if known or kept:
            self.start_rest()
            self.wait_identity()
        else:
            self.wait_identity()
            seed.identity(self)
            self.start_rest()
        self.wait_rest()
        if not known and not kept:
            self.tool('nova', 'cell_v2', 'discover_hosts')
            seed.rest(self)
            self.save(saved)
        write(marker, saved + '\n')
        say('%s is up in %.1f s' % (self.name, time.time() - began))

    def down(self, kill=False):
        return stop(list(self.procs.values()), kill)

    def reset(self):
        self.down()
        for directory in (self.state, self.etc, self.logdir):
            shutil.rmtree(directory, ignore_errors=True)


def versions():
    debian = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${Version}\n'] + ['python3-' + s for s in SERVICES if s != 'cinder'],
                            stdout=subprocess.PIPE, check=False).stdout
    try:
        cinder = pathlib.Path(VENV, '.requirements').read_bytes()
    except FileNotFoundError as error:
        raise Failed('Cinder is not installed in %s: ./dev setup openstack' % VENV) from error
    return hashlib.sha256(debian + cinder).hexdigest()[:16]


def seed_key():
    digest = hashlib.sha256(versions().encode() + json.dumps([LAB, INFRA_IP]).encode())
    for path in sorted(pathlib.Path(__file__).parent.glob('*.py')):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
