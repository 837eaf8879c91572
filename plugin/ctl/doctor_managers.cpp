// Programs that may try to manage interfaces of pons: udev, NetworkManager, systemd-networkd.
#include <algorithm>

#include <fnmatch.h>

#include "netlib/base/text.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"

namespace pons::ctl {

namespace {

constexpr const char* kArea = "managers";

/// A link as configuration files match it.
struct Managed {
  std::string name;
  std::string kind;
};

/// The bridges, and one veth as an example.
std::vector<Managed> linksOf(const std::set<std::string>& bridges) {
  std::vector<Managed> links{{"pons0123456789a", "veth"}};
  for (const std::string& bridge : bridges) links.push_back({bridge, "bridge"});
  if (bridges.empty()) links.push_back({"pons0", "bridge"});
  return links;
}

bool isLike(const std::string& name, std::string_view pattern) {
  return fnmatch(std::string{pattern}.c_str(), name.c_str(), 0) == 0;
}

/// A line "key=value" of an INI file.
struct Setting {
  std::string section;
  std::string key;
  std::string value;
};

std::vector<Setting> settingsIn(const std::string& file) {
  std::vector<Setting> settings;
  const auto text = readText(file);
  if (!text) return settings;
  std::string section;
  for (const std::string_view line : netlib::split(*text, '\n')) {
    const std::size_t equals = line.find('=');
    if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1);
    } else if (!line.starts_with('#') && !line.starts_with(';') && equals != std::string_view::npos) {
      const auto key = netlib::words(line.substr(0, equals));
      const auto value = netlib::words(line.substr(equals + 1));
      const std::vector<std::string> parts{value.begin(), value.end()};
      if (!key.empty()) settings.push_back({section, std::string{key.front()}, joined(parts, " ")});
    }
  }
  return settings;
}

/// The last value of the key; empty if there is none.
std::string valueIn(const std::vector<Setting>& settings, std::string_view section, std::string_view key) {
  std::string value;
  for (const Setting& setting : settings) {
    if (setting.section == section && setting.key == key) value = setting.value;
  }
  return value;
}

// systemd.link(5), systemd.network(5): files are sorted by name, one in /etc replaces one of the same name in /run and
// /usr/lib, and the first that matches a link applies.

std::vector<std::string> unitFiles(const std::string& root, const std::string& ending) {
  std::map<std::string, std::string> byName;
  for (const char* directory : {"/etc/systemd/network", "/run/systemd/network", "/usr/lib/systemd/network"}) {
    for (const std::string& file : filesIn(root + directory, {ending})) {
      byName.try_emplace(file.substr(file.rfind('/') + 1), file);
    }
  }
  std::vector<std::string> files;
  for (const auto& [name, file] : byName) files.push_back(file);
  return files;
}

/// A line of a section [Match] matches any of its patterns, with "!" none of them.
bool matchesSetting(const Managed& link, const Setting& setting) {
  const bool isNegated = setting.value.starts_with('!');
  const auto patterns = netlib::words(std::string_view{setting.value}.substr(isNegated ? 1 : 0));
  const auto any = [&patterns](const std::string& text) {
    return std::ranges::any_of(patterns, [&text](std::string_view pattern) { return isLike(text, pattern); });
  };
  if (setting.key == "Name" || setting.key == "OriginalName") return any(link.name) != isNegated;
  if (setting.key == "Kind" || setting.key == "Driver") return any(link.kind) != isNegated;
  if (setting.key == "Type") return any(link.kind == "bridge" ? "bridge" : "ether") != isNegated;
  return false;  // matches by hardware or host
}

bool matches(const Managed& link, const std::vector<Setting>& settings) {
  bool any = false;
  for (const Setting& setting : settings) {
    if (setting.section != "Match") continue;
    if (!matchesSetting(link, setting)) return false;
    any = true;
  }
  return any;
}

/// The first file that matches; empty for none.
std::string unitOf(const Managed& link, const std::vector<std::string>& files) {
  const auto found =
      std::ranges::find_if(files, [&link](const std::string& file) { return matches(link, settingsIn(file)); });
  return found == files.end() ? "" : *found;
}

/// udev keeps a MAC address that was set at creation (NET_ADDR_SET), as pons does.
void checkUdev(CheckResults& results, const std::vector<Managed>& links, const std::string& root) {
  if (!exists(root + "/run/udev")) return;
  for (const Managed& link : links) {
    const std::string file = unitOf(link, unitFiles(root, ".link"));
    if (link.kind != "bridge" || file.empty()) continue;
    const std::string policy = valueIn(settingsIn(file), "Link", "MACAddressPolicy");
    if (policy.empty() || policy == "none") continue;
    return results.push_back(
        {Severity::Note, kArea,
         "udev changes the MAC address of new bridges and veths (MACAddressPolicy=" + policy + " in " + file +
             "), except of links of pons, which are created with an explicit MAC",
         "for a bridge that another program creates: a .link file sorted before it with [Match] Name=" + link.name +
             ", [Link] MACAddressPolicy=none"});
  }
}

void checkNetworkd(CheckResults& results, const std::vector<Managed>& links, const std::string& root) {
  if (!exists(root + "/run/systemd/netif")) return;
  for (const Managed& link : links) {
    const std::string file = unitOf(link, unitFiles(root, ".network"));
    if (file.empty()) continue;
    const std::string unmanaged = valueIn(settingsIn(file), "Link", "Unmanaged");
    if (unmanaged == "yes" || unmanaged == "true" || unmanaged == "1" || unmanaged == "on") continue;
    return results.push_back({Severity::Warning, kArea,
                              "systemd-networkd is running and manages the " + link.kind + "s of pons (" + file + ")",
                              "/etc/systemd/network/05-pons.network with [Match] Name=pons*" +
                                  (link.name.starts_with("pons") ? "" : " " + link.name) + ", [Link] Unmanaged=yes"});
  }
  results.push_back({Severity::Fine, kArea, "systemd-networkd does not manage interfaces of pons"});
}

/// Whether one entry of "unmanaged-devices" or "match-device" matches, see NetworkManager.conf(5).
bool isDevice(const Managed& link, std::string_view device) {
  const std::size_t colon = device.find(':');
  const std::string_view value = colon == std::string_view::npos ? "" : device.substr(colon + 1);
  if (device == "*") return true;
  if (device.starts_with("interface-name:=")) return link.name == value.substr(1);
  if (device.starts_with("interface-name:")) return isLike(link.name, value);
  return (device.starts_with("type:") || device.starts_with("driver:")) && link.kind == value;
}

bool areDevices(const Managed& link, const std::string& list) {
  bool any = false;
  for (const std::string_view part : netlib::split(list, ';')) {
    for (const std::string_view device : netlib::split(part, ',')) {
      if (device.starts_with("except:") && isDevice(link, device.substr(7))) return false;
      any = any || isDevice(link, device);
    }
  }
  return any;
}

bool isUnmanagedBy(const std::vector<Setting>& settings, const Managed& link) {
  return std::ranges::any_of(settings, [&](const Setting& setting) {
    if (setting.key == "unmanaged-devices") return areDevices(link, setting.value);
    if (setting.key != "managed" || (setting.value != "0" && setting.value != "false")) return false;
    return areDevices(link, valueIn(settings, setting.section, "match-device"));
  });
}

void checkNetworkManager(CheckResults& results, const std::vector<Managed>& links, const std::string& root) {
  if (!exists(root + "/run/NetworkManager")) return;
  std::vector<std::vector<Setting>> files{settingsIn(root + "/etc/NetworkManager/NetworkManager.conf")};
  for (const char* directory :
       {"/etc/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d"}) {
    for (const std::string& file : filesIn(root + directory, {".conf"})) files.push_back(settingsIn(file));
  }
  for (const Managed& link : links) {
    const bool isUnmanaged =
        std::ranges::any_of(files, [&link](const auto& file) { return isUnmanagedBy(file, link); });
    if (isUnmanaged) continue;
    const std::string others = link.name.starts_with("pons") ? "" : ";interface-name:" + link.name;
    return results.push_back(
        {Severity::Warning, kArea, "NetworkManager is running and may manage the " + link.kind + "s of pons",
         "/etc/NetworkManager/conf.d/pons.conf with [keyfile] unmanaged-devices=interface-name:pons*" + others +
             "; then nmcli general reload"});
  }
  results.push_back({Severity::Fine, kArea, "NetworkManager does not manage interfaces of pons"});
}

}  // namespace

void checkManagers(CheckResults& results, const std::set<std::string>& bridges, const std::string& root) {
  const std::vector<Managed> links = linksOf(bridges);
  checkUdev(results, links, root);
  checkNetworkManager(results, links, root);
  checkNetworkd(results, links, root);
}

}  // namespace pons::ctl
