"""Names, addresses and sizes of the two sites. What the product's own lab (tools/protector_lab) names, is named alike here."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parents[1]
LAB = os.path.abspath(os.environ.get('OPENSTACK_LAB_DIR', ROOT / 'build' / 'openstack' / 'sites'))
VENV = os.path.abspath(os.environ.get('OPENSTACK_LAB_VENV', ROOT / 'build' / 'openstack' / 'venv'))
PY = '/usr/bin/python3'          # Debian's, which has Debian's Nova, Neutron, ...
CINDER_PY = os.path.join(VENV, 'bin', 'python')
RUNTIME = str(HERE / 'runtime')
INFRA_IP = os.environ.get('OPENSTACK_LAB_INFRA_IP', '127.0.59.1')
IPS = os.environ.get('OPENSTACK_LAB_IPS', '127.0.51.1,127.0.61.1').split(',')
DB_PORT, MQ_PORT, MQ_DIST, EPMD_PORT = 13306, 5672, 25672, 14369
DB_ROOT_PW = 'lab-root'
SERVICES = ['keystone', 'placement', 'glance', 'nova', 'cinder', 'neutron']
DATABASES = ['keystone', 'placement', 'glance', 'nova_api', 'nova_cell0', 'nova', 'cinder', 'neutron']
PORTS = {'keystone': 5000, 'nova': 8774, 'cinder': 8776, 'neutron': 9696, 'glance': 9292, 'placement': 8778, 'array': 8443}
DEBUG = os.environ.get('OPENSTACK_LAB_DEBUG', 'false')
TOKEN_EXPIRATION = os.environ.get('OPENSTACK_LAB_TOKEN_EXPIRATION', '3600')

SITES = {
    'site-a': {
        'ip': IPS[0], 'n': 'a', 'other': 'b', 'other_ip': IPS[1],
        'flavors': [('m1.small', 'a-small', 1, 512, 1), ('m1.medium', 'a-medium', 2, 2048, 10),
                    ('m1.large', 'a-large', 4, 4096, 20)],
        'networks': [('net-primary-web', '10.10.1.0/24'), ('net-primary-db', '10.10.2.0/24')],
    },
    'site-b': {
        'ip': IPS[1], 'n': 'b', 'other': 'a', 'other_ip': IPS[0],
        'flavors': [('m2.small', 'b-small', 1, 512, 1), ('m2.medium', 'b-medium', 2, 2048, 10),
                    ('m2.large', 'b-large', 4, 4096, 20)],
        # The same ranges: an application keeps its addresses when it moves.
        'networks': [('net-secondary-web', '10.10.1.0/24'), ('net-secondary-db', '10.10.2.0/24')],
    },
}
SECURITY_GROUPS = {'sg-web': [22, 80, 443], 'sg-db': [22, 5432]}
VOLUME_TYPE = 'replicated-async'
DEMO_USER, DEMO_PROJECT = 'demo', 'demo'


def pw(site, who):
    return 'lab-%s-%s' % (who, site)


def array_token(letter):
    return 'lab-token-array-' + letter
