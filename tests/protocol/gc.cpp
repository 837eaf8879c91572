// GC: nothing that the runtime no longer has is left, and nothing else is touched.
#include <regex>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "netlib/os/file_lock.h"

#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";
const std::string kOther = R"("ipam": {"subnet": "10.43.0.0/24"})";

const std::string kPolicy = R"("egressPolicy": {"allowedCidrs": ["192.0.2.0/24"]})";

/// Two networks with published ports, two containers each.
struct Pair {
  FakeHost host;
  Network demo{"demo", kDual};
  Network other{"other", kOther};

  Pair() {
    demo.attach(host, "c1", publishing({{8081, 80}}));
    demo.attach(host, "c2", publishing({{8082, 80}}));
    other.attach(host, "o1", publishing({{9081, 80}}));
    other.attach(host, "o2", publishing({{9082, 80}}));
  }
  /// From here on these containers of "demo" are not expected any more.
  void lose(const std::vector<std::string>& containers) {
    for (const std::string& container : containers) demo.forget(container);
  }
  void checkOthers() const { other.checkAll(); }
};

// As a whole word: an inode or an address may contain a port's digits.
bool hostHas(const std::string& word) {
  const std::string text = outputOf({"nft", "list", "ruleset"}) + outputOf({"ip", "-d", "link"}) + ledgerText();
  return std::regex_search(text, std::regex{"\\b" + word + "\\b"});
}

std::string vethOf(const std::string& network, const std::string& container) {
  return pons::hostVethName({pons::NetworkName::parse(network).value(), pons::ContainerId::parse(container).value(),
                             netlib::IfName::parse("eth0").value()})
      .toString();
}

}  // namespace

TEST_CASE(
    "GC removes exactly the attachments that are not in the runtime's list, under either key and in Go's spelling") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string goCase = R"(, "cni.dev/valid-attachments": [{"ContainerID": "c1", "IfName": "eth0"}]})";
  const auto listings = std::vector<std::function<std::string(const std::string&)>>{
      [](const std::string& config) {
        return withValid(config, {"c1", "unheard-of"});
      },
      [](const std::string& config) { return withValid(config, {"c1"}, "cni.dev/attachments"); },
      [&](const std::string& config) { return config.substr(0, config.rfind('}')) + goCase; },
  };
  for (const auto& listed : listings) {
    Pair hosts;
    checkSilent(callForNetwork("GC", listed(hosts.demo.config())));
    checkError(hosts.demo.check("c2"), ErrorCode::CheckFailed, {"not attached"});
    CHECK(!hostHas("8082"));
    CHECK(!hostHas(vethOf("demo", "c2")));
    hosts.lose({"c2"});
    hosts.demo.checkAll();
    hosts.checkOthers();
  }
}

TEST_CASE("GC with an empty list of each network leaves the host as it was before the first ADD") {
  REQUIRE_FAKE_HOST(host);
  for (const char* name : {"c1", "c2", "o1"}) host.addNamespace(name);
  const Unchanged unchanged{host};
  const Network demo{"demo", kDual};
  const Network other{"other", kOther};
  resultOf(add(demo.config(publishing({{8081, 80}})), subjectOf("c1")));
  resultOf(add(demo.config(), subjectOf("c2")));
  resultOf(add(other.config(publishing({{9081, 80}})), subjectOf("o1")));
  checkSilent(demo.gcAllBut({}));
  checkSilent(demo.gcAllBut({}));
  checkSilent(other.gcAllBut({}));
}

TEST_CASE("GC distinguishes interfaces: one container with two of them") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kDual};
  demo.attach(host, "c1");
  Subject second = subjectOf("c1");
  second.ifName = "eth1";
  resultOf(add(demo.config(), second));
  checkSilent(demo.gcAllBut({"c1"}));
  demo.checkAll();
  CHECK(outputOf({"ip", "-n", "c1", "-o", "link"}).find("eth1") == std::string::npos);
}

TEST_CASE("GC without a list keeps active attachments, and removes those without namespace and link") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Pair hosts;
  checkSilent(hosts.demo.gc());
  hosts.demo.checkAll();

  hosts.host.endNamespace("/run/netns/c1");
  shell("ip link del " + vethOf("demo", "c2"));
  hosts.demo.attach(hosts.host, "c3", publishing({{8083, 80}}));
  hosts.host.endNamespace("/run/netns/o2");
  hosts.other.forget("o2");
  checkSilent(hosts.demo.gc());
  hosts.lose({"c1", "c2"});
  for (const std::string gone : {"8081", "c1:eth0"}) CHECK_MESSAGE(!hostHas(gone), gone);
  for (const std::string kept : {"8082", "c2:eth0"}) CHECK_MESSAGE(hostHas(kept), kept);  // its namespace is there
  hosts.demo.checkAll();
  hosts.checkOthers();
  CHECK(hostHas("o2:eth0"));  // another network's
}

TEST_CASE("A null list of GC is an empty one, as libcni sends it: all of the network's attachments go") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string members :
       {R"("cni.dev/valid-attachments": null)", R"("cni.dev/attachments": null)",
        R"("cni.dev/valid-attachments": null, "cni.dev/attachments": [{"containerID": "c1", "ifname": "eth0"}])"}) {
    CAPTURE(members);
    Pair hosts;
    checkSilent(callForNetwork("GC", hosts.demo.config(members)));
    hosts.lose({"c1", "c2"});
    for (const std::string gone : {"8081", "8082", "c1:eth0", "c2:eth0"}) CHECK_MESSAGE(!hostHas(gone), gone);
    hosts.checkOthers();
  }
}

TEST_CASE("GC sweeps what has no record: links, port elements, chains, claims") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const char* loss : {"rm -rf /run/pons/networks/demo/attachments", "rm -rf /run/pons/networks/demo",
                           "rm /run/pons/networks/demo/attachments/*"}) {
    CAPTURE(loss);
    Pair hosts;
    shell(loss);
    checkSilent(hosts.demo.gc());
    for (const std::string gone : {"8081", "8082", "c1:eth0", "c2:eth0", "bridge-pons-demo", "10.42.0.", "fd42::"}) {
      CHECK_MESSAGE(!hostHas(gone), gone);
    }
    CHECK(!run({"ip", "link", "show", "pons-demo"}).ok());
    hosts.checkOthers();
  }
}

TEST_CASE("GC of a network whose state directory was lost leaves nothing of it") {
  REQUIRE_FAKE_HOST(host);
  for (const char* name : {"c1", "c2"}) host.addNamespace(name);
  // Forwarding stays on: the original value was lost with the directory, and another program may need it.
  shell("echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
  const Unchanged unchanged{host};
  const Network demo{"demo", kDual};
  resultOf(add(demo.config(publishing({{8081, 80}})), subjectOf("c1")));
  resultOf(add(demo.config(publishing({{8082, 80}})), subjectOf("c2")));
  shell("rm -rf /run/pons");
  checkSilent(demo.gcAllBut({}));
}

TEST_CASE("GC removes hand-made orphans and keeps objects not created by pons or of another network") {
  Pair hosts;
  hosts.other.attach(hosts.host, "o3", kPolicy);  // without one there are no sets of policies
  shell("ip link add stray0 type veth peer name stray1 && ip link set stray0 alias 'pons demo lost eth0'");
  const std::string ours = vethOf("demo", "lost");
  shell("ip link add " + ours + " type veth peer name lost1 && ip link set " + ours + " alias 'pons demo lost eth0'");
  shell("nft add element ip pons forwards_any '{ tcp . 7777 : 10.42.0.255 . 80 }'");
  shell("nft add element bridge pons macs '{ pons1057dead001 . 02:00:00:00:00:77 }'");
  shell("nft add element bridge pons senders6 '{ pons1057dead001 . 02:00:00:00:00:77 . fe80::77 }'");
  shell(
      "nft 'add counter ip pons egress_pons1057dead001; add limit ip pons egress_pons1057dead001 { rate 5/minute; }; "
      "add element ip pons egress_denied { pons-demo . 10.42.0.254 comment \"pons1057dead001\" : "
      "\"egress_pons1057dead001\" }; "
      "add element ip pons egress_sources { pons-demo . 10.42.0.254 comment \"pons1057dead001\" }; "
      "add element ip pons egress_to_24 { pons-demo . 10.42.0.254 . 192.0.2.0 comment \"pons1057dead001\" }'");
  shell("ln -s ../attachments/lost:eth0.json /run/pons/networks/demo/addresses/10.42.0.255");
  // Orphans of another network, and objects not created by pons.
  shell("ip link add theirs0 type veth peer name theirs1 && ip link set theirs0 alias 'pons other lost eth0'");
  shell("ip link add plain0 type veth peer name plain1 && ip link add br-admin type bridge");
  shell("nft add table ip mine && nft add chain ip mine net_demo");
  const std::string mine = outputOf({"nft", "list", "table", "ip", "mine"});

  checkSilent(hosts.demo.gc());
  for (const std::string gone : {"7777", "10.42.0.255", "pons1057dead001"}) CHECK_MESSAGE(!hostHas(gone), gone);
  CHECK(!hostHas(ours));
  for (const std::string kept : {"theirs0", "plain0", "br-admin"}) CHECK_MESSAGE(hostHas(kept), kept);
  CHECK(outputOf({"nft", "list", "table", "ip", "mine"}) == mine);
  hosts.demo.checkAll();
  hosts.checkOthers();
}

TEST_CASE("GC keeps what an administrator has added to the tables of pons, however long its names are") {
  Pair hosts;
  hosts.other.attach(hosts.host, "o3", kPolicy);
  const std::string counter(250, 'x');
  shell(
      "nft 'add chain ip pons theirs; add counter ip pons theirs; add counter ip pons egress_theirs; "
      "add counter ip pons " +
      counter + "'");
  shell("{ echo 'add element ip pons egress_denied {'; for i in $(seq 300); do echo \"x$i . 198.51.100.1 : \\\"" +
        counter + "\\\",\"; done; echo '}'; } | nft -f -");
  shell(
      "nft 'add element ip pons egress_denied { y1 . 198.51.100.2 comment \"y1\" : \"theirs\", "
      "y2 . 198.51.100.2 : \"egress_theirs\" }'");
  shell("nft 'add element ip pons sources { 198.51.100.0/24 : jump theirs }'");
  shell("nft 'add element bridge pons macs { eth9 . 02:00:00:00:00:99 }'");
  const auto theirs = [] {
    return outputOf({"sh", "-c",
                     "nft list table ip pons | grep -oE '(x[0-9]+|y[12])\" . 198[^,}]*|198[^,}]*theirs' | sed 's/ "
                     "*$//' | sort"}) +
           outputOf({"sh", "-c",
                     "nft list table ip pons | grep -E '(chain|counter).*theirs'; nft list table bridge pons | grep -o "
                     "'eth9[^,} ]* . "
                     "[^,} ]*'"});
  };
  const std::string before = theirs();
  CHECK(std::ranges::count(before, '\n') == 300 + 2 + 1 + 3 + 1);
  checkSilent(hosts.demo.gc());
  CHECK(theirs() == before);
  hosts.demo.checkAll();
  checkSilent(hosts.demo.gcAllBut({}));
  CHECK(theirs() == before);
  hosts.checkOthers();
}

TEST_CASE("GC keeps an active container's link whose alias is too long for its key") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string config = R"({"cniVersion": "1.1.0", "type": "pons", "name": ")" + std::string(100, 'n') +
                             R"(", "ipam": {"subnet": "10.42.0.0/24"}})";
  // "pons /run/pons <network> <container> eth0" is two bytes longer than an alias may be: it ends in "et".
  const Subject subject{.container = std::string(256 - 5 - 10 - 100 - 1 - 5, 'c')};
  const Outcome added = add(config, subject);
  resultOf(added);
  checkSilent(callForNetwork("GC", config));
  checkSilent(check(withPrevious(config, added.out), subject));
}

TEST_CASE("GC goes on after an error and reports it") {
  Pair hosts;
  shell("sed -i 's/\"format\": 1/\"format\": 2/' " + recordOf(hosts.demo, "c1"));
  const Outcome collected = hosts.demo.gcAllBut({});
  CHECK(collected.exitCode == 1);
  const auto error = documentOf(collected);
  const std::string message = textOf(error["msg"]);
  CHECK_MESSAGE(message.find("demo c1 eth0") != std::string::npos, message);
  CHECK_MESSAGE(message.find("newer pons") != std::string::npos, message);
  CHECK(!hostHas("8082"));
  hosts.checkOthers();
  // What the newer pons made is untouched.
  CHECK(outputOf({"nft", "list", "ruleset"}).find("8081") != std::string::npos);
  CHECK(hostHas(vethOf("demo", "c1")));
}

TEST_CASE("GC leaves an attachment to the verb that is working on it") {
  Pair hosts;
  const auto held = netlib::FileLock::acquire(netlib::UniqueFd{open(recordOf(hosts.demo, "c1").c_str(), O_RDWR)},
                                              std::chrono::seconds{1}, "the record");
  REQUIRE(held.ok());
  checkSilent(hosts.demo.gcAllBut({}));
  CHECK(hostHas("8081"));
  CHECK(!hostHas("8082"));
  hosts.checkOthers();
}

TEST_CASE("GC and STATUS came with CNI 1.1.0 and need no container") {
  REQUIRE_FAKE_HOST(host);
  for (const char* verb : {"GC", "STATUS"}) {
    checkSilent(callForNetwork(verb, configOf("1.1.0", pons::test::kIpam.data())));
    for (const char* version : {"0.3.1", "0.4.0", "1.0.0"}) {
      checkError(callForNetwork(verb, configOf(version, pons::test::kIpam.data())), ErrorCode::IncompatibleVersion,
                 {verb, version});
    }
  }
}
