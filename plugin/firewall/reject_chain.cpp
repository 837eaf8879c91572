#include "plugin/firewall/reject_chain.h"

#include <netinet/in.h>

#include "plugin/firewall/nat_table.h"

namespace pons::reject {

namespace nft = netlib::nft;
using netlib::Family;

void appendReject(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  transaction.addChain(table, kByProtocol, "what policies deny");
  // br_netfilter sends the reset of a frame that came by a bridge past NAT: from an address that the client does not
  // know (nf_send_reset() of Linux 4.15 to 7.3).
  transaction.addRule(table, kByProtocol, nft::Rule{}.ctStatus(nft::kDnat).rejectAsProhibited(family));
  transaction.addRule(table, kByProtocol, nft::Rule{}.l4proto(IPPROTO_TCP).rejectWithReset());
  transaction.addRule(table, kByProtocol, nft::Rule{}.rejectAsProhibited(family));
}

}  // namespace pons::reject
