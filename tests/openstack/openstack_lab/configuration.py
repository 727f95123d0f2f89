"""The configuration files of a site's services, written anew at each start."""

import os

from .processes import write
from .settings import DEBUG, PORTS, TOKEN_EXPIRATION, VENV, array_token, pw

LOGGING = '''debug = {debug}
log_color = false
default_log_levels = oslo_policy=ERROR,oslo_messaging=ERROR,amqp=WARN,sqlalchemy=WARN,eventlet.wsgi.server=INFO,urllib3=WARN,stevedore=WARN,keystonemiddleware=WARN,oslo_service=INFO
'''.format(debug=DEBUG)
POOL = 'max_pool_size = 5\nmax_overflow = 30\nconnection_recycle_time = 600\n'
SERVICE_TYPES = {'nova': 'compute', 'cinder': 'volumev3', 'glance': 'image', 'neutron': 'network', 'placement': 'placement'}

COMMON = '''
[oslo_concurrency]
lock_path = {state}/lock
[oslo_messaging_notifications]
driver = noop
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
rabbit_retry_interval = 1
kombu_reconnect_delay = 0.5
'''

KEYSTONE = '''
[DEFAULT]
{logging}public_endpoint = {url}
[database]
connection = {db}
{pool}[token]
provider = fernet
expiration = {expiration}
[fernet_tokens]
key_repository = {etc}/keystone/fernet-keys
[fernet_receipts]
key_repository = {etc}/keystone/fernet-keys
[credential]
key_repository = {etc}/keystone/credential-keys
[identity]
password_hash_rounds = 4
[oslo_messaging_notifications]
driver = noop
'''

PLACEMENT = '''
[DEFAULT]
{logging}[api]
auth_strategy = keystone
[placement_database]
connection = {db}
{pool}'''

GLANCE = '''
[DEFAULT]
{logging}bind_host = {ip}
bind_port = {port}
workers = 0
enabled_backends = store:file
worker_self_reference_url = {url}
node_staging_uri = file://{state}/glance/staging
[glance_store]
default_backend = store
[store]
filesystem_store_datadir = {state}/glance/images
[database]
connection = {db}
{pool}[paste_deploy]
flavor = keystone
config_file = /etc/glance/glance-api-paste.ini
'''

NOVA = '''
[DEFAULT]
{logging}host = compute-{n}
my_ip = {ip}
state_path = {state}/nova
instances_path = {state}/nova/instances
transport_url = {mq}
enabled_apis = osapi_compute
osapi_compute_listen = {ip}
osapi_compute_listen_port = {port}
osapi_compute_workers = 1
compute_driver = lab.LabDriver
rpc_response_timeout = 60
use_cow_images = false
force_raw_images = false
sync_power_state_interval = 60
heal_instance_info_cache_interval = -1
update_resources_interval = 0
block_device_allocate_retries = 120
block_device_allocate_retries_interval = 1
service_down_time = 60
report_interval = 10
[api]
auth_strategy = keystone
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 300
[quota]
instances = -1
cores = -1
ram = -1
key_pairs = -1
metadata_items = 512
[filter_scheduler]
track_instance_changes = false
[vnc]
enabled = false
[glance]
region_name = {region}
[cinder]
os_region_name = {region}
[notifications]
notification_format = unversioned
[wsgi]
api_paste_config = /etc/nova/api-paste.ini
[upgrade_levels]
compute = auto
[workarounds]
skip_cpu_compare_on_dest = true
'''

# nova-compute may not see the databases.
NOVA_DB = '''
[api_database]
connection = {db_api}
{pool}[database]
connection = {db}
{pool}'''

# Cinder's own FlashArray driver, unchanged; the array is the product's simulator.
CINDER = '''
[DEFAULT]
{logging}host = cinder-{n}
my_ip = {ip}
state_path = {state}/cinder
transport_url = {mq}
auth_strategy = keystone
osapi_volume_listen = {ip}
osapi_volume_listen_port = {port}
osapi_volume_workers = 1
public_endpoint = {url}
api_paste_config = {venv}/etc/cinder/api-paste.ini
rootwrap_config = {venv}/etc/cinder/rootwrap.conf
resource_query_filters_file = {venv}/etc/cinder/resource_filters.json
enabled_backends = pure
glance_api_servers = {glance}
image_conversion_dir = {state}/cinder/conversion
rpc_response_timeout = 60
service_down_time = 60
report_interval = 10
backend_stats_polling_interval = 30
volume_clear = none
quota_volumes = -1
quota_snapshots = -1
quota_gigabytes = -1
quota_backups = -1
quota_backup_gigabytes = -1
[database]
connection = {db}
{pool}[pure]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = array-{n}
san_ip = {ip}:{array_port}
pure_api_token = {token}
use_multipath_for_image_xfer = false
pure_eradicate_on_delete = false
driver_ssl_cert_verify = false
replication_device = backend_id:array-{other},san_ip:{other_ip}:{array_port},api_token:{other_token},type:async
'''

NEUTRON = '''
[DEFAULT]
{logging}host = network-{n}
bind_host = {ip}
bind_port = {port}
transport_url = {mq}
state_path = {state}/neutron
core_plugin = ml2
service_plugins = router
auth_strategy = keystone
api_paste_config = /etc/neutron/api-paste.ini
api_workers = 0
rpc_workers = 0
rpc_state_report_workers = 0
dhcp_agent_notification = false
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
send_events_interval = 0
base_mac = fa:16:3e:0{n}:00:00
[database]
connection = {db}
{pool}[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
[ml2]
type_drivers = flat,vlan,vxlan,local
tenant_network_types = vxlan
mechanism_drivers = lab
extension_drivers = port_security
[ml2_type_vxlan]
vni_ranges = 1:1000
[securitygroup]
enable_security_group = true
'''

CREDENTIALS = '''
[{section}]
auth_type = password
auth_url = {url}
www_authenticate_uri = {url}
username = {user}
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = {region}
'''


def credentials(site, user, section):
    return CREDENTIALS.format(section=section, url=site.auth_url, user=user, password=pw(site.name, user), region=site.name)


def token_check(site, user):
    return (credentials(site, user, 'keystone_authtoken')
            + 'service_token_roles = service\nservice_token_roles_required = true\nservice_type = %s\n' % SERVICE_TYPES[user])


def service_user(site, user):
    return credentials(site, user, 'service_user') + 'send_service_user_token = true\n'


def render(site):
    def fill(template, service, **more):
        return template.format(logging=LOGGING, pool=POOL, etc=site.etc, state=site.state, ip=site.ip, n=site.d['n'],
                               region=site.name, mq=site.mq_url, port=PORTS[service], url=site.url(service),
                               db=site.db_url(service), **more)
    common = COMMON.format(state=site.state)
    write(site.etc + '/keystone/keystone.conf', fill(KEYSTONE, 'keystone', expiration=TOKEN_EXPIRATION))
    write(site.etc + '/placement/placement.conf', fill(PLACEMENT, 'placement') + token_check(site, 'placement'))
    write(site.etc + '/glance/glance-api.conf', fill(GLANCE, 'glance') + common + token_check(site, 'glance'))
    write(site.etc + '/nova/nova.conf',
          fill(NOVA, 'nova') + common + token_check(site, 'nova') + service_user(site, 'nova')
          + credentials(site, 'nova', 'placement') + credentials(site, 'nova', 'neutron') + 'service_metadata_proxy = false\n')
    write(site.etc + '/nova/nova-db.conf', fill(NOVA_DB, 'nova', db_api=site.db_url('nova_api')))
    # No policy file: the product has to do with Cinder's default policy.
    write(site.etc + '/cinder/cinder.conf',
          fill(CINDER, 'cinder', venv=VENV, glance=site.url('glance'), array_port=PORTS['array'], token=array_token(site.d['n']),
               other=site.d['other'], other_ip=site.d['other_ip'], other_token=array_token(site.d['other']))
          + common + token_check(site, 'cinder') + service_user(site, 'cinder') + credentials(site, 'cinder', 'nova'))
    write(site.etc + '/neutron/neutron.conf',
          fill(NEUTRON, 'neutron') + common + token_check(site, 'neutron') + credentials(site, 'neutron', 'nova')
          + credentials(site, 'neutron', 'placement'))
    for directory in ('lock', 'nova/instances', 'cinder/conversion', 'neutron', 'glance/images', 'glance/staging'):
        os.makedirs(os.path.join(site.state, directory), exist_ok=True)
