"""Mosquitto as Debian's testing has it, beside the one that is installed: its 2.0, which stable releases still have, reads
three times for each message, so that nothing but the broker would be measured.

It comes as Debian's packages, through apt with lists of its own, into build/peers/mosquitto; nothing of the machine is
changed. Its programs run on the C library that came with it; build/peers/mosquitto/mosquitto starts the broker."""

import os
import shutil
import subprocess
from pathlib import Path

SUITE = "testing"
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INSTALLED = [Path("/usr/sbin/mosquitto"), Path("/usr/local/sbin/mosquitto")]


def loader(root, called=None):
    """The words before a program that is to run on the C library under `root`, which they may call by another name."""
    program = next(root.glob("usr/lib/*/ld-linux*.so.*"))
    at = f"{called or root}/{program.parent.relative_to(root)}"
    return [f"{at}/{program.name}", "--library-path", at]


class Mosquitto:
    """`broker`: the words that start it. client(program): those that start a program with its libmosquitto. `version`."""

    def __init__(self, folder=None):
        self.loader = []
        program = next((p for p in INSTALLED if p.exists()), "mosquitto")
        if folder:
            self.loader = loader(folder / "root")
            program = folder / "mosquitto"
        self.broker = [program]
        help_text = subprocess.run([*self.broker, "-h"], capture_output=True, text=True).stdout
        self.version = help_text.split("\n")[0].removeprefix("mosquitto version ")

    def client(self, program):
        return [*self.loader, program]


def mirror():
    """Where this machine has its Debian packages from."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
                            check=True, capture_output=True, text=True).stdout.split()
    found = [uri for uri in listed if uri.rstrip("/").endswith("/debian")]
    if not found:
        raise OSError("this is no Debian machine")
    return found[0]


def download(folder):
    state, packages = folder / "apt", folder / "packages"
    (state / "lists/partial").mkdir(parents=True)
    (packages / "partial").mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYS}] {mirror()} {SUITE} main\n")
    options = {"Dir::State": state, "Dir::State::lists": state / "lists", "Dir::State::status": state / "status",
               "Dir::Cache": state, "Dir::Cache::archives": packages, "Dir::Etc::sourcelist": state / "sources.list",
               "Dir::Etc::sourceparts": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
               "APT::Install-Recommends": "false", "APT::Sandbox::User": ""}
    apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
    quiet = {"check": True, "capture_output": True, "text": True}
    subprocess.run([*apt, "update"], **quiet)
    subprocess.run([*apt, "install", "-y", "--download-only", "mosquitto"], **quiet)
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", package, folder / "root"], **quiet)
    for libraries in {p.parent for p in folder.glob("root/usr/lib/*/*.so.*")}:
        subprocess.run(["/sbin/ldconfig", "-n", libraries], **quiet)
    shutil.rmtree(packages)
    shutil.rmtree(state)
    start = folder / "mosquitto"  # last: it says that all is there
    start.write_text(f"""#!/bin/sh
root=$(cd "${{0%/*}}/root" && pwd)
exec {' '.join(loader(folder / "root", "$root"))} "$root/usr/sbin/mosquitto" "$@"
""")
    start.chmod(0o755)


def mosquitto(context):
    """The newest one, and a note when it could not be had: then it is the installed one."""
    folder = context.root / "build/peers/mosquitto"
    if not (folder / "mosquitto").exists():
        context.say(f"bringing mosquitto of Debian's {SUITE} into {os.path.relpath(folder, context.root)}")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            download(folder)
        except (OSError, subprocess.CalledProcessError) as why:
            reason = (getattr(why, "stderr", None) or str(why)).strip().split("\n")[-1]
            return Mosquitto(), f"mosquitto of Debian's {SUITE} could not be had ({reason}): the installed one stands in"
    return Mosquitto(folder), None
