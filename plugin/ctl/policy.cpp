#include "plugin/ctl/policy.h"

#include <algorithm>

#include <unistd.h>

#include "netlib/os/file.h"

#include "plugin/cni/decode/egress.h"
#include "plugin/cni/decode/request.h"
#include "plugin/ctl/attachment_view.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/nameservers.h"
#include "plugin/ctl/show.h"
#include "plugin/firewall/policy_change.h"

namespace pons::ctl {

namespace {

void writePorts(json::Writer& writer, std::string_view name, const std::vector<Port>& ports) {
  writer.key(name).beginArray();
  for (const Port port : ports) writer.value(std::int64_t{port});
  writer.endArray();
}

void writePolicy(json::Writer& writer, const EgressPolicy& policy) {
  writer.key("egressPolicy").beginObject();
  writeStrings(writer, "allowedCidrs", textsOf(policy.destinations));
  writePorts(writer, "allowedTcpPorts", policy.tcpPorts);
  writePorts(writer, "allowedUdpPorts", policy.udpPorts);
  writer.member("allowDns", !policy.nameservers.empty()).member("logDenied", policy.logDenied);
  writer.endObject();
}

void writeAttachment(json::Writer& writer, const Attachment& attachment) {
  writeKey(writer, attachment.key, attachment.pod);
  if (!attachment.egress) return;
  writePolicy(writer, *attachment.egress);
  writeStrings(writer, "nameservers", textsOf(attachment.egress->nameservers));
  writer.member("onDeny", nameOf(attachment.onDeny));
}

std::string listOr(const json::Value& list, const std::string& none) {
  return list.items().empty() ? none : plainText(list);
}

std::string textOf(const json::Value& one, const Terminal& terminal) {
  Properties properties{{"interface", {attachmentIn(one)}}};
  const json::Value policy = one["egressPolicy"];
  if (!policy.present()) {
    properties.push_back({"egressPolicy", {"none: the container may open all connections"}});
    return propertiesText(properties, terminal);
  }
  const bool hasPorts = !policy["allowedTcpPorts"].items().empty() || !policy["allowedUdpPorts"].items().empty();
  const std::string noPort = hasPorts ? "none" : "all";
  properties.push_back({"allowedCidrs", {listOr(policy["allowedCidrs"], "none")}});
  properties.push_back({"allowedTcpPorts", {listOr(policy["allowedTcpPorts"], noPort)}});
  properties.push_back({"allowedUdpPorts", {listOr(policy["allowedUdpPorts"], noPort)}});
  properties.push_back({"allowDns", {listOr(one["nameservers"], "no")}});
  properties.push_back({"logDenied", {isTrue(policy["logDenied"]) ? "yes" : "no"}});
  properties.push_back({"onDeny", {plainText(one["onDeny"])}});
  return propertiesText(properties, terminal);
}

/// Of one container: an egress policy is that of the main plugin.
netlib::Result<std::vector<AttachmentKey>> wantedKeys(Host& host, const Arguments& arguments) {
  std::vector<AttachmentKey> keys = TRY(attachmentsNamed(host, arguments.subject));
  std::erase_if(keys, [&](const AttachmentKey& key) {
    return key.plugin != ChainedPlugin::None ||
           (!arguments.network.empty() && key.network.toString() != arguments.network) ||
           (!arguments.ifName.empty() && key.ifName.toString() != arguments.ifName);
  });
  if (keys.empty()) {
    return netlib::fail(netlib::Cause::Missing,
                        "\"" + arguments.subject + "\" has no such interface in a network of type pons");
  }
  const auto isOther = [&](const AttachmentKey& key) { return key.container != keys.front().container; };
  if (std::ranges::any_of(keys, isOther)) {
    return netlib::fail(netlib::Cause::Invalid,
                        "\"" + arguments.subject + "\" names several containers: give one of them");
  }
  return keys;
}

using Records = std::vector<Record>;

/// Those with an egress policy, locked.
netlib::Result<Records> lockedRecords(Host& host, const std::vector<AttachmentKey>& keys) {
  Records records;
  for (const AttachmentKey& key : keys) {
    auto record = TRY(host.ledger.find(key));
    if (!record) continue;  // deleted meanwhile
    if (record->state != RecordState::Committed) {
      return netlib::fail(netlib::Cause::InUse, host.ledger.describe(key) + " is not attached: its ADD or DEL was " +
                                                    "interrupted, or its record is damaged");
    }
    if (record->attachment.egress) records.push_back(std::move(*record));
  }
  if (!records.empty()) return records;
  return netlib::fail(netlib::Cause::Unsupported,
                      host.ledger.describe(keys.front()) +
                          " was attached without an egress policy, which can only be replaced: set \"egressPolicy\" in "
                          "the network's configuration and recreate the container");
}

std::vector<Attachment> attachmentsOf(const Records& records) {
  std::vector<Attachment> attachments;
  for (const Record& record : records) attachments.push_back(record.attachment);
  return attachments;
}

netlib::Result<> rewriteAll(Host& host, Records& records, const std::vector<Attachment>& attachments) {
  const HostLock hostLock = TRY(host.ledger.lockHost());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].attachment != attachments[i]) TRY(host.ledger.rewrite(hostLock, records[i], attachments[i]));
  }
  return {};
}

netlib::Result<> replacePolicies(Host& host, const std::vector<Attachment>& from, const std::vector<Attachment>& to) {
  std::vector<tables::PolicyChange> changes;
  for (std::size_t i = 0; i < from.size(); ++i) changes.push_back({from[i], to[i]});
  return tables::replacePolicies(host, changes);
}

/// The records first: if this process is killed before the kernel has the new policies, "ponsctl repair" writes them.
netlib::Result<> change(Host& host, Records& records, const std::vector<Attachment>& wanted) {
  const std::vector<Attachment> before = attachmentsOf(records);
  auto changed = rewriteAll(host, records, wanted);
  if (changed) changed = replacePolicies(host, before, wanted);
  if (changed) return changed;
  const auto restored = rewriteAll(host, records, before);
  if (restored) return changed;
  return netlib::fail(changed.error().reworded(changed.error().message + "; cannot restore the record: " +
                                               restored.error().message + "; run \"ponsctl repair\""));
}

netlib::Result<EgressPolicy> decoded(const std::string& text, const std::string& file, const Attachment& attachment,
                                     const Arguments& arguments) {
  const auto document = json::Document::parse(text);
  if (!document) return netlib::fail(document.error().reworded(file + ": " + document.error().message));
  // The servers of the ADD, where the policy that it recorded lets them pass.
  const auto& recorded = attachment.egress->nameservers;
  const auto nameservers = recorded.empty() ? nameserversOf(attachment, arguments) : recorded;
  auto policy = cni::decodePolicy(cni::Field{document->root(), "egressPolicy"}, nameservers);
  if (!policy) return netlib::fail(netlib::Cause::Damaged, file + ": " + policy.error().message);
  return std::move(*policy);
}

netlib::Result<> replace(Host& host, const std::vector<AttachmentKey>& keys, const Arguments& arguments) {
  const bool isStdin = arguments.policyFile == "-";
  const std::string file = isStdin ? "standard input" : arguments.policyFile;
  const std::string text =
      TRY(isStdin ? netlib::readAll(STDIN_FILENO, cni::kMaxInput, file) : readText(arguments.policyFile));
  Records records = TRY(lockedRecords(host, keys));
  std::vector<Attachment> wanted = attachmentsOf(records);
  for (Attachment& attachment : wanted) attachment.egress = TRY(decoded(text, file, attachment, arguments));
  return change(host, records, wanted);
}

netlib::Result<std::vector<Attachment>> recorded(Host& host, const std::vector<AttachmentKey>& keys) {
  std::vector<Attachment> attachments;
  for (const AttachmentKey& key : keys) {
    auto seen = TRY(host.ledger.snapshot(key));
    if (seen) attachments.push_back(std::move(seen->attachment));
  }
  return attachments;
}

}  // namespace

std::string policyJson(const std::vector<Attachment>& attachments) {
  return jsonDocument([&](json::Writer& writer) { writeObjects(writer, "attachments", attachments, writeAttachment); });
}

std::string policyText(const json::Value& root, const Terminal& terminal) {
  std::string text;
  for (const json::Value& one : root["attachments"].items()) {
    text += (text.empty() ? "" : "\n") + textOf(one, terminal);
  }
  return text;
}

netlib::Result<Answer> policy(const Arguments& arguments) {
  Host host = TRY(requireHost(arguments));
  const std::vector<AttachmentKey> keys = TRY(wantedKeys(host, arguments));
  if (!arguments.policyFile.empty()) TRY(replace(host, keys, arguments));
  return answer(arguments, policyJson(TRY(recorded(host, keys))), policyText);
}

}  // namespace pons::ctl
