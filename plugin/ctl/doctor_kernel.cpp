// What pons needs of the kernel.
#include <array>

#include "netlib/rtnl/link.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/firewall/table_transaction.h"

namespace pons::tools {

namespace link = netlib::link;
namespace nft = netlib::nft;

namespace {

constexpr const char* kModules =
    "a kernel with nf_tables and its expressions; those that it has as modules: modprobe nf_tables nft_chain_nat "
    "nft_nat nft_masq nft_fib_ipv4 nft_fib_ipv6 nft_ct nft_log nft_limit nf_conntrack_bridge";

/// A table of pons as an ADD would make it. One that is there was made by this kernel.
netlib::Result<> rehearse(netlib::Socket& netfilter, const nft::Table& table) {
  if (!TRY(nft::listChains(netfilter, table)).empty()) return {};
  nft::Transaction transaction;
  tables::appendSkeleton(transaction, table.family);
  return transaction.check(netfilter);
}

void lookAtTables(Diagnoses& diagnoses, netlib::Socket& netfilter) {
  for (const tables::TableFamily family : tables::kAll) {
    const auto rehearsed = rehearse(netfilter, tables::tableOf(family));
    if (!rehearsed) diagnoses.push_back({Verdict::Fault, "kernel", rehearsed.error().message, kModules});
  }
}

void lookForKind(Diagnoses& diagnoses, netlib::Socket& route, const std::string& kind, Verdict without,
                 const std::string& what) {
  const auto made = link::probe(route, kind);
  if (made) return;
  diagnoses.push_back({without, "kernel", made.error().message + what, "modprobe " + kind + ", or a kernel with it"});
}

}  // namespace

void lookAtKernel(Diagnoses& diagnoses, const Needs& needs) {
  const std::size_t before = diagnoses.size();
  auto route = netlib::Socket::open(netlib::Socket::Subsystem::Route);
  if (!route) return diagnoses.push_back({Verdict::Fault, "kernel", route.error().message});
  for (const char* kind : {"bridge", "veth"}) lookForKind(diagnoses, *route, kind, Verdict::Fault, "");
  auto netfilter = netlib::Socket::open(netlib::Socket::Subsystem::Netfilter);
  if (!netfilter) return diagnoses.push_back({Verdict::Fault, "kernel", netfilter.error().message, kModules});
  lookAtTables(diagnoses, *netfilter);
  if (diagnoses.size() == before) {
    diagnoses.push_back({Verdict::Fine, "kernel", "it has bridges, veths, and all that pons uses of nf_tables"});
  }
  lookForKind(diagnoses, *route, "ifb", needs.sendLimit ? Verdict::Fault : Verdict::Note,
              ", which limit what containers send (egressRate)");
}

}  // namespace pons::tools
