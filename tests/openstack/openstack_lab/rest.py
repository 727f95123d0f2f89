"""A client of the APIs, for setting up a site.
"""

import json
import urllib.error
import urllib.request

from .processes import Failed



def http(method, url, body=None, headers=None, timeout=60):
    h = dict(headers or {})
    data = None
    if isinstance(body, bytes):
        data = body
        h['Content-Type'] = 'application/octet-stream'
    elif body is not None:
        data = json.dumps(body).encode()
        h['Content-Type'] = 'application/json'
    req = urllib.request.Request(url, data=data, method=method, headers=h)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(req, timeout=timeout) as r:
            return r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


class Client:
    def __init__(self, site, user, password, project):
        self.site, self.user, self.password, self.project = site, user, password, project
        self.token = None

    def login(self):
        status, body, headers = http('POST', self.site.auth_url + '/auth/tokens', {'auth': {
            'identity': {'methods': ['password'], 'password': {'user': {
                'name': self.user, 'domain': {'id': 'default'}, 'password': self.password}}},
            'scope': {'project': {'name': self.project, 'domain': {'id': 'default'}}}}})
        if status != 201:
            raise Failed('%s: token: %d %s' % (self.site.name, status, body[:500]))
        self.token = headers['X-Subject-Token']
        self.project_id = json.loads(body)['token']['project']['id']

    def call(self, method, url, body=None):
        if not self.token:
            self.login()
        status, out, _ = http(method, url, body, {
            'X-Auth-Token': self.token, 'Accept': 'application/json',
            'OpenStack-API-Version': 'volume 3.59'})
        if status >= 300:
            raise Failed('%s %s: %d %s' % (method, url, status, out[:1000].decode(errors='replace')))
        return json.loads(out) if out else {}

    def base(self, svc):
        if not self.token:
            self.login()
        return self.site.url(svc, {'nova': '/v2.1', 'cinder': '/v3/%s' % self.project_id
                                   if svc == 'cinder' else ''}.get(svc, ''))

    def get(self, svc, path):
        return self.call('GET', self.base(svc) + path)

    def post(self, svc, path, body):
        return self.call('POST', self.base(svc) + path, body)
