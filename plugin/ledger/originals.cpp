// What shared states replaced on the host, for the last holder to bring back.
#include "plugin/json/json.h"
#include "plugin/ledger/ledger.h"

namespace pons {

using netlib::fail;
using netlib::Result;

namespace {

constexpr std::size_t kMaxOriginalsBytes = 1U << 20U;

std::string originalsName(const std::string& hold) { return "originals/" + hold + ".json"; }

}  // namespace

Result<> Ledger::remember(const std::string& hold, const std::map<std::string, std::string>& originals) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  for (const auto& [name, content] : originals) writer.member(name, content);
  writer.endObject();

  auto created = state_.createFile(originalsName(hold), writer.text());
  if (created.failedWith(ENOENT)) {
    TRY(state_.makeDirectories("originals"));
    created = state_.createFile(originalsName(hold), writer.text());
  }
  if (created.failedWith(EEXIST)) return {};
  return created;
}

Result<std::map<std::string, std::string>> Ledger::remembered(const std::string& hold) {
  std::map<std::string, std::string> originals;
  const auto text = state_.readFile(originalsName(hold), kMaxOriginalsBytes);
  if (text.failedWith(ENOENT)) return originals;
  if (!text.ok()) return fail(text.error());
  const auto document = json::Document::parse(*text);
  if (!document.ok()) return originals;
  for (const auto& [name, content] : document->root().members()) {
    if (const auto original = content.string()) originals.emplace(name, *original);
  }
  return originals;
}

Result<bool> Ledger::hasRemembered(const std::string& hold) { return state_.exists(originalsName(hold)); }

Result<> Ledger::forget(const std::string& hold) {
  const std::string name = originalsName(hold);
  for (const std::string& file : {name, netlib::Directory::draftOf(name)}) {
    const Result<> removed = state_.remove(file);
    if (!removed && !removed.failedWith(ENOENT)) return removed;
  }
  return {};
}

}  // namespace pons
