// Programs that manage links by themselves: udev, NetworkManager, systemd-networkd.
#include <algorithm>

#include <fnmatch.h>

#include "netlib/base/text.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

constexpr const char* kArea = "managers";

/// A link as the rules of managers know it.
struct Managed {
  std::string name;
  std::string kind;
};

/// The bridges, and one veth for all.
std::vector<Managed> linksOf(const std::set<std::string>& bridges) {
  std::vector<Managed> links{{"pons0123456789a", "veth"}};
  for (const std::string& bridge : bridges) links.push_back({bridge, "bridge"});
  if (bridges.empty()) links.push_back({"pons0", "bridge"});
  return links;
}

bool isLike(const std::string& name, std::string_view pattern) {
  return fnmatch(std::string{pattern}.c_str(), name.c_str(), 0) == 0;
}

/// A line "key=value" of a file with sections.
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

/// What a file says last of that; empty where it says nothing.
std::string valueIn(const std::vector<Setting>& settings, std::string_view section, std::string_view key) {
  std::string value;
  for (const Setting& setting : settings) {
    if (setting.section == section && setting.key == key) value = setting.value;
  }
  return value;
}

// systemd.link(5) and systemd.network(5): of all files by name, one in /etc in place of one of the same name in /usr,
// the first that matches a link is the link's.

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

/// One line of a section [Match]: any of its patterns, or with "!" none of them.
bool matchesSetting(const Managed& link, const Setting& setting) {
  const bool isNegated = setting.value.starts_with('!');
  const auto patterns = netlib::words(std::string_view{setting.value}.substr(isNegated ? 1 : 0));
  const auto any = [&patterns](const std::string& text) {
    return std::ranges::any_of(patterns, [&text](std::string_view pattern) { return isLike(text, pattern); });
  };
  if (setting.key == "Name" || setting.key == "OriginalName") return any(link.name) != isNegated;
  if (setting.key == "Kind" || setting.key == "Driver") return any(link.kind) != isNegated;
  if (setting.key == "Type") return any(link.kind == "bridge" ? "bridge" : "ether") != isNegated;
  return false;  // by hardware, or by the host
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

/// The first of the files that is the link's; empty for none.
std::string unitOf(const Managed& link, const std::vector<std::string>& files) {
  const auto found =
      std::ranges::find_if(files, [&link](const std::string& file) { return matches(link, settingsIn(file)); });
  return found == files.end() ? "" : *found;
}

/// pons gives every link its MAC address at birth, which udev then leaves alone.
void lookAtUdev(Diagnoses& diagnoses, const std::vector<Managed>& links, const std::string& root) {
  if (!exists(root + "/run/udev")) return;
  for (const Managed& link : links) {
    const std::string file = unitOf(link, unitFiles(root, ".link"));
    if (link.kind != "bridge" || file.empty()) continue;
    const std::string policy = valueIn(settingsIn(file), "Link", "MACAddressPolicy");
    if (policy.empty() || policy == "none") continue;
    return diagnoses.push_back(
        {Verdict::Note, kArea,
         "udev changes the MAC address of bridges and veths when they appear (MACAddressPolicy=" + policy + " in " +
             file + "); it leaves those alone that pons made, which have one from birth",
         "for a bridge that others make: a .link file before it with [Match] Name=" + link.name +
             ", [Link] MACAddressPolicy=none"});
  }
}

void lookAtNetworkd(Diagnoses& diagnoses, const std::vector<Managed>& links, const std::string& root) {
  if (!exists(root + "/run/systemd/netif")) return;
  for (const Managed& link : links) {
    const std::string file = unitOf(link, unitFiles(root, ".network"));
    if (file.empty()) continue;
    const std::string unmanaged = valueIn(settingsIn(file), "Link", "Unmanaged");
    if (unmanaged == "yes" || unmanaged == "true" || unmanaged == "1" || unmanaged == "on") continue;
    return diagnoses.push_back(
        {Verdict::Warning, kArea,
         "systemd-networkd runs, and takes the " + link.kind + "s of pons for its own by " + file,
         "/etc/systemd/network/05-pons.network with [Match] Name=pons*" +
             (link.name.starts_with("pons") ? "" : " " + link.name) + ", [Link] Unmanaged=yes"});
  }
  diagnoses.push_back({Verdict::Fine, kArea, "systemd-networkd leaves the links of pons alone"});
}

/// One of the devices in "unmanaged-devices" or "match-device"; see NetworkManager.conf(5).
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

bool leavesAlone(const std::vector<Setting>& settings, const Managed& link) {
  return std::ranges::any_of(settings, [&](const Setting& setting) {
    if (setting.key == "unmanaged-devices") return areDevices(link, setting.value);
    if (setting.key != "managed" || (setting.value != "0" && setting.value != "false")) return false;
    return areDevices(link, valueIn(settings, setting.section, "match-device"));
  });
}

void lookAtNetworkManager(Diagnoses& diagnoses, const std::vector<Managed>& links, const std::string& root) {
  if (!exists(root + "/run/NetworkManager")) return;
  std::vector<std::vector<Setting>> files{settingsIn(root + "/etc/NetworkManager/NetworkManager.conf")};
  for (const char* directory :
       {"/etc/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d"}) {
    for (const std::string& file : filesIn(root + directory, {".conf"})) files.push_back(settingsIn(file));
  }
  for (const Managed& link : links) {
    const bool isLeft = std::ranges::any_of(files, [&link](const auto& file) { return leavesAlone(file, link); });
    if (isLeft) continue;
    const std::string others = link.name.starts_with("pons") ? "" : ";interface-name:" + link.name;
    return diagnoses.push_back(
        {Verdict::Warning, kArea, "NetworkManager runs, and may take the " + link.kind + "s of pons for its own",
         "/etc/NetworkManager/conf.d/pons.conf with [keyfile] unmanaged-devices=interface-name:pons*" + others +
             "; then nmcli general reload"});
  }
  diagnoses.push_back({Verdict::Fine, kArea, "NetworkManager leaves the links of pons alone"});
}

}  // namespace

void lookAtManagers(Diagnoses& diagnoses, const std::set<std::string>& bridges, const std::string& root) {
  const std::vector<Managed> links = linksOf(bridges);
  lookAtUdev(diagnoses, links, root);
  lookAtNetworkManager(diagnoses, links, root);
  lookAtNetworkd(diagnoses, links, root);
}

}  // namespace pons::tools
