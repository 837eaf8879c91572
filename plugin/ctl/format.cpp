#include "plugin/ctl/format.h"

#include <algorithm>
#include <array>

#include "netlib/base/similar.h"

namespace pons::ctl {

std::string textOf(std::chrono::seconds age) {
  using namespace std::chrono;
  const auto in = [age](auto unit, const char* letter) {
    return std::to_string(duration_cast<decltype(unit)>(age).count()) + letter;
  };
  if (age < minutes{2}) return in(seconds{}, "s");
  if (age < hours{2}) return in(minutes{}, "m");
  if (age < days{2}) return in(hours{}, "h");
  return in(days{}, "d");
}

std::string textOf(const netlib::IpAddress& address, Port port) {
  const std::string text = address.toString();
  return (address.isIpv4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

std::string textOf(const PortForward& forward) {
  const std::string host = forward.hostAddress.isUnspecified() ? std::to_string(forward.hostPort)
                                                               : textOf(forward.hostAddress, forward.hostPort);
  return host + "->" + std::to_string(forward.targetPort) + "/" + std::string{nameOf(forward.protocol)};
}

std::vector<std::string> portsOf(const std::vector<PortForward>& forwards) {
  std::vector<std::string> ports;
  for (const PortForward& forward : forwards) addNew(ports, textOf(forward));
  return ports;
}

std::string textOfBytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  std::uint64_t tenths = bytes * 10 / 1024;
  if (bytes > UINT64_MAX / 10) tenths = bytes / 1024 * 10;
  std::size_t unit = 0;
  for (; tenths >= 10240 && unit + 1 < kUnits.size(); ++unit) tenths /= 1024;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + kUnits.at(unit);
}

std::string textOfCount(netlib::Uint128 number) {
  constexpr netlib::Uint128 kReadable = 1'000'000'000'000;
  if (number < kReadable) return std::to_string(static_cast<std::uint64_t>(number));
  int power = 0;
  for (netlib::Uint128 rest = number + number / 2; rest > 1; rest >>= 1) ++power;
  return "2^" + std::to_string(power);
}

std::string counted(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string withFaults(std::size_t bad, std::size_t all) {
  const std::string of = bad == all ? "" : std::to_string(bad) + " of ";
  return of + counted(all, "attachment") + (bad == 1 ? " has" : " have") + " faults";
}

void addNew(std::vector<std::string>& to, std::string text) {
  if (std::ranges::find(to, text) == to.end()) to.push_back(std::move(text));
}

std::string unknownWord(const std::string& what, const std::string& word, const std::vector<std::string>& known) {
  const std::string_view similar = netlib::similarTo(word, {known.begin(), known.end()});
  const std::string hint = similar.empty() ? "" : ": did you mean \"" + std::string{similar} + "\"?";
  return "unknown " + what + " \"" + word + "\"" + hint;
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string list;
  for (const std::string& text : texts) list.append(list.empty() ? "" : separator).append(text);
  return list;
}

}  // namespace pons::ctl
