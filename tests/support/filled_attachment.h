// An attachment whose every field is set, whatever fields there are.
#pragma once

#include <map>
#include <type_traits>
#include <utility>

#include "tests/support/attachments.h"

namespace support {

class FieldValues;

/// Converts to the type of any member.
struct AnyValue {
  FieldValues* values;

  template <class T>
  operator T() const;  // implicit on purpose
};

/// The number of members of an aggregate, its base included: as many as its initializer can have.
template <class T, std::size_t most = 40>
consteval std::size_t memberCount() {
  constexpr bool accepted = []<std::size_t... i>(std::index_sequence<i...>) {
    return requires { T{(void(i), AnyValue{})...}; };
  }(std::make_index_sequence<most>{});
  if constexpr (accepted) {
    return most;
  } else {
    return memberCount<T, most - 1>();
  }
}

/// Values by type, each number, text and address a new one. A struct is initialized member by member as the compiler
/// knows them: no list of the fields can be incomplete here, and a field of a type that is unknown here does not
/// compile. A bool has no third value: for one that is not the default, make the struct with both.
class FieldValues {
 public:
  explicit FieldValues(bool flags) : flags_(flags) {}

  template <class T>
  T next() {
    if constexpr (std::is_same_v<T, bool>) {
      return flags_;
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(100 + number() % 100);  // in the range of every field
    } else if constexpr (std::is_enum_v<T>) {
      int value = 1;  // 0 is the default
      while (nameOf(static_cast<T>(value)).empty()) ++value;
      return static_cast<T>(value);
    } else if constexpr (std::is_same_v<T, netlib::IpAddress>) {
      return netlib::IpAddress::fromNumber(netlib::Family::Ipv4, 0x0a2a0000U + number());
    } else if constexpr (std::is_same_v<T, netlib::IpPrefix>) {
      return netlib::IpPrefix::host(next<netlib::IpAddress>());  // without host bits, as some fields must be
    } else if constexpr (std::is_same_v<T, netlib::MacAddress>) {
      return netlib::MacAddress{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(number())}};
    } else if constexpr (std::is_same_v<T, std::string>) {
      return "text %\n\xff " + std::to_string(number());
    } else if constexpr (!std::is_aggregate_v<T> && requires { T::parse("x"); }) {
      return T::parse("x" + std::to_string(number())).value();  // names
    } else {
      return made(std::type_identity<T>{});
    }
  }

 private:
  unsigned number() { return ++number_; }

  template <class T>
  std::optional<T> made(std::type_identity<std::optional<T>> /*type*/) {
    return std::optional<T>{next<T>()};
  }
  template <class T>
  std::vector<T> made(std::type_identity<std::vector<T>> /*type*/) {
    std::vector<T> items;
    for (int i = 0; i < 2; ++i) items.push_back(next<T>());
    return items;
  }
  template <class Key, class T>
  std::map<Key, T> made(std::type_identity<std::map<Key, T>> /*type*/) {
    std::map<Key, T> values;
    for (int i = 0; i < 2; ++i) values.emplace(next<Key>(), next<T>());
    return values;
  }
// g++ warns that a std::optional converts from AnyValue by itself: the value is the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
  template <class T>
    requires std::is_aggregate_v<T>
  T made(std::type_identity<T> /*type*/) {
    return [this]<std::size_t... i>(std::index_sequence<i...>) {
      return T{(void(i), AnyValue{this})...};
    }(std::make_index_sequence<memberCount<T>()>{});
  }
#pragma GCC diagnostic pop

  bool flags_;
  unsigned number_ = 0;
};

template <class T>
AnyValue::operator T() const {
  return values->next<T>();
}

inline pons::Attachment filledAttachment(bool flags) { return FieldValues{flags}.next<pons::Attachment>(); }

}  // namespace support
