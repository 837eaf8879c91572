#include "tests/compat/machine.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/process.h"

namespace support {

using netlib::UniqueFd;

namespace {

constexpr const char* kDirectories[] = {"/var/lib", "/run/pons", "/run/cni", "/run/flannel", "/run/net.d"};

void must(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace

Machine::Machine(FakeHost& host, unsigned which)
    : number(which),
      name("host" + std::to_string(which)),
      netns(host.addNamespace(name)),
      pod("/run/netns/pod" + std::to_string(which)) {
  int ready[2];
  must(pipe2(ready, O_CLOEXEC) == 0, "pipe");
  const UniqueFd read{ready[0]}, write{ready[1]};
  keeper_.emplace([&] {
    must(unshare(CLONE_NEWNS) == 0, "unshare the mounts");
    for (const char* directory : kDirectories) {
      must(mount("tmpfs", directory, "tmpfs", 0, "mode=0700") == 0, "mount a tmpfs");
    }
    must(::write(write.get(), "", 1) == 1, "signal readiness");
    return pause();
  });
  char signal = 0;
  must(::read(read.get(), &signal, 1) == 1, "the machine's mounts");
  mounts_ = UniqueFd{open(("/proc/" + std::to_string(keeper_->pid()) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC)};
  net_ = UniqueFd{open(netns.c_str(), O_RDONLY | O_CLOEXEC)};
  outputOf({"ip", "-n", name, "link", "set", "lo", "up"});
}

void Machine::enter() const {
  if (setns(net_.get(), CLONE_NEWNET) != 0 || setns(mounts_.get(), CLONE_NEWNS) != 0) _exit(126);
}

std::string Machine::run(const std::vector<std::string>& argv, std::vector<std::string> environment,
                         const std::string& input) const {
  environment.push_back(std::string{"PATH="} + getenv("PATH"));
  const Outcome outcome =
      support::run(argv, {.environment = std::move(environment), .input = input, .beforeExec = [this] { enter(); }});
  if (!outcome.ok()) throw std::runtime_error(argv[0] + " on " + name + ": " + outcome.out + outcome.err);
  return outcome.out;
}

std::unique_ptr<ForkedProcess> Machine::start(const std::vector<std::string>& argv) const {
  return std::make_unique<ForkedProcess>([this, argv] {
    enter();
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    return 127;
  });
}

std::list<Machine> makeMachines(FakeHost& host, unsigned count) {
  for (unsigned i = 1; i <= count; ++i) host.addNamespace("pod" + std::to_string(i));
  for (const std::filesystem::path directory : kDirectories) std::filesystem::create_directories(directory);
  std::list<Machine> machines;
  for (unsigned i = 1; i <= count; ++i) machines.emplace_back(host, i);
  return machines;
}

}  // namespace support
