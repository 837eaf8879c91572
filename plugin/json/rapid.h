// RapidJSON with its configuration. Included only by this component's .cpp files.
#pragma once

#include <cstdlib>
#include <new>
#include <string_view>

// RapidJSON's default for lengths is 32 bits wide.
#define RAPIDJSON_NO_SIZETYPEDEFINE
namespace rapidjson {
using SizeType = ::std::size_t;
}
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace pons::json {

/// RapidJSON's CrtAllocator returns null if memory is exhausted, and its callers do not check. The names are
/// RapidJSON's.
// NOLINTBEGIN(readability-identifier-naming)
struct Allocator {
  [[maybe_unused]] static constexpr bool kNeedFree = true;
  void* Malloc(std::size_t size) { return Realloc(nullptr, 0, size); }
  void* Realloc(void* original, std::size_t /*originalSize*/, std::size_t size) {
    if (size == 0) {
      Free(original);
      return nullptr;
    }
    void* grown = std::realloc(original, size);
    if (grown == nullptr) throw std::bad_alloc{};
    return grown;
  }
  static void Free(void* memory) { std::free(memory); }
};
// NOLINTEND(readability-identifier-naming)

using Utf8 = rapidjson::UTF8<>;
using Buffer = rapidjson::GenericStringBuffer<Utf8, Allocator>;
using CompactWriter = rapidjson::Writer<Buffer, Utf8, Utf8, Allocator>;

/// Called before RapidJSON, which recurses once per level without a limit.
bool isTooDeep(std::string_view text, int maxDepth = kMaxDepth);

}  // namespace pons::json
