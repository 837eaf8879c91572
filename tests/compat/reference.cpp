#include "tests/compat/reference.h"

#include <algorithm>
#include <sstream>

#include "plugin/migration/reference_rules.h"
#include "plugin/migration/sha512.h"

namespace support {

pons::Departed departedOf(const Conflist& list, const Attached& attached, const std::string& bridge) {
  // libcni's cnitool names containers after their namespace.
  const std::string id = "cnitool-" + pons::sha512(attached.netns).substr(0, 20);
  return {{pons::NetworkName::parse(list.name).value(), pons::ContainerId::parse(id).value(),
           netlib::IfName::parse("eth0").value()},
          attached.netns,
          netlib::IfName::parse(bridge).value()};
}

std::string rules(const std::string& backend) {
  return outputOf({"iptables-" + backend + "-save"}) + outputOf({"ip6tables-" + backend + "-save"});
}

std::string about(const std::string& text, const pons::Departed& departed, const Attached& attached) {
  const pons::ReferenceNames names{departed.key};
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
