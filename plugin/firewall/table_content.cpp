#include "plugin/firewall/table_content.h"

#include <algorithm>
#include <utility>

#include "netlib/nft/content.h"

#include "plugin/firewall/restricted_ports.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

const std::string kMissingText{kMissing};

/// Collects the differences of one table.
class Comparison {
 public:
  Comparison(TableFamily family, const nft::TableContent& expected, const nft::TableContent& actual,
             Differences& differences)
      : family_(family),
        table_(std::string{" of table "} + nameOf(family) + " pons"),
        expected_(expected),
        actual_(actual),
        differences_(differences) {}

  void run() {
    for (const auto& [name, chain] : expected_.chains) {
      const std::string where = "chain " + name + table_;
      const auto actual = actual_.chains.find(name);
      if (actual == actual_.chains.end()) {
        differences_.push_back(missing(where));
      } else if (chain.isWhole) {
        differ("kind of " + where, kindOf(chain), kindOf(actual->second));
        compareAllRules(where, chain.rules, actual->second.rules);
      } else {
        compareSomeRules(where, chain.rules, actual->second.rules);
      }
    }
    for (const auto& [name, set] : expected_.sets) {
      const auto actual = actual_.sets.find(name);
      if (actual == actual_.sets.end()) {
        differences_.push_back(missing("set " + name + table_));
      } else {
        if (!set.type.empty()) differ("type of set " + name + table_, set.type, actual->second.type);
        compareElements(name, set, actual->second);
      }
    }
  }

 private:
  static std::string kindOf(const nft::ChainContent& chain) {
    return chain.base.empty() ? "no base chain" : chain.base;
  }

  void differ(std::string what, std::string expected, std::string actual) {
    addIfDiffers(differences_, {.what = std::move(what), .expected = std::move(expected), .actual = std::move(actual)});
  }

  void compareAllRules(const std::string& where, const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual) {
    const auto [wanted, present] = std::ranges::mismatch(expected, actual);
    const auto number = std::to_string(wanted - expected.begin() + 1);
    differ("rule " + number + " of " + where, wanted == expected.end() ? kMissingText : *wanted,
           present == actual.end() ? kMissingText : *present);
  }

  void compareSomeRules(const std::string& where, const std::vector<std::string>& expected,
                        const std::vector<std::string>& actual) {
    for (const std::string& rule : expected) {
      const bool present = std::ranges::find(actual, rule) != actual.end();
      differ("rule of " + where, rule, present ? rule : kMissingText);
    }
  }

  /// Nothing for the last interval of all addresses.
  static const nft::Element* endOf(const std::vector<nft::Element>& elements, std::size_t start) {
    const bool hasEnd = start + 1 < elements.size() && elements[start + 1].intervalEnd;
    return hasEnd ? &elements[start + 1] : nullptr;
  }

  static const nft::Element* find(const nft::SetContent& set, const nft::Element& wanted) {
    const auto found = std::ranges::find_if(set.elements, [&wanted](const nft::Element& element) {
      return element.key == wanted.key && element.intervalEnd == wanted.intervalEnd;
    });
    return found == set.elements.end() ? nullptr : &*found;
  }

  /// The published port that the element is about, if any.
  std::optional<PortForward> publishedBy(const std::string& set, const nft::Element& element) const {
    if (family_ == TableFamily::Bridge) return std::nullopt;
    const auto family = static_cast<Family>(family_);
    if (set == nat::kForwardsAny || set == nat::kForwardsIp) return nat::forwardOf(element, family, set);
    const std::vector<std::string> restricted = restricted::setsOf(family);
    const bool isRestricted = std::ranges::find(restricted, set) != restricted.end();
    return isRestricted ? restricted::portOf(element, family, set) : std::nullopt;
  }

  /// "element 10.42.0.0/24 of set sources of table ip pons"
  std::string elementName(const std::string& set, const nft::SetContent& content, const nft::Element& element,
                          const nft::Element* end) const {
    const std::string key =
        content.interval ? nft::intervalText(element, end, content) : nft::keyText(element, content);
    const std::string name = "element " + key + " of set " + set + table_;
    const auto forward = publishedBy(set, element);
    if (!forward) return name;
    return "published " + forward->hostAddress.toString() + " port " + std::to_string(forward->hostPort) + "/" +
           std::string{nameOf(forward->protocol)} + ": " + name;
  }

  void compareElements(const std::string& set, const nft::SetContent& expected, const nft::SetContent& actual) {
    for (std::size_t i = 0; i < expected.elements.size(); ++i) {
      const nft::Element& wanted = expected.elements[i];
      if (wanted.intervalEnd) continue;  // compared with its start
      const nft::Element* end = endOf(expected.elements, i);
      const nft::Element* found = find(actual, wanted);
      if (found == nullptr || (end != nullptr && find(actual, *end) == nullptr)) {
        differences_.push_back(missing(elementName(set, actual, wanted, end)));
      } else if (found->data != wanted.data || found->jumpTo != wanted.jumpTo || found->object != wanted.object) {
        const std::string text = nft::dataText(*found, actual);
        differ(elementName(set, actual, wanted, end), nft::dataText(wanted, actual),
               text.empty() ? "another verdict" : text);
      }
    }
    for (std::size_t i = 0; i < expected.absent.size(); ++i) {
      const nft::Element& unwanted = expected.absent[i];
      if (unwanted.intervalEnd || find(actual, unwanted) == nullptr) continue;
      differ(elementName(set, actual, unwanted, endOf(expected.absent, i)), kMissingText, "present");
    }
  }

  const TableFamily family_;
  const std::string table_;
  const nft::TableContent& expected_;
  const nft::TableContent& actual_;
  Differences& differences_;
};

/// The attachment's elements; of a port that several attachments of the container have claimed, its owner's.
netlib::Result<Elements> expectedOf(Host& host, Attachment attachment) {
  if (attachment.forwards.empty() || !TRY(host.ledger.sharesPorts(attachment.key.container))) {
    return elementsOf(attachment);
  }
  const std::vector<PortForward> forwards = std::exchange(attachment.forwards, {});
  Elements elements = elementsOf(attachment);
  for (const PortForward& forward : forwards) {
    const auto owner = TRY(host.ledger.portOwner(forward));
    if (!owner) continue;
    const Family family = owner->forwards.front().target.family();
    for (auto& [set, some] : nat::elementsOf(*owner, family)) {
      std::ranges::move(some, std::back_inserter(elements[{nat::tableOf(family).family, set}]));
    }
  }
  return elements;
}

}  // namespace

netlib::Result<Differences> differencesOf(Host& host, const Changes& wanted) {
  nft::Transaction transaction;
  wanted(transaction);
  Differences differences;
  for (const TableFamily family : kAll) {
    const nft::TableContent expected = TRY(transaction.contentOf(tableOf(family)));
    if (expected.empty()) continue;
    const auto actual = TRY(nft::listContent(host.netfilter, tableOf(family), expected));
    const std::string table = std::string{"table "} + nameOf(family) + " pons";
    if (!actual) {
      differences.push_back(missing(table));
      continue;
    }
    if (actual->isDormant) differences.push_back({.what = table, .expected = "active", .actual = "dormant"});
    Comparison{family, expected, *actual, differences}.run();
  }
  return differences;
}

netlib::Result<Differences> differencesOfOwn(Host& host, const Attachment& attachment) {
  const Elements elements = TRY(expectedOf(host, attachment));
  return differencesOf(host, [&](nft::Transaction& transaction) { addElements(transaction, elements); });
}

}  // namespace pons::tables
