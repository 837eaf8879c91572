#!/usr/bin/python3
"""Makes an OCI image archive out of a static busybox: oci_image.py <busybox> <archive> <root directory>

The image, localhost/web:latest, answers every TCP connection to its port 80 with its host name. The same files are
left in the root directory, for runtimes without images.
"""
import hashlib
import io
import json
import os
import sys
import tarfile

NAME = "localhost/web:latest"
APPLETS = ["sh", "nc", "hostname", "sleep", "ip", "cat"]
SERVER = ["/bin/nc", "-ll", "-p", "80", "-e", "/bin/hostname"]


def add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o755
    archive.addfile(entry, io.BytesIO(content))


def layer(busybox):
    """A tar of /bin with busybox, as plain as it can be, and its applets."""
    with open(busybox, "rb") as file:
        program = file.read()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        add(archive, "bin/busybox", program)
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        add(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
    return packed.getvalue()


class Image:
    """The archive: every blob under its digest, and an index that leads to them."""

    def __init__(self, path):
        self.archive = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)

    def blob(self, media, content):
        digest = hashlib.sha256(content).hexdigest()
        add(self.archive, f"blobs/sha256/{digest}", content)
        return {"mediaType": f"application/vnd.oci.image.{media}", "digest": f"sha256:{digest}", "size": len(content)}

    def document(self, media, document):
        return self.blob(media, json.dumps(document).encode())

    def finish(self, manifest):
        names = {"io.containerd.image.name": NAME, "org.opencontainers.image.ref.name": NAME}
        index = {"schemaVersion": 2, "manifests": [manifest | {"annotations": names}]}
        add(self.archive, "index.json", json.dumps(index).encode())
        add(self.archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        self.archive.close()


def main(busybox, path, root):
    content = layer(busybox)
    image = Image(path)
    packed = image.blob("layer.v1.tar", content)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    config = image.document("config.v1+json", {
        "architecture": machine,
        "os": "linux",
        "config": {"Cmd": SERVER, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [packed["digest"]]},
    })
    manifest = {"schemaVersion": 2, "config": config, "layers": [packed]}
    image.finish(image.document("manifest.v1+json", manifest))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(root)


if __name__ == "__main__":
    main(*sys.argv[1:])
