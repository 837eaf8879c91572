#include "tests/protocol/network.h"

#include <doctest/doctest.h>

namespace support {

Outcome callForNetwork(const std::string& verb, const std::string& config) {
  return run({PONS_BINARY}, {.environment = std::vector<std::string>{"CNI_COMMAND=" + verb, "CNI_PATH=/opt/cni/bin"},
                             .input = config});
}

Outcome ponsctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PONSCTL_BINARY);
  return run(arguments, {.environment = std::vector<std::string>{}, .input = {}});
}

Outcome repair(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"repair"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return ponsctl(command);
}

std::string publishing(const std::map<int, int>& ports) {
  std::string mappings;
  for (const auto& [hostPort, containerPort] : ports) {
    mappings += std::string{mappings.empty() ? "" : ", "} + R"({"hostPort": )" + std::to_string(hostPort) +
                R"(, "containerPort": )" + std::to_string(containerPort) + R"(, "protocol": "tcp"})";
  }
  return R"("runtimeConfig": {"portMappings": [)" + mappings + "]}";
}

std::string withValid(const std::string& config, const std::vector<std::string>& containers, const std::string& key) {
  std::string list;
  for (const std::string& container : containers) {
    list += std::string{list.empty() ? "" : ", "} + R"({"containerID": ")" + container + R"(", "ifname": "eth0"})";
  }
  return config.substr(0, config.rfind('}')) + R"(, ")" + key + R"(": [)" + list + "]}";
}

std::string Network::config(const std::string& more) const {
  return R"({"cniVersion": "1.1.0", "type": "pons", "name": ")" + name_ + R"(", "bridge": "pons-)" + name_ + R"(", )" +
         members_ + (more.empty() ? "" : ", ") + more + "}";
}

std::string Network::attach(FakeHost& host, const std::string& container, const std::string& more) {
  host.addNamespace(container);
  const Outcome added = support::add(config(more), subjectOf(container));
  const auto result = resultOf(added);
  results_[container] = added.out;
  return addressIn(result);
}

Outcome Network::check(const std::string& container) const {
  return support::check(withPrevious(config(), results_.at(container)), subjectOf(container));
}

Outcome Network::del(const std::string& container) const { return support::del(config(), subjectOf(container)); }

void Network::checkAll() const {
  for (const auto& [container, result] : results_) {
    CAPTURE(name_);
    CAPTURE(container);
    const Outcome checked = check(container);
    CHECK_MESSAGE(checked.ok(), checked.out);
  }
}

Subject subjectOf(const std::string& container) { return {.container = container, .netns = "/run/netns/" + container}; }

std::string recordOf(const Network& network, const std::string& container) {
  return "/run/pons/networks/" + network.name() + "/attachments/" + container + ":eth0.json";
}

void shell(const std::string& line) { outputOf({"sh", "-c", line}); }

}  // namespace support
