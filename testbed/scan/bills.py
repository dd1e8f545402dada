"""Checks bills of materials against the schema of CycloneDX 1.6: `bills.py FILE...`. Says what is wrong with the first, and fails."""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_6)
files = sys.argv[1:]
if not files:
    sys.exit("no bill of materials to check")
for file in files:
    error = validator.validate_str(Path(file).read_text())
    if error is not None:
        sys.exit(f"{file}: {error.data.message}")
