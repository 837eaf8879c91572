#include "plugin/ctl/item_json.h"

#include "plugin/ctl/common.h"

namespace pons::tools {

namespace {

void writeAddresses(json::Writer& writer, const Attachment& attachment) {
  writer.key("addresses").beginArray();
  for (const Lease& lease : attachment.leases) {
    writer.beginObject().member("address", lease.address.toString());
    if (lease.gateway) writer.member("gateway", lease.gateway->toString());
    writer.endObject();
  }
  writer.endArray();
}

void writePorts(json::Writer& writer, const Attachment& attachment) {
  writer.key("ports").beginArray();
  for (const PortForward& forward : attachment.forwards) {
    writer.beginObject().member("protocol", nameOf(forward.protocol));
    writer.member("hostAddress", forward.hostAddress.toString()).member("hostPort", int{forward.hostPort});
    writer.member("containerAddress", forward.target.toString()).member("containerPort", int{forward.targetPort});
    writer.endObject();
  }
  writer.endArray();
}

void writeFaults(json::Writer& writer, const std::vector<Fault>& faults) {
  writer.key("faults").beginArray();
  for (const Fault& fault : faults) {
    writer.beginObject();
    if (!fault.step.empty()) writer.member("state", fault.step);
    writer.member("shared", !fault.sharedState.empty()).member("what", fault.what);
    writer.endObject();
  }
  writer.endArray();
}

}  // namespace

void writeItem(json::Writer& writer, const Item& item) {
  writeKey(writer, item.key);
  writer.member("health", nameOf(item.health));
  if (item.age) writer.member("ageSeconds", static_cast<std::int64_t>(item.age->count()));
  if (item.attachment) {
    writer.member("bridge", item.attachment->bridge.name.toString());
    writer.member("hostInterface", item.attachment->hostVeth.toString());
    writer.member("netns", item.attachment->netnsPath);
    writeAddresses(writer, *item.attachment);
    writePorts(writer, *item.attachment);
  }
  writeFaults(writer, item.faults);
}

}  // namespace pons::tools
