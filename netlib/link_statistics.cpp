// What has passed through a link.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/link.h"

namespace netlib::link {

Result<Statistics> statisticsOf(Socket& socket, unsigned index) {
  ifinfomsg info{};
  info.ifi_family = AF_UNSPEC;
  info.ifi_index = static_cast<int>(index);
  Batch batch;
  batch.begin(RTM_GETLINK, 0, info, "ask for the statistics of link " + std::to_string(index));
  const auto answers = TRY(socket.request(batch));
  if (answers.front().messages.empty()) return fail(EBADMSG, "the kernel's answer names no link");
  const Message& message = answers.front().messages.front();
  const auto counted = message.attributes<ifinfomsg>().structure<rtnl_link_stats64>(IFLA_STATS64);
  if (!counted) return fail(EBADMSG, "the kernel's answer holds no statistics");
  return Statistics{.receivedBytes = counted->rx_bytes,
                    .receivedPackets = counted->rx_packets,
                    .receivedDropped = counted->rx_dropped,
                    .sentBytes = counted->tx_bytes,
                    .sentPackets = counted->tx_packets,
                    .sentDropped = counted->tx_dropped};
}

}  // namespace netlib::link
