#include "plugin/firewall/table_content.h"

#include <algorithm>
#include <utility>

#include "netlib/nft/content.h"

#include "plugin/firewall/egress_table.h"

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
      : table_(std::string{" of table "} + nameOf(family) + " pons"),
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

  void compareElements(const std::string& name, const nft::SetContent& expected, const nft::SetContent& actual) {
    const auto find = [&actual](const nft::Element& wanted) {
      return std::ranges::find_if(actual.elements, [&wanted](const nft::Element& element) {
        return element.key == wanted.key && element.intervalEnd == wanted.intervalEnd;
      });
    };
    const auto nameOf = [&](const nft::Element& element) {
      return "element " + nft::keyText(element, actual) + " of set " + name + table_;
    };
    for (const nft::Element& wanted : expected.elements) {
      const auto found = find(wanted);
      if (found == actual.elements.end()) {
        differences_.push_back(missing(nameOf(wanted)));
      } else if (found->data != wanted.data || found->jumpTo != wanted.jumpTo) {
        const std::string text = nft::dataText(*found, actual);
        differ(nameOf(wanted), nft::dataText(wanted, actual), text.empty() ? "another verdict" : text);
      }
    }
    for (const nft::Element& unwanted : expected.absent) {
      if (find(unwanted) != actual.elements.end()) differ(nameOf(unwanted), kMissingText, "present");
    }
  }

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
  return differencesOf(host, [&](nft::Transaction& transaction) {
    for (const Family family : egress::familiesOf(attachment)) egress::appendPolicy(transaction, attachment, family);
    addElements(transaction, elements);
  });
}

}  // namespace pons::tables
