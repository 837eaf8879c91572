#include "plugin/cni/dns.h"

#include <algorithm>

#include <fcntl.h>

#include "netlib/base/text.h"
#include "netlib/base/unique_fd.h"
#include "netlib/os/file.h"

namespace pons::cni {

namespace {

constexpr std::size_t kMaxResolvConf = 64 * 1024;

/// The capability "dns" uses other names for the same keys (CONVENTIONS.md of CNI), and has no domain.
struct KeyNames {
  std::string_view nameservers;
  std::string_view search;
};
constexpr KeyNames kSpecKeys{"nameservers", "search"};
constexpr KeyNames kCapabilityKeys{"servers", "searches"};

bool isUsableNameserver(const netlib::IpAddress& address) {
  return !address.isUnspecified() && !address.isMulticast() && !address.isBroadcast();
}

Result<Dns> decode(const Field& field, const KeyNames& keys) {
  const Field dns = TRY(field.object());
  Dns decoded;
  for (const Field& item : TRY(dns[keys.nameservers].items())) {
    const auto nameserver = TRY(item.address());
    if (!nameserver) continue;
    if (!isUsableNameserver(*nameserver)) return item.invalid("a unicast address");
    decoded.nameservers.push_back(*nameserver);
  }
  decoded.domain = TRY(dns["domain"].text()).value_or("");
  if (!decoded.domain.empty() && !netlib::isOneWord(decoded.domain)) return dns["domain"].invalid("a domain name");
  decoded.search = TRY(dns[keys.search].words());
  decoded.options = TRY(dns["options"].words());
  return decoded;
}

netlib::Result<std::string> readFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not block the ADD.
  const netlib::UniqueFd file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file) return netlib::failErrno("open " + path);
  return netlib::readAll(file.get(), kMaxResolvConf, path);
}

void appendLine(std::string& content, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  content += key;
  for (const std::string& value : values) content += " " + value;
  content += '\n';
}

Result<Dns> readResolvConf(const Field& resolvConf) {
  const auto path = TRY(resolvConf.text());
  if (!path) return Dns{};
  // open(2) would use the part before it.
  if (path->find('\0') != std::string::npos) return resolvConf.invalid("a path without a NUL byte");
  const auto content = readFile(*path);
  if (!content) return fail(ErrorCode::Io, "\"" + resolvConf.path() + "\": " + content.error().message);
  return parseResolvConf(*content);
}

}  // namespace

Result<Dns> decodeDns(const Field& dns) { return decode(dns, kSpecKeys); }

Result<Dns> chooseDns(const Field& config) {
  Dns dns = TRY(decode(config["runtimeConfig"]["dns"], kCapabilityKeys));
  if (dns.empty()) dns = TRY(decode(config["dns"], kSpecKeys));
  if (dns.empty()) dns = TRY(decodeIpamDns(config));
  return dns;
}

Result<Dns> decodeIpamDns(const Field& config) {
  const Field ipam = config["ipam"];
  return ipam["type"].is("static") ? decode(ipam["dns"], kSpecKeys) : readResolvConf(ipam["resolvConf"]);
}

Dns parseResolvConf(std::string_view content) {
  Dns dns;
  for (const std::string_view line : netlib::split(content, '\n')) {
    const std::vector<std::string_view> parts = netlib::words(line);
    if (parts.size() < 2 || !std::ranges::all_of(parts, netlib::isOneWord)) continue;
    const std::vector<std::string> values{parts.begin() + 1, parts.end()};
    if (parts[0] == "nameserver") {
      // An address with a zone (fe80::1%eth0) refers to a link of the host: useless inside a container.
      const auto address = netlib::IpAddress::parse(parts[1]);
      if (address && isUsableNameserver(*address)) dns.nameservers.push_back(*address);
    } else if (parts[0] == "domain") {
      dns.domain = values.front();
    } else if (parts[0] == "search") {
      dns.search = values;
    } else if (parts[0] == "options") {
      dns.options.insert(dns.options.end(), values.begin(), values.end());
    }
  }
  return dns;
}

std::string printResolvConf(const Dns& dns) {
  std::string content;
  for (const netlib::IpAddress& nameserver : dns.nameservers) content += "nameserver " + nameserver.toString() + "\n";
  if (!dns.domain.empty()) content += "domain " + dns.domain + "\n";
  appendLine(content, "search", dns.search);
  appendLine(content, "options", dns.options);
  return content;
}

}  // namespace pons::cni
