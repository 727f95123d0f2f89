"""./dev lab|demo|bench."""

import argparse
import os
import shlex
import sys

from . import lab as labs
from . import layout
from .cli import Cli, CliError


def print_table(header, rows):
    widths = [max(len(str(row[column])) for row in [header, *rows]) for column in range(len(header))]
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    print(line)
    for number, row in enumerate([header, *rows]):
        print("|" + "|".join(f" {str(cell):<{width}} " for cell, width in zip(row, widths)) + "|")
        if number == 0:
            print(line)
    print(line)


def make_parser():
    parser = argparse.ArgumentParser(prog="./dev")
    commands = parser.add_subparsers(dest="command", required=True)
    lab = commands.add_parser("lab", help="the two simulated sites").add_subparsers(dest="verb", required=True)
    for verb, text in (("up", "start everything that does not run"), ("reset", "forget all state and start again")):
        sub = lab.add_parser(verb, help=text)
        sub.add_argument("--registered", action="store_true", help="also register both sites and the tenants")
        sub.add_argument("--latency", metavar="PROFILE", help="of the clouds: zero, realistic (default), or class=min:max,...")
        sub.add_argument("--bandwidth-mbps", type=int, help="of replication between the arrays; 0: unlimited")
        sub.add_argument("--time-scale", type=int, help="the arrays' schedules run this many times faster")
    lab.add_parser("down", help="stop everything")
    lab.add_parser("status", help="a table of all processes")
    env = lab.add_parser("env", help="exports for a shell")
    env.add_argument("site", choices=("site-a", "site-b"))
    env.add_argument("--user", choices=("demo", "admin"), default="demo")
    for verb, text in (("kill", "SIGKILL for every process of a site"), ("revive", "start it with the state it had")):
        sub = lab.add_parser(verb, help=text)
        sub.add_argument("site", choices=("site-a", "site-b"))
    logs = lab.add_parser("logs", help="follow logs")
    logs.add_argument("process", nargs="?", help="site-a/orchestrator, site-b, ...; default: all")
    logs.add_argument("--no-follow", action="store_true")
    demo = commands.add_parser("demo", help="failover and failback of three VMs, shown and checked")
    demo.add_argument("--keep", action="store_true", help="leave the lab running afterwards")
    demo.add_argument("--fast", action="store_true", help="clouds without latency")
    bench = commands.add_parser("bench", help="the design's targets, measured")
    bench.add_argument("names", nargs="*")
    return parser


def print_environment(lab, arguments):
    site = lab.layout.site(arguments.site)
    for name in sorted(name for name in os.environ if name.startswith("OS_")):
        print(f"unset {name}")
    for key, value in lab.openrc(site, arguments.user).items():
        print(f"export {key}={shlex.quote(value)}")
    print(f'case ":$PATH:" in *:{lab.layout.programs}:*) ;; *) export PATH="{lab.layout.programs}:$PATH" ;; esac')


def follow_logs(lab, arguments):
    wanted = arguments.process or ""
    files = [process.log_path for site in lab.sites for process in lab.processes(site)
             if f"{site.name}/{process.name}".startswith(wanted)]
    files = [str(path) for path in files if path.exists()]
    if not files:
        raise labs.LabError(f"no log of '{wanted}'; ./dev lab status lists the processes")
    os.execvp("tail", ["tail", "-n", "50", *([] if arguments.no_follow else ["-F"]), *files])


def run_lab(arguments):
    lab = labs.Lab()
    verb = arguments.verb
    if verb in ("up", "reset"):
        tuning = {}
        if arguments.latency is not None:
            tuning["cloud_latency"] = arguments.latency
        if arguments.bandwidth_mbps is not None:
            tuning["array_bandwidth_mbps"] = arguments.bandwidth_mbps
        if arguments.time_scale is not None:
            tuning["time_scale"] = arguments.time_scale
        if verb == "up":
            lab.up(tuning or None)
        else:
            lab.reset(tuning)
        if arguments.registered:
            lab.register(Cli(lab.layout.program("protector"), lab.openrc(lab.sites[0])))
        print_table(("Site", "Process", "Pid", "State", "Address"), lab.status())
        print('Next: eval "$(./dev lab env site-a)" && protector site list', file=sys.stderr)
    elif verb == "down":
        lab.down()
    elif verb == "status":
        rows = lab.status()
        print_table(("Site", "Process", "Pid", "State", "Address"), rows)
        return 0 if all(row[3] == "healthy" for row in rows) else 1
    elif verb == "env":
        print_environment(lab, arguments)
    elif verb == "kill":
        lab.kill(lab.layout.site(arguments.site))
    elif verb == "revive":
        lab.revive(lab.layout.site(arguments.site))
    elif verb == "logs":
        follow_logs(lab, arguments)
    return 0


def main():
    arguments = make_parser().parse_args()
    try:
        if arguments.command == "lab":
            return run_lab(arguments)
        if arguments.command == "demo":
            from . import demo
            return demo.run(arguments)
        from . import bench
        return bench.run(arguments)
    except (labs.LabError, CliError, ValueError, KeyError) as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
