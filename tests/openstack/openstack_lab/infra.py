"""MariaDB and RabbitMQ: one of each for both sites, each site with its own databases, vhost and users, so that one site can be killed
without the other noticing.
"""

import json
import os
import shutil
import socket
import subprocess
import time

from .processes import Failed, Proc, run, say, stop, wait_for, write
from .settings import DB_PORT, DB_ROOT_PW, EPMD_PORT, INFRA_IP, LAB, MQ_DIST, MQ_PORT, SITES, pw

SOCK = os.path.join(LAB, 'infra', 'run', 'mysqld.sock')



def sql(text, db=None):
    argv = ['mariadb', '--no-defaults', '-S', SOCK, '-uroot', '-p' + DB_ROOT_PW, '-N', '-B']
    r = subprocess.run(argv + ([db] if db else []), input=text.encode(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        raise Failed('sql: ' + r.stderr.decode(errors='replace'))
    return r.stdout.decode()


def infra_procs():
    return {n: Proc('infra', n) for n in ('mariadb', 'epmd', 'rabbitmq')}


def infra_up():
    t0 = time.time()
    p = infra_procs()
    base = os.path.join(LAB, 'infra')
    data, mq = os.path.join(base, 'mysql'), os.path.join(base, 'rabbitmq')
    for d in ('run', 'log', 'rabbitmq'):
        os.makedirs(os.path.join(base, d), exist_ok=True)
    if not os.path.exists(os.path.join(data, '.lab-ready')):
        shutil.rmtree(data, ignore_errors=True)
        say('creating the database server')
        run(['mariadb-install-db', '--no-defaults', '--datadir=' + data, '--user=root',
             '--auth-root-authentication-method=normal', '--skip-test-db'],
            log=os.path.join(base, 'log', 'setup.log'))
        fresh_db = True
    else:
        fresh_db = False
    # One server for both sites, each site with its own databases and its own user; nothing is
    # synced to disk at commit, since a lab may lose its last second.
    p['mariadb'].start([
        'mariadbd', '--no-defaults', '--user=root', '--datadir=' + data, '--socket=' + SOCK,
        '--pid-file=' + os.path.join(base, 'run', 'mariadbd.self'),
        '--bind-address=' + INFRA_IP, '--port=%d' % DB_PORT,
        '--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0',
        '--innodb-flush-method=nosync', '--innodb-buffer-pool-size=256M',
        '--innodb-log-file-size=64M', '--skip-log-bin', '--skip-name-resolve',
        '--max-connections=1000', '--performance-schema=OFF', '--thread-cache-size=64',
        '--character-set-server=utf8mb3', '--collation-server=utf8mb3_general_ci',
        '--table-open-cache=2000', '--max-allowed-packet=64M'])
    write(os.path.join(mq, 'definitions.json'), json.dumps({
        'vhosts': [{'name': s} for s in SITES],
        'users': [{'name': s, 'password': pw(s, 'mq'), 'tags': ''} for s in SITES],
        'permissions': [{'user': s, 'vhost': s, 'configure': '.*', 'write': '.*', 'read': '.*'}
                        for s in SITES]}))
    write(os.path.join(mq, 'rabbitmq.conf'), '\n'.join([
        'listeners.tcp.1 = %s:%d' % (INFRA_IP, MQ_PORT),
        'load_definitions = ' + os.path.join(mq, 'definitions.json'),
        'vm_memory_high_watermark.absolute = 1GB', 'disk_free_limit.absolute = 50MB',
        'log.console = true', 'log.console.level = warning', 'log.file = false', '']))
    write(os.path.join(mq, 'enabled_plugins'), '[].\n')
    write(os.path.join(mq, 'rabbitmq-env.conf'), '')
    p['epmd'].start(['epmd', '-port', str(EPMD_PORT), '-address', INFRA_IP])
    p['rabbitmq'].start(['/usr/lib/rabbitmq/bin/rabbitmq-server'], env={
        'HOME': mq, 'RABBITMQ_NODENAME': 'lab@localhost',
        'RABBITMQ_CONFIG_FILE': os.path.join(mq, 'rabbitmq.conf'),
        'RABBITMQ_CONF_ENV_FILE': os.path.join(mq, 'rabbitmq-env.conf'),
        'RABBITMQ_MNESIA_BASE': os.path.join(mq, 'mnesia'),
        'RABBITMQ_LOG_BASE': os.path.join(base, 'log'), 'RABBITMQ_LOGS': '-',
        'RABBITMQ_PID_FILE': os.path.join(base, 'run', 'rabbitmq.self'),
        'RABBITMQ_ENABLED_PLUGINS_FILE': os.path.join(mq, 'enabled_plugins'),
        'RABBITMQ_GENERATED_CONFIG_DIR': os.path.join(mq, 'config'),
        'RABBITMQ_DIST_PORT': str(MQ_DIST), 'ERL_EPMD_PORT': str(EPMD_PORT),
        'ERL_EPMD_ADDRESS': INFRA_IP, 'RABBITMQ_IO_THREAD_POOL_SIZE': '16',
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
            '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none '
            '-kernel inet_dist_use_interface {127,0,0,1}'})
    if fresh_db:
        def first():
            subprocess.run(['mariadb', '--no-defaults', '-S', SOCK, '-uroot'], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           input=("ALTER USER root@localhost IDENTIFIED BY '%s'; FLUSH PRIVILEGES;"
                                  % DB_ROOT_PW).encode())
            return True
        wait_for('the database server', first, 60, [p['mariadb']])
        write(os.path.join(data, '.lab-ready'), '')
    wait_for('the database server', lambda: sql('select 1'), 60, [p['mariadb']])

    def mq_answers():
        with socket.create_connection((INFRA_IP, MQ_PORT), 1) as s:
            s.settimeout(2)
            s.sendall(b'AMQP\x00\x00\x09\x01')
            return s.recv(1)
    wait_for('the message bus', mq_answers, 60, [p['rabbitmq']])
    say('database and message bus are up (%.1f s)' % (time.time() - t0))


def infra_down(kill=False):
    p = infra_procs()
    stop([p['rabbitmq']], kill, 20)
    stop([p['mariadb'], p['epmd']], kill, 20)
