"""The relying systems that the tests' platform knows from its start."""

import contract
from relying_party import ApacheRP
from strict_client import Client

LOOPBACK = "http://127.0.0.1:3000/callback"


def prepare(instance):
    """All that is done to an instance before its platform starts."""
    register(instance)

    def change(settings):
        settings["platform"]["jpki"]["successions"] = str(contract.succession(instance.home))

    instance.configure(change)
    contract.succession(instance.home).touch()
    return instance


def register(instance):
    """Registers them all, and hangs them on the instance as `strict`, `other`, `plain`, `apaches` and so on."""
    audiences = [instance.audience, "https://other.example"]
    instance.strict = Client(instance, "e2e-strict", audiences=audiences).register()
    instance.other = Client(instance, "e2e-other", redirect="https://other.example/callback").register()
    instance.plain = Client(instance, "e2e-plain", dpop=False, profile="plain", refreshTokens=False).register()
    instance.adapter = Client(instance, "e2e-adapter", authentication="none", redirect=LOOPBACK).register()
    instance.hpki_only = Client(instance, "e2e-hpki-only", methods=["hpki-card"]).register()
    instance.documents = Client(
        instance,
        "e2e-documents",
        scopes=["openid", "profile", "sign", "credential"],
        authorizationDetailTypes=["credential"],
    ).register()
    instance.strict_client = instance.strict
    instance.apaches = {
        name: ApacheRP(instance, name, authentication).register()
        for name, authentication in [("clinic", "none"), ("pharmacy", "none"), ("hospital", "private_key_jwt")]
    }
