// resolv.conf: what is read of it is written, and then read again as the same.
#include <algorithm>

#include "netlib/base/text.h"

#include "plugin/cni/dns.h"

#include "tests/fuzz/targets.h"

namespace {

bool areWords(const std::vector<std::string>& texts) {
  return std::ranges::all_of(texts, [](const std::string& text) { return netlib::isOneWord(text); });
}

}  // namespace

void fuzz::resolvConf(std::string_view input) {
  const pons::cni::Dns dns = pons::cni::parseResolvConf(input);
  HOLDS(pons::cni::parseResolvConf(pons::cni::printResolvConf(dns)) == dns);
  HOLDS(dns.domain.empty() || netlib::isOneWord(dns.domain));
  HOLDS(areWords(dns.search));
  HOLDS(areWords(dns.options));
}
