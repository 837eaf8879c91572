// Names of what attachments share, as files below holds/ of the ledger.
#include "plugin/model/shared_state.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/attachments.h"

using pons::IngressPolicy;
using pons::SpoofGuard;
using pons::shared_state::stem;
using pons::shared_state::valueIn;
using support::attachmentOf;
using support::ip;
using support::keyOf;
using support::prefix;

namespace {

/// Each component of the path is a name of its own, and there are one or two.
bool isSafePath(const std::string& state) {
  const std::string name = stem(state);
  const std::string_view value = valueIn(state);
  const auto isName = [](std::string_view part) {
    return !part.empty() && part.size() <= 255 && part.find('/') == std::string_view::npos && part != "." &&
           part != ".." && part.find('\0') == std::string_view::npos;
  };
  return isName(name) && (state == name || (isName(value) && state == name + "/" + std::string{value}));
}

pons::Attachment forwardingTo(const std::optional<std::string>& adminChain) {
  auto attachment = attachmentOf(keyOf("c1"), {});
  attachment.acceptForward = true;
  attachment.adminChain = adminChain;
  return attachment;
}

}  // namespace

TEST_CASE("an attachment references what it shares, in the order of its plan") {
  auto attachment =
      attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}, {prefix("fd42::7/64"), ip("fd42::1")}});
  attachment.sourceNats.clear();
  CHECK(pons::sharedStatesOf(attachment) == std::vector<std::string>{"bridge-pons0/demo", "gateway-pons0-10.42.0.1/24",
                                                                     "gateway-pons0-fd42::1/64", "forwarding-ipv4",
                                                                     "forwarding-ipv6"});
  attachment.bridge.gateway = false;
  CHECK(pons::sharedStatesOf(attachment) == std::vector<std::string>{"bridge-pons0/demo"});
  attachment.bridge.promiscuous = true;
  attachment.ingress = IngressPolicy::SameBridge;
  attachment.guard = SpoofGuard::Mac;
  attachment.acceptForward = true;
  CHECK(pons::sharedStatesOf(attachment) ==
        std::vector<std::string>{"bridge-pons0/demo", "promiscuous-pons0", "tables-ip", "tables-ip6", "tables-bridge",
                                 "rejecting-pons0", "ingress-pons0/same-bridge", "forward-pons0/-"});
  attachment.ingress = IngressPolicy::Isolated;
  CHECK(std::ranges::count(pons::sharedStatesOf(attachment), "ingress-pons0/isolated") == 1);
}

TEST_CASE("each policy of a bridge is a state of its own, and silence one of attachments with a policy only") {
  const auto policiesOf = [](const pons::Attachment& attachment) {
    auto states = pons::sharedStatesOf(attachment);
    std::erase_if(states, [](const std::string& state) {
      return !state.starts_with("internal-") && !state.starts_with("published-") && !state.starts_with("silent-") &&
             !state.starts_with("rejecting-");
    });
    return states;
  };
  for (const bool internal : {false, true}) {
    for (const bool publishedOnly : {false, true}) {
      for (const IngressPolicy ingress : {IngressPolicy::Open, IngressPolicy::SameBridge, IngressPolicy::Isolated}) {
        for (const pons::OnDeny onDeny : {pons::OnDeny::Reject, pons::OnDeny::Drop}) {
          auto attachment = attachmentOf(keyOf("c1"), {});
          attachment.sourceNats.clear();
          attachment.internal = internal;
          attachment.publishedOnly = publishedOnly;
          attachment.ingress = ingress;
          attachment.onDeny = onDeny;
          const bool hasPolicy = internal || publishedOnly || ingress != IngressPolicy::Open;
          std::vector<std::string> expected;
          if (internal) expected.emplace_back("internal-pons0");
          if (publishedOnly) expected.emplace_back("published-pons0");
          const bool isSilent = onDeny == pons::OnDeny::Drop;
          if (hasPolicy) expected.emplace_back(isSilent ? "silent-pons0" : "rejecting-pons0");
          CHECK(policiesOf(attachment) == expected);
          // In both families: the container can assign itself addresses of either.
          for (const auto family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
            CHECK(pons::needsTable(attachment, family) == hasPolicy);
          }
          attachment.vlans = pons::PortVlans{.untagged = 100};
          for (std::string& state : expected) state += ".100";
          CHECK(policiesOf(attachment) == expected);
        }
      }
    }
  }
}

TEST_CASE("masquerade and published ports reference the chains that they need") {
  auto attachment = attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}});
  attachment.forwards = {{pons::Protocol::Tcp, ip("0.0.0.0"), 80, ip("10.42.0.7"), 80}};
  const std::string chain = pons::chainOf(attachment, attachment.sourceNats.front());
  CHECK(chain.starts_with("net_"));
  CHECK(chain.size() == 20);
  CHECK(pons::sharedStatesOf(attachment) ==
        std::vector<std::string>{"bridge-pons0/demo", "gateway-pons0-10.42.0.1/24", "forwarding-ipv4", "tables-ip",
                                 "loopback-pons0", "subnet-10.42.0.0-24", "masquerade-demo-" + chain.substr(4)});
}

TEST_CASE("the shared state of a resolv.conf contains the path of the root") {
  auto attachment = attachmentOf(keyOf("c1"), {});
  attachment.resolvConf = {"/run/containers/%7/root fs", "nameserver 10.42.0.1\n"};
  const std::string state = pons::sharedStatesOf(attachment).back();
  CHECK(state == "resolvconf-%2frun%2fcontainers%2f%257%2froot%20fs");
  CHECK(pons::shared_state::rootOf(state) == attachment.resolvConf->root);
  CHECK(!pons::shared_state::rootOf("bridge-pons0"));
}

TEST_CASE("only the tables of the families that an attachment needs are referenced") {
  const auto tablesOf = [](const pons::Attachment& attachment) {
    std::vector<std::string> tables = pons::sharedStatesOf(attachment);
    std::erase_if(tables, [](const std::string& state) { return !state.starts_with("tables-"); });
    return tables;
  };
  auto attachment = attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), std::nullopt}});
  CHECK(tablesOf(attachment) == std::vector<std::string>{"tables-ip"});
  attachment.sourceNats.clear();
  CHECK(tablesOf(attachment).empty());
  attachment.forwards = {{pons::Protocol::Tcp, ip("::"), 80, ip("fd42::7"), 80}};
  CHECK(tablesOf(attachment) == std::vector<std::string>{"tables-ip6"});
  attachment.guard = SpoofGuard::Address;
  CHECK(tablesOf(attachment) == std::vector<std::string>{"tables-ip6", "tables-bridge"});
}

TEST_CASE("name and value of a shared state are file names, whatever the configuration has") {
  std::set<std::string> states;
  for (const char* chain : {"CNI-ADMIN", "a/b", "..", ".", "-", "--", "%2d", "a b", "\xff", "../../originals", "..a"}) {
    CAPTURE(chain);
    const auto attachment = forwardingTo(chain);
    const std::string state = pons::shared_state::forwardAccept(attachment, attachment.bridge.name);
    CHECK(isSafePath(state));
    CHECK(states.insert(state).second);
    CHECK(pons::shared_state::adminChainIn(valueIn(state)) == attachment.adminChain);
    for (const std::string& each : pons::sharedStatesOf(attachment)) CHECK(isSafePath(each));
  }
  for (const std::optional<std::string>& none : {std::optional<std::string>{}, std::optional<std::string>{""}}) {
    const auto attachment = forwardingTo(none);
    const std::string state = pons::shared_state::forwardAccept(attachment, attachment.bridge.name);
    CHECK(isSafePath(state));
    CHECK_FALSE(pons::shared_state::adminChainIn(valueIn(state)));
  }
  for (const std::string& state : pons::sharedStatesOf(support::fullAttachment())) CHECK(isSafePath(state));
}

TEST_CASE("the states that have values are known by their name") {
  auto attachment = support::fullAttachment();
  attachment.bridge.gateway = attachment.internal = true;
  attachment.guard = SpoofGuard::Address;
  attachment.egress = pons::EgressPolicy{};
  for (const std::string& state : pons::sharedStatesOf(attachment)) {
    CAPTURE(state);
    CHECK(pons::shared_state::hasValues(stem(state)) == !valueIn(state).empty());
  }
  CHECK(stem("tables-ip") == "tables-ip");
  CHECK(valueIn("tables-ip").empty());
  CHECK(pons::shared_state::subnetOf(pons::shared_state::subnet(prefix("fd42::/64"))) == prefix("fd42::/64"));
  CHECK_FALSE(pons::shared_state::subnetOf("tables-ip"));
}
