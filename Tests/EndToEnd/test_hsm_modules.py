"""Real PKCS#11 modules under `hsm probe`, and programs that try to steal a key with the user's PIN and a blob.

Where a module cannot do something, the test asserts what exactly it answers; docs/hsm.md says it in words.
"""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import tokens_of_modules as modules

FEW = ("--key-type", "rsa-2048", "--key-type", "p-256")
HERE = Path(__file__).parent


def report(done):
    assert done.returncode in (0, 1, 3), f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    read = json.loads(done.stdout)
    expected = 0 if read["allowsWrappedCustody"] else 3 if read["allowsResidentCustody"] else 1
    assert done.returncode == expected
    return read


def obstacles(read):
    return {step["name"]: step["obstacle"] for step in read["steps"] if step["obstacle"]}


def successes(read):
    return {attack["name"] for attack in read["attacks"] if attack["result"] == "succeeded"}


def objects(token):
    """What pkcs11-tool sees in the token after the user's login."""
    return modules.run("pkcs11-tool", "--module", token.module, "--token-label", token.label, "--login", "--pin",
                       token.pin.read_text(), "--list-objects", environment=token.environment).stdout  # fmt: skip


# What each module can do.


def test_softhsm_allows_both_custodies_and_nothing_stays_in_it(tmp_path):
    token = modules.softhsm(tmp_path)
    read = report(token.probe("--json", *FEW))
    assert read["allowsWrappedCustody"] and read["allowsResidentCustody"], obstacles(read) | {"": successes(read)}
    assert len(read["attacks"]) > 40 and {attack["result"] for attack in read["attacks"]} == {"refused"}
    assert objects(token).strip() == ""


def test_without_the_officer_wrapped_custody_is_not_allowed(tmp_path):
    token = modules.softhsm(tmp_path)
    token.officer_pin = None
    done = token.probe("--json", *FEW)
    assert done.returncode == 3
    assert "no officer's PIN was given" in obstacles(report(done)).values()


def test_a_pin_is_read_from_a_file_that_others_cannot_read_and_given_once(tmp_path):
    token = modules.softhsm(tmp_path)
    token.pin.chmod(0o644)
    assert token.probe("--json", *FEW).returncode not in (0, 3)
    modules.secret(token.pin, "00000000")
    done = token.probe("--json", *FEW)
    assert done.returncode == 1 and "CKR_PIN_INCORRECT" in done.stderr


def test_p11_kit_proxy_does_what_the_module_behind_it_does(tmp_path):
    read = report(modules.proxied(tmp_path).probe("--json", *FEW))
    assert read["module"]["library"] == "PKCS#11 Kit Proxy Module"
    assert read["allowsWrappedCustody"] and read["allowsResidentCustody"], obstacles(read)


def test_p11_kit_server_carries_neither_templates_nor_the_wrap_mechanism(tmp_path):
    with modules.served(tmp_path) as token:
        read = report(token.probe("--json", *FEW))
    found = obstacles(read)
    assert found["make a trusted wrapping key with an unwrap template, as the officer"] == (
        "C_GenerateKey: CKR_DEVICE_ERROR"
    )
    assert found["wrap it by CKM_AES_KEY_WRAP_PAD (p-256)"] == "C_WrapKey: CKR_MECHANISM_INVALID"
    assert not read["allowsWrappedCustody"] and read["allowsResidentCustody"]


def test_nss_softoken_is_fit_for_neither_custody(tmp_path):
    read = report(modules.softoken(tmp_path).probe("--json", *FEW))
    assert not read["allowsWrappedCustody"] and not read["allowsResidentCustody"]
    found = successes(read)
    assert "make a trusted key as the user (rsa-2048)" in found
    assert "unwrap as a readable or extractable key (rsa-2048)" in found
    # A key that says that it is not extractable is wrapped all the same.
    assert {"wrap a resident key under a known key", "copy a resident key loosened"} <= found


def test_opencryptoki_is_fit_for_resident_custody_alone(tmp_path, root):
    read = report(modules.OpenCryptoki(tmp_path).probe("--json", *FEW))
    found = obstacles(read)
    assert found["make a trusted wrapping key with an unwrap template, as the officer"] == (
        "C_GenerateKey: CKR_ATTRIBUTE_TYPE_INVALID"
    )
    assert "unwrap as a readable or extractable key (rsa-2048)" in successes(read)
    assert not read["allowsWrappedCustody"] and read["allowsResidentCustody"]


def test_tpm2_pkcs11_on_a_bare_tpm_makes_no_key(tmp_path):
    with modules.tpm(tmp_path) as token:
        done = token.probe("--json", *FEW)
    read, found = report(done), obstacles(report(done))
    assert found["make a trusted wrapping key with an unwrap template, as the officer"] == (
        "C_GenerateKey: CKR_FUNCTION_NOT_SUPPORTED"
    )
    # Three objects fit into the TPM, and nothing stands before it that would swap them.
    assert "tpm:warn(2.0): out of memory for object contexts" in done.stderr
    assert "C_GenerateKeyPair: CKR_GENERAL_ERROR" in found["generate a key of the token"]
    assert not read["allowsWrappedCustody"] and not read["allowsResidentCustody"]


# Theft.


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    for name in ("make_blob", "steal"):
        modules.run("cc", "-O1", "-I/usr/include/p11-kit-1", "-o", folder / name, HERE / f"{name}.c", "-ldl")
    return folder


def keep(programs, token, strength):
    """A wrapping key of this strength in the token, and a holder's key under it in a file."""
    blob = token.folder / "blob"
    modules.run(programs / "make_blob", strength, token.module, token.label, token.officer_pin, token.pin, blob,
                environment=token.environment)  # fmt: skip
    return blob


def steal(programs, token, blob):
    return modules.run(programs / "steal", token.module, token.label, token.pin, blob, check=False,
                       environment=token.environment)  # fmt: skip


def test_pin_and_blob_yield_no_key_under_a_proper_wrapping_key(tmp_path, programs):
    token = modules.softhsm(tmp_path)
    done = steal(programs, token, keep(programs, token, "strong"))
    assert done.returncode == 1 and done.stdout == "", done.stderr
    assert " tries, no key" in done.stderr
    assert objects(token).count("Object;") == 1, "only the wrapping key is in the token"


def test_the_thief_succeeds_under_a_wrapping_key_that_merely_is_not_extractable(tmp_path, programs):
    token = modules.softhsm(tmp_path)
    blob = keep(programs, token, "weak")
    done = steal(programs, token, blob)
    assert done.returncode == 0, done.stderr
    stolen = ec.derive_private_key(int(done.stdout, 16), ec.SECP256R1())
    point = stolen.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert blob.with_name("blob.pub").read_bytes().endswith(point), "another key was read"


def test_pkcs11_tool_gets_no_key_out_of_a_blob(tmp_path, programs):
    token = modules.softhsm(tmp_path)
    blob = keep(programs, token, "strong")

    def tool(*arguments):
        return modules.run("pkcs11-tool", "--module", token.module, "--token-label", token.label, "--login", "--pin",
                           modules.PIN, *arguments, check=False, environment=token.environment)  # fmt: skip

    assert "sensitive" in tool("--list-objects", "--type", "secrkey").stdout
    out = tmp_path / "out"
    for kind in ("secrkey", "privkey"):
        tool("--read-object", "--type", kind, "--id", "ea", "--output-file", out)
        assert not out.exists() or out.read_bytes() == b""
    # The tool of OpenSC 0.23 unwraps as secret keys alone; steal.c tries what it cannot.
    for mechanism in ("AES-KEY-WRAP", "0x210A", "AES-CBC", "AES-CBC-PAD"):
        for key_type in ("AES:32", "GENERIC:64"):
            done = tool("--unwrap", "--mechanism", mechanism, "--id", "ea", "--application-id", "eb", "--key-type",
                        key_type, "--extractable", "--input-file", blob)  # fmt: skip
            assert done.returncode != 0, f"{mechanism} {key_type}: {done.stdout}"
    assert objects(token).count("Object;") == 1, "something was unwrapped into the token"


def test_nothing_of_a_pin_stands_in_the_arguments(tmp_path):
    token = modules.softhsm(tmp_path)
    done = subprocess.run(
        [*map(str, token.probe_command("--pin", modules.PIN))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 64 and "Unknown option '--pin'" in done.stderr
