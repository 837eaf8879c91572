// Errors as CNI tells them to a runtime, and the one table from errno to CNI codes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netlib/base/result.h"

namespace pons::cni {

/// CNI 1.1.0, section 2 "Error"; 8 and 999 are libcni's, from 100 on a plugin's own.
enum class ErrorCode : unsigned {
  IncompatibleVersion = 1,
  UnsupportedField = 2,    ///< the message names key and value
  UnknownContainer = 3,    ///< tells the runtime that no DEL is needed
  InvalidEnvironment = 4,  ///< the message names the variables
  Io = 5,
  Decode = 6,  ///< stdin or prevResult cannot be read at all
  InvalidConfig = 7,
  InvalidNetns = 8,
  TryAgain = 11,
  NotAvailable = 50,         ///< STATUS: an ADD would fail
  NotAvailableLimited = 51,  ///< STATUS: and existing containers may have lost connectivity
  AlreadyAttached = 100,     ///< the attachment, or an interface of its name, exists already
  CheckFailed = 101,         ///< something that CHECK verifies does not hold
  Internal = 999,
};

struct Error {
  ErrorCode code;
  std::string message;
  std::string details;   ///< may be empty
  std::string key = {};  ///< of the configuration, from the top; empty where it is about no single one

  Error(ErrorCode errorCode, std::string what, std::string more = {})
      : code(errorCode), message(std::move(what)), details(std::move(more)) {}
  /// By the table in error.cpp. Implicit on purpose: this is how a failure of the lower floors becomes an answer.
  Error(netlib::Error error);
};

template <class T = void>
using Result = netlib::Result<T, Error>;
using Failure = netlib::Failure<Error>;

inline Failure fail(ErrorCode code, std::string message, std::string details = {}) {
  return {Error{code, std::move(message), std::move(details)}};
}

/// The same about one key.
inline Failure about(std::string key, Failure failure) {
  failure.error.key = std::move(key);
  return failure;
}

/// The error that another plugin printed; nothing where the text is none.
std::optional<Error> parseError(std::string_view text);

/// The error as JSON without a newline at the end; `version` is the cniVersion that it answers to.
std::string printError(const Error& error, std::string_view version);

}  // namespace pons::cni
