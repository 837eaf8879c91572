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
  const auto again = Directory::openPrivate(scratch / "a/b/pons");
  REQUIRE(again.ok());
  CHECK(directory->isNew());
  CHECK_FALSE(again->isNew());
  CHECK_FALSE(Directory::openExisting(scratch / "a/b/pons")->isNew());

  REQUIRE(directory->createFile("file", "").ok());
  CHECK(directory->removeSelf().failedWith(ENOTEMPTY));
  REQUIRE(directory->remove("file").ok());
  CHECK(directory->removeSelf().ok());
  CHECK_FALSE(std::filesystem::exists(scratch / "a/b/pons"));
  CHECK(directory->openFile("lock", O_RDWR | O_CREAT).failedWith(ENOENT));
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
  CHECK(Directory::openShared(scratch / "a/b").failedWith(netlib::Cause::Unsafe));
}

TEST_CASE("a missing directory that is opened as an empty one stays missing, and nothing is made in it") {
  const Scratch scratch;
  const auto missing = Directory::openAsEmpty(scratch / "a/b/");
  REQUIRE(missing.ok());
  CHECK_FALSE(missing->exists());
  CHECK(missing->path() == scratch / "a/b");
  CHECK(missing->list(".").failedWith(ENOENT));
  CHECK(missing->readFile("name", 100).failedWith(ENOENT));
  CHECK_FALSE(missing->exists("name").value());
  CHECK(missing->removeTree("name").ok());
  CHECK(missing->openFile("lock", O_RDWR | O_CREAT).failedWith(ENOENT));
  CHECK(missing->createSymlink("link", "target").failedWith(ENOENT));
  CHECK(missing->createDirectories("x/y").failedWith(ENOENT));
  CHECK(missing->checkWritable().ok());  // in the directory above
  CHECK_FALSE(std::filesystem::exists(scratch / "a"));

  REQUIRE(Directory::openPrivate(scratch / "a/b").ok());
  CHECK(missing->list(".").failedWith(ENOENT));
  const auto present = Directory::openAsEmpty(scratch / "a/b");
  REQUIRE(present.ok());
  CHECK(present->exists());
  CHECK(present->list(".").value().empty());
  CHECK(Directory::openAsEmpty("relative").failedWith(netlib::Cause::Invalid));
}

TEST_CASE("a directory has one canonical path, whatever symlinks lead to it") {
  const Scratch scratch;
  REQUIRE(Directory::openPrivate(scratch / "real/pons").ok());
  REQUIRE(symlink("real", (scratch / "link").c_str()) == 0);
  const std::string canonical = std::filesystem::canonical(scratch / "real/pons").string();
  CHECK(Directory::openExisting(scratch / "real/pons/").value().canonicalPath() == canonical);
  CHECK(Directory::openExisting(scratch / "real//../link/.//pons").value().canonicalPath() == canonical);
  CHECK(Directory::openExisting(scratch / "real//../real/.//pons").value().canonicalPath() == canonical);
  CHECK(Directory::openExisting(scratch / "link/pons").value().canonicalPath() == canonical);
  REQUIRE(rmdir((scratch / "real/pons").c_str()) == 0);
  CHECK(Directory::openAsEmpty(scratch / "link/pons").value().canonicalPath() == canonical);
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
      CHECK(Directory::openPrivate(scratch / name).failedWith(netlib::Cause::Unsafe));
    }
    CHECK(Directory::openPrivate(scratch / "link/.").failedWith(netlib::Cause::Invalid));
    CHECK(Directory::openPrivate(scratch / "link/..").failedWith(netlib::Cause::Invalid));
  }
  SUBCASE("a dangling symlink: nothing is made at its target") {
    REQUIRE(symlink("nowhere", (scratch / "dangling").c_str()) == 0);
    CHECK(Directory::openPrivate(scratch / "dangling").failedWith(netlib::Cause::Unsafe));
    CHECK_FALSE(std::filesystem::exists(scratch / "nowhere"));
  }
  SUBCASE("writable by the group or by all; its mode stays as it is") {
    for (const mode_t mode : {0770U, 0702U}) {
      REQUIRE(chmod((scratch / "shared").c_str(), mode) == 0);
      const auto refused = Directory::openPrivate(scratch / "shared");
      CHECK(refused.failedWith(netlib::Cause::Unsafe));
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
    CHECK(refused.failedWith(netlib::Cause::Unsafe));
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
  for (const char* path : {"", "pons", "./pons", "/", "//"})
    CHECK(Directory::openPrivate(path).failedWith(netlib::Cause::Invalid));
}

TEST_CASE("files are created as a whole, once") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  CHECK(directory.createFile("file", "first").ok());
  CHECK(directory.createFile("file", "second").failedWith(EEXIST));
  CHECK(directory.readFile("file", 5).value() == "first");
  CHECK(directory.readFile("file", 4).failedWith(netlib::Cause::Damaged));
  CHECK(directory.readFile("none", 4).failedWith(ENOENT));
  CHECK(modeOf(scratch / "pons/file") == 0600);
  CHECK(directory.list(".").value() == std::vector<std::string>{"file"});
  CHECK(directory.createFile("none/file", "x").failedWith(ENOENT));

  for (const std::size_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 8192UL, 100000UL}) {
    const std::string name = std::to_string(size);
    const std::string content(size, 'x');
    CHECK(directory.createFile(name, content).ok());
    CHECK(directory.readFile(name, size).value() == content);
  }
}

TEST_CASE("directories in a directory are counted where the file system does it") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  CHECK(directory.countDirectories("top").failedWith(ENOENT));
  std::size_t made = 0;
  for (const char* name : {"top/a", "top/b", "top/c"}) {
    REQUIRE(directory.createDirectories(name).ok());
    REQUIRE(directory.createFile(std::string{name} + ".file", "").ok());
    REQUIRE(directory.createSymlink(std::string{name} + ".link", "a").ok());
    ++made;
    for (const std::string& path : {std::string{"top"}, std::string{name} + "/.."}) {
      CHECK(directory.countDirectories(path).value().value_or(made) == made);
    }
  }
  CHECK(directory.countDirectories("top/none/..").failedWith(ENOENT));
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

TEST_CASE("the modification time of a directory is the one that was set, until a name in it changes") {
  const Scratch scratch;
  const auto directory = Directory::openPrivate(scratch / "pons").value();
  constexpr timespec kTime{.tv_sec = 12345, .tv_nsec = 678};
  const auto isSet = [&] {
    const auto time = directory.modificationTime("d").value();
    return time.tv_sec == kTime.tv_sec && time.tv_nsec == kTime.tv_nsec;
  };
  CHECK(directory.setModificationTime("d", kTime).failedWith(ENOENT));
  CHECK(directory.modificationTime("d").failedWith(ENOENT));
  REQUIRE(directory.createSymlink("other", "d").ok());
  REQUIRE(directory.createDirectories("d").ok());
  for (const bool removes : {false, true}) {
    CHECK(directory.setModificationTime("d", kTime).ok());
    CHECK(isSet());
    CHECK(directory.list("d").ok());
    CHECK(isSet());
    CHECK((removes ? directory.remove("d/link") : directory.createSymlink("d/link", "target")).ok());
    CHECK_FALSE(isSet());
  }
  CHECK(directory.setModificationTime("other", kTime).ok());  // of the link itself
  CHECK_FALSE(isSet());
}
