"""Checks a document of SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/): required fields, identifiers, relationships, and
the checksums of the files.

spdx.py FILE DIRECTORY: prints the problems; exit code 1 if there are any.
"""

import hashlib
import json
import pathlib
import re
import sys

REQUIRED = {
    "document": ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"],
    "creationInfo": ["created", "creators"],
    "packages": ["SPDXID", "name", "downloadLocation"],
    "files": ["SPDXID", "fileName", "checksums"],
    "relationships": ["spdxElementId", "relationshipType", "relatedSpdxElement"],
}
LICENCES = {"Apache-2.0", "GPL-2.0-or-later", "LGPL-2.1-or-later", "GPL-3.0-or-later WITH GCC-exception-3.1", "MIT",
            "BSD-3-Clause", "BSD-2-Clause", "ISC", "Beerware", "NOASSERTION"}


def missing_fields(document):
    kinds = [("document", [document]), ("creationInfo", [document.get("creationInfo", {})])]
    kinds += [(kind, document.get(kind, [])) for kind in ("packages", "files", "relationships")]
    for kind, entries in kinds:
        for entry in entries:
            for field in REQUIRED[kind]:
                if not entry.get(field):
                    yield f"{kind} {entry.get('SPDXID', '')}: no {field}"


def wrong_values(document):
    for field, pattern in (("spdxVersion", "SPDX-2[.]3"), ("dataLicense", "CC0-1[.]0"), ("SPDXID", "SPDXRef-DOCUMENT"),
                           ("documentNamespace", "https://[^#]+")):
        if not re.fullmatch(pattern, document[field]):
            yield f"{field} is {document[field]}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"]):
        yield "created is not in UTC, to the second"
    for creator in document["creationInfo"]["creators"]:
        if not re.fullmatch("(Person|Organization|Tool): .+", creator):
            yield f"creator {creator}"
    for entry in document["packages"] + document["files"]:
        for field in ("licenseDeclared", "licenseConcluded"):
            for part in entry.get(field, "NOASSERTION").split(" AND "):
                if part not in LICENCES:
                    yield f"{entry['SPDXID']}: {field} {part}"


def wrong_references(document):
    identifiers = [entry["SPDXID"] for entry in [document] + document["packages"] + document["files"]]
    for identifier in identifiers:
        if not re.fullmatch("SPDXRef-[A-Za-z0-9.-]+", identifier) or identifiers.count(identifier) > 1:
            yield f"identifier {identifier} is malformed or not unique"
    related = {(entry["relationshipType"], entry["spdxElementId"], entry["relatedSpdxElement"])
               for entry in document["relationships"]}
    for _, source, target in related:
        for end in (source, target):
            if end not in identifiers:
                yield f"relationship with unknown {end}"
    expected = {("DESCRIBES", "SPDXRef-DOCUMENT", "SPDXRef-pons")}
    expected |= {("CONTAINS", "SPDXRef-pons", entry["SPDXID"]) for entry in document["files"]}
    expected |= {("STATIC_LINK", "SPDXRef-pons", entry["SPDXID"]) for entry in document["packages"][1:]}
    for relationship in expected ^ related:
        yield f"relationship missing or superfluous: {relationship}"


def wrong_files(document, directory):
    files = {entry["fileName"]: entry for entry in document["files"]}
    found = {f"./{path.relative_to(directory)}" for path in directory.rglob("*")
             if path.is_file() and not path.is_symlink()}
    for name in sorted(found ^ files.keys()):
        yield f"file {name} is missing in one of document and directory"
    sha1s = []
    for name in found & files.keys():
        content = (directory / name).read_bytes()
        sums = {entry["algorithm"]: entry["checksumValue"] for entry in files[name]["checksums"]}
        sha1s.append(hashlib.sha1(content).hexdigest())
        if sums != {"SHA1": sha1s[-1], "SHA256": hashlib.sha256(content).hexdigest()}:
            yield f"checksums of {name}"
    code = document["packages"][0]["packageVerificationCode"]["packageVerificationCodeValue"]
    if code != hashlib.sha1("".join(sorted(sha1s)).encode()).hexdigest():
        yield "the package verification code"


document = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
problems = list(missing_fields(document))
if not problems:
    problems = [*wrong_values(document), *wrong_references(document),
                *wrong_files(document, pathlib.Path(sys.argv[2]))]
print("\n".join(problems))
sys.exit(1 if problems else 0)
