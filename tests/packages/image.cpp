// scripts/kubernetes/image: the OCI image of the DaemonSet. That containerd runs it: tests/runtimes/daemonset.cpp.
#include <algorithm>
#include <filesystem>
#include <iterator>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

constexpr const char* kScript = PONS_SOURCE_DIR "/scripts/kubernetes/image";
const fs::path kPrograms = fs::path{PONS_BINARY}.parent_path();

Outcome makeImage(const fs::path& programs, const fs::path& output, const std::string& environment = "true") {
  return run({"bash", "-c", environment + R"(; exec "$0" "$@")", kScript, programs, output},
             {.environment = {}, .input = {}, .timeout = std::chrono::minutes{5}});
}

/// Of the layout: that filter of jq for its index, or for the blob whose digest it has.
std::string jq(const fs::path& file, const std::string& filter) {
  return outputOf({"jq", "--raw-output", "--join-output", filter, file});
}

fs::path blobOf(const fs::path& layout, const std::string& digest) {
  return layout / "blobs/sha256" / digest.substr(std::string{"sha256:"}.size());
}

bool areStatic() { return !run({"ldd", PONS_BINARY}).ok(); }

void withImage(const std::function<void(const Scratch& scratch, const fs::path& layout)>& work) {
  if (!areStatic()) return FakeHost::countSkip("needs static programs, see scripts/setup");
  static const Scratch first;
  const fs::path layout = first / "image";
  if (!fs::exists(layout)) {
    const Outcome made = makeImage(kPrograms, layout);
    REQUIRE_MESSAGE(made.ok(), made.err);
  }
  work(Scratch{}, layout);
}

}  // namespace

TEST_CASE("the image has the same bytes whatever the builder's umask, time zone, locale and user are") {
  withImage([](const Scratch& scratch, const fs::path& layout) {
    for (const std::string builder : {"umask 077", "export TZ=Asia/Tokyo LC_ALL=C.UTF-8 TAR_OPTIONS= GZIP=", "cd /"}) {
      CAPTURE(builder);
      const fs::path again = scratch / "again";
      const Outcome made = makeImage(kPrograms, again, builder);
      REQUIRE_MESSAGE(made.ok(), made.err);
      CHECK(contentOf(layout.string() + ".tar") == contentOf(again.string() + ".tar"));
    }
    CHECK(makeImage(kPrograms, scratch / "later", "export SOURCE_DATE_EPOCH=2000000000").ok());
    CHECK(contentOf(layout.string() + ".tar") != contentOf(scratch / "later.tar"));
  });
}

TEST_CASE("the image is a valid OCI layout: every digest and size is that of its blob, and there are no others") {
  withImage([](const Scratch&, const fs::path& layout) {
    CHECK(contentOf(layout / "oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
    const fs::path manifest = blobOf(layout, jq(layout / "index.json", ".manifests[0].digest"));
    const fs::path config = blobOf(layout, jq(manifest, ".config.digest"));
    const fs::path layer = blobOf(layout, jq(manifest, ".layers[0].digest"));
    CHECK(jq(layout / "index.json", ".manifests[0].size") == std::to_string(fs::file_size(manifest)));
    CHECK(jq(manifest, ".config.size") == std::to_string(fs::file_size(config)));
    CHECK(jq(manifest, ".layers[0].size") == std::to_string(fs::file_size(layer)));
    for (const fs::path& blob : {manifest, config, layer}) {
      CHECK(outputOf({"sha256sum", blob}).starts_with(blob.filename().string() + " "));
    }
    CHECK(std::distance(fs::directory_iterator{layout / "blobs/sha256"}, {}) == 3);
    const std::string unpacked = outputOf({"sh", "-c", "zcat <\"$0\" | sha256sum", layer}).substr(0, 64);
    CHECK(jq(config, ".rootfs.diff_ids[0]") == "sha256:" + unpacked);
    const std::string architecture = outputOf({"dpkg", "--print-architecture"});
    CHECK(jq(config, ".architecture + \"\\n\"") == architecture);
    CHECK(jq(layout / "index.json", ".manifests[0].platform.architecture + \"\\n\"") == architecture);
  });
}

TEST_CASE("the image has the two programs on an empty root, all root's, and the name that pons.yaml asks for") {
  withImage([](const Scratch&, const fs::path& layout) {
    const fs::path manifest = blobOf(layout, jq(layout / "index.json", ".manifests[0].digest"));
    const fs::path layer = blobOf(layout, jq(manifest, ".layers[0].digest"));
    CHECK(outputOf({"tar", "-tzf", layer}) == "bin/\nbin/pons\nbin/ponsctl\nrun/\nvar/\nvar/run\n");
    const std::string list = outputOf({"tar", "--numeric-owner", "-tvzf", layer});
    CHECK_MESSAGE(list.find("lrwxr-xr-x 0/0               0 ") != std::string::npos, list);
    CHECK_MESSAGE(list.find("var/run -> ../run") != std::string::npos, list);
    CHECK(std::ranges::count(list, '\n') == 6);
    const std::string name = jq(layout / "index.json", R"(.manifests[0].annotations."io.containerd.image.name")");
    const std::string asked = contentOf(PONS_SOURCE_DIR "/scripts/kubernetes/pons.yaml");
    CHECK(name.starts_with("docker.io/library/pons:"));
    CHECK(asked.find("image: " + name.substr(name.find("pons:")) + "\n") != std::string::npos);
  });
}

TEST_CASE("no image is made of programs that need libraries, are for another processor, or are missing") {
  const Scratch scratch;
  for (const char* source : {"/usr/bin/true", "/bin/sh"}) {
    for (const char* name : {"pons", "ponsctl"}) {
      fs::copy_file(source, scratch / name, fs::copy_options::overwrite_existing);
    }
    const Outcome made = makeImage(scratch.path(), scratch / "image");
    CHECK(made.exitCode == 1);
    CHECK_MESSAGE(made.err.find("needs shared libraries") != std::string::npos, made.err);
    CHECK_FALSE(fs::exists(scratch / "image"));
    CHECK_FALSE(fs::exists(scratch / "image.tar"));
  }
  CHECK(makeImage(scratch / "nowhere", scratch / "image").exitCode != 0);
  CHECK(makeImage("/etc", scratch / "image").exitCode != 0);
  CHECK_FALSE(fs::exists(scratch / "image"));
  CHECK(run({kScript}).exitCode == 2);
}
