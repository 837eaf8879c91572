#include "tests/storm/observer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "netlib/rtnl/address.h"

#include "plugin/firewall/nat_table.h"
#include "plugin/ledger/claims.h"

#include "tests/storm/setup.h"
#include "tests/support/runtime.h"

namespace storm {

namespace fs = std::filesystem;
using netlib::Family;
using pons::PortForward;
using pons::RecordState;
using pons::RecordText;

namespace {

constexpr std::array kFamilies{Family::Ipv4, Family::Ipv6};

void complain(const std::string& what) { note(kViolations, "observed: " + what); }

std::string textOf(const PortForward& forward) {
  return std::string{nameOf(forward.protocol)} + " " + forward.hostAddress.toString() + ":" +
         std::to_string(forward.hostPort) + " to " + forward.target.toString();
}

/// An attachment whose ADD was killed during the claims owns only those claimed, whatever its record has.
void forgetUnclaimed(pons::Attachment& attachment) {
  static const netlib::Directory state = netlib::Directory::openPrivate(support::kStateDir).value();
  const auto isForeign = [&](const pons::ClaimLink& claim) {
    return pons::pointeeOf(state, claim.name).value() != attachment.key;
  };
  std::erase_if(attachment.leases, [&](const pons::Lease& lease) {
    return isForeign(addressClaim(attachment.key, lease.address.address()));
  });
  std::erase_if(attachment.forwards,
                [&](const PortForward& forward) { return isForeign(portClaim(attachment.key, forward)); });
}

std::optional<RecordText> read(const pons::AttachmentKey& key) {
  std::ifstream file{support::kStateDir + ("/" + recordName(key))};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto record = pons::decodeRecord(text);
  if (record && record->state != RecordState::Committed) forgetUnclaimed(record->attachment);
  if (record) return *record;
  return std::nullopt;  // torn by a kill: it holds no claims that count, see ledger.cpp
}

bool overlap(const PortForward& a, const PortForward& b) {
  return a.protocol == b.protocol && a.hostPort == b.hostPort && a.hostAddress.family() == b.hostAddress.family() &&
         (a.hostAddress == b.hostAddress || a.hostAddress.isUnspecified() || b.hostAddress.isUnspecified());
}

void compareOwners(const pons::Attachment& one, const pons::Attachment& other) {
  const auto say = [&](const std::string& what) {
    complain(what + " of both " + one.key.toString() + " and " + other.key.toString());
  };
  for (const pons::Lease& lease : one.leases) {
    if (std::ranges::find(other.leases, lease.address, &pons::Lease::address) != other.leases.end()) {
      say(lease.address.toString());
    }
  }
  for (const PortForward& forward : one.forwards) {
    if (std::ranges::any_of(other.forwards, [&](const PortForward& f) { return overlap(forward, f); })) {
      say(textOf(forward));
    }
  }
}

void compareOwners(const std::vector<RecordText>& records) {
  for (auto one = records.begin(); one != records.end(); ++one) {
    for (auto other = records.begin(); other != one; ++other) compareOwners(one->attachment, other->attachment);
  }
}

/// Whatever is done to the ports in nf_tables is done between claim and release, and a committed attachment has them.
void comparePorts(pons::Host& host, const std::vector<RecordText>& records) {
  std::vector<PortForward> present;
  for (const Family family : kFamilies) {
    for (const char* map : {pons::nat::kForwardsAny, pons::nat::kForwardsIp}) {
      const auto elements = netlib::nft::listElements(host.netfilter, pons::nat::tableOf(family), map);
      if (!elements) return complain("elements of " + std::string{map} + ": " + elements.error().message);
      for (const auto& element : *elements) {
        if (auto forward = pons::nat::forwardOf(element, family, map)) present.push_back(*forward);
      }
    }
  }
  for (const PortForward& forward : present) {
    const bool owned = std::ranges::any_of(records, [&](const RecordText& record) {
      return std::ranges::find(record.attachment.forwards, forward) != record.attachment.forwards.end();
    });
    if (!owned) complain("nf_tables forwards " + textOf(forward) + ", which is on no record");
  }
  for (const RecordText& record : records) {
    if (record.state != RecordState::Committed) continue;
    for (const PortForward& forward : record.attachment.forwards) {
      if (std::ranges::find(present, forward) != present.end()) continue;
      complain(record.attachment.key.toString() + " lacks " + textOf(forward) + " in nf_tables");
    }
  }
}

/// An address comes to a container after it was leased, and is gone before it is given back.
void compareAddresses(const std::string& container, netlib::Socket& route, const std::vector<RecordText>& records) {
  for (const Family family : kFamilies) {
    const auto present = netlib::address::list(route, family);
    if (!present) return complain("addresses of " + container + ": " + present.error().message);
    for (const auto& address : *present) {
      if (address.prefix.address().isLoopback() || address.prefix.address().isLinkLocal()) continue;
      const bool leased = std::ranges::any_of(records, [&](const RecordText& record) {
        const auto& leases = record.attachment.leases;
        return record.attachment.key.container.toString() == container &&
               std::ranges::find(leases, address.prefix, &pons::Lease::address) != leases.end();
      });
      if (!leased) complain(container + " has " + address.prefix.toString() + ", which is not leased to it");
    }
  }
}

}  // namespace

Observer::Observer() : host_(support::openHost()) {
  for (int number = 0; number < kContainers; ++number) {
    containers_.push_back({containerName(number), pons::Container::open(netnsOf(number)).value()});
  }
}

void Observer::look() {
  const auto hostLock = host_.ledger.lockHost();
  if (!hostLock) return complain(hostLock.error().message);
  std::vector<RecordText> records;
  for (const auto& key : host_.ledger.attachments().value()) {
    if (auto record = read(key)) records.push_back(std::move(*record));
  }
  compareOwners(records);
  comparePorts(host_, records);
  for (Container& container : containers_) compareAddresses(container.name, container.inside.route, records);
}

}  // namespace storm
