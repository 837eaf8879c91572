#include "plugin/ctl/files.h"

#include <algorithm>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"
#include "netlib/os/directory.h"
#include "netlib/os/file.h"

#include "plugin/cni/decode/request.h"

namespace pons::ctl {

netlib::Result<std::string> readText(const std::string& file) {
  const netlib::UniqueFd fd{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return netlib::failErrno("cannot open " + file);
  return netlib::readAll(fd.get(), cni::kMaxInput, file);
}

std::vector<std::string> filesIn(const std::string& directory, const std::vector<std::string>& endings) {
  std::vector<std::string> files;
  DIR* stream = opendir(directory.c_str());
  if (stream == nullptr) return files;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    const bool wanted =
        std::ranges::any_of(endings, [&name](const std::string& ending) { return name.ends_with(ending); });
    if (wanted) files.push_back(directory + "/" + name);
  }
  closedir(stream);
  std::ranges::sort(files);
  return files;
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace pons::ctl
