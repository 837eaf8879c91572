// Result<T>: a value or an error, in the shape of std::expected (which g++ 12 does not ship for C++20).
#pragma once

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace netlib {

/// `code` is an errno value (never 0) that callers may branch on; `message` has the operation, its object and the
/// reason.
struct Error {
  int code;
  std::string message;

  /// "what: strerror(code)"; the default reads errno, so nothing may change it in between.
  static Error fromErrno(const std::string& what, int code = errno) {
    return {code, what + ": " + std::strerror(code)};
  }
};

/// Marks a value as the error of a Result; see fail().
template <class E>
struct Failure {
  E error;
};

template <class E>
Failure<std::decay_t<E>> fail(E&& error) {
  return {std::forward<E>(error)};
}
inline Failure<Error> fail(int code, std::string message) { return {Error{code, std::move(message)}}; }
inline Failure<Error> failErrno(const std::string& what) { return {Error::fromErrno(what)}; }

/// Holds a T or an E. Reading the other one is a programming error (std::bad_variant_access).
/// An error of another type is converted to E: a netlib::Error becomes a cni::Error.
template <class T = void, class E = Error>
class [[nodiscard]] Result {
 public:
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  // Implicit on purpose, for `return value;` and `return fail(...);`.
  Result()
    requires std::is_void_v<T>
      : state_(std::in_place_index<0>) {}
  template <class U = Stored>
    requires(!std::is_void_v<T> && std::convertible_to<U, Stored> && !std::is_same_v<std::decay_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  template <class F>
    requires std::convertible_to<F, E>
  Result(Failure<F> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  Stored& value() & { return std::get<0>(state_); }
  const Stored& value() const& { return std::get<0>(state_); }
  Stored value() && { return std::get<0>(std::move(state_)); }
  Stored* operator->() { return &value(); }
  const Stored* operator->() const { return &value(); }
  Stored& operator*() & { return value(); }
  const Stored& operator*() const& { return value(); }

  const E& error() const& { return std::get<1>(state_); }
  E error() && { return std::get<1>(std::move(state_)); }

  /// True if this failed with that errno.
  bool failedWith(int code) const { return !ok() && error().code == code; }

 private:
  std::variant<Stored, E> state_;
};

/// That one error is success: for what has already been removed, or already exists.
inline Result<> ignoring(int code, const Result<>& result) { return result.failedWith(code) ? Result<>{} : result; }

}  // namespace netlib

/// The value of a Result, or an early return of its error. A statement expression: supported by g++ and clang alike.
/// Not within a braced list: on the early return neither compiler destroys the members initialised before.
#define TRY(expression)                                                       \
  __extension__({                                                             \
    auto tryResult = (expression);                                            \
    if (!tryResult.ok()) return ::netlib::fail(std::move(tryResult).error()); \
    std::move(tryResult).value();                                             \
  })
