#include "plugin/ctl/json_output.h"

#include "plugin/ctl/format.h"

namespace pons::ctl {

namespace {

void writeLease(json::Writer& writer, const Lease& lease) {
  writer.member("address", lease.address.toString());
  if (lease.gateway) writer.member("gateway", lease.gateway->toString());
}

void writePort(json::Writer& writer, const PortForward& forward) {
  writer.member("protocol", nameOf(forward.protocol));
  writer.member("hostAddress", forward.hostAddress.toString()).member("hostPort", int{forward.hostPort});
  writer.member("containerAddress", forward.target.toString()).member("containerPort", int{forward.targetPort});
  if (!forward.allowFrom.empty()) writeStrings(writer, "allowFrom", textsOf(forward.allowFrom));
}

}  // namespace

void writeFault(json::Writer& writer, const Fault& fault) {
  const Difference& difference = fault.difference;
  if (!fault.step.empty()) writer.member("state", fault.step);
  writer.member("shared", !fault.sharedState.empty());
  writer.member("what", difference.text()).member("subject", difference.what);
  if (difference.remedy == Remedy::None) return;
  writer.member("expected", difference.expected).member("actual", difference.actual);
  writer.member("remedy", remedyText(difference.remedy));
}

void writeStrings(json::Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  writer.key(name).beginArray();
  for (const std::string& text : texts) writer.value(text);
  writer.endArray();
}

void writeNumber(json::Writer& writer, std::string_view name, std::uint64_t number) {
  writer.member(name, static_cast<std::int64_t>(number));
}

void writeKey(json::Writer& writer, const AttachmentKey& key, const std::string& pod) {
  writer.member("network", key.network.toString());
  if (!pod.empty()) writer.member("pod", pod);
  writer.member("container", key.container.toString());
  writer.member("interface", key.ifName.toString());
  if (key.plugin != ChainedPlugin::None) writer.member("plugin", nameOf(key.plugin));
}

void writeStatus(json::Writer& writer, const AttachmentStatus& status) {
  writeKey(writer, status.key, status.attachment ? status.attachment->pod : "");
  writer.member("health", nameOf(status.health));
  if (status.age) writer.member("ageSeconds", static_cast<std::int64_t>(status.age->count()));
  if (status.attachment) {
    writer.member("bridge", status.attachment->bridge.name.toString());
    writer.member("hostInterface", status.attachment->hostVeth.toString());
    writer.member("netns", status.attachment->netnsPath);
    writeObjects(writer, "addresses", status.attachment->leases, writeLease);
    writeObjects(writer, "ports", status.attachment->forwards, writePort);
  }
  writeObjects(writer, "faults", status.faults, writeFault);
}

}  // namespace pons::ctl
