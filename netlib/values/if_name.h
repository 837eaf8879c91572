// The name of a network interface.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace netlib {

/// Always a name that the kernel accepts as it is (dev_valid_name, dev_alloc_name): 1 to 15 bytes, not "." or "..", and
/// without '/', ':', '%' and white space. Therefore also safe as a component of a path.
class IfName {
 public:
  /// For messages about a text that is none.
  static constexpr std::string_view kRule = "1 to 15 bytes without '/', ':', '%' and white space";

  static std::optional<IfName> parse(std::string_view text);

  const std::string& toString() const { return text_; }

  friend auto operator<=>(const IfName&, const IfName&) = default;

 private:
  explicit IfName(std::string_view text) : text_(text) {}

  std::string text_;
};

}  // namespace netlib
