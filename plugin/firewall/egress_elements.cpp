// The elements and objects of an attachment in the sets and maps of egress_table.h.
#include <algorithm>
#include <set>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/kernel_features.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/prefix_sets.h"

namespace pons::egress {

namespace nft = netlib::nft;
using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

constexpr std::string_view kObjectPrefix = "egress_";

bool hasPorts(const EgressPolicy& policy) { return !policy.tcpPorts.empty() || !policy.udpPorts.empty(); }

std::vector<std::uint8_t> sourceKey(const Attachment& attachment, const IpAddress& source) {
  std::vector<std::uint8_t> key = nft::keyOf(attachment.bridge.name);
  nft::appendPadded(key, source.bytes());
  return key;
}

/// Adds the elements of one source address.
class Elements {
 public:
  Elements(nft::ElementsBySet& elements, const Attachment& attachment, const IpAddress& source)
      : elements_(elements), source_{.key = sourceKey(attachment, source), .comment = attachment.hostVeth.toString()} {}

  void add(const std::string& set, std::span<const std::uint8_t> behind = {}) {
    elements_[set].push_back(source_);
    nft::appendPadded(elements_[set].back().key, behind);
  }
  void addMapped(const std::string& map, const std::string& object) {
    elements_[map].push_back(source_);
    elements_[map].back().object = object;
  }

  void addPorts(const EgressPolicy& policy) {
    for (const Port port : policy.tcpPorts) add(kPorts, nat::portKey(Protocol::Tcp, port));
    for (const Port port : policy.udpPorts) add(kPorts, nat::portKey(Protocol::Udp, port));
    if (!hasPorts(policy)) add(kAnyPort);
  }
  void addDestinations(const EgressPolicy& policy, Family family) {
    // Without duplicates: the second deletion would fail.
    for (const IpAddress& server : std::set(policy.nameservers.begin(), policy.nameservers.end())) {
      if (server.family() == family) add(kDns, server.bytes());
    }
    for (const IpPrefix& prefix : policy.destinations) {
      if (prefix.family() != family) continue;
      for (const IpPrefix& part : prefix_sets::partsOf(prefix)) {
        add(prefix_sets::nameOf(kTo, part.length()), part.first().bytes());
      }
    }
  }

 private:
  nft::ElementsBySet& elements_;
  nft::Element source_;
};

}  // namespace

std::vector<std::string> setsOf(Family family) {
  std::vector<std::string> sets = prefix_sets::namesOf(kTo, family);
  sets.insert(sets.end(), {kSources, kDns, kPorts, kAnyPort, kDenied, kLogged, kRejected});
  return sets;
}

bool permits(const EgressPolicy& policy, const Destination& destination) {
  const auto& [address, protocol, port] = destination;
  const auto has = [](const auto& all, const auto& one) { return std::ranges::find(all, one) != all.end(); };
  if (protocol && protocol != Protocol::Sctp && port == kDnsPort && has(policy.nameservers, address)) return true;
  const auto contains = [&](const IpPrefix& prefix) { return prefix.contains(destination.address); };
  if (!std::ranges::any_of(policy.destinations, contains)) return false;
  if (!hasPorts(policy)) return true;
  return (protocol == Protocol::Tcp && has(policy.tcpPorts, port)) ||
         (protocol == Protocol::Udp && has(policy.udpPorts, port));
}

bool rejects(const Attachment& attachment) {
  return attachment.egress && attachment.onDeny == OnDeny::Reject && tables::rejectsBeforeRouting();
}

bool logs(const Attachment& attachment) { return attachment.egress && attachment.egress->logDenied; }

std::vector<Family> familiesOf(const Attachment& attachment) {
  std::vector<Family> families;
  if (!attachment.egress) return families;
  for (const IpAddress& source : sourcesOf(attachment)) {
    if (std::ranges::find(families, source.family()) == families.end()) families.push_back(source.family());
  }
  return families;
}

nft::ElementsBySet elementsOf(const Attachment& attachment, Family family) {
  nft::ElementsBySet all;
  if (!attachment.egress) return all;
  const std::string object = objectOf(attachment.hostVeth);
  for (const IpAddress& source : sourcesOf(attachment)) {
    if (source.family() != family) continue;
    Elements elements{all, attachment, source};
    elements.add(kSources);
    elements.addPorts(*attachment.egress);
    elements.addDestinations(*attachment.egress, family);
    elements.addMapped(kDenied, object);
    if (logs(attachment)) elements.addMapped(kLogged, object);
    if (rejects(attachment)) elements.add(kRejected);
  }
  return all;
}

std::string objectOf(const netlib::IfName& hostVeth) { return std::string{kObjectPrefix} + hostVeth.toString(); }

std::optional<netlib::IfName> vethOfObject(std::string_view object) {
  if (!object.starts_with(kObjectPrefix)) return std::nullopt;
  return parseHostVethName(object.substr(kObjectPrefix.size()));
}

std::optional<netlib::IfName> vethOf(const nft::Element& element) { return parseHostVethName(element.comment); }

bool isAbout(const nft::Element& element, const Attachment& attachment) {
  if (element.comment == attachment.hostVeth.toString()) return true;
  return std::ranges::any_of(sourcesOf(attachment), [&](const IpAddress& source) {
    const auto key = sourceKey(attachment, source);
    return element.key.size() >= key.size() && std::equal(key.begin(), key.end(), element.key.begin());
  });
}

void appendObjects(nft::Transaction& transaction, const Attachment& attachment, Family family) {
  constexpr std::uint64_t kLoggedEachMinute = 5;
  const nft::Table table = nat::tableOf(family);
  const std::string name = objectOf(attachment.hostVeth);
  transaction.addCounter(table, name);
  if (logs(attachment)) transaction.addLimit(table, name, kLoggedEachMinute, nft::LimitUnit::Minute);
}

void appendRemoval(nft::Transaction& transaction, const Attachment& attachment) {
  for (const Family family : familiesOf(attachment)) {
    const std::string name = objectOf(attachment.hostVeth);
    transaction.deleteObject(nat::tableOf(family), nft::ObjectType::Counter, name);
    if (logs(attachment)) transaction.deleteObject(nat::tableOf(family), nft::ObjectType::Limit, name);
  }
}

}  // namespace pons::egress
