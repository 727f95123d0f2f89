"""The lab's certificates: a CA of its own and one certificate for each program of each site, made by deploy/pki/protector-pki.

  <lab>/pki/ca.pem, ca.key        the lab's CA
  <lab>/<site>/tls/ca.pem, <program>.pem, <program>.key
"""

import ssl
import subprocess

from . import layout

SCRIPT = layout.ROOT / "deploy" / "pki" / "protector-pki"
PROGRAMS = (*layout.SERVICES, "cli")


def run(*arguments):
    done = subprocess.run([str(SCRIPT), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"protector-pki {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def directory(site):
    return site.directory / "tls"


def issue(where, site, program, *more):
    """A new certificate in place of the one that is there."""
    run("issue", where.directory / "pki", site.name, program, "--out", directory(site), *more)


def ensure(where):
    """Makes what is missing."""
    if not (where.directory / "pki" / "ca.key").exists():
        run("ca", where.directory / "pki", "--name", "Protector lab CA")
    for site in where.sites:
        for program in PROGRAMS:
            if not (directory(site) / f"{program}.pem").exists():
                issue(where, site, program)


def client_context(site):
    """TLS as `protector` speaks it to this site's services, for the lab's own questions (ssl.SSLContext). Addresses are not compared."""
    context = ssl.create_default_context(cafile=str(directory(site) / "ca.pem"))
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(directory(site) / "cli.pem", directory(site) / "cli.key")
    return context
