// Each container is masqueraded as its own configuration says, whatever others of its network say.
#include <map>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;

TEST_CASE("DEL removes the rules of an older pons, whose subnets jump to per-network chains") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const std::string config = configOf("1.0.0", R"("ipam": {"subnet": "10.42.0.0/24"})");
  resultOf(add(config));
  shell(
      "chain=$(nft list table ip pons | sed -n 's/.*chain \\(net_[0-9a-f]*\\) .*/\\1/p'); nft -f - <<X\n"
      "flush map ip pons sources\n delete chain ip pons subnet_10.42.0.0/24\n delete set ip pons $chain\n"
      "add element ip pons sources { 10.42.0.0/24 : jump $chain }\nX");
  checkSilent(del(config));
}

TEST_CASE(
    "Containers of one network keep the exclusions that each came with, in every order of ADDs, DELs and flushes") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const auto config = [](const std::string& excluded) {
    return configOf("1.0.0", R"("ipam": {"subnet": "10.42.0.0/24"}, "ipMasqExclude": [)" + excluded + "]");
  };
  // Addresses of which none is the beginning of another.
  const auto subject = [](const std::string& container) {
    Subject named = subjectOf(container);
    named.args = "IP=10.42.0.20" + container.substr(1);
    return named;
  };
  const std::map<std::string, std::string> configs{
      {"c1", config(R"("172.16.0.0/12")")}, {"c2", config("")}, {"c3", config(R"("192.168.0.0/16")")}};
  for (const bool flushed : {false, true}) {
    for (const std::vector<std::string>& removed :
         {std::vector<std::string>{"c1", "c2", "c3"}, {"c3", "c2", "c1"}, {"c2", "c3", "c1"}}) {
      FakeHost host;
      for (const auto& [container, its] : configs) host.addNamespace(container);
      const Unchanged unchanged{host};
      std::map<std::string, std::string> results;
      const auto checkAll = [&] {
        for (const auto& [container, result] : results) {
          checkSilent(check(withPrevious(configs.at(container), result), subject(container)));
          const std::string address = addressIn(*pons::json::Document::parse(result));
          const std::string set = outputOf(
              {"sh", "-c",
               "nft list table ip pons | awk '/set net_/ {set = $2} /" + address + "/ {print set}' | tr -d '\\n'"});
          const std::string chain = outputOf({"nft", "list", "chain", "ip", "pons", set});
          CHECK(contains(chain, "172.16.0.0/12") == (container == "c1"));
          CHECK(contains(chain, "192.168.0.0/16") == (container == "c3"));
        }
      };
      for (const auto& [container, its] : configs) {
        if (flushed) outputOf({"nft", "flush", "ruleset"});
        const Outcome added = add(its, subject(container));
        resultOf(added);
        results[container] = added.out;
        checkAll();
      }
      for (const std::string& container : removed) {
        checkSilent(del(configs.at(container), subject(container)));
        results.erase(container);
        checkAll();
      }
    }
  }
}
