"""Fixtures: the binary, the token's shim, instances shared and fresh."""

import os
import subprocess

import pytest

import contract
import disk
import documents
import faulty
import platform_clients
import verify_audit
from instance import Instance, shirushi


def pytest_report_header():
    return [
        f"binary: {contract.BINARY}",
        f"vectors: {contract.VECTORS or 'SHIRUSHI_VECTORS is unset: tests on official samples are skipped'}",
    ]


@pytest.fixture(scope="session", autouse=True)
def binary():
    if not contract.BINARY.is_file():
        pytest.exit(f"no binary at {contract.BINARY}: run `make build` first", returncode=1)


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The PKCS#11 module that stands before SoftHSM, counts uses of keys and fails when told."""
    module = tmp_path_factory.mktemp("shim") / "libshim.so"
    subprocess.run(
        [
            "cc",
            "-shared",
            "-fPIC",
            "-O2",
            "-I/usr/include/p11-kit-1",
            "-o",
            module,
            contract.SHIM_SOURCE,
            "-ldl",
            "-lpthread",
        ],
        check=True,
    )
    return module


@pytest.fixture(scope="session")
def shared(tmp_path_factory, shim):
    """One instance, serving, for all tests that leave it as they found it."""
    instance = Instance(tmp_path_factory.mktemp("shared") / "home", shim=shim).start()
    yield instance
    instance.kill()
    evidence_must_hold(instance, tmp_path_factory.mktemp("evidence"))


def evidence_must_hold(instance, folder):
    """Whatever the tests made the log of, the other program finds it whole."""
    shirushi("audit", "export", "--home", instance.home, "--out", folder / "log.jsonl")
    keys = shirushi("audit", "keys", "--home", instance.home).stdout.split()
    result = verify_audit.spawn("export", folder / "log.jsonl", *(part for key in keys for part in ("--key", key)))
    assert result.code == 0, result.out[-2000:] + result.err[-500:]


@pytest.fixture
def instance(shared):
    """The shared instance, up again should another test have brought it down."""
    if shared.process is None or shared.process.poll() is not None:
        shared.kill()
        shared.start()
    return shared


@pytest.fixture(scope="session")
def platform(tmp_path_factory, shim):
    """One instance that serves the platform too, relying systems registered, for tests that leave it as it was."""
    instance = Instance(tmp_path_factory.mktemp("platform") / "home", shim=shim)
    platform_clients.prepare(instance)
    instance.start()
    yield instance
    for each in instance.apaches.values():
        each.close()
    instance.kill()
    evidence_must_hold(instance, tmp_path_factory.mktemp("platform-evidence"))


@pytest.fixture
def make_instance(tmp_path, shim):
    """Makes instances of the test's own, not yet serving; all are ended with the test."""
    made = []

    def make(name="home", place=None, options=()):
        made.append(Instance((place or tmp_path) / name, shim=shim, options=options))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def fresh(make_instance):
    """An instance of the test's own, not yet serving."""
    return make_instance()


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The library that fails a chosen call on the disk."""
    return disk.build(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def makers(make_instance, library):
    """For each worker what makes its instances on a disk that fails when told."""

    def maker(worker):
        count = iter(range(1000))
        return lambda: faulty.Subject(make_instance(f"home-{worker}-{next(count)}"), library)

    return [maker(worker) for worker in range(faulty.WORKERS)]


@pytest.fixture(scope="session")
def prescription(shared):
    """A prescription signed by doctor-1 and registered by the e-prescription service."""
    return documents.registered(documents.document_of(shared.prescribe(documents.prescribing())))


@pytest.fixture
def nothing_signed(instance):
    """Fails the test when it used any key."""
    before = len(instance.signs())
    yield
    assert len(instance.signs()) == before, "a key was used"


@pytest.fixture
def vectors():
    if contract.VECTORS is None:
        pytest.skip("SHIRUSHI_VECTORS is unset")
    return contract.VECTORS


@pytest.fixture
def root():
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture
def cli():
    return shirushi
