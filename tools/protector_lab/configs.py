"""The files that a site's programs are started with. Secrets are in files of their own, readable by their owner only."""

import os

from . import layout, pki


def write_secret(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def yaml_text(value, indent=0):
    """The little YAML that configuration needs: maps, lists of maps or of texts, scalars."""
    pad = "  " * indent
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{pad}{key}:", yaml_text(item, indent + 1)]
        elif isinstance(item, list):
            lines.append(f"{pad}{key}:")
            for entry in item:
                if isinstance(entry, dict):
                    text = yaml_text(entry, indent + 2)
                    lines.append(f"{pad}  - {text.lstrip()}")
                else:
                    lines.append(f"{pad}  - {scalar(entry)}")
        else:
            lines.append(f"{pad}{key}: {scalar(item)}")
    return "\n".join(lines)


def scalar(item):
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, (int, float)):
        return str(item)
    return '"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"'


def common(site, service, tuning):
    return {"site": site.name, "listen": site.address(service), "metrics": {"listen": site.metrics_address(service)},
            "tls": {"ca_file": str(pki.directory(site) / "ca.pem"), "certificate_file": str(pki.directory(site) / f"{service}.pem"),
                    "key_file": str(pki.directory(site) / f"{service}.key")},
            "log": {"level": tuning.get("log_level", "info")},
            "store": {"path": str(site.directory / "state" / service / f"{service}.db")}}


def service_config(lab_layout, site, service, tuning):
    other = lab_layout.other(site)
    config = common(site, service, tuning)
    add = globals()["add_" + service.replace("-", "_")]
    add(config, site, other, tuning)
    for section, keys in tuning.get("services", {}).get(service, {}).items():
        config.setdefault(section, {}).update(keys)
    return config


def cloud_keys(site):
    return {"auth_url": site.auth_url, "username": "protector", "password": "${FILE:secrets/protector}", "region": site.name}


def add_site_registry(config, site, other, tuning):
    config["cloud"] = cloud_keys(site)


def add_metadata_sync(config, site, other, tuning):
    config["cloud"] = {"auth_url": site.auth_url}
    config["peer"] = {"site": other.name, "address": other.address("metadata-sync")}


def add_orchestrator(config, site, other, tuning):
    config["cloud"] = cloud_keys(site)
    config["services"] = {service.replace("-", "_"): site.address(service)
                          for service in ("site-registry", "metadata-sync", "storage-pure")}


def add_storage_pure(config, site, other, tuning):
    config["array"] = {"url": site.array_url, "api_token": "${FILE:secrets/array}",
                       "ca_file": str(site.directory / "state" / "flasharray-sim" / "cert.pem")}


def write_operators(lab_layout, openrc):
    """clouds.yaml and protector.yaml of an operator with credentials for both sites. `openrc`: of a site."""
    clouds = {}
    for site in lab_layout.sites:
        rc = openrc(site)
        clouds[site.name] = {"auth": {"auth_url": rc["OS_AUTH_URL"], "username": rc["OS_USERNAME"], "password": rc["OS_PASSWORD"],
                                      "project_name": rc["OS_PROJECT_NAME"], "user_domain_name": "Default", "project_domain_name": "Default"},
                             "region_name": site.name}
    write_secret(lab_layout.directory / "clouds.yaml", yaml_text({"clouds": clouds}))
    sites = [{"name": site.name, "auth_url": site.auth_url, "cloud": site.name} for site in lab_layout.sites]
    (lab_layout.directory / "protector.yaml").write_text(yaml_text({"sites": sites}) + "\n")


def write_all(lab_layout, site, tuning):
    for name, secret in site.secrets.items():
        write_secret(site.directory / "secrets" / name, secret)
    for service in layout.SERVICES:
        (site.directory / "state" / service).mkdir(parents=True, exist_ok=True)
        path = site.directory / f"{service}.yaml"
        path.write_text(yaml_text(service_config(lab_layout, site, service, tuning)) + "\n")
    (site.directory / "state" / "flasharray-sim").mkdir(parents=True, exist_ok=True)
    (site.directory / "state" / "openstack-sim").mkdir(parents=True, exist_ok=True)
