// A state directory that something happened to: a clear error or a way around it, never a crash, and never a lost lease
// of a container that has nothing to do with it.
#include <fstream>

#include <doctest/doctest.h>
#include <sys/mount.h>

#include "tests/protocol/network.h"
#include "tests/support/attachments.h"
#include "tests/support/root_fs.h"
#include "tests/support/runtime.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kIpam = R"("ipam": {"subnet": "10.42.0.0/29"})";

/// An ADD, GC, STATUS, DEL and CHECK of anything end by themselves, with one JSON where they fail.
void checkAnswers(const Network& network, const std::string& container) {
  for (const Outcome& outcome :
       {add(network.config(), subjectOf(container)), network.gc(), network.status(),
        check(withPrevious(network.config(), "{}"), subjectOf(container)), network.del(container)}) {
    CHECK(outcome.signal == 0);
    if (!outcome.ok()) documentOf(outcome);
  }
  CHECK(repair({"--dry-run"}).signal == 0);
}

struct Damage {
  std::string command;
  std::vector<std::string> words;
};

std::string bootId() { return outputOf({"cat", "/proc/sys/kernel/random/boot_id"}); }

/// A state directory on something that outlives a reboot. The overlay of two tmpfs passes for one.
std::string persistentDirectory() {
  shell(
      "mkdir -p /run/disk && mount -t tmpfs tmpfs /run/disk && mkdir /run/disk/upper /run/disk/work /run/disk/lower "
      "/run/persistent && mount -t overlay overlay -o "
      "lowerdir=/run/disk/lower,upperdir=/run/disk/upper,workdir=/run/disk/work /run/persistent");
  return "/run/persistent/pons";
}

}  // namespace

TEST_CASE("A state directory that cannot be used: every verb says why, and nothing is changed") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::vector<Damage> damages{
      {"mkdir -m 777 /run/pons", {"/run/pons is writable by other users"}},
      {"mkdir -m 700 /run/pons && chown 12 /run/pons", {"/run/pons belongs to user 12"}},
      {"mkdir /run/real && ln -s real /run/pons", {"/run/pons", "symlink"}},
      {"touch /run/pons", {"/run/pons"}},
      {"mkdir /run/pons && mount -t tmpfs -o ro,mode=0700 tmpfs /run/pons", {"/run/pons", "Read-only file system"}},
      {"mkdir /run/pons && mount -t tmpfs -o mode=0700,size=4k tmpfs /run/pons && echo full > /run/pons/full",
       {"/run/pons", "space"}},
  };
  for (const Damage& damage : damages) {
    CAPTURE(damage.command);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    shell(damage.command);
    const std::string before = host.dump();
    const Network demo{"demo", kIpam};
    checkError(add(demo.config(), subjectOf("c1")), ErrorCode::Io, damage.words);
    checkAnswers(demo, "c1");
    CHECK(host.dump() == before);
    CHECK(outputOf({"ip", "-n", "c1", "-o", "link"}).find("eth0") == std::string::npos);
  }
}

TEST_CASE("A state directory that becomes full: some ADD fails and leaves nothing, and the others stay sound") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (int inodes = 12; inodes <= 60; inodes += 3) {
    CAPTURE(inodes);
    REQUIRE_FAKE_HOST(host);
    shell("mkdir /run/pons && mount -t tmpfs -o mode=0700,nr_inodes=" + std::to_string(inodes) + " tmpfs /run/pons");
    Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
    std::vector<std::string> attached;
    for (int i = 1; i <= 20; ++i) {
      const std::string name = "c" + std::to_string(i);
      host.addNamespace(name);
      const std::string before = host.dump() + dumpLedger();
      const Outcome added = add(demo.config(publishing({{8000 + i, 80}})), subjectOf(name));
      if (added.ok()) {
        attached.push_back(name);
        continue;
      }
      checkError(added, ErrorCode::Io, {"No space left"});
      CHECK(host.dump() == before.substr(0, host.dump().size()));
      break;
    }
    // DEL succeeds on a full disk.
    for (const std::string& name : attached) checkSilent(demo.del(name));
    CHECK(outputOf({"nft", "list", "ruleset"}).empty());
    CHECK(dumpLedger().find("c1:eth0") == std::string::npos);
  }
}

TEST_CASE("A truncated, empty or random record: other leases are kept, and its own attachment can be removed") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string damage : {"truncate -s 0", "truncate -s 1", "truncate -s 100", "truncate -s -3",
                                   "truncate -s +4096", "sed -i s/committed/confused_/", "sed -i 's/10.42.0/10.42.x/'",
                                   "dd if=/dev/urandom bs=2000 count=1 status=none of=", "cp /bin/true",
                                   "printf '{' | tee", "printf '[[[[[[[[[[[[[[[[[[[[' | tee", "chmod 0"}) {
    for (const std::string way : {"DEL", "GC", "ADD", "empty list"}) {
      CAPTURE(damage);
      CAPTURE(way);
      REQUIRE_FAKE_HOST(host);
      Network demo{"demo", kIpam};
      const std::string address = demo.attach(host, "bad", publishing({{8080, 80}}));
      for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name);
      demo.forget("bad");
      shell(damage + (damage.ends_with("=") ? "" : " ") + recordOf(demo, "bad") + " >/dev/null");

      // Its lease is not given to the fifth and last container that has room, nor is its port.
      CHECK(demo.attach(host, "c4") != address);
      host.addNamespace("c5");
      checkError(add(demo.config(), subjectOf("c5")), ErrorCode::TryAgain, {"5 of 5"});
      demo.checkAll();
      checkSilent(demo.gc());  // the damaged one lives
      CHECK(outputOf({"ip", "-n", "bad", "-o", "link"}).find("eth0") != std::string::npos);
      CHECK(repair({"--dry-run"}).signal == 0);
      demo.checkAll();

      if (way == "DEL") checkSilent(demo.del("bad"));
      if (way == "empty list") checkSilent(demo.gcAllBut({"c1", "c2", "c3", "c4"}));
      if (way == "ADD" && damage != "chmod 0") resultOf(add(demo.config(), subjectOf("bad")));
      if (way == "GC") {
        shell("ip -n bad link del eth0");
        host.endNamespace("/run/netns/bad");
        checkSilent(demo.gc());
      }
      demo.checkAll();
      if (way == "ADD") continue;
      CHECK(ledgerText().find("addresses/" + address) == std::string::npos);
      CHECK(ledgerText().find("bad:eth0") == std::string::npos);
      CHECK(outputOf({"nft", "list", "ruleset"}).find("8080") == std::string::npos);
      CHECK(demo.attach(host, "c6") == address);
    }
  }
}

TEST_CASE("A record of a newer version: its own verbs say so, others are served, its lease is kept") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  const std::string address = demo.attach(host, "new", publishing({{8080, 80}}));
  for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name);
  demo.forget("new");
  shell("sed -i 's/\"format\": 1/\"format\": 2/' " + recordOf(demo, "new"));
  const std::string record = outputOf({"cat", recordOf(demo, "new")});
  for (const Outcome& refused :
       {demo.del("new"), demo.check("c1").ok() ? add(demo.config(), subjectOf("new")) : Outcome{}}) {
    CHECK(refused.exitCode == 1);
    CHECK_MESSAGE(textOf(documentOf(refused)["msg"]).find("newer pons") != std::string::npos, refused.out);
  }
  CHECK(demo.attach(host, "c4") != address);
  host.addNamespace("c5");
  checkError(add(demo.config(), subjectOf("c5")), ErrorCode::TryAgain, {"5 of 5"});
  CHECK(outputOf({"cat", recordOf(demo, "new")}) == record);
  demo.checkAll();
  shell("sed -i 's/\"format\": 2/\"format\": 1/' " + recordOf(demo, "new"));
  checkSilent(demo.del("new"));
}

TEST_CASE("Foreign files in the ledger's directories do not affect unrelated attachments") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1", publishing({{8080, 80}}));
  demo.attach(host, "c2");
  shell(
      "cd /run/pons && for d in . networks networks/demo networks/demo/attachments networks/demo/addresses ports "
      "originals holds; do echo noise > $d/foreign; ln -s nowhere $d/foreign-link; mkdir $d/foreign-directory; done");
  demo.attach(host, "c3", publishing({{8081, 80}}));
  demo.checkAll();
  checkSilent(demo.status());
  checkSilent(demo.gc());
  checkSilent(demo.gcAllBut({"c1", "c2"}));
  demo.forget("c3");
  CHECK(repair().out == "nothing is missing\n");
  shell("nft flush ruleset");
  CHECK(repair().ok());
  demo.checkAll();
  for (const char* name : {"c1", "c2"}) checkSilent(demo.del(name));
  CHECK(outputOf({"nft", "list", "ruleset"}).empty());
  CHECK(!run({"ip", "link", "show", "pons-demo"}).ok());
}

TEST_CASE("Addresses in the record of a killed verb that it had not claimed are not taken from their owner") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  // Killed between the record and the claims, or during the rollback between the claims and the record.
  for (const std::string state : {"claimed\"  ", "leaving\"  "}) {
    for (const std::string way : {"DEL", "GC", "ADD"}) {
      CAPTURE(state);
      CAPTURE(way);
      REQUIRE_FAKE_HOST(host);
      Network demo{"demo", kIpam};
      demo.attach(host, "c1", publishing({{8080, 80}}));
      host.addNamespace("dead");
      const std::string veth = pons::hostVethName(keyOf("dead")).toString();
      shell("sed 's/\"c1\"/\"dead\"/; s/\"pons[0-9a-f]\\{11\\}\"/\"" + veth + "\"/; s/committed\"/" + state + "/' " +
            recordOf(demo, "c1") + " > " + recordOf(demo, "dead"));
      shell("nft flush ruleset");
      CHECK(repair().ok());
      demo.checkAll();
      if (way == "DEL") checkSilent(demo.del("dead"));
      if (way == "GC") checkSilent(demo.gc());
      if (way == "ADD") resultOf(add(demo.config(), subjectOf("dead")));
      demo.checkAll();
      checkSilent(demo.gcAllBut({"c1"}));
      demo.checkAll();
      CHECK(ledgerText().find("dead:eth0") == std::string::npos);
    }
  }
}

TEST_CASE("A pool full of dead attachments heals itself; one full of living ones answers 11 with the numbers") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  for (int i = 1; i <= 5; ++i) demo.attach(host, "c" + std::to_string(i), publishing({{8000 + i, 80}}));
  host.addNamespace("late");
  {
    const Unchanged unchanged{host};
    checkError(add(demo.config(), subjectOf("late")), ErrorCode::TryAgain,
               {"no free address in network demo", "5 of 5 addresses of 10.42.0.0/29 are leased"});
  }
  for (int i = 1; i <= 4; ++i) {
    const std::string name = "c" + std::to_string(i);
    shell("ip -n " + name + " link del eth0");
    host.endNamespace("/run/netns/" + name);
    demo.forget(name);
  }
  const Outcome added = add(demo.config(), subjectOf("late"));
  resultOf(added);
  CHECK(added.err.find("reclaimed demo c1 eth0") != std::string::npos);
  demo.checkAll();
  CHECK(outputOf({"nft", "list", "ruleset"}).find("8001") == std::string::npos);
  for (const char* name : {"d1", "d2", "d3"}) demo.attach(host, name);
  demo.checkAll();
}

TEST_CASE("A dead attachment that cannot be removed does not keep GC from removing others") {
  REQUIRE_FAKE_HOST(host);
  const RootFs image;
  image.with("the image's").readOnly();
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/29"}, "dns": {"nameservers": ["192.0.2.53"]})"};
  demo.attach(host, "a1", R"("runtimeConfig": {"rootfs": ")" + image.path() + "\"}");
  for (const char* name : {"c2", "c3", "c4", "c5"}) demo.attach(host, name);
  const std::string path = image / "etc/resolv.conf";
  std::ofstream{"/run/theirs"} << "theirs";
  REQUIRE(mount("/run/theirs", path.c_str(), nullptr, MS_BIND, nullptr) == 0);
  for (const char* name : {"a1", "c3"}) {
    shell("ip -n " + std::string{name} + " link del eth0");
    host.endNamespace("/run/netns/" + std::string{name});
    demo.forget(name);
  }
  host.addNamespace("late");
  const Outcome added = add(demo.config(), subjectOf("late"));
  resultOf(added);
  CHECK(contains(added.err, "cannot reclaim demo a1 eth0"));
  CHECK(contains(added.err, "reclaimed demo c3 eth0"));
}

TEST_CASE(
    "After a reboot the leases of a state directory on a disk are void, and the log says so; within a boot they stay") {
  REQUIRE_FAKE_HOST(host);
  const std::string directory = persistentDirectory();
  Network demo{"demo", kIpam + R"(, "stateDir": ")" + directory + "\""};
  for (int i = 1; i <= 4; ++i) demo.attach(host, "c" + std::to_string(i));
  demo.checkAll();
  CHECK(outputOf({"cat", directory + "/boot"}) + "\n" == bootId());
  {
    host.addNamespace("same");
    const Outcome added = add(demo.config(), subjectOf("same"));
    resultOf(added);
    CHECK(added.err.empty());
    checkSilent(demo.del("same"));
    demo.checkAll();
  }
  // Another boot: the kernel has forgotten everything.
  shell("echo 00000000-0000-4000-8000-000000000000 > " + directory + "/boot");
  shell("nft flush ruleset; ip link del pons-demo; for c in 1 2 3 4; do ip -n c$c link del eth0; done");
  host.addNamespace("after");
  const Outcome added = add(demo.config(), subjectOf("after"));
  resultOf(added);
  CHECK_MESSAGE(
      added.err.find(directory + " was written before the last reboot: its leases are discarded") != std::string::npos,
      added.err);
  CHECK(ledgerText(directory).find("c1:eth0") == std::string::npos);
  for (int i = 1; i <= 4; ++i) {
    demo.forget("c" + std::to_string(i));
    resultOf(add(demo.config(), subjectOf("c" + std::to_string(i))));
  }
  const Outcome again = demo.status();
  CHECK(again.err.find("last reboot") == std::string::npos);
}
