"""`protector` as a user runs it: a process, its output, its exit code."""

import json
import os
import subprocess
import sys


class CliError(Exception):
    def __init__(self, result):
        super().__init__(f"protector {' '.join(result.arguments)}: exit {result.code}\n{result.error or result.output}")
        self.result = result


class Result:
    def __init__(self, arguments, code, output, error):
        self.arguments = arguments
        self.code = code
        self.output = output
        self.error = error

    @property
    def json(self):
        return json.loads(self.output)

    def __repr__(self):
        return f"exit {self.code}\nstdout:\n{self.output}\nstderr:\n{self.error}"


class Cli:
    """Bound to one site's credentials. Every call's text is kept in `spoken`, for those who look for secrets in it."""

    def __init__(self, program, openrc, extra_environment=None, spoken=None):
        self.program = str(program)
        self.openrc = openrc
        clean = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        self.environment = {**clean, **openrc, **(extra_environment or {})}
        self.spoken = spoken if spoken is not None else []

    def try_run(self, *arguments, timeout=180, input_text=None):
        arguments = [argument if isinstance(argument, bytes) else str(argument) for argument in arguments]
        done = subprocess.run([self.program, *arguments], env=self.environment, timeout=timeout, input=input_text or "",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        result = Result([str(argument) for argument in arguments], done.returncode, done.stdout, done.stderr)
        self.spoken.append(repr(result))
        return result

    def run(self, *arguments, **options):
        result = self.try_run(*arguments, **options)
        if result.code != 0:
            raise CliError(result)
        return result

    def json(self, *arguments, **options):
        return self.run(*arguments, "-f", "json", **options).json

    def start(self, *arguments):
        """A process of its own, for a client that is to be killed or watched."""
        return subprocess.Popen([self.program, *map(str, arguments)], env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def show(self, *arguments, expect=0):
        """For a demo: says the command, lets its output through as it comes, returns the exit code."""
        print(f"\n$ protector {' '.join(map(str, arguments))}", flush=True)
        code = subprocess.run([self.program, *map(str, arguments)], env=self.environment, stdin=subprocess.DEVNULL,
                              check=False).returncode
        if code != expect:
            print(f"exit {code}, expected {expect}", file=sys.stderr)
        return code
