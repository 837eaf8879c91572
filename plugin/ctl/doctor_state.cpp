// The state directory: room for records, and whether it is the only one of this host.
#include <sys/statvfs.h>

#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"
#include "plugin/verbs/state_directory.h"

namespace pons::ctl {

namespace {

constexpr const char* kArea = "records";

// Upper bounds for one ADD: the record and a resolv.conf, claims and references.
constexpr std::uint64_t kBytesPerAdd = 16 * 1024;
constexpr std::uint64_t kInodesPerAdd = 32;
constexpr std::uint64_t kFewAdds = 100;

/// Of a directory that does not exist yet: the one where it is going to be.
std::string existing(std::string path) {
  while (path.size() > 1 && !exists(path)) path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  return path;
}

netlib::Result<Space> spaceAt(const std::string& directory) {
  struct statvfs status {};
  if (statvfs(directory.c_str(), &status) != 0) {
    return netlib::failErrno("cannot examine the file system of " + directory);
  }
  Space space;  // a file system without a limit reports a total of 0
  if (status.f_blocks != 0) space.bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (status.f_files != 0) space.inodes = status.f_favail;
  return space;
}

/// No ADD succeeds in the second of them while the first has attachments.
void checkOthers(Area& area, const Arguments& arguments, const ConfiguredNetworks& networks) {
  const auto inUse = stateDirectoriesInUse();
  if (!inUse) area.notChecked("other state directories of this host", inUse.error().message);
  const std::vector<std::string> others = inUse ? otherStateDirectories(arguments) : std::vector<std::string>{};
  for (const std::string& directory : others) {
    area.warning(
        FindingId::StateDirectoryOther,
        "two ledgers: links or tables of this host belong to state directory " + directory + ", not to " +
            arguments.stateDir,
        "\"stateDir\" of all networks must be the same: remove the containers of one of them, or what is left of them "
        "(\"ponsctl gc --delete --state-dir " +
            directory + "\")");
  }
  std::set<std::string> different;
  for (const ConfiguredNetwork& network : networks) {
    const std::string& directory = network.config.settings.stateDir;
    if (nameOfStateDir(directory) != nameOfStateDir(arguments.stateDir))
      different.insert(network.name + " (" + directory + ")");
  }
  if (!different.empty()) {
    area.warning(FindingId::StateDirectoryOther,
                 "networks with another \"stateDir\" than " + arguments.stateDir + ": " + someOf(different),
                 "the same \"stateDir\" for all networks");
  }
  if (inUse && others.empty() && different.empty()) {
    area.fine("no other state directory is in use or configured on this host");
  }
}

}  // namespace

void checkSpace(CheckResults& results, const std::string& directory, const Space& space) {
  Area area{results, kArea};
  const std::string bytes = space.bytes ? textOfBytes(*space.bytes) + " free" : "no limit of bytes";
  const std::string inodes = space.inodes ? counted(*space.inodes, "inode") + " free" : "no limit of inodes";
  const std::string what = "state directory " + directory + ": " + bytes + ", " + inodes;
  const auto roomFor = [&](std::uint64_t adds) {
    return space.bytes.value_or(UINT64_MAX) >= adds * kBytesPerAdd &&
           space.inodes.value_or(UINT64_MAX) >= adds * kInodesPerAdd;
  };
  if (roomFor(kFewAdds)) return area.fine(what);
  const std::string remedy = "delete other files there (\"df " + directory + "\", \"df -i " + directory +
                             "\"), or enlarge the file system (tmpfs: mount -o remount,size=...,nr_inodes=...)";
  if (roomFor(1)) {
    area.warning(FindingId::StateDirectoryNearlyFull, what + ": nearly full", remedy);
  } else {
    area.fault(FindingId::StateDirectoryNearlyFull, what + ": full, an ADD cannot write its record", remedy);
  }
}

void checkStateDirectory(CheckResults& results, Host* host, const Arguments& arguments,
                         const ConfiguredNetworks& networks) {
  Area area{results, kArea};
  const auto space = spaceAt(existing(arguments.stateDir));
  if (space) {
    checkSpace(results, arguments.stateDir, *space);
  } else {
    area.notChecked("room in " + arguments.stateDir, space.error().message);
  }
  const auto writable = host == nullptr ? netlib::Result<>{} : host->ledger.checkWritable();
  if (!writable && !writable.failedWith(ENOSPC))
    area.fault(FindingId::StateDirectoryNotWritable, writable.error().message, "mount it writable");
  checkOthers(area, arguments, networks);
}

}  // namespace pons::ctl
