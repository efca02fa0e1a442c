"""Scratch tokens of real PKCS#11 modules, each in a folder of its own and gone with it."""

import contextlib
import os
import shlex
import socket
import stat
import subprocess
import time
from pathlib import Path

import contract

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
PROXY = LIBRARIES / "p11-kit-proxy.so"
CLIENT = LIBRARIES / "pkcs11" / "p11-kit-client.so"
OPENCRYPTOKI = LIBRARIES / "pkcs11" / "libopencryptoki.so"
SOFTOKEN = LIBRARIES / "libsoftokn3.so"
TPM = LIBRARIES / "pkcs11" / "libtpm2_pkcs11.so"
LABEL, PIN, OFFICER_PIN = "scratch", "12345678", "87654321"


def run(*command, check=True, timeout=60, environment=None, text=None):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=timeout, input=text,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def secret(path, text):
    path.write_text(text)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return path


class Token:
    """How a module is reached, and its PINs in files."""

    def __init__(self, folder, module, label=LABEL, pin=PIN, officer_pin=OFFICER_PIN, **environment):
        self.folder, self.module, self.label = folder, module, label
        self.environment = environment
        self.pin = secret(folder / "user.pin", pin)
        self.officer_pin = secret(folder / "officer.pin", officer_pin) if officer_pin else None
        self.arguments = []
        self.before = []

    def probe_command(self, *options):
        command = [contract.BINARY, "hsm", "probe", "--module", self.module, "--token", self.label]
        command += ["--pin-file", self.pin, *self.arguments, *options]
        return [*command, "--officer-pin-file", self.officer_pin] if self.officer_pin else command

    def probe(self, *options):
        return run(*self.probe_command(*options), check=False, environment=self.environment)


def softhsm(folder):
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    token = Token(folder, contract.SOFTHSM, SOFTHSM2_CONF=str(configuration))
    run("softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", OFFICER_PIN,
        environment=token.environment)  # fmt: skip
    return token


def proxied(folder):
    """SoftHSM behind p11-kit's proxy, by a configuration that names this one module."""
    token = softhsm(folder)
    modules = folder / ".config" / "pkcs11" / "modules"
    modules.mkdir(parents=True)
    (modules.parent / "pkcs11.conf").write_text("user-config: only\n")
    (modules / "softhsm.module").write_text(f"module: {contract.SOFTHSM}\n")
    token.environment |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / ".config")}
    token.module = PROXY
    return token


@contextlib.contextmanager
def served(folder):
    """SoftHSM in another process, behind `p11-kit server`."""
    token = softhsm(folder)
    address = folder / "server.sock"
    server = subprocess.Popen(
        ["p11-kit", "server", "-f", "--provider", contract.SOFTHSM, "-n", str(address), f"pkcs11:token={LABEL}"],
        env={**os.environ, **token.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 10
        while not address.exists():
            assert server.poll() is None and time.monotonic() < deadline, "p11-kit server does not start"
            time.sleep(0.05)
        token.module = CLIENT
        token.environment["P11_KIT_SERVER_ADDRESS"] = f"unix:path={address}"
        yield token
    finally:
        server.kill()
        server.wait()


def softoken(folder):
    token = Token(folder, SOFTOKEN, label="NSS Certificate DB", pin="Pin-12345678", officer_pin=None)
    run("certutil", "-N", "-d", f"sql:{folder}", "-f", token.pin)
    token.arguments = [
        "--initialize-arguments", f"configdir='sql:{folder}' certPrefix='' keyPrefix='' secmod='' flags=",
    ]  # fmt: skip
    return token


class OpenCryptoki(Token):
    """opencryptoki's software token, whose places are fixed: it lives in namespaces of mounts and IPC of its own."""

    def __init__(self, folder):
        super().__init__(folder, OPENCRYPTOKI, pin="01234567", officer_pin="76543210")

    def probe(self, *options):
        configuration = self.folder / "opencryptoki.conf"
        configuration.write_text("version opencryptoki-3.1\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n")
        script = f"""
            set -e
            mount --make-rprivate /
            for place in /run /var/lib/opencryptoki /var/log; do mount -t tmpfs none $place; done
            mkdir -p /run/lock/opencryptoki/swtok /var/lib/opencryptoki/swtok/TOK_OBJ /var/log/opencryptoki
            chgrp -R pkcs11 /run/lock/opencryptoki /var/lib/opencryptoki
            chmod -R 770 /run/lock/opencryptoki /var/lib/opencryptoki
            mount --bind {configuration} /etc/opencryptoki/opencryptoki.conf
            pkcsslotd
            trap 'kill $(cat /run/pkcsslotd.pid)' EXIT
            for i in 1 2 3 4 5 6 7 8 9 10; do [ -S /run/pkcsslotd.socket ] && break; sleep 0.2; done
            {{
                printf '87654321\\n{LABEL}\\n' | pkcsconf -I -c 3
                printf '87654321\\n76543210\\n76543210\\n' | pkcsconf -P -c 3
                printf '76543210\\n12345678\\n12345678\\n' | pkcsconf -u -c 3
                printf '12345678\\n01234567\\n01234567\\n' | pkcsconf -p -c 3
            }} > /dev/null
            {shlex.join(map(str, self.probe_command(*options)))}
        """
        return run("unshare", "-m", "-i", "bash", "-c", script, check=False)


@contextlib.contextmanager
def tpm(folder):
    """tpm2-pkcs11 on swtpm, with nothing between them."""
    for name in ("state", "store", "bin"):
        (folder / name).mkdir()
    sockets = [socket.socket() for _ in range(2)]
    # The control port is the port after the server's wherever the TCTI does not say otherwise.
    for port in range(24000, 24400, 2):
        try:
            for each, number in zip(sockets, (port, port + 1)):
                each.bind(("127.0.0.1", number))
            break
        except OSError:
            for each in sockets:
                each.close()
            sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.close()
    tcti = f"swtpm:host=127.0.0.1,port={port}"
    store = folder / "store"
    token = Token(folder, TPM, TPM2_PKCS11_TCTI=tcti, TPM2TOOLS_TCTI=tcti, TPM2_PKCS11_STORE=str(store))
    # tpm2_ptool leaves objects in the TPM, which holds three: they are removed before each of its steps.
    wrapper = folder / "bin" / "wrapper"
    wrapper.write_text('#!/bin/sh\n/usr/bin/tpm2_flushcontext -t\nexec /usr/bin/$(basename "$0") "$@"\n')
    wrapper.chmod(0o755)
    for tool in Path("/usr/bin").glob("tpm2_*"):
        if tool.name not in ("tpm2_ptool", "tpm2_flushcontext"):
            (folder / "bin" / tool.name).symlink_to(wrapper)
    simulator = subprocess.Popen(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}/state", "--ctrl", f"type=tcp,port={port + 1}",
         "--server", f"type=tcp,port={port}", "--flags", "not-need-init,startup-clear"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        time.sleep(0.5)
        tools = token.environment | {"PATH": f"{folder}/bin:{os.environ['PATH']}"}
        run("tpm2_ptool", "init", "--path", store, environment=tools)
        run("tpm2_ptool", "addtoken", "--pid", "1", "--label", LABEL, "--sopin", OFFICER_PIN, "--userpin", PIN,
            "--path", store, environment=tools)  # fmt: skip
        run("tpm2_flushcontext", "-t", environment=tools)
        yield token
    finally:
        simulator.kill()
        simulator.wait()
