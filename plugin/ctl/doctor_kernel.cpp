// The features of the kernel that pons needs.
#include <array>

#include "netlib/rtnl/link.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/firewall/table_transaction.h"

namespace pons::ctl {

namespace link = netlib::link;
namespace nft = netlib::nft;

namespace {

constexpr const char* kModules =
    "a kernel with nf_tables and these expressions, built in or as modules: modprobe nf_tables nft_chain_nat "
    "nft_nat nft_masq nft_fib_ipv4 nft_fib_ipv6 nft_ct nft_log nft_limit nf_conntrack_bridge";

/// Whether ADD could create that table of pons. One that exists needs no check.
netlib::Result<> checkTable(netlib::Socket& netfilter, const nft::Table& table) {
  if (!TRY(nft::listChains(netfilter, table)).empty()) return {};
  nft::Transaction transaction;
  tables::appendSkeleton(transaction, table.family);
  return transaction.check(netfilter);
}

void checkTables(CheckResults& results, netlib::Socket& netfilter) {
  for (const tables::TableFamily family : tables::kAll) {
    const auto checked = checkTable(netfilter, tables::tableOf(family));
    if (!checked) results.push_back({Severity::Fault, "kernel", checked.error().message, kModules});
  }
}

void checkLinkType(CheckResults& results, netlib::Socket& route, const std::string& kind, Severity without,
                   const std::string& what) {
  const auto made = link::probe(route, kind);
  if (made) return;
  results.push_back({without, "kernel", made.error().message + what, "modprobe " + kind + ", or a kernel that has it"});
}

}  // namespace

void checkKernel(CheckResults& results, const Needs& needs) {
  const std::size_t before = results.size();
  auto route = netlib::Socket::open(netlib::Socket::Subsystem::Route);
  if (!route) return results.push_back({Severity::Fault, "kernel", route.error().message});
  for (const char* kind : {"bridge", "veth"}) checkLinkType(results, *route, kind, Severity::Fault, "");
  auto netfilter = netlib::Socket::open(netlib::Socket::Subsystem::Netfilter);
  if (!netfilter) return results.push_back({Severity::Fault, "kernel", netfilter.error().message, kModules});
  checkTables(results, *netfilter);
  if (results.size() == before) {
    results.push_back({Severity::Fine, "kernel", "bridge, veth and all needed nf_tables features are available"});
  }
  checkLinkType(results, *route, "ifb", needs.sendLimit ? Severity::Fault : Severity::Note, " (needed for egressRate)");
}

}  // namespace pons::ctl
