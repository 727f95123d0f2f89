"""What a site has from its first day: users, catalog, flavors, volume types, an image, networks, security groups, a key pair."""

from .settings import DEMO_PROJECT, DEMO_USER, SECURITY_GROUPS, VOLUME_TYPE, pw


def identity(site):
    client = site.client('admin')

    def keystone(method, path, body=None):
        return client.call(method, site.auth_url + path, body)
    roles = {role['name']: role['id'] for role in keystone('GET', '/roles')['roles']}
    for name in ('service', 'dr_site_admin'):  # the latter: who looks after Protector's sites, as docs/real-site.md asks
        if name not in roles:
            roles[name] = keystone('POST', '/roles', {'role': {'name': name}})['role']['id']
    projects = {name: keystone('POST', '/projects', {'project': {'name': name, 'domain_id': 'default'}})['project']['id']
                for name in ('service', DEMO_PROJECT)}

    def user(name, password, project, granted):
        uid = keystone('POST', '/users', {'user': {'name': name, 'domain_id': 'default', 'password': password,
                                                   'default_project_id': projects[project]}})['user']['id']
        return grant(uid, project, granted)

    def grant(uid, project, granted):
        for role in granted:
            keystone('PUT', '/projects/%s/users/%s/roles/%s' % (projects[project], uid, roles[role]))
        return uid
    for name in ('nova', 'cinder', 'glance', 'neutron', 'placement'):
        user(name, pw(site.name, name), 'service', ('admin', 'service'))
    # As docs/real-site.md asks: admin for manage and unmanage, and a role in each project whose servers it moves.
    protector = user('protector', pw(site.name, 'protector'), 'service', ('admin',))
    grant(protector, DEMO_PROJECT, ('admin', 'member'))
    user(DEMO_USER, pw(site.name, 'demo'), DEMO_PROJECT, ('member', 'reader', 'dr_site_admin'))
    for kind, name, url in (('compute', 'nova', site.url('nova', '/v2.1')),
                            ('volumev3', 'cinderv3', site.url('cinder', '/v3/%(project_id)s')),
                            ('image', 'glance', site.url('glance')), ('network', 'neutron', site.url('neutron')),
                            ('placement', 'placement', site.url('placement'))):
        service = keystone('POST', '/services', {'service': {'type': kind, 'name': name}})['service']['id']
        for interface in ('public', 'internal', 'admin'):
            keystone('POST', '/endpoints', {'endpoint': {'service_id': service, 'interface': interface,
                                                         'region_id': site.name, 'url': url}})


def rest(site):
    admin, demo = site.client('admin'), site.client()
    for name, flavor, vcpus, ram, disk in site.d['flavors']:
        admin.post('nova', '/flavors', {'flavor': {'name': name, 'id': flavor, 'vcpus': vcpus, 'ram': ram, 'disk': disk}})
    admin.post('cinder', '/types', {'volume_type': {
        'name': VOLUME_TYPE, 'description': 'replicated to the other site',
        'extra_specs': {'volume_backend_name': 'array-' + site.d['n'], 'replication_enabled': '<is> True',
                        'replication_type': '<in> async'}}})
    admin.post('cinder', '/types', {'volume_type': {
        'name': 'standard', 'extra_specs': {'volume_backend_name': 'array-' + site.d['n']}}})
    image = admin.post('glance', '/v2/images', {'name': 'lab-image', 'disk_format': 'raw', 'container_format': 'bare',
                                                'visibility': 'public', 'min_disk': 1, 'hw_disk_bus': 'virtio', 'os_distro': 'debian'})
    data = bytearray(8 << 20)
    data[510:512] = b'\x55\xaa'
    admin.call('PUT', site.url('glance', '/v2/images/%s/file' % image['id']), bytes(data))
    for name, cidr in site.d['networks']:
        network = demo.post('neutron', '/v2.0/networks', {'network': {'name': name}})['network']
        demo.post('neutron', '/v2.0/subnets', {'subnet': {'network_id': network['id'], 'ip_version': 4, 'cidr': cidr,
                                                          'name': name.replace('net-', 'subnet-')}})
    for name, ports in SECURITY_GROUPS.items():
        group = demo.post('neutron', '/v2.0/security-groups', {'security_group': {'name': name, 'description': 'lab'}})
        for port in ports:
            demo.post('neutron', '/v2.0/security-group-rules', {'security_group_rule': {
                'security_group_id': group['security_group']['id'], 'direction': 'ingress', 'ethertype': 'IPv4',
                'protocol': 'tcp', 'port_range_min': port, 'port_range_max': port, 'remote_ip_prefix': '0.0.0.0/0'}})
    # The same key on both sites, as an operator would have it.
    demo.post('nova', '/os-keypairs', {'keypair': {'name': 'demo-key', 'public_key': PUBLIC_KEY}})


PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIQRAsiPzLRE10qsSwnPkUzM3xkv9qOZhrQaVrGcQvdg demo@lab'
