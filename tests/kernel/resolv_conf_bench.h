// A container's root and the step that writes its /etc/resolv.conf.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "plugin/steps/steps.h"

#include "tests/support/attachments.h"
#include "tests/support/differences.h"
#include "tests/support/root_fs.h"
#include "tests/support/runtime.h"

namespace support {

inline const std::string kServer = "nameserver 10.42.0.1\n";
inline const std::string kFile = "# made by pons\n" + kServer;

struct ResolvConfBench {
  FakeHost fake;
  RootFs image;
  pons::Host host = openHost();
  pons::Attachment attachment = attachmentOf(keyOf("c1"), {});
  pons::StepPointer step;

  ResolvConfBench() : step((attachment.resolvConf = {image.path(), kServer}, pons::resolvConfPresent(attachment))) {}

  void mustApply() {
    const auto applied = step->apply(host);
    REQUIRE_MESSAGE(applied.ok(), (applied ? "" : applied.error().message));
    CHECK(differencesOf(*step, host) == "");
  }
  void mustUndo() {
    const auto undone = step->undo(host);
    REQUIRE_MESSAGE(undone.ok(), (undone ? "" : undone.error().message));
  }
  /// apply() fails with Invalid and these words, and nothing is changed.
  void checkRefused(const std::string& words) {
    const std::string before = image.dump() + dumpLedger();
    const std::size_t mounts = mountCount();
    const auto applied = step->apply(host);
    REQUIRE(applied.failedWith(netlib::Cause::Invalid));
    CHECK_MESSAGE(applied.error().message.find(words) != std::string::npos, applied.error().message);
    CHECK(image.dump() + dumpLedger() == before);
    CHECK(mountCount() == mounts);
    mustUndo();
    CHECK(image.dump() + dumpLedger() == before);
  }
};

/// Roots without a file, with one, and with dangling symlinks and symlinks to the inside and to the host.
inline const std::vector<std::function<void(const RootFs&)>> kImages{
    [](const RootFs&) {},
    [](const RootFs& image) {
      image.with("nameserver 192.0.2.53\n");
      REQUIRE(chmod((image / "etc/resolv.conf").c_str(), 0604) == 0);
    },
    [](const RootFs& image) { image.linked("../run/systemd/resolve/stub-resolv.conf"); },
    [](const RootFs& image) { image.with("stub", "run/stub").linked("/run/stub"); },
    [](const RootFs& image) { image.linked("/run/host-file"); },
    [](const RootFs& image) { image.with("short").linked("resolv.conf", "etc/other"); },
};

}  // namespace support
