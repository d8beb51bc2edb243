"""docs/import.md names every code that an import can end with or list."""

import re
from pathlib import Path

from service.intake.model import Code, ImportBusy

ROOT = Path(__file__).parents[3]


def test_every_code_is_explained():
    page = (ROOT / "docs" / "import.md").read_text("utf-8")
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "service" / "intake").glob("*.py"))
    raised = set(re.findall(r'(?:FileProblem\(\s*|code=)"([A-Z_]+)"', sources)) | {ImportBusy().code}
    assert len(raised) > 15
    assert sorted(code for code in raised | {code.value for code in Code} if f"`{code}`" not in page) == []


def test_every_option_is_explained():
    page = (ROOT / "docs" / "import.md").read_text("utf-8")
    options = re.findall(r'"(--[a-z-]+)"', (ROOT / "service" / "cli" / "intake.py").read_text("utf-8"))
    assert options and sorted(option for option in options if f"`{option}" not in page) == []
