#!/usr/bin/python3
"""A minimal CRI client, as kubelet: cri.py <socket> <question>

  serving             waits until the socket answers
  ready <image>       waits until runtime, network and image are there; the exit code tells
  conditions          prints a line for each condition of runtime and network: its type, true or false, and why
  run <pod>[,<detail>]...
                      starts sandboxes, all at once, with their pods' names as host names; prints a line for each, with
                      its id and its addresses. A detail is a published port,
                      <host port>:<container port>/<host address, or nothing for all>[/udp], or a rate,
                      ingress=<quantity> or egress=<quantity>
  list                prints the id of each sandbox
  stop <id>...
  remove <id>...

Debian 12 has neither crictl nor the protocol's files, so the part of runtime.v1 that is needed is described here.
"""
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PATIENCE = 20  # seconds

# Message: its fields by number. A type in brackets is repeated.
MESSAGES = {
    "PodSandboxMetadata": {1: ("name", str), 2: ("uid", str), 3: ("namespace", str)},
    "PortMapping": {1: ("protocol", int), 2: ("container_port", int), 3: ("host_port", int), 4: ("host_ip", str)},
    "Annotation": {1: ("key", str), 2: ("value", str)},  # an entry of a map is sent as a message
    "PodSandboxConfig": {1: ("metadata", "PodSandboxMetadata"), 2: ("hostname", str),
                         5: ("port_mappings", ["PortMapping"]), 7: ("annotations", ["Annotation"])},
    "RunPodSandboxRequest": {1: ("config", "PodSandboxConfig")},
    "RunPodSandboxResponse": {1: ("pod_sandbox_id", str)},
    "PodSandboxStatusRequest": {1: ("pod_sandbox_id", str)},
    "PodIP": {1: ("ip", str)},
    "PodSandboxNetworkStatus": {1: ("ip", str), 2: ("additional_ips", ["PodIP"])},
    "PodSandboxStatus": {5: ("network", "PodSandboxNetworkStatus")},
    "PodSandboxStatusResponse": {1: ("status", "PodSandboxStatus")},
    "ListPodSandboxRequest": {},
    "PodSandbox": {1: ("id", str)},
    "ListPodSandboxResponse": {1: ("items", ["PodSandbox"])},
    "StopPodSandboxRequest": {1: ("pod_sandbox_id", str)},
    "StopPodSandboxResponse": {},
    "RemovePodSandboxRequest": {1: ("pod_sandbox_id", str)},
    "RemovePodSandboxResponse": {},
    "ImageSpec": {1: ("image", str)},
    "Image": {1: ("id", str)},
    "ImageStatusRequest": {1: ("image", "ImageSpec")},
    "ImageStatusResponse": {1: ("image", "Image")},
    "StatusRequest": {},
    "RuntimeCondition": {1: ("type", str), 2: ("status", bool), 3: ("reason", str), 4: ("message", str)},
    "RuntimeStatus": {1: ("conditions", ["RuntimeCondition"])},
    "StatusResponse": {1: ("status", "RuntimeStatus")},
}
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {str: Field.TYPE_STRING, int: Field.TYPE_INT32, bool: Field.TYPE_BOOL}


def describe(field, number, name, kind):
    field.name, field.number = name, number
    field.label = Field.LABEL_REPEATED if isinstance(kind, list) else Field.LABEL_OPTIONAL
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in SCALARS:
        field.type = SCALARS[kind]
    else:
        field.type, field.type_name = Field.TYPE_MESSAGE, f".runtime.v1.{kind}"


def classes():
    """The messages as classes, by name."""
    file = descriptor_pb2.FileDescriptorProto(name="cri.proto", package="runtime.v1", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in fields.items():
            describe(message.field.add(), number, field, kind)
    known = message_factory.GetMessages([file])
    return {name: known[f"runtime.v1.{name}"] for name in MESSAGES}


class Runtime:
    """Runtime("/run/….sock").RunPodSandbox(config=…) and the like; fields of messages can be given as dictionaries."""

    def __init__(self, socket):
        options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 50)]
        self.channel = grpc.insecure_channel(f"unix://{socket}", options)
        self.messages = classes()

    def __getattr__(self, verb):
        request, response = self.messages[f"{verb}Request"], self.messages[f"{verb}Response"]
        service = "ImageService" if verb.startswith("Image") else "RuntimeService"
        call = self.channel.unary_unary(f"/runtime.v1.{service}/{verb}",
                                        request_serializer=request.SerializeToString,
                                        response_deserializer=response.FromString)
        return lambda **fields: call(request(**fields), timeout=PATIENCE)


def published(text):
    ports, host_ip, *protocol = text.split("/")
    host_port, container_port = map(int, ports.split(":"))
    return {"protocol": int(protocol == ["udp"]), "host_port": host_port, "container_port": container_port,
            "host_ip": host_ip}


def limited(text):
    direction, quantity = text.split("=")
    return {"key": f"kubernetes.io/{direction}-bandwidth", "value": quantity}


def run_one(runtime, pod, *details):
    config = {"metadata": {"name": pod, "uid": f"uid-of-{pod}", "namespace": "default"}, "hostname": pod,
              "port_mappings": [published(detail) for detail in details if "=" not in detail],
              "annotations": [limited(detail) for detail in details if "=" in detail]}
    sandbox = runtime.RunPodSandbox(config=config).pod_sandbox_id
    network = runtime.PodSandboxStatus(pod_sandbox_id=sandbox).status.network
    return [sandbox, network.ip, *(more.ip for more in network.additional_ips)]


def run(runtime, *pods):
    with ThreadPoolExecutor(len(pods)) as pool:
        for answer in pool.map(lambda pod: run_one(runtime, *pod.split(",")), pods):
            print(*answer)


def list_all(runtime):
    for sandbox in runtime.ListPodSandbox().items:
        print(sandbox.id)


def stop(runtime, *sandboxes):
    for sandbox in sandboxes:
        runtime.StopPodSandbox(pod_sandbox_id=sandbox)


def remove(runtime, *sandboxes):
    for sandbox in sandboxes:
        runtime.RemovePodSandbox(pod_sandbox_id=sandbox)


def serving(runtime):
    grpc.channel_ready_future(runtime.channel).result(timeout=PATIENCE)


def conditions(runtime):
    for condition in runtime.Status().status.conditions:
        print(condition.type, str(condition.status).lower(), condition.reason, condition.message)


def missing(runtime, image):
    for condition in runtime.Status().status.conditions:
        if not condition.status:
            return f"{condition.type}: {condition.reason}: {condition.message}"
    return None if runtime.ImageStatus(image={"image": image}).HasField("image") else f"no image {image}"


def ready(runtime, image):
    give_up = time.monotonic() + PATIENCE
    while reason := missing(runtime, image):
        if time.monotonic() > give_up:
            sys.exit(reason)
        time.sleep(0.05)


QUESTIONS = {"serving": serving, "ready": ready, "conditions": conditions, "run": run, "list": list_all,
             "stop": stop, "remove": remove}

if __name__ == "__main__":
    try:
        QUESTIONS[sys.argv[2]](Runtime(sys.argv[1]), *sys.argv[3:])
    except grpc.RpcError as error:
        sys.exit(f"{sys.argv[2]}: {error.code().name}: {error.details()}")
