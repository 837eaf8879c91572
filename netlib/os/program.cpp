#include "netlib/os/program.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "netlib/os/child.h"

namespace netlib {

namespace {

constexpr std::size_t kMaxFirstLine = 256;  // BINPRM_BUF_SIZE

struct FreeText {
  void operator()(char* text) const { std::free(text); }  // NOLINT(cppcoreguidelines-no-malloc): realpath() made it
};

Failure<Error> refuse(const std::string& path, const std::string& why) {
  return fail(Cause::Unsafe, "refusing to execute " + path + ": " + why);
}

std::string directoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> canonical(const std::string& path) {
  const std::unique_ptr<char, FreeText> found{realpath(path.c_str(), nullptr)};
  if (!found) return failErrno("cannot find " + path);
  return std::string{found.get()};
}

/// In a user namespace that has no number for the host's root (a rootless runtime's), root's files belong to the
/// overflow user, like those of all users without a number. They cannot be distinguished; but what such a namespace
/// executes gets no more rights than the user has who made it.
bool isRoot(uid_t user) {
  constexpr uid_t kOverflowUser = 65534;  // DEFAULT_OVERFLOWUID
  if (user != kOverflowUser) return user == 0;
  std::ifstream map{"/proc/self/uid_map"};
  bool isMapped = !map.is_open();
  for (unsigned long inside = 0, outside = 0, count = 0; map >> inside >> outside >> count;) isMapped |= outside == 0;
  return !isMapped;
}

/// Why a user other than root can change it; nothing if none can.
std::optional<std::string> weakness(const struct stat& status) {
  if (!isRoot(status.st_uid)) return "belongs to user " + std::to_string(status.st_uid) + ", not to root";
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0) return "is writable by its group";
  if ((status.st_mode & S_IWOTH) != 0) return "is writable by all users";
  return std::nullopt;
}

/// From the root downwards: only root can replace an entry of a directory that was checked before.
Result<> checkDirectory(const std::string& directory, const std::string& program) {
  if (directory != "/") TRY(checkDirectory(directoryOf(directory), program));
  struct stat status {};
  if (lstat(directory.c_str(), &status) < 0) return failErrno("cannot examine " + directory);
  const auto why = weakness(status);
  return why ? Result<>{refuse(program, directory + " " + *why)} : Result<>{};
}

Result<> checkFile(const UniqueFd& file, const std::string& path, bool trusted) {
  struct stat status {};
  if (fstat(file.get(), &status) < 0) return failErrno("cannot examine " + path);
  if (!S_ISREG(status.st_mode)) return refuse(path, "it is not a regular file");
  if (const auto why = weakness(status); why && !trusted) return refuse(path, "it " + *why);
  if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) return refuse(path, "it is not executable");
  return {};
}

/// Where this process was started from: who can write there can replace this program itself.
bool isOwnDirectory(const std::string& directory) {
  // The kernel keeps the path given to execve(2): /proc/self/exe would be where a symlink leads to.
  const auto* started = reinterpret_cast<const char*>(getauxval(AT_EXECFN));  // NOLINT(performance-no-int-to-ptr)
  const std::string path = started != nullptr ? started : "";
  if (!path.starts_with('/')) return false;
  const auto own = canonical(directoryOf(path));
  return own.ok() && *own == directory;
}

/// The interpreter of "#!" in the first line; nothing if the file is not a script.
Result<std::optional<std::string>> interpreterOf(const UniqueFd& file, const std::string& path) {
  std::array<char, kMaxFirstLine> start{};
  const ssize_t length = pread(file.get(), start.data(), start.size(), 0);
  if (length < 0) return failErrno("cannot read " + path);
  std::string_view line{start.data(), static_cast<std::size_t>(length)};
  if (!line.starts_with("#!")) return std::optional<std::string>{};
  line = line.substr(2, line.find('\n') - 2);
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return refuse(path, "its \"#!\" line has no interpreter");
  line.remove_prefix(begin);
  return std::optional{std::string{line.substr(0, line.find_first_of(" \t"))}};
}

}  // namespace

Result<Program> Program::open(const std::string& path) { return open(path, true); }

Result<Program> Program::open(const std::string& path, bool mayBeScript) {
  if (!path.starts_with('/')) return fail(Cause::Invalid, "\"" + path + "\" is not the absolute path of a program");
  const std::string file = TRY(canonical(path));
  const std::string asked = TRY(canonical(directoryOf(path)));
  const bool trusted = isOwnDirectory(directoryOf(file));
  if (!isOwnDirectory(asked)) TRY(checkDirectory(asked, path));
  if (!trusted) TRY(checkDirectory(directoryOf(file), path));
  // O_NONBLOCK: opening a FIFO would wait for its writer.
  UniqueFd opened{::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
  if (!opened) return failErrno("cannot open " + file);
  TRY(checkFile(opened, file, trusted));

  const auto interpreter = TRY(interpreterOf(opened, file));
  // Executes the file that was checked, even if its path now refers to another one.
  const std::string byDescriptor = opened.path();
  if (!interpreter) return Program{path, byDescriptor, std::move(opened)};
  if (!mayBeScript) return refuse(path, "it is the interpreter of a script and a script itself");
  TRY(open(*interpreter, false));
  // The interpreter opens the script by path, after the descriptor is closed (O_CLOEXEC). Only root can change the
  // path.
  return Program{path, file, std::move(opened)};
}

Result<Program> Program::find(std::span<const std::string> directories, const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    return fail(Cause::Invalid, "\"" + name + "\" is not the name of a program");
  }
  std::string searched;
  for (const std::string& directory : directories) {
    auto found = open(directory + "/" + name);
    if (!found.failedWith(ENOENT) && !found.failedWith(ENOTDIR)) return found;
    searched += " " + directory;
  }
  return fail(Cause::Missing, "there is no program " + name + " in" + searched);
}

Result<Outcome> Program::run(const std::vector<std::string>& arguments, const Options& options) const {
  std::vector<std::string> argv{path_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  Child child = TRY(Child::start(executed_, argv, options.environment, options.input));
  auto outcome = child.await(options.timeout, kMaxOutput);
  if (outcome) return outcome;
  return fail(outcome.error().reworded(path_ + " " + outcome.error().message));
}

}  // namespace netlib
