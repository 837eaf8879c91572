#include "netlib/os/directory.h"

#include <algorithm>
#include <fstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/scratch.h"

using netlib::Directory;
using support::Scratch;

namespace {

mode_t modeOf(const std::string& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a private directory is made with its parents, and only it is private") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "a/b/pons/");
  REQUIRE(directory.ok());
  CHECK(directory->path() == scratch / "a/b/pons");
  CHECK(modeOf(scratch / "a/b/pons") == 0700);
  CHECK(modeOf(scratch / "a/b") == 0755);
  CHECK(Directory::openPrivate(scratch / "a/b/pons").ok());
}

TEST_CASE("a shared directory is made readable for others, and one that is only looked for is not made") {
  const Scratch scratch;
  CHECK(Directory::openExisting(scratch / "a/b").failedWith(ENOENT));
  CHECK_FALSE(std::filesystem::exists(scratch / "a"));
  const auto directory = Directory::openShared(scratch / "a/b");
  REQUIRE(directory.ok());
  CHECK(modeOf(scratch / "a/b") == 0755);
  CHECK(Directory::openExisting(scratch / "a/b").ok());
  REQUIRE(chmod((scratch / "a/b").c_str(), 0775) == 0);
  CHECK(Directory::openShared(scratch / "a/b").failedWith(EPERM));
}

TEST_CASE("a file is replaced as a whole, and a symlink in its place is not followed") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  CHECK(directory.replaceFile("name", "first").ok());
  CHECK(directory.replaceFile("name", "second").ok());
  CHECK(directory.readFile("name", 100).value() == "second");
  REQUIRE(symlink("../victim", (scratch / "pons/link").c_str()) == 0);
  CHECK(directory.replaceFile("link", "mine").ok());
  CHECK_FALSE(std::filesystem::exists(scratch / "victim"));
  CHECK(directory.list(".").value().size() == 2);
  REQUIRE(mkdir((scratch / "pons/directory").c_str(), 0700) == 0);
  CHECK_FALSE(directory.replaceFile("directory", "x").ok());
  CHECK_FALSE(std::filesystem::exists(scratch / "pons/directory.draft"));
}

TEST_CASE("A state directory with another owner or unsafe mode is refused") {
  const Scratch scratch;
  REQUIRE(mkdir((scratch / "real").c_str(), 0700) == 0);
  REQUIRE(symlink("real", (scratch / "link").c_str()) == 0);
  REQUIRE(mkdir((scratch / "shared").c_str(), 0700) == 0);
  std::ofstream{scratch / "file"} << "x";

  SUBCASE("a symlink, also with slashes behind it") {
    for (const char* name : {"link", "link/", "link//", "file"}) {
      CHECK(Directory::openPrivate(scratch / name).failedWith(EPERM));
    }
    CHECK(Directory::openPrivate(scratch / "link/.").failedWith(EINVAL));
    CHECK(Directory::openPrivate(scratch / "link/..").failedWith(EINVAL));
  }
  SUBCASE("a dangling symlink: nothing is made at its target") {
    REQUIRE(symlink("nowhere", (scratch / "dangling").c_str()) == 0);
    CHECK(Directory::openPrivate(scratch / "dangling").failedWith(EPERM));
    CHECK_FALSE(std::filesystem::exists(scratch / "nowhere"));
  }
  SUBCASE("writable by the group or by all; its mode stays as it is") {
    for (const mode_t mode : {0770U, 0702U}) {
      REQUIRE(chmod((scratch / "shared").c_str(), mode) == 0);
      const auto refused = Directory::openPrivate(scratch / "shared");
      CHECK(refused.failedWith(EPERM));
      CHECK(refused.error().message.find("writable by other users") != std::string::npos);
      CHECK(modeOf(scratch / "shared") == mode);
    }
  }
  SUBCASE("another user's") {
    constexpr uid_t kNobody = 65534;
    if (chown((scratch / "shared").c_str(), kNobody, kNobody) < 0) {
      MESSAGE("skipped: only root can give a directory away");
      return;
    }
    const auto refused = Directory::openPrivate(scratch / "shared");
    CHECK(refused.failedWith(EPERM));
    CHECK(refused.error().message.find("65534") != std::string::npos);
  }
  SUBCASE("but a symlink above it is the host's own business, as /var/run is") {
    CHECK(Directory::openPrivate(scratch / "link/pons").ok());
    CHECK(std::filesystem::is_directory(scratch / "real/pons"));
  }
}

TEST_CASE("An open directory stays the same when its path is replaced") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons");
  REQUIRE(rename((scratch / "pons").c_str(), (scratch / "moved").c_str()) == 0);
  REQUIRE(symlink("/etc", (scratch / "pons").c_str()) == 0);
  CHECK(directory->createFile("mine", "x").ok());
  CHECK(std::filesystem::exists(scratch / "moved/mine"));
}

TEST_CASE("only absolute paths name a directory") {
  for (const char* path : {"", "pons", "./pons", "/", "//"}) CHECK(Directory::openPrivate(path).failedWith(EINVAL));
}

TEST_CASE("files are created as a whole, once") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  CHECK(directory.createFile("file", "first").ok());
  CHECK(directory.createFile("file", "second").failedWith(EEXIST));
  CHECK(directory.readFile("file", 5).value() == "first");
  CHECK(directory.readFile("file", 4).failedWith(EFBIG));
  CHECK(directory.readFile("none", 4).failedWith(ENOENT));
  CHECK(modeOf(scratch / "pons/file") == 0600);
  CHECK(directory.list(".").value() == std::vector<std::string>{"file"});
  CHECK(directory.createFile("none/file", "x").failedWith(ENOENT));

  const std::string large(100000, 'x');
  CHECK(directory.createFile("large", large).ok());
  CHECK(directory.readFile("large", large.size()).value() == large);
}

TEST_CASE("a file that is a symlink is not opened") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  REQUIRE(symlink("/etc/passwd", (scratch / "pons/file").c_str()) == 0);
  CHECK(directory.openFile("file", O_RDONLY).failedWith(ELOOP));
  CHECK(directory.openFile("file", O_RDWR | O_CREAT).failedWith(ELOOP));
}

TEST_CASE("links, directories and their listing") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  CHECK(directory.createSymlink("a/b/link", "target").failedWith(ENOENT));
  CHECK(directory.createDirectories("a/b").ok());
  CHECK(directory.createDirectories("a/b").ok());
  CHECK(modeOf(scratch / "pons/a") == 0700);
  CHECK(directory.createSymlink("a/b/link", "target").ok());
  CHECK(directory.createSymlink("a/b/link", "other").failedWith(EEXIST));
  CHECK(directory.readSymlink("a/b/link").value() == "target");
  CHECK(directory.exists("a/b/link").value());
  CHECK_FALSE(directory.exists("a/c").value());
  CHECK(directory.createDirectories("a/c").ok());

  auto names = directory.list("a").value();
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"b", "c"});
  CHECK(directory.removeDirectory("a/b").failedWith(ENOTEMPTY));
  CHECK(directory.remove("a/b/link").ok());
  CHECK(directory.remove("a/b/link").failedWith(ENOENT));
  CHECK(directory.removeDirectory("a/b").ok());
}

TEST_CASE("An unreadable file or directory is an error, never empty") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  CHECK(directory.createFile("file", "x").ok());
  CHECK(directory.list("file").failedWith(ENOTDIR));
  CHECK(directory.list("none").failedWith(ENOENT));
  CHECK(directory.readSymlink("file").failedWith(EINVAL));
  CHECK(directory.exists("file/below").failedWith(ENOTDIR));
  CHECK(directory.exists(std::string(300, 'x')).failedWith(ENAMETOOLONG));
}
