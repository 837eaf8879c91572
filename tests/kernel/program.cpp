#include "netlib/os/program.h"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/eventually.h"
#include "tests/support/fake_host.h"

using namespace support;
using netlib::Program;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kSystem{"/usr/sbin", "/usr/bin"};

std::string script(const std::string& path, const std::string& text, const std::string& interpreter = "/bin/sh") {
  std::ofstream{path} << "#!" << interpreter << "\n" << text << "\n";
  REQUIRE(chmod(path.c_str(), 0755) == 0);
  return path;
}

void mode(const std::string& path, mode_t to) { REQUIRE(chmod(path.c_str(), to) == 0); }

/// Why it must not be executed; empty where it may.
std::string refusal(const std::string& path) {
  const auto opened = Program::open(path);
  if (opened.ok()) return "";
  CHECK(opened.failedWith(netlib::Cause::Unsafe));
  return opened.error().message;
}

netlib::Outcome outcome(const std::string& path, const std::vector<std::string>& arguments,
                        const Program::Options& options = {.environment = {}, .input = {}, .timeout = 10s}) {
  const auto program = Program::open(path);
  REQUIRE_MESSAGE(program.ok(), program.error().message);
  const auto ran = program->run(arguments, options);
  REQUIRE_MESSAGE(ran.ok(), ran.error().message);
  return *ran;
}

/// A directory of root's, with nothing but root's above it.
std::string home() {
  const std::string path = "/run/programs";
  fs::create_directory(path);
  mode(path, 0755);
  return path;
}

}  // namespace

TEST_CASE("A program is executed only from a path that only root can write to") {
  REQUIRE_FAKE_HOST(fake);
  const std::string good = script(home() + "/good", "exit 0");
  CHECK(refusal(good) == "");

  SUBCASE("the file has another owner") {
    REQUIRE(chown(good.c_str(), 65534, 0) == 0);
    CHECK(refusal(good).find("belongs to user 65534") != std::string::npos);
  }
  SUBCASE("its group may write to it") {
    mode(good, 0775);
    CHECK(refusal(good) == "");  // root's
    REQUIRE(chown(good.c_str(), 0, 65534) == 0);
    CHECK(refusal(good).find("by its group") != std::string::npos);
  }
  SUBCASE("it is world-writable") {
    mode(good, 0757);
    CHECK(refusal(good).find("by all users") != std::string::npos);
  }
  SUBCASE("it is not executable") {
    mode(good, 0644);
    CHECK(refusal(good).find("not executable") != std::string::npos);
  }
  SUBCASE("it is a directory, a FIFO") {
    CHECK(refusal(home()).find("not a regular file") != std::string::npos);
    REQUIRE(mkfifo("/run/programs/fifo", 0755) == 0);
    CHECK(refusal("/run/programs/fifo").find("not a regular file") != std::string::npos);
  }
  SUBCASE("its directory may be written by others, sticky or not") {
    REQUIRE(chown(home().c_str(), 0, 65534) == 0);
    for (const mode_t open : {mode_t{0775}, mode_t{0757}, mode_t{01777}}) {
      mode("/run/programs", open);
      CHECK(refusal(good).find("/run/programs is writable by") != std::string::npos);
    }
  }
  SUBCASE("a parent directory has another owner") {
    fs::create_directories("/run/programs/below");
    const std::string deeper = script("/run/programs/below/it", "exit 0");
    CHECK(refusal(deeper) == "");
    REQUIRE(chown("/run/programs", 65534, 0) == 0);
    CHECK(refusal(deeper).find("/run/programs belongs to user 65534") != std::string::npos);
  }
  SUBCASE("a symlink leads to it") {
    fs::create_directory("/run/open");
    fs::create_symlink(good, "/run/programs/link");
    fs::create_symlink("/run/open/it", "/run/programs/out");
    fs::create_symlink(good, "/run/open/in");
    script("/run/open/it", "exit 0");
    CHECK(refusal("/run/programs/link") == "");
    CHECK(refusal("/run/programs/out") == "");
    CHECK(refusal("/run/open/in") == "");
    mode("/run/open", 0777);
    CHECK(refusal("/run/programs/out").find("/run/open is writable") != std::string::npos);
    CHECK(refusal("/run/open/in").find("/run/open is writable") != std::string::npos);
  }
  SUBCASE("its interpreter may be written by others, is a script, or is not named") {
    fs::copy_file("/bin/true", "/run/programs/interpreter");
    const std::string by = script(good, "", " /run/programs/interpreter -x");
    CHECK(refusal(by) == "");
    mode("/run/programs/interpreter", 0777);
    CHECK(refusal(by).find("/run/programs/interpreter") != std::string::npos);
    CHECK(refusal(script(home() + "/nested", "", "/run/programs/nested")).find("itself") != std::string::npos);
    CHECK(refusal(script(home() + "/nameless", "", " ")).find("has no interpreter") != std::string::npos);
  }
}

TEST_CASE("The first directory that has the program is used, and PATH is ignored") {
  REQUIRE_FAKE_HOST(fake);
  const std::vector<std::string> two{"/run/absent", home(), "/run/second"};
  fs::create_directory("/run/second");
  script("/run/second/it", "exit 2");
  CHECK(Program::find(two, "it")->path() == "/run/second/it");
  script("/run/programs/it", "exit 1");
  CHECK(Program::find(two, "it")->path() == "/run/programs/it");
  mode("/run/programs/it", 0777);
  CHECK(Program::find(two, "it").failedWith(netlib::Cause::Unsafe));

  CHECK(Program::find(two, "sh").failedWith(netlib::Cause::Missing));
  fs::create_symlink("/run/absent", "/run/programs/dangling");
  CHECK(Program::find(two, "dangling").failedWith(netlib::Cause::Missing));
  for (const std::string name : {"", ".", "..", "a/b", "../second/it"})
    CHECK(Program::find(two, name).failedWith(netlib::Cause::Invalid));
  CHECK(Program::find(std::vector<std::string>{"run/programs"}, "it").failedWith(netlib::Cause::Invalid));
  CHECK(Program::open("it").failedWith(netlib::Cause::Invalid));
}

TEST_CASE("A program gets the given name, arguments, environment and input, and nothing else") {
  REQUIRE_FAKE_HOST(fake);
  fs::create_symlink("/bin/sh", home() + "/named");
  CHECK(outcome("/bin/sh", {"-c", "echo \"$@\"", "sh", "a b", "", "*"}).output == "a b  *\n");
  CHECK(outcome("/run/programs/named", {"-c", "echo $0"}).output == "/run/programs/named\n");
  CHECK(outcome(script("/run/programs/s", "echo $0 $1"), {"x"}).output == "/run/programs/s x\n");

  setenv("PONS_LEAK", "1", 1);
  CHECK(outcome("/usr/bin/env", {}, {.environment = {"A=1", "B=x y"}, .input = {}, .timeout = 10s}).output ==
        "A=1\nB=x y\n");
  const std::string input(300'000, 'i');
  const auto copied = outcome("/bin/cat", {}, {.environment = {}, .input = input, .timeout = 10s});
  CHECK(copied.output == input);
  CHECK(outcome("/bin/cat", {"/dev/stdin"}, {.environment = {}, .input = "again", .timeout = 10s}).output == "again");
}

TEST_CASE("No descriptor and no signal setting of ours gets into a program") {
  REQUIRE_FAKE_HOST(fake);
  const netlib::UniqueFd inherited{open("/dev/null", O_RDONLY)};
  REQUIRE(inherited);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN);
  const auto seen = outcome("/bin/sh", {"-c", "ls /proc/$$/fd; kill -PIPE $$"});
  std::signal(SIGPIPE, SIG_DFL);
  CHECK(seen.output == "0\n1\n2\n");
  CHECK(seen.status == 128 + SIGPIPE);
}

TEST_CASE("The output and the exit status of a program are returned") {
  REQUIRE_FAKE_HOST(fake);
  const auto said = outcome("/bin/sh", {"-c", "echo out; echo err >&2; exit 7"});
  CHECK(said.status == 7);
  CHECK(said.output == "out\n");
  CHECK(said.errors == "err\n");
  CHECK(outcome("/bin/sh", {"-c", "kill -9 $$"}).status == 128 + SIGKILL);
  // Both pipes full: neither may wait for the other.
  const auto much = outcome("/bin/sh", {"-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"},
                            {.environment = {"PATH=/usr/bin:/bin"}, .input = {}, .timeout = 20s});
  CHECK(much.output.size() == 3'000'000);
  CHECK(much.errors.size() == 3'000'000);
}

TEST_CASE("A program that exceeds the output limit or the timeout is killed with its children") {
  REQUIRE_FAKE_HOST(fake);
  const auto program = Program::open("/bin/sh");
  REQUIRE(program.ok());
  const std::vector<std::string> path{"PATH=/usr/bin:/bin"};
  const auto endless = program->run({"-c", "cat /dev/zero"}, {.environment = path, .input = {}, .timeout = 20s});
  CHECK(endless.failedWith(netlib::Cause::Program));

  const auto before = std::chrono::steady_clock::now();
  const auto late = program->run({"-c", "echo $$ >/run/leader; sleep 60 & echo $! >/run/child; wait"},
                                 {.environment = path, .input = {}, .timeout = 300ms});
  REQUIRE(late.failedWith(netlib::Cause::Program));
  CHECK(late.error().message.find("/bin/sh") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  pid_t leader = 0;
  pid_t child = 0;
  std::ifstream{"/run/leader"} >> leader;
  std::ifstream{"/run/child"} >> child;
  REQUIRE(leader > 0);
  REQUIRE(child > 0);
  CHECK(kill(leader, 0) != 0);
  // The orphan is init's to reap, and dies when a processor has time for it; then it has no memory any more.
  const auto isAlive = [&] {
    std::string memory;
    std::getline(std::ifstream{"/proc/" + std::to_string(child) + "/cmdline"}, memory);
    return !memory.empty();
  };
  CHECK(eventually([&] { return !isAlive(); }));
}

TEST_CASE("A program that leaves a child behind is not waited for beyond its own end") {
  REQUIRE_FAKE_HOST(fake);
  const auto before = std::chrono::steady_clock::now();
  const auto left = outcome("/bin/sh", {"-c", "sleep 3 & echo done"},
                            {.environment = {"PATH=/usr/bin:/bin"}, .input = {}, .timeout = 20s});
  CHECK(left.output == "done\n");
  CHECK(std::chrono::steady_clock::now() - before < 2s);
}

TEST_CASE("A binary runs from the checked file descriptor, even if the path is replaced afterwards") {
  REQUIRE_FAKE_HOST(fake);
  fs::copy_file("/bin/true", home() + "/it");
  const auto program = Program::find(std::vector{home()}, "it");
  REQUIRE(program.ok());
  fs::rename("/run/programs/it", "/run/programs/was");
  fs::copy_file("/bin/false", "/run/programs/it");
  CHECK(program->run({}, {.environment = {}, .input = {}, .timeout = 10s})->status == 0);
  CHECK(Program::find(kSystem, "true")->run({}, {.environment = {}, .input = {}, .timeout = 10s})->status == 0);
}

TEST_CASE("A program that cannot be executed is an error") {
  REQUIRE_FAKE_HOST(fake);
  std::ofstream{home() + "/empty"} << "no program\n";
  mode("/run/programs/empty", 0755);
  const auto program = Program::open("/run/programs/empty");
  REQUIRE(program.ok());
  const auto ran = program->run({}, {.environment = {}, .input = {}, .timeout = 10s});
  REQUIRE(ran.failedWith(ENOEXEC));
  CHECK(ran.error().message.find("/run/programs/empty") != std::string::npos);
}
