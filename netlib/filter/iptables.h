// The filter table that iptables-legacy works on: x_tables, which knows nothing of nf_tables. The kernel takes whole
// tables only, and so it is that program which reads and writes it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/values/ip_address.h"
#include "netlib/values/packet_filter.h"

namespace netlib::iptables {

struct Line {
  std::string text;  ///< "-A FORWARD -i br0 -j ACCEPT"
  filter::Rule rule;
};

struct FilterTable {
  bool forwardPolicyDrops = false;
  std::map<std::string, std::vector<Line>> chains;
};

/// True where this network namespace has the table. Asks the kernel alone; reading the table would make it.
Result<bool> hasFilterTable(Family family);

/// What "iptables-legacy -S" says, by a trusted program in these directories (netlib/program.h). ENOENT without one,
/// EIO with its words where it fails.
Result<FilterTable> readFilterTable(Family family, std::span<const std::string> directories);

/// From the words of "iptables-legacy -S".
FilterTable parseFilterTable(std::string_view text);

/// The words of such a line; what is in quotes is one, without them.
std::vector<std::string> wordsOf(std::string_view line);

/// Commands as iptables knows them ("-I FORWARD 1 -i br0 -j ACCEPT"), done all together or not at all.
Result<> change(Family family, std::span<const std::string> directories, const std::vector<std::string>& commands);

}  // namespace netlib::iptables
