"""Compares a Kubernetes manifest with the API's models, and its objects with each other.

manifest.py FILE: prints the problems; exit code 1 if there are any.
"""

import copy
import json
import sys

import yaml
from kubernetes import client

KINDS = {
    "ServiceAccount": "V1ServiceAccount",
    "ClusterRole": "V1ClusterRole",
    "ClusterRoleBinding": "V1ClusterRoleBinding",
    "DaemonSet": "V1DaemonSet",
}
VERSIONS = {
    "ServiceAccount": "v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "DaemonSet": "apps/v1",
}
problems = []


def expect(condition, problem):
    if not condition:
        problems.append(problem)


class Response:
    """The deserialiser takes a server's response."""

    def __init__(self, document):
        self.data = json.dumps(document)


def through_the_model(document):
    """The document as the API parses it: unknown keys are dropped, a missing required one raises ValueError."""
    api = client.ApiClient()
    return api.sanitize_for_serialization(api.deserialize(Response(document), KINDS[document["kind"]]))


def without_sidecars(document):
    """For models older than Kubernetes 1.29, in which containers have no restartPolicy."""
    document = copy.deepcopy(document)
    for container in document.get("spec", {}).get("template", {}).get("spec", {}).get("initContainers", []):
        expect(container.pop("restartPolicy", "Always") == "Always", "a container's restartPolicy can only be Always")
    return document


def check_pod(spec):
    volumes = {volume["name"] for volume in spec["volumes"]}
    for container in spec["initContainers"] + spec["containers"]:
        name = container["name"]
        expect({mount["name"] for mount in container.get("volumeMounts", [])} <= volumes, f"{name}: a volume is missing")
        expect("ALL" in container["securityContext"]["capabilities"]["drop"], f"{name}: keeps capabilities")
        expect(not container["securityContext"].get("privileged"), f"{name}: is privileged")
        expect(container["securityContext"].get("readOnlyRootFilesystem"), f"{name}: can write to its image")
    paths = {volume["hostPath"]["path"] for volume in spec["volumes"] if "hostPath" in volume}
    expect(not paths & {"/", "/etc", "/run", "/var", "/opt", "/proc", "/sys", "/dev"}, f"mounts too much: {paths}")
    # It must run on a node without a network.
    expect(spec["hostNetwork"], "hostNetwork is missing: the pod would wait for the network that it installs")
    expect({"operator": "Exists"} in spec["tolerations"], "it is not scheduled on nodes that are not ready")


def check_references(by_kind):
    account = by_kind["ServiceAccount"]["metadata"]
    daemons = by_kind["DaemonSet"]
    pod = daemons["spec"]["template"]
    binding = by_kind["ClusterRoleBinding"]
    subject = {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    expect(binding["subjects"] == [subject], "the role is not bound to the account")
    expect(binding["roleRef"]["name"] == by_kind["ClusterRole"]["metadata"]["name"], "no such role is bound")
    expect(pod["spec"]["serviceAccountName"] == account["name"], "the pods have another account")
    expect(daemons["metadata"]["namespace"] == account["namespace"], "the account is in another namespace")
    expect(daemons["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"], "the selector finds no pods")
    rules = by_kind["ClusterRole"]["rules"]
    expect(rules == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}], "the role is not what is needed")


with open(sys.argv[1], encoding="utf-8") as file:
    documents = list(yaml.safe_load_all(file))
for document in documents:
    kind = document["kind"]
    expect(document["apiVersion"] == VERSIONS[kind], f"{kind} of {document['apiVersion']}")
    try:
        known = without_sidecars(document)
        understood = through_the_model(known)
        expect(understood == known, f"{kind}: unknown keys:\n{known}\n{understood}")
    except ValueError as error:
        problems.append(f"{kind}: {error}")
by_kind = {document["kind"]: document for document in documents}
check_references(by_kind)
check_pod(by_kind["DaemonSet"]["spec"]["template"]["spec"])
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
