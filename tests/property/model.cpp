// What commands change: who is attached, and which facts are damaged.
#include "tests/property/model.h"

#include <algorithm>
#include <array>

namespace property {
namespace {

bool isOfTables(const std::string& fact) {
  static const std::array<std::string, 5> kinds{"table ", "chain ", "chains ", "element ", "masquerade "};
  return std::ranges::any_of(kinds, [&](const std::string& kind) { return fact.starts_with(kind); });
}

/// "ponsA" of "address ponsA 10.42.0.1/24"
std::string secondWord(const std::string& fact) {
  const std::string rest = fact.substr(fact.find(' ') + 1);
  return rest.substr(0, rest.find(' '));
}

bool isOfFirewall(const std::string& fact) { return fact.starts_with("accept ") || fact.starts_with("jump "); }

}  // namespace

unsigned Model::ownerOf(unsigned port) const {
  if (port == 0) return 0;
  const auto found =
      std::ranges::find_if(attached, [port](const auto& entry) { return entry.second.settings.port == port; });
  return found == attached.end() ? 0 : found->first;
}

bool Model::hasDead() const {
  return std::ranges::any_of(attached, [](const auto& entry) { return entry.second.isDead; });
}

void Model::attach(unsigned container, const Attachment& attachment) {
  // A dead container's port goes to the next one; in a chain that is the attachment of portmap alone.
  const unsigned owner = ownerOf(attachment.settings.port);
  if (owner != 0 && owner != container && attached.at(owner).network().isChain) {
    attached.at(owner).settings.port = 0;
  } else if (owner != 0) {
    attached.erase(owner);
  }
  attached.insert_or_assign(container, attachment);
  Needs needs = needsOf(container);
  rebuildTablesOf(needs);
  // Only the first container of a bridge lists the chains of the host's firewall.
  std::erase_if(needs.shared, [](const auto& fact) { return isOfFirewall(fact.first); });
  trust(needs.shared);
  trust(needs.own);
  forgetUnused();
}

void Model::detach(unsigned container) {
  attached.erase(container);
  forgetUnused();
}

void Model::kill(unsigned container) {
  attached.at(container).isDead = true;
  forgetUnused();
}

void Model::collect(unsigned networkIndex, const std::optional<std::set<unsigned>>& valid) {
  std::erase_if(attached, [&](const auto& entry) {
    const auto& [container, attachment] = entry;
    return attachment.networkIndex == networkIndex && (valid ? !valid->contains(container) : attachment.isDead);
  });
  forgetUnused();
}

void Model::repairShared(unsigned networkIndex) {
  for (const auto& [container, attachment] : attached) {
    if (attachment.isDead || attachment.networkIndex != networkIndex) continue;
    const Needs needs = needsOf(container);
    rebuildTablesOf(needs);
    trust(needs.shared);
  }
}

void Model::repairAll() {
  for (const auto& [container, attachment] : attached) {
    if (attachment.isDead) continue;
    const Needs needs = needsOf(container);
    rebuildTablesOf(needs);
    trust(needs.shared);
    trust(needs.own);
  }
  if (!hasDead()) doubtful.clear();
}

void Model::flushRuleset() {
  for (const char* family : {"ip", "ip6", "bridge"}) deleteTable(family);
  hasFirewall = false;
  forgetUnused();
}

void Model::deleteTable(const std::string& family) {
  lostTables.insert(family);
  damage([&](const std::string& fact) { return isOfTables(fact) && secondWord(fact) == family; });
  forgetUnused();
}

void Model::deleteBridge(const std::string& bridge) {
  std::set<std::string> names{bridge};
  for (const auto& [container, attachment] : attached) {
    if (attachment.network().bridge == bridge) names.insert(nameOf(container));
  }
  damage([&](const std::string& fact) {
    return !isOfTables(fact) && !isOfFirewall(fact) && names.contains(secondWord(fact));
  });
}

void Model::reloadFirewall() {
  hasFirewall = true;
  damage(isOfFirewall);
}

void Model::damage(const std::function<bool(const std::string& fact)>& isDamaged) {
  for (const auto& [fact, value] : expected()) {
    if (isDamaged(fact)) doubtful.insert(fact);
  }
}

void Model::trust(const Facts& facts) {
  for (const auto& [fact, value] : facts) doubtful.erase(fact);
}

void Model::trustTables() {
  lostTables.clear();
  std::erase_if(doubtful, isOfTables);
}

/// Where a table is missing that is needed, all tables are rebuilt, with everything that is on record.
void Model::rebuildTablesOf(const Needs& needs) {
  const auto isNeeded = [&](const std::string& family) { return needs.shared.contains("table " + family); };
  if (std::ranges::any_of(lostTables, isNeeded)) trustTables();
}

/// What is not needed any more must be gone, damaged or not. What a lost table would have more is not there, either.
void Model::forgetUnused() {
  const Facts facts = expected();
  std::erase_if(doubtful, [&](const std::string& fact) { return !facts.contains(fact); });
  std::erase_if(lostTables, [&](const std::string& family) { return !facts.contains("table " + family); });
  for (const auto& [fact, value] : facts) {
    if (isOfTables(fact) && lostTables.contains(secondWord(fact))) doubtful.insert(fact);
  }
}

}  // namespace property
