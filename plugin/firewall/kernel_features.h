// What the parts of the tables ask of the kernel's nf_tables: the one list of its build options, of the modules that
// have them, and of the configuration keys that need them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plugin/firewall/table_parts.h"

namespace pons::tables {

struct Feature {
  std::string what;    ///< "expression fib"
  std::string option;  ///< "CONFIG_NFT_FIB_IPV4"
  std::string module;  ///< "nft_fib_ipv4", where it is no part of the kernel's image
  /// Appends to a table of that family what asks for it.
  std::function<void(netlib::nft::Transaction&, const netlib::nft::Table&)> ask;
};

/// Of a table with that part, in an order in which none needs a later one.
std::vector<Feature> featuresOf(TableFamily family, Part part);

/// Whether the expression "reject" is allowed in a chain of the hook prerouting: from Linux 5.9 ("netfilter: introduce
/// support for reject at prerouting stage"). By the kernel's release: older ones refuse it only at a commit, for a rule
/// that the hook reaches.
bool rejectsBeforeRouting();

/// Whether the kernel has it: asked for in a transaction that is aborted. Loads its module. Unsupported, with its
/// option and the configuration keys that need it, where the kernel lacks it; other errnos of the transaction: EPERM,
/// ENOMEM.
netlib::Result<> ask(netlib::Socket& netfilter, TableFamily family, Part part, const Feature& feature);

/// The same error, or that of ask() where the kernel lacks a feature of these parts. For an error of the transaction
/// that would have added them.
netlib::Error explained(netlib::Socket& netfilter, const PartsByTable& tables, netlib::Error error);

/// Loads the modules of those parts of which none is loaded, one transaction each. Each module that a transaction lacks
/// makes the kernel begin it anew, and at each beginning ask for all modules of the earlier ones once more
/// (nf_tables_module_autoload(), Linux 5.4 to 7.3): n modules in one transaction are n * (n + 1) / 2 calls of modprobe.
void loadModules(netlib::Socket& netfilter, TableFamily family, const Parts& parts);

}  // namespace pons::tables
