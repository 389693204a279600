"""Whether a list of parts is CycloneDX 1.6 with nothing that the schema does not know, and every licence an expression."""
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing
from packageurl import PackageURL

text = open(sys.argv[1], encoding="utf-8").read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if error is not None:
    sys.exit(f"not valid: {error}")
for part in json.loads(text)["components"]:
    for licence in part.get("licenses", []):
        get_spdx_licensing().parse(licence["expression"], validate=True, strict=True)
    if "purl" in part:
        purl = PackageURL.from_string(part["purl"])
        assert (purl.type, purl.name, purl.version) == ("cargo", part["name"], part["version"]), part
