#include "plugin/ctl/files.h"

#include <algorithm>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
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

netlib::Result<> replaceFile(const std::string& file, std::string_view content, mode_t mode) {
  const std::filesystem::path path{file};
  const std::string draft = path.parent_path() / ("." + path.filename().string() + ".draft");
  unlink(draft.c_str());
  const netlib::UniqueFd fd{open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (!fd) return netlib::failErrno("create " + draft);
  if (fchmod(fd.get(), mode) != 0) return netlib::failErrno("set the mode of " + draft);
  TRY(netlib::writeAll(fd.get(), content, draft));
  if (rename(draft.c_str(), file.c_str()) != 0) return netlib::failErrno("rename " + draft);
  return {};
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace pons::ctl
