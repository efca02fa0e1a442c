"""Apache with mod_auth_openidc, a certified relying party, as a private server on a loopback port.

Debian's 2.4.12 knows neither PAR nor DPoP, so it is a client of the plain profile: code and PKCE.
"""

import json
import re
import shutil
import subprocess
import tempfile
import time
from html import unescape
from pathlib import Path

import requests
import yaml
from joserfc.jwk import RSAKey

import cards
import contract
from instance import free_ports

MODULES = Path("/usr/lib/apache2/modules")
LOADED = "mpm_event authn_core authz_core authz_user mime dir include ssl socache_shmcb headers auth_openidc".split()
# Where each place asks for something else of the provider.
PLACES = {
    "any": "",
    "hpki": "acr_values=hpki-card&max_age=64800",
    "jpki": "acr_values=jpki-card&max_age=64800",
    "recent": "max_age=1",
    "again": "prompt=login",
    "silent": "prompt=none",
}


class ApacheRP:
    """One relying party; `register` before the instance starts, `start` after."""

    def __init__(self, instance, name, authentication="none", **settings):
        self.instance, self.name, self.authentication = instance, name, authentication
        # Not among pytest's folders: those are closed to the user that Apache changes to.
        self.folder = Path(tempfile.mkdtemp(prefix=f"apache-{name}-"))
        self.folder.chmod(0o755)
        self.host = f"{name}.localhost"
        self.settings = settings
        self.process = None
        (self.port,) = free_ports(1)
        for each in ("site", "keys"):
            (self.folder / each).mkdir()
        shutil.copyfile(contract.server_ca(instance.home), self.folder / "ca.pem")

    @property
    def url(self):
        return f"https://{self.host}:{self.port}"

    @property
    def redirect(self):
        return f"{self.url}/oidc/callback"

    def logout_url(self):
        """Where the user goes to log out here and at the provider."""
        return f"{self.redirect}?logout={self.url}/bye.shtml"

    def register(self):
        folder = contract.clients(self.instance.home)
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "id": self.name,
            "name": {"ja": f"{self.name} 電子処方箋", "en": f"{self.name} prescriptions"},
            "profile": "plain",
            "redirectURIs": [self.redirect],
            "postLogoutRedirectURIs": [f"{self.url}/bye.shtml"],
            # By the plain name: the C library does not resolve names below `localhost`.
            "backchannelLogoutURI": f"https://localhost:{self.port}/oidc/callback?logout=backchannel",
            "authentication": self.authentication,
            "audiences": [self.instance.audience],
            "scopes": ["openid", "profile", "sign"],
            "refreshTokens": False,
            "facility": "1319999999",
            "kind": "medical",
            **self.settings,
        }
        if self.authentication == "private_key_jwt":
            settings["jwks"] = self._make_key(folder)
        (folder / f"{self.name}.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))
        return self

    def _make_key(self, folder):
        """A key for client assertions: mod_auth_openidc 2.4.12 signs them by RS256, and by nothing else."""
        import json

        key = RSAKey.generate_key(2048, {"kid": f"{self.name}-1", "use": "sig", "alg": "RS256"}, private=True)
        (self.folder / "keys" / "client.pem").write_bytes(key.as_pem(private=True))
        # Without this file, which it has no use for, this version of the module crashes.
        (self.folder / "keys" / "client.pub").write_bytes(key.as_pem(private=False))
        file = folder / f"{self.name}.jwks.json"
        file.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        return str(file.relative_to(self.instance.home))

    def configuration(self):
        tls = cards.server_certificate(self.instance.home, [self.host, "localhost"], self.folder / "keys")
        key = self.folder / "keys" / "client.pem"
        signing = f"OIDCPrivateKeyFiles {self.name}-1#{key}\nOIDCPublicKeyFiles {self.name}-1#{key.with_suffix('.pub')}"
        if self.authentication != "private_key_jwt":
            signing = ""
        places = "\n".join(
            f"<Location /{place}/>\n  AuthType openid-connect\n  Require valid-user\n"
            + (f"  OIDCPathAuthRequestParams {parameters}\n" if parameters else "")
            + "</Location>"
            for place, parameters in {**PLACES, "oidc": ""}.items()
        )
        return f"""
ServerRoot {self.folder}
ServerName {self.host}:{self.port}
PidFile {self.folder}/pid
Listen 127.0.0.1:{self.port}
ErrorLog {self.folder}/error.log
LogLevel info auth_openidc:info
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
{chr(10).join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED)}
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16
SSLEngine on
SSLCertificateFile {tls.certificate}
SSLCertificateKeyFile {tls.key}
DocumentRoot {self.folder}/site
<Directory {self.folder}/site>
  Options +Includes
  Require all granted
</Directory>
OIDCProviderMetadataURL {self.instance.url}/.well-known/openid-configuration
OIDCCABundlePath {self.folder}/ca.pem
OIDCSSLValidateServer On
OIDCClientID {self.name}
{signing}
OIDCProviderTokenEndpointAuth {self.authentication}
OIDCRedirectURI {self.redirect}
OIDCRedirectURLsAllowed ^{self.url.replace(".", "[.]")}/
OIDCResponseType code
OIDCPKCEMethod S256
OIDCScope "openid profile sign"
OIDCIDTokenSignedResponseAlg ES256
OIDCCryptoPassphrase {self.name}-{self.port}-passphrase
OIDCSessionType server-cache
OIDCCookieSameSite On
OIDCPassClaimsAs environment
OIDCPassIDTokenAs claims
OIDCRemoteUserClaim sub
{places}
"""

    def start(self):
        page = "<!doctype html><html><head><title>{}</title></head><body><pre id=claims>\n{}\n</pre></body></html>\n"
        for place in PLACES:
            (self.folder / "site" / place).mkdir(exist_ok=True)
            index = self.folder / "site" / place / "index.shtml"
            index.write_text(page.format(place, "<!--#printenv -->"))
        (self.folder / "site" / "bye.shtml").write_text(page.format("bye", "left"))
        file = self.folder / "httpd.conf"
        file.write_text(self.configuration())
        with open(self.folder / "output.log", "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("apache2") or "/usr/sbin/apache2", "-d", self.folder, "-f", file, "-D", "FOREGROUND"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            try:
                if self.instance.session().get(f"{self.url}/bye.shtml", timeout=2).status_code == 200:
                    return self
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError(f"Apache did not come up:\n{self.log()}")

    def log(self):
        files = [self.folder / name for name in ("output.log", "error.log")]
        texts = [file.read_text(errors="replace") for file in files if file.exists()]
        return "\n".join("\n".join(text.splitlines()[-30:]) for text in texts)

    def close(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    # What a visitor sees.

    def place(self, name):
        return f"{self.url}/{name}/index.shtml"

    def claims(self, page):
        """The claims by which Apache knows the visitor of this page; none where it is not Apache's page."""
        if page.answer is None or not page.url.startswith(self.url) or page.status != 200:
            return None
        return claims_of(page.answer.text)

    def knows(self, visitor):
        """Whether Apache still has a session of this visitor: without one it sends them to the provider."""
        answer = visitor.session.get(self.place("any"), allow_redirects=False, timeout=30)
        assert answer.status_code in (200, 302, 303), answer.status_code
        return answer.status_code == 200


def claims_of(text):
    """The claims in the page that Apache shows."""
    return {name: unescape(value) for name, value in re.findall(r"\bOIDC_(?:CLAIM_)?(\w+)=(.*)", text)}
