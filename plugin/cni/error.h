// CNI errors, and the table that maps causes to CNI error codes (error.cpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netlib/base/result.h"

namespace pons::cni {

/// CNI 1.1.0, section 2 "Error"; 8 and 999 are used by libcni, codes from 100 on are plugin-specific.
enum class ErrorCode : unsigned {
  IncompatibleVersion = 1,
  UnsupportedField = 2,    ///< the message names key and value
  UnknownContainer = 3,    ///< the runtime need not call DEL
  InvalidEnvironment = 4,  ///< the message names the variables
  Io = 5,
  Decode = 6,  ///< stdin or prevResult cannot be parsed
  InvalidConfig = 7,
  InvalidNetns = 8,
  TryAgain = 11,
  NotAvailable = 50,         ///< STATUS: an ADD would fail
  NotAvailableLimited = 51,  ///< STATUS: as 50, and running containers may have lost connectivity
  AlreadyAttached = 100,     ///< the attachment exists
  CheckFailed = 101,         ///< CHECK found a difference
  Internal = 999,
};

struct Error {
  ErrorCode code;
  std::string message;
  std::string details;   ///< may be empty
  std::string key = {};  ///< full path of the configuration key; empty if the error is not about one key

  Error(ErrorCode errorCode, std::string what, std::string more = {})
      : code(errorCode), message(std::move(what)), details(std::move(more)) {}
  /// The code is that of the cause, by the table in error.cpp; the code of a program that printed one is passed on.
  /// Implicit, so that TRY() converts the errors of lower layers.
  Error(netlib::Error error);
};

template <class T = void>
using Result = netlib::Result<T, Error>;
using Failure = netlib::Failure<Error>;

inline Failure fail(ErrorCode code, std::string message, std::string details = {}) {
  return {Error{code, std::move(message), std::move(details)}};
}

/// Adds the path of the key that the error is about.
inline Failure withKey(std::string key, Failure failure) {
  failure.error.key = std::move(key);
  return failure;
}

/// Parses an error that another plugin printed; nothing if `text` is not a CNI error.
std::optional<Error> parseError(std::string_view text);

/// JSON without a trailing newline; `version`: the cniVersion of the request.
std::string printError(const Error& error, std::string_view version);

}  // namespace pons::cni
