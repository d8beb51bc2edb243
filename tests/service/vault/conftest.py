"""A real token for the PKCS#11 tests: SoftHSM 2 from the system's packages, with its files in a temporary folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
TOKEN = "menshen test"
PIN = "4711-大门"


@dataclass(frozen=True)
class SoftHsm:
    """A token of this run's own."""

    module: str
    pin_file: Path

    def uri(self, object_label: str, *, token: str = TOKEN.replace(" ", "%20"), pin: Path | None = None) -> str:
        """Where a key of this label is."""
        return f"pkcs11:token={token};object={object_label}?module-path={self.module}&pin-source=file:{pin or self.pin_file}"


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """Skipped where SoftHSM 2 or python-pkcs11 is not installed."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    tool = shutil.which("softhsm2-util")
    if module is None or tool is None:
        pytest.skip("SoftHSM 2 is not installed (apt-get install softhsm2)")
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra menshen[pkcs11])")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    pin_file = folder / "pin"
    pin_file.write_text(PIN + "\n", "utf-8")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    command = [tool, "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "0815"]
    subprocess.run(command, check=True, capture_output=True)
    yield SoftHsm(module, pin_file)
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before
