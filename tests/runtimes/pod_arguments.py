"""The arguments of "ctr run" for a container of scripts/kubernetes/pons.yaml, one a line.

pod_arguments.py MANIFEST CONTAINER options|command|probe [NAME=VALUE...]

Host paths are mounted as the manifest says, an emptyDir from /run/empty-NAME; NAME=VALUE are fields of the node
that the manifest refers to.
"""
import re
import sys

import yaml

# What containerd gives a container whose configuration does not say.
DEFAULTS = ("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT "
            "KILL AUDIT_WRITE").split()
PROPAGATION = {None: "rprivate", "HostToContainer": "rslave"}


def mounts(container, volumes):
    for mount in container["volumeMounts"]:
        volume = volumes[mount["name"]]
        source = volume["hostPath"]["path"] if "hostPath" in volume else f"/run/empty-{mount['name']}"
        mode = "ro" if mount.get("readOnly") else "rw"
        options = f"rbind:{PROPAGATION[mount.get('mountPropagation')]}:{mode}"
        yield "--mount", f"type=bind,src={source},dst={mount['mountPath']},options={options}"


def options(pod, container):
    if pod.get("hostNetwork"):
        yield "--net-host"
    security = container["securityContext"]
    if security.get("readOnlyRootFilesystem"):
        yield "--read-only"
    assert security["runAsUser"] == 0  # as the image does by itself
    added = security["capabilities"].get("add", [])
    for capability in DEFAULTS:
        if capability not in added:
            yield from ("--cap-drop", f"CAP_{capability}")
    for capability in added:
        yield from ("--cap-add", f"CAP_{capability}")
    for variable in container.get("env", []):
        if "value" in variable:
            yield from ("--env", f"{variable['name']}={variable['value']}")
    for mount in mounts(container, {volume["name"]: volume for volume in pod["volumes"]}):
        yield from mount


def main(manifest, name, what, *values):
    with open(manifest, encoding="utf-8") as file:
        pod = next(one for one in yaml.safe_load_all(file) if one["kind"] == "DaemonSet")["spec"]["template"]["spec"]
    container = next(one for one in pod["initContainers"] + pod["containers"] if one["name"] == name)
    values = dict(value.split("=", 1) for value in values)
    if what == "options":
        words = options(pod, container)
    else:
        words = container["command"] if what == "command" else container["readinessProbe"]["exec"]["command"]
    for word in words:
        print(re.sub(r"\$\((\w+)\)", lambda match: values[match[1]], word))


main(*sys.argv[1:])
