"""What openstacksdk's loader makes of directories and environments, in the form of protector-cloudconfig-dump.

Reads a list of {"directory", "environment", "options"} from standard input and prints the list of results. Every case runs in a
forked process, because the loader takes its search path from the process when it is imported.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

# What the loader needs and what does not look at the environment: imported once, for all forks.
import appdirs  # noqa: E402, F401
import keystoneauth1.loading  # noqa: E402, F401
import requests  # noqa: E402, F401
import yaml  # noqa: E402, F401


def text(value):
    return str(value) if isinstance(value, (bool, int, float)) else value


def probe(options):
    from openstack.config import loader

    kwargs = {key.replace("-", "_")[3:]: value for key, value in options.items()}
    try:
        config = loader.OpenStackConfig()
        region = config.get_one(validate=False, **kwargs)
        plugin = config._get_auth_loader(region.config)
        settings = config._validate_auth(region.config, plugin)
        verify, _ = region.get_requests_verify_args()
    except Exception as error:  # any failure is a failure: which one is not compared
        return {"error": f"{type(error).__name__}: {error}"}
    timeout = settings.get("api_timeout")
    return {
        "name": region.name,
        "auth_type": settings["auth_type"],
        "auth": {k: text(v) for k, v in settings["auth"].items() if isinstance(v, (str, bool, int, float))},
        "region_name": settings.get("region_name") or "",
        "interface": settings.get("interface") or "public",
        "verify": bool(verify),
        "cacert": os.path.expanduser(settings.get("cacert") or ""),
        "cert": os.path.expanduser(settings.get("cert") or ""),
        "key": os.path.expanduser(settings.get("key") or ""),
        "api_timeout": None if timeout is None else float(timeout),
        "force_ipv4": bool(region.force_ipv4),
        "extra": {k: text(v) for k, v in settings.items() if isinstance(v, (str, bool))},
    }


def forked(case):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.chdir(case["directory"])
        os.environ.clear()
        os.environ.update(case["environment"])
        with os.fdopen(writer, "w") as pipe:
            json.dump(probe(case["options"]), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return json.loads(result)


if __name__ == "__main__":
    print(json.dumps([forked(case) for case in json.load(sys.stdin)]))
