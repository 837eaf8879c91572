#include "tests/fuzz/grammar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "plugin/cni/decode/keys.h"
#include "plugin/json/json.h"

namespace {

using namespace pons::cni;
using fuzz::Choose;
using Members = std::vector<std::pair<std::string, std::string>>;

/// Of few subnets, so that ranges, gateways, routes and requested addresses often fit each other.
constexpr std::array kAddresses{
    "10.42.0.1", "10.42.0.2", "10.42.0.9", "10.42.0.254", "10.42.0.0",   "10.42.0.255",    "192.0.2.1",
    "0.0.0.0",   "127.0.0.1", "224.0.0.1", "fd00::1",     "fd00::2",     "fd00::ffff",     "fe80::1",
    "::",        "::1",       "ff02::1",   "10.42.0",     "169.254.0.1", "::ffff:10.0.0.1"};
constexpr std::array kPrefixes{"10.42.0.0/24", "10.42.0.7/24", "10.42.0.0/31", "10.42.0.0/32", "10.0.0.0/8",
                               "10.43.0.0/16", "fd00::/64",    "fd00::7/64",   "fd00::/128",   "fd01::/127",
                               "0.0.0.0/0",    "::/0",         "10.42.0.0/33", "192.0.2.1"};
constexpr std::array kWords{"",
                            "pons0",
                            "eth0",
                            "tcp",
                            "udp",
                            "sctp",
                            "open",
                            "isolated",
                            "/run/x",
                            "/etc/resolv.conf",
                            "../x",
                            "0a:58:0a:2a:00:07",
                            "01:00:5e:00:00:01",
                            "auto",
                            "off",
                            "a.test",
                            "ndots:2",
                            "static",
                            "host-local",
                            "dhcp",
                            "0.4.0",
                            "x\\u0000y",
                            "\xc3\xa9",
                            "pons0.100"};
constexpr std::array kNumbers{"0",
                              "1",
                              "-1",
                              "80",
                              "255",
                              "65535",
                              "65536",
                              "4294967295",
                              "4294967296",
                              "1000000000",
                              "9223372036854775807",
                              "-9223372036854775808",
                              "18446744073709551616",
                              "1.5",
                              "1e3"};

template <class Texts>
std::string anyOf(const Texts& texts, const Choose& choose) {
  return std::string{texts[choose(texts.size())]};
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// What stands between quotes in the words of the table, and the numbers in them with their neighbours.
std::vector<std::string> namedIn(std::string_view words, Kind kind) {
  std::vector<std::string> found;
  if (kind == Kind::Number) {
    for (const char* at = words.begin(); at < words.end();) {
      std::int64_t number = 0;
      const auto read = std::from_chars(at, words.end(), number);
      if (read.ec == std::errc{}) {
        for (const std::int64_t near : {number - 1, number, number, number + 1}) found.push_back(std::to_string(near));
      }
      at = read.ec == std::errc{} ? read.ptr : at + 1;
    }
    return found;
  }
  for (std::size_t open = words.find('"'); open != std::string_view::npos;) {
    const std::size_t close = words.find('"', open + 1);
    if (close == std::string_view::npos) break;
    found.emplace_back(words.substr(open + 1, close - open - 1));
    open = words.find('"', close + 1);
  }
  return found;
}

std::string textFor(const Key& key, const Choose& choose) {
  if (!key.accepted.front().empty() && choose(8) != 0) return std::string{key.accepted.front()};
  if (key.values.find("absolute path") != std::string_view::npos && choose(8) != 0) return quoted("/run/x");
  const auto named = namedIn(std::string{key.values} + std::string{key.byDefault}, Kind::Text);
  if (!named.empty() && choose(4) != 0) return quoted(anyOf(named, choose));
  if (key.path.ends_with("ubnet") || key.path.ends_with("dst")) return quoted(anyOf(kPrefixes, choose));
  constexpr std::array kOfAddress{"Start", "End", "ateway", "gw", "IP", "address"};
  const bool isAddress = std::ranges::any_of(kOfAddress, [&](const char* end) { return key.path.ends_with(end); });
  if (isAddress) return quoted(choose(3) == 0 ? anyOf(kPrefixes, choose) : anyOf(kAddresses, choose));
  return quoted(anyOf(kWords, choose));
}

std::string numberFor(const Key& key, const Choose& choose) {
  const std::vector<std::string> limits = namedIn(key.values, Kind::Number);
  return limits.empty() || choose(8) == 0 ? anyOf(kNumbers, choose) : anyOf(limits, choose);
}

std::string join(const std::vector<std::string>& items, const char* open, const char* close) {
  std::string text = open;
  for (const std::string& item : items) text += (text.size() > 1 ? "," : "") + item;
  return text + close;
}

std::string printed(const Members& members) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : members) texts.push_back(quoted(name) + ":" + value);
  return join(texts, "{", "}");
}

class Grammar {
 public:
  Grammar(Applet applet, const Choose& choose) : choose_(choose) {
    const auto own = static_cast<Applets>(only(applet) | only(Applet::HostLocal) | only(Applet::Static));
    for (const pons::cni::KeySection& section : keySections()) {
      for (const Key& key : section.keys) {
        const bool isIpams = key.path.starts_with("ipam.") || key.path.starts_with("args.cni.ips");
        if ((key.applets & (isIpams ? own : only(applet))) != 0) keys_.push_back(&key);
      }
    }
  }

  /// The keys of an object: those whose path is the parent's and one name more.
  std::vector<const Key*> below(std::string_view parent) const {
    std::vector<const Key*> found;
    std::ranges::copy_if(keys_, std::back_inserter(found), [&](const Key* key) { return parentOf(*key) == parent; });
    return found;
  }

  Members anyMembers(std::string_view parent, std::size_t oneOf) const {
    Members members;
    for (const Key* key : below(parent)) {
      if (choose_(oneOf) == 0) members.emplace_back(nameOf(*key), valueOf(*key));
    }
    return members;
  }

  std::string valueOf(const Key& key) const {
    if (choose_(40) == 0) return anyOf(std::array{"null", "[]", "{}", "7", "\"\"", "true", "[[]]", "[null]"}, choose_);
    switch (key.kind) {
      case Kind::Boolean:
        return choose_(2) == 0 ? "true" : "false";
      case Kind::Number:
        return numberFor(key, choose_);
      case Kind::Text:
        return textFor(key, choose_);
      case Kind::List:
        return list(key);
      case Kind::Objects:
        return objects(key);
      case Kind::Object:
      case Kind::Shared:
        return printed(anyMembers(contentOf(key), 2));
      case Kind::Free:
        return R"({"net.ipv4.conf.IFNAME.arp_filter":"1"})";
    }
    return "null";
  }

  static std::string nameOf(const Key& key) { return std::string{key.path.substr(key.path.rfind('.') + 1)}; }

 private:
  static std::string_view parentOf(const Key& key) {
    const std::size_t dot = key.path.rfind('.');
    std::string_view parent = key.path.substr(0, dot == std::string_view::npos ? 0 : dot);
    while (parent.ends_with("[]")) parent.remove_suffix(2);
    return parent;
  }

  static std::string_view contentOf(const Key& key) { return key.sameAs.empty() ? key.path : key.sameAs; }

  std::string list(const Key& key) const {
    std::vector<std::string> items;
    for (std::size_t left = choose_(4); left > 0; --left) {
      const bool isPorts = key.path.ends_with("Ports");
      const auto named = namedIn(key.values, Kind::Text);
      items.push_back(isPorts           ? numberFor(key, choose_)
                      : !named.empty()  ? quoted(anyOf(named, choose_))
                      : choose_(8) == 0 ? quoted(anyOf(kWords, choose_))
                      : choose_(2) == 0 ? quoted(anyOf(kPrefixes, choose_))
                                        : quoted(anyOf(kAddresses, choose_)));
    }
    return join(items, "[", "]");
  }

  std::string objects(const Key& key) const {
    const bool isNested = contentOf(key) == "ipam.ranges";
    std::vector<std::string> items;
    for (std::size_t left = choose_(3); left > 0; --left) {
      std::vector<std::string> inner;
      for (std::size_t more = isNested ? choose_(3) : 1; more > 0; --more) {
        inner.push_back(printed(anyMembers(contentOf(key), choose_(2) + 1)));
      }
      items.push_back(isNested ? join(inner, "[", "]") : inner.front());
    }
    return join(items, "[", "]");
  }

  const Choose& choose_;
  std::vector<const Key*> keys_;
};

/// What libcni sets, and addresses that an ADD can use, so that most documents get past their first keys.
Members usual(const Grammar& grammar, const Choose& choose) {
  Members ipam = grammar.anyMembers("ipam", 6);
  if (choose(8) != 0) {
    std::erase_if(ipam, [](const auto& member) { return member.first == "type" || member.first == "subnet"; });
    ipam.emplace_back("subnet", choose(2) == 0 ? R"("10.42.0.0/24")" : R"("fd00::/64")");
  }
  return {{"cniVersion", R"("1.1.0")"}, {"name", R"("demo")"}, {"type", R"("pons")"}, {"ipam", printed(ipam)}};
}

bool isFixed(const Key& key) {
  constexpr std::array kFixed{"cniVersion", "name", "type", "ipam", "prevResult"};
  return std::ranges::find(kFixed, key.path) != kFixed.end();
}

std::vector<const Key*> freeKeys(const Grammar& grammar) {
  std::vector<const Key*> keys = grammar.below("");
  std::erase_if(keys, [](const Key* key) { return isFixed(*key); });
  return keys;
}

}  // namespace

std::string fuzz::configuration(Applet applet, const Choose& choose) {
  const Grammar grammar{applet, choose};
  Members members = usual(grammar, choose);
  const std::size_t oneOf = 1 + choose(12);
  for (const Key* key : freeKeys(grammar)) {
    if (choose(oneOf + 1) == 0) members.emplace_back(Grammar::nameOf(*key), grammar.valueOf(*key));
  }
  return printed(members);
}

std::string fuzz::mutated(Applet applet, std::string_view document, const Choose& choose) {
  const auto parsed = pons::json::Document::parse(document);
  if (!parsed || choose(16) == 0) return configuration(applet, choose);
  const Grammar grammar{applet, choose};
  Members members;
  for (const auto& [name, value] : parsed->root().members()) {
    pons::json::Writer writer{pons::json::Style::Compact};
    writer.beginArray().value(name).endArray();
    const std::string text = writer.text();
    members.emplace_back(text.substr(2, text.size() - 4), value.text());
  }
  if (!members.empty() && choose(4) == 0) {
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(choose(members.size())));
    return printed(members);
  }
  const std::vector<const Key*> keys = grammar.below("");
  const Key& key = *keys[choose(keys.size())];
  std::erase_if(members, [&](const auto& member) { return member.first == key.path; });
  members.emplace_back(Grammar::nameOf(key), grammar.valueOf(key));
  return printed(members);
}
