#include "tests/compat/reference.h"

#include <algorithm>
#include <array>
#include <sstream>

#include <sha2.h>

#include "plugin/migration/reference_rules.h"

namespace support {

pons::UnrecordedAttachment unrecordedOf(const Conflist& list, const Attached& attached, const std::string& bridge) {
  // libcni's cnitool names containers after their namespace.
  std::array<char, SHA512_DIGEST_STRING_LENGTH> hash{};
  SHA512Data(reinterpret_cast<const std::uint8_t*>(attached.netns.data()), attached.netns.size(), hash.data());
  const std::string id = "cnitool-" + std::string{hash.data(), 20};
  return {{pons::NetworkName::parse(list.name).value(), pons::ContainerId::parse(id).value(),
           netlib::IfName::parse("eth0").value()},
          attached.netns,
          netlib::IfName::parse(bridge).value()};
}

std::string rules(const std::string& backend) {
  return outputOf({"iptables-" + backend + "-save"}) + outputOf({"ip6tables-" + backend + "-save"});
}

std::string about(const std::string& text, const pons::UnrecordedAttachment& unrecorded, const Attached& attached) {
  const pons::ReferenceNames names{unrecorded.key};
  std::vector<std::string> marks{names.masquerade, names.forwards};
  for (const std::string& address : attached.addresses) {
    for (const char* end : {"/", ":", "]"}) marks.push_back(address + end);
  }
  std::string found;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const bool named =
        std::ranges::any_of(marks, [&](const std::string& mark) { return line.find(mark) != std::string::npos; });
    if (named) found += line + "\n";
  }
  return found;
}

std::string links() { return outputOf({"ip", "-o", "link"}); }

}  // namespace support
