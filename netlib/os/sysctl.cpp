#include "netlib/os/sysctl.h"

#include <algorithm>
#include <array>
#include <memory>

#include <dirent.h>
#include <fcntl.h>

#include "netlib/base/unique_fd.h"

namespace netlib::sysctl {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

bool isSafe(std::string_view name) {
  const std::string framed = "/" + std::string(name) + "/";
  const auto has = [&](std::string_view part) { return framed.find(part) != std::string::npos; };
  return !has("//") && !has("/./") && !has("/../") && framed.find('\0') == std::string::npos;
}

Result<std::string> pathOf(const std::string& name) {
  if (!isSafe(name)) return fail(Cause::Invalid, "not a valid name of a kernel parameter: " + name);
  return "/proc/sys/" + name;
}

Result<UniqueFd> open(const std::string& name, int flags) {
  const std::string path = TRY(pathOf(name));
  UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC)};
  if (!fd) return failErrno("cannot open the kernel parameter " + name);
  return fd;
}

Result<> writeOnce(const std::string& name, const std::string& value) {
  const UniqueFd fd = TRY(open(name, O_WRONLY));
  // proc_dointvec() and the like take a value with one write(2).
  if (::write(fd.get(), value.data(), value.size()) < 0) {
    return failErrno("cannot set the kernel parameter " + name + " to " + value);
  }
  return {};
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\n";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(space) - first + 1));
}

}  // namespace

std::string ofInterface(Family family, const IfName& interface, std::string_view key) {
  const char* conf = family == Family::Ipv4 ? "net/ipv4/conf/" : "net/ipv6/conf/";
  return conf + interface.toString() + "/" + std::string(key);
}

std::string dotted(std::string name) {
  if (name.find('.') == std::string::npos) std::ranges::replace(name, '/', '.');
  return name;
}

std::string withSpaces(std::string value) {
  std::ranges::replace(value, '\t', ' ');
  return value;
}

Result<std::string> read(const std::string& name) {
  const UniqueFd fd = TRY(open(name, O_RDONLY));
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) return failErrno("cannot read the kernel parameter " + name);
    text.append(buffer.data(), static_cast<std::size_t>(got));
    // procfs fills the buffer unless the value ends.
    if (static_cast<std::size_t>(got) < buffer.size()) return trimmed(text);
  }
}

Result<> write(const std::string& name, const std::string& value) {
  const auto written = writeOnce(name, value);
  if (!isUnsettable(written) && !written.failedWith(EPERM)) return written;
  const auto current = read(name);
  if (!current) return written;
  if (withSpaces(*current) == withSpaces(value)) return {};
  const Error& error = written.error();
  const std::string why = error.isErrno(EROFS)
                              ? "/proc/sys is read-only"
                              : std::string{"this process may not set it ("} + std::strerror(error.number) + ")";
  return fail(error.reworded(dotted(name) + " is " + *current + " and " + why + ": set it to " + value +
                             " outside of this container"));
}

bool isUnsettable(const Result<>& written) { return written.failedWith(EROFS) || written.failedWith(EACCES); }

Result<std::vector<std::string>> entries(const std::string& directory) {
  const std::string path = TRY(pathOf(directory));
  const std::unique_ptr<DIR, CloseDirectory> stream{opendir(path.c_str())};
  if (!stream) return failErrno("cannot list the kernel parameters below " + directory);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failErrno("cannot list the kernel parameters below " + directory);
  std::ranges::sort(names);
  return names;
}

}  // namespace netlib::sysctl
