// Result<T>: a value or an error, in the shape of std::expected (which g++ 12 does not ship for C++20).
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace netlib {

/// Why something failed. Callers branch on it, and protocols translate it (plugin/cni/error.cpp).
enum class Cause : std::uint8_t {
  System,       ///< the kernel or the C library refused; `number` is the errno
  Program,      ///< a program cannot be executed, or failed; `number` is the code of its protocol, 0 without one
  Invalid,      ///< the configuration, or an argument, cannot work
  InUse,        ///< an address, a port, a link or a subnet belongs to another owner
  Exhausted,    ///< all addresses of a pool are in use
  Attached,     ///< the attachment exists
  Differs,      ///< the kernel or the ledger has something other than what is expected
  Locked,       ///< another process has not released a lock in time
  Disturbed,    ///< what is read was changed each time while it was read
  Missing,      ///< a file, a link or a program that is needed does not exist
  Unsupported,  ///< the kernel, or this version of pons, lacks a feature
  Damaged,      ///< text or a message cannot be parsed, or is too long
  Unsafe,       ///< users other than root could change a file, or a path leads through a symlink
  WrongNetns,   ///< a path is no network namespace, or that of the host, or another one than before
  Internal,     ///< a programming error
};

struct Error {
  Cause cause;
  int number;                ///< see Cause; 0 for all others
  std::string message;       ///< the operation, its object and the reason
  std::string details = {};  ///< further text of an executed program; may be empty

  /// "what: strerror(code)"; the default reads errno, so nothing may change it in between.
  static Error fromErrno(const std::string& what, int code = errno) {
    return {Cause::System, code, what + ": " + std::strerror(code)};
  }

  bool isErrno(int code) const { return cause == Cause::System && number == code; }

  /// The same error in other words.
  Error reworded(std::string text) const { return {cause, number, std::move(text), details}; }
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
inline Failure<Error> fail(Cause cause, std::string message) { return {Error{cause, 0, std::move(message)}}; }
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
  /// None for a Result<bool>: `if (result)` would read as its value.
  explicit operator bool() const
    requires(!std::is_same_v<T, bool>)
  {
    return ok();
  }

  Stored& value() & { return std::get<0>(state_); }
  const Stored& value() const& { return std::get<0>(state_); }
  Stored value() && { return std::get<0>(std::move(state_)); }
  Stored* operator->() { return &value(); }
  const Stored* operator->() const { return &value(); }
  Stored& operator*() & { return value(); }
  const Stored& operator*() const& { return value(); }

  const E& error() const& { return std::get<1>(state_); }
  E error() && { return std::get<1>(std::move(state_)); }

  /// True if this failed with that errno of the kernel.
  bool failedWith(int code) const { return !ok() && error().isErrno(code); }
  bool failedWith(Cause cause) const { return !ok() && error().cause == cause; }

 private:
  std::variant<Stored, E> state_;
};

/// That one error, an errno or a Cause, is success: for what has already been removed, or already exists.
template <class Code>
Result<> ignoring(Code code, const Result<>& result) {
  return result.failedWith(code) ? Result<>{} : result;
}

}  // namespace netlib

/// The value of a Result, or an early return of its error. A statement expression: supported by g++ and clang alike.
/// Not within the braces of an initializer: on the early return neither compiler destroys the members initialised
/// before. scripts/check-try refuses that.
#define TRY(expression)                                                       \
  __extension__({                                                             \
    auto tryResult = (expression);                                            \
    if (!tryResult.ok()) return ::netlib::fail(std::move(tryResult).error()); \
    std::move(tryResult).value();                                             \
  })
