// Work inside a container's root, and files mounted there.
#include "netlib/os/root_directory.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "netlib/os/file_mount.h"

#include "tests/support/root_fs.h"

using namespace support;
using netlib::FileKind;
using netlib::RootDirectory;
namespace file_mount = netlib::file_mount;
namespace fs = std::filesystem;

namespace {

netlib::UniqueFd opened(const std::string& path) { return netlib::UniqueFd{open(path.c_str(), O_PATH | O_CLOEXEC)}; }

}  // namespace

TEST_CASE("symlinks lead where they lead inside the root, never out of it") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  std::ofstream{"/run/secret"} << "the host's";
  fs::create_directory("/run/outside");
  std::ofstream{"/run/outside/secret"} << "the host's";
  image.with("the image's", "run/secret").with("the image's", "run/outside/secret");
  image.linked("/run/secret", "absolute").linked("../../../run/secret", "climbing").linked("../../run/outside", "up");
  image.linked("absolute", "chain").linked("/run/nothing", "dangling").linked("loop", "loop");

  const auto root = RootDirectory::open(image.path());
  REQUIRE(root.ok());
  for (const char* name : {"absolute", "climbing", "chain", "up/secret", "../../run/secret", "/run/secret"}) {
    CAPTURE(name);
    CHECK(root->readFile(name, 100).value() == "the image's");
  }
  CHECK(root->readFile("dangling", 100).failedWith(ENOENT));
  CHECK(root->readFile("loop", 100).failedWith(ELOOP));
  const auto up = root->directory("up");
  REQUIRE(up.ok());
  REQUIRE(up->createFile("new", "x").ok());
  CHECK(!fs::exists("/run/outside/new"));
  CHECK(fs::exists(image / "run/outside/new"));
}

TEST_CASE("what is no regular file is not read, and a FIFO is not waited for") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  REQUIRE(mkfifo((image / "fifo").c_str(), 0600) == 0);
  image.with("12345", "file");
  const auto root = RootDirectory::open(image.path());
  REQUIRE(root.ok());
  CHECK(root->readFile("fifo", 100).failedWith(netlib::Cause::Invalid));
  CHECK(root->readFile("etc", 100).failedWith(netlib::Cause::Invalid));
  CHECK(root->readFile("file", 4).failedWith(netlib::Cause::Damaged));
  const auto top = root->directory(".");
  REQUIRE(top.ok());
  CHECK(!top->beginsWith("fifo", "").value());
  CHECK(top->beginsWith("file", "123").value());
  CHECK(!top->beginsWith("file", "123456").value());
  CHECK(!top->beginsWith("none", "1").value());
}

TEST_CASE("the host's own root is no container's") {
  REQUIRE_FAKE_HOST(host);
  for (const char* path : {"/", "/.", "/proc/self/root", "/usr/.."}) {
    CAPTURE(path);
    CHECK(RootDirectory::open(path).failedWith(netlib::Cause::Invalid));
  }
  CHECK(RootDirectory::open("/run/nothing").failedWith(ENOENT));
  std::ofstream{"/run/file"} << "";
  CHECK(RootDirectory::open("/run/file").failedWith(ENOTDIR));
}

TEST_CASE("what is no regular file is not even opened: that alone could do something") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  const std::string path = image / "etc/device";
  // A device number without a driver: open(2) fails with ENXIO.
  REQUIRE(mknod(path.c_str(), S_IFCHR | 0600, makedev(240, 77)) == 0);
  REQUIRE(mkfifo((image / "etc/fifo").c_str(), 0600) == 0);
  const auto root = RootDirectory::open(image.path());
  const auto etc = root->directory("etc");
  for (const std::string name : {"device", "fifo", "."}) {
    CAPTURE(name);
    CHECK(root->readFile("etc/" + name, 100).failedWith(netlib::Cause::Invalid));
    const auto begins = etc->beginsWith(name, "x");
    REQUIRE(begins.ok());
    CHECK(!*begins);
  }
}

TEST_CASE("a new file is readable to all whatever the umask, and takes the place of a symlink, not of its target") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  std::ofstream{"/run/target"} << "stays";
  image.linked("/run/target", "etc/name").linked("nowhere", "etc/dangling");
  const auto etc = RootDirectory::open(image.path())->directory("etc");
  REQUIRE(etc.ok());
  const mode_t before = umask(0077);
  CHECK(etc->createFile("name", "new").ok());
  umask(before);
  CHECK(etc->kindOf("name").value() == FileKind::Regular);
  CHECK(contentOf(image / "etc/name") == "new");
  CHECK((fs::status(image / "etc/name").permissions() & fs::perms::mask) == fs::perms{0644});
  CHECK(contentOf("/run/target") == "stays");
  CHECK(etc->kindOf("dangling").value() == FileKind::Symlink);
  CHECK(etc->kindOf("none").value() == FileKind::None);
  CHECK(etc->kindOf(".").value() == FileKind::Other);
  image.readOnly();
  CHECK(etc->createFile("other", "x").failedWith(EROFS));
  CHECK(etc->createFile("name", "x").failedWith(EROFS));
}

TEST_CASE("a mounted file is read-only, outlives its name, and goes as it came") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  image.with("the image's").readOnly();
  std::ofstream{"/run/staged"} << "ours";
  const std::size_t mounts = mountCount();
  const auto root = RootDirectory::open(image.path());
  {
    const auto staged = opened("/run/staged");
    REQUIRE(file_mount::mount(staged, root->locate("etc/resolv.conf").value()).ok());
    CHECK(file_mount::isMounted(staged, root->locate("etc/resolv.conf").value()).value());
    CHECK(!file_mount::isMounted(staged, root->locate("etc").value()).value());
  }
  CHECK(mountCount() == mounts + 1);
  CHECK(outputOf({"grep", image.path() + "/etc/resolv.conf ro,nosuid,nodev,noexec", "/proc/self/mountinfo"}) != "");
  fs::remove("/run/staged");
  CHECK(image.resolvConf() == "ours");
  CHECK(open((image / "etc/resolv.conf").c_str(), O_WRONLY | O_CLOEXEC) == -1);
  CHECK(errno == EROFS);
  REQUIRE(file_mount::unmount(root->locate("etc/resolv.conf").value()).ok());
  CHECK(image.resolvConf() == "the image's");
  CHECK(mountCount() == mounts);
}

TEST_CASE("nothing is mounted over what is no regular file, and nothing unmounted that is no mount") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  image.with("the image's");
  REQUIRE(mkfifo((image / "fifo").c_str(), 0600) == 0);
  std::ofstream{"/run/staged"} << "ours";
  const std::size_t mounts = mountCount();
  const auto root = RootDirectory::open(image.path());
  for (const char* name : {"etc", "fifo"}) {
    CHECK(file_mount::mount(opened("/run/staged"), root->locate(name).value()).failedWith(netlib::Cause::Invalid));
  }
  CHECK(file_mount::unmount(root->locate("etc/resolv.conf").value()).failedWith(EINVAL));
  CHECK(mountCount() == mounts);
}
