// How the texts of all commands name an attachment of a document, and what belongs to it.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/status.h"
#include "plugin/json/json.h"

namespace pons::ctl {

/// One interface of a container in one network: the attachments of a plugin chain in one.
struct Interface {
  json::Value first;
  std::size_t index;                        ///< of the first among all attachments
  Health health;                            ///< the first bad one, if any
  std::vector<std::string> addresses = {};  ///< without prefix length
  std::vector<std::string> ports = {};
};
/// `attachments` are those of writeStatus(), sorted.
std::vector<Interface> interfacesIn(const std::vector<json::Value>& attachments);

/// To which the IDs of their containers are cut: whole, or where they differ.
std::size_t idLengthIn(const std::vector<json::Value>& attachments, const Terminal& terminal);

/// "default/web-0 (container 0123456789ab)", or "container 0123456789ab" without a pod; the ID is cut to `idLength`.
std::string containerIn(const json::Value& attachment, std::size_t idLength = std::string::npos);
/// And its interface: "container c1, eth0 in network demo".
std::string attachmentIn(const json::Value& attachment, std::size_t idLength = std::string::npos);

/// The ports that it publishes, see portsOf().
std::vector<std::string> portsIn(const json::Value& attachment);

/// What is wrong and what to do: "bridge pons0 is missing: run \"ponsctl repair\"".
std::string withRemedy(const json::Value& fault);

/// In one unit: "42s"; empty if the record is unreadable.
std::string ageIn(const json::Value& attachment);

}  // namespace pons::ctl
