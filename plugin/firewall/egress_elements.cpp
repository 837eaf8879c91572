// The elements and objects of an attachment in the sets and maps of egress_table.h.
#include <algorithm>
#include <set>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/kernel_features.h"
#include "plugin/firewall/nat_table.h"

namespace pons::egress {

namespace nft = netlib::nft;
using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

constexpr std::string_view kObjectPrefix = "egress_";

bool hasPorts(const EgressPolicy& policy) { return !policy.tcpPorts.empty() || !policy.udpPorts.empty(); }

/// Of the prefix lengths of allowed destinations; one set, and so one lookup, for each. A prefix of another length is
/// divided into those of the next length: 8 of IPv4 at most, 128 of IPv6. Not one set of intervals: at each commit the
/// kernel copies all that it has (nft_set_rbtree.c, nft_set_pipapo.c).
int lengthStep(Family family) { return family == Family::Ipv4 ? 4 : 8; }

std::vector<IpPrefix> dividedToStep(const IpPrefix& prefix) {
  const int step = lengthStep(prefix.family());
  const int length = (prefix.length() + step - 1) / step * step;
  std::vector<IpPrefix> parts{*IpPrefix::of(prefix.first(), length)};
  while (parts.back().last() != prefix.last()) {
    const auto next = IpAddress::fromNumber(prefix.family(), parts.back().last().number() + 1);
    parts.push_back(*IpPrefix::of(next, length));
  }
  return parts;
}

std::vector<std::uint8_t> sourceKey(const Attachment& attachment, const IpAddress& source) {
  std::vector<std::uint8_t> key = nft::keyOf(attachment.bridge.name);
  nft::appendPadded(key, source.bytes());
  return key;
}

/// Adds the elements of one source address.
class Elements {
 public:
  Elements(std::map<std::string, std::vector<nft::Element>>& elements, const Attachment& attachment,
           const IpAddress& source)
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
      for (const IpPrefix& part : dividedToStep(prefix)) add(destinationsSet(part.length()), part.first().bytes());
    }
  }

 private:
  std::map<std::string, std::vector<nft::Element>>& elements_;
  nft::Element source_;
};

}  // namespace

std::string destinationsSet(int prefixLength) { return "egress_to_" + std::to_string(prefixLength); }

std::vector<int> lengthsOf(Family family) {
  std::vector<int> lengths;
  for (int length = 0; length <= bitsOf(family); length += lengthStep(family)) lengths.push_back(length);
  return lengths;
}

std::vector<std::string> setsOf(Family family) {
  std::vector<std::string> sets{kSources, kDns, kPorts, kAnyPort, kDenied, kLogged, kRejected};
  for (const int length : lengthsOf(family)) sets.push_back(destinationsSet(length));
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

std::map<std::string, std::vector<nft::Element>> elementsOf(const Attachment& attachment, Family family) {
  std::map<std::string, std::vector<nft::Element>> all;
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
