// Values that shared state replaced on the host, saved until the last reference is removed.
#include "plugin/json/json.h"
#include "plugin/ledger/ledger.h"

namespace pons {

using netlib::fail;
using netlib::Result;

namespace {

constexpr std::size_t kMaxOriginalsBytes = 1U << 20U;

std::string originalsName(const std::string& sharedState) {
  return "originals/" + shared_state::stem(sharedState) + ".json";
}

}  // namespace

Result<> Ledger::saveOriginals(const std::string& sharedState, const std::map<std::string, std::string>& originals) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  for (const auto& [name, content] : originals) writer.member(name, content);
  writer.endObject();

  auto created = state_.createFile(originalsName(sharedState), writer.text());
  if (created.failedWith(ENOENT)) {
    TRY(state_.createDirectories("originals"));
    created = state_.createFile(originalsName(sharedState), writer.text());
  }
  if (created.failedWith(EEXIST)) return {};
  return created;
}

Result<std::map<std::string, std::string>> Ledger::savedOriginals(const std::string& sharedState) {
  std::map<std::string, std::string> originals;
  const auto text = state_.readFile(originalsName(sharedState), kMaxOriginalsBytes);
  if (text.failedWith(ENOENT)) return originals;
  if (!text.ok()) return fail(text.error());
  const auto document = json::Document::parse(*text);
  if (!document.ok()) return originals;
  for (const auto& [name, content] : document->root().members()) {
    if (const auto original = content.string()) originals.emplace(name, *original);
  }
  return originals;
}

Result<bool> Ledger::hasSavedOriginals(const std::string& sharedState) {
  return state_.exists(originalsName(sharedState));
}

Result<> Ledger::forgetOriginals(const std::string& sharedState) {
  const std::string name = originalsName(sharedState);
  for (const std::string& file : {name, netlib::Directory::draftOf(name)}) {
    const Result<> removed = state_.remove(file);
    if (!removed && !removed.failedWith(ENOENT)) return removed;
  }
  return {};
}

}  // namespace pons
