// What is tried with several containers at once: the configuration of each, and what it promises.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "netlib/rtnl/address.h"

#include "tests/support/plan_cases.h"
#include "tests/support/traffic.h"

namespace support {

/// A port of the host that leads to one of the container.
struct Published {
  std::uint16_t host;
  std::uint16_t container;
  Transport transport = Transport::Tcp;
  std::string hostAddress = {};  ///< the only one; empty: all
};

/// A plugin of a list, with the members of its configuration.
struct Plugin {
  std::string type;
  std::string members = {};
  bool declaresPorts = false;  ///< the capability portMappings: the runtime hands it the ports
};

/// What one container is given.
struct Wish {
  std::vector<Plugin> list;
  std::vector<Published> ports = {};
  std::string args = {};  ///< CNI_ARGS
  std::set<netlib::Family> masquerade = {netlib::Family::Ipv4,
                                         netlib::Family::Ipv6};  ///< the others keep their address
  bool sourceNat = true;                                         ///< without it nothing answers at 127.0.0.1
};

/// The settings are those of every container, or each container has its own.
enum class Settings : std::uint8_t { Equal, Different };

/// Containers are numbered from 1.
using WishOf = std::function<Wish(Settings settings, unsigned number)>;

struct Form {
  std::string name;
  WishOf wishOf;
  PlanCase host = {};                  ///< what else is on the host
  std::set<std::string> foreign = {};  ///< plugins that are not of pons, but Debian's
  std::string version = "1.0.0";       ///< of the protocol
};

/// The one of that number where settings differ, the first one of all where they are equal.
template <class T>
const T& chosen(const std::vector<T>& variants, Settings settings, unsigned number) {
  return variants.at(settings == Settings::Equal ? 0 : (number - 1) % variants.size());
}

/// Two and three containers of the form are attached one after the other and detached in every order, with equal and
/// with different settings. After each ADD and DEL all of them are checked; in the end the host is as it was.
void tryEveryOrder(const Form& form);

}  // namespace support
