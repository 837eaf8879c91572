#include "plugin/ctl/attachment_view.h"

#include <array>
#include <set>

#include "plugin/ctl/format.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

namespace {

bool areOfOneInterface(const json::Value& one, const json::Value& other) {
  constexpr std::array kKey{"network", "container", "interface"};
  return std::ranges::all_of(kKey, [&](const char* name) { return plainText(one[name]) == plainText(other[name]); });
}

}  // namespace

std::vector<Interface> interfacesIn(const std::vector<json::Value>& attachments) {
  std::vector<Interface> interfaces;
  for (std::size_t index = 0; index < attachments.size(); ++index) {
    const json::Value& attachment = attachments[index];
    const Health health = healthNamed(plainText(attachment["health"]));
    if (interfaces.empty() || !areOfOneInterface(interfaces.back().first, attachment)) {
      interfaces.push_back({attachment, index, health});
    }
    Interface& interface = interfaces.back();
    if (isBad(health) && !isBad(interface.health)) interface.health = health;
    for (const json::Value& lease : attachment["addresses"].items()) {
      const std::string address = plainText(lease["address"]);
      addNew(interface.addresses, address.substr(0, address.find('/')));
    }
    for (std::string& port : portsIn(attachment)) addNew(interface.ports, std::move(port));
  }
  return interfaces;
}

std::size_t idLengthIn(const std::vector<json::Value>& attachments, const Terminal& terminal) {
  if (terminal.isComplete()) return std::string::npos;
  std::set<std::string> ids;
  for (const json::Value& attachment : attachments) ids.insert(plainText(attachment["container"]));
  return distinctLengthOf(ids);
}

std::string containerIn(const json::Value& attachment, std::size_t idLength) {
  const std::string container = "container " + plainText(attachment["container"]).substr(0, idLength);
  const json::Value pod = attachment["pod"];
  return pod.present() ? plainText(pod) + " (" + container + ")" : container;
}

std::string attachmentIn(const json::Value& attachment, std::size_t idLength) {
  const json::Value plugin = attachment["plugin"];
  return containerIn(attachment, idLength) + ", " + plainText(attachment["interface"]) +
         (plugin.present() ? " (" + plainText(plugin) + ")" : "") + " in network " + plainText(attachment["network"]);
}

std::vector<std::string> portsIn(const json::Value& attachment) {
  std::vector<PortForward> forwards;
  for (const json::Value& port : attachment["ports"].items()) {
    const auto protocol = parseProtocol(plainText(port["protocol"]));
    const auto hostAddress = netlib::IpAddress::parse(plainText(port["hostAddress"]));
    const auto target = netlib::IpAddress::parse(plainText(port["containerAddress"]));
    if (!protocol || !hostAddress || !target) continue;
    const auto number = [&port](const char* name) { return static_cast<Port>(port[name].integer().value_or(0)); };
    forwards.push_back({*protocol, *hostAddress, number("hostPort"), *target, number("containerPort")});
  }
  return portsOf(forwards);
}

std::string withRemedy(const json::Value& fault) {
  const json::Value remedy = fault["remedy"];
  return plainText(fault["what"]) + (remedy.present() ? ": " + plainText(remedy) : "");
}

std::string ageIn(const json::Value& attachment) {
  const auto age = attachment["ageSeconds"].integer();
  return age ? textOf(std::chrono::seconds{*age}) : "";
}

}  // namespace pons::ctl
