// The files that keep programs off the links of pons: NetworkManager, systemd-networkd, udev (scripts/managers).
#include <algorithm>

#include <fnmatch.h>

#include "netlib/base/text.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"

namespace pons::ctl {

namespace {

struct Manager {
  const char* name;
  const char* sign;  ///< exists where it has run since boot
  const char* file;
  std::vector<std::string> directories;  ///< a file in one of them replaces those of the same name in later ones
  Severity severity;                     ///< where it may manage veths of pons
};

// networkd manages only what a .network file matches, and udev keeps MAC addresses that are set at creation
// (NET_ADDR_SET), as pons sets them: notes.
std::vector<Manager> managers() {
  const std::vector<std::string> systemd{"/etc/systemd/network", "/run/systemd/network",
                                         "/usr/local/lib/systemd/network", "/usr/lib/systemd/network"};
  return {{"NetworkManager",
           "/run/NetworkManager",
           "10-pons.conf",
           {"/etc/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d"},
           Severity::Warning},
          {"systemd-networkd", "/run/systemd/netif", "10-pons.network", systemd, Severity::Note},
          {"udev", "/run/udev", "10-pons.link", systemd, Severity::Note}};
}

/// Whether a word of the file, outside of comments, is the link's name or a pattern for it.
bool mentions(const std::string& text, const std::string& link) {
  for (const std::string_view line : netlib::split(text, '\n')) {
    if (line.starts_with('#') || line.starts_with(';')) continue;
    std::string separated{line};
    std::ranges::replace_if(
        separated, [](char c) { return std::string_view{"=:;,"}.find(c) != std::string_view::npos; }, ' ');
    const auto words = netlib::words(separated);
    const auto isLike = [&link](std::string_view word) {
      return fnmatch(std::string{word}.c_str(), link.c_str(), 0) == 0;
    };
    if (std::ranges::any_of(words, isLike)) return true;
  }
  return false;
}

void check(Area& area, const Manager& manager, const std::set<std::string>& bridges, const std::string& root) {
  const std::string name = manager.name;
  const auto isIn = [&](const std::string& directory) { return exists(root + directory + "/" + manager.file); };
  const auto directory = std::ranges::find_if(manager.directories, isIn);
  if (directory == manager.directories.end()) {
    return area.add(
        FindingId::LinksManaged, manager.severity,
        name + " may manage the links of pons: there is no " + manager.file + " in " + joined(manager.directories),
        "install the package pons, or run scripts/install");
  }
  const std::string file = *directory + "/" + manager.file;
  const auto text = readText(root + file);
  if (!text) return area.notChecked(file, text.error().message);
  if (text->empty()) {  // or a symlink to /dev/null: the administrator's way to mask ours
    return area.note(FindingId::LinksManaged, name + " may manage the links of pons: " + file + " is empty");
  }
  const std::string own = manager.directories.front() + "/" + manager.file;
  const std::string remedy = file == own ? "add it to " + own : "copy " + file + " to " + own + ", and add it there";
  const auto unmentioned = [&](const std::string& links) {
    return name + " may manage " + links + ": not mentioned in " + file;
  };
  if (!mentions(*text, "pons0123456789a")) {
    return area.add(FindingId::LinksManaged, manager.severity, unmentioned("pons*"), remedy);
  }
  std::vector<std::string> others;
  std::ranges::copy_if(bridges, std::back_inserter(others),
                       [&](const std::string& bridge) { return !mentions(*text, bridge); });
  if (others.empty()) { return area.fine(file + " keeps " + name + " off the links of pons"); }
  area.note(FindingId::LinksManaged, unmentioned(joined(others)), "unless that is wanted: " + remedy);
}

}  // namespace

void checkManagers(CheckResults& results, const std::set<std::string>& bridges, const std::string& root) {
  Area area{results, "managers"};
  std::vector<std::string> absent;
  for (const Manager& manager : managers()) {
    if (exists(root + manager.sign)) {
      check(area, manager, bridges, root);
    } else {
      absent.push_back(std::string{manager.name} + " (no " + manager.sign + ")");
    }
  }
  if (!absent.empty()) area.fine("not running: " + joined(absent));
}

}  // namespace pons::ctl
