// What two hosts have in common and what they differ in, line by line.
#pragma once

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace support {

/// "<where> = <what>" each.
using Facts = std::set<std::string>;

/// Every member of a JSON document with its path: "result ips.0.address = 10.88.0.2/16". `text` is an object or an
/// array.
void addJson(Facts& facts, const std::string& subject, const std::string& text);
/// One fact a line, lines of passing things (see canonicalLines) made equal.
void addLines(Facts& facts, const std::string& subject, const std::string& text);
/// Every parameter below /proc/sys/<directory> of this thread's network namespace.
void addParameters(Facts& facts, const std::string& subject, const std::string& directory);

/// Replaces host-specific names and numbers: all occurrences of `from` by `to`.
Facts renamed(const Facts& facts, const std::string& from, const std::string& to);

/// A difference that is right as it is. `fact` matches the whole of it: "- " and what the reference alone shows, or "+
/// " and what pons alone shows.
struct Justified {
  std::string fact;
  std::string why;
};

/// The differences without a justification, one per line; empty if none.
std::string unjustified(const Facts& reference, const Facts& ours, const std::vector<Justified>& justified);

}  // namespace support
