// RapidJSON, all of it that plugin/cni/json*.cpp use, and nobody else.
#pragma once

#include <cstdlib>
#include <new>
#include <string_view>

// A size_t length throughout: RapidJSON's default is 32 bits wide.
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

/// RapidJSON's own one answers null where memory ends, and its callers write there. The names are RapidJSON's.
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

/// RapidJSON recurses once a level and has no limit of its own, so this is asked before it starts.
bool isTooDeep(std::string_view text);

}  // namespace pons::json
