#include "plugin/cni/error.h"

#include <limits>

#include "plugin/json/json.h"

namespace pons::cni {

namespace {

/// Of the kernel and the C library.
ErrorCode codeForErrno(int number) {
  switch (number) {
    // Retrying does not help: the configuration has to change.
    case EINVAL:
    case ERANGE:
      return ErrorCode::InvalidConfig;
    // The kernel lacks a feature that the configuration requires.
    case EAFNOSUPPORT:
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
      return ErrorCode::UnsupportedField;
    // May succeed later: the kernel is short of memory, or the object is in use.
    case EAGAIN:
    case EBUSY:
    case EINTR:
    case ENOBUFS:
    case ENOMEM:
    case ETIMEDOUT:
      return ErrorCode::TryAgain;
    // Files: the state directory, resolv.conf. EPERM: also if pons does not run as root.
    case EACCES:
    case EDQUOT:
    case EFBIG:
    case EIO:
    case ELOOP:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case ENOTDIR:
    case EPERM:
    case EROFS:
      return ErrorCode::Io;
    default:
      return ErrorCode::Internal;
  }
}

/// Without default: -Wswitch reports a cause that is missing.
ErrorCode codeFor(const netlib::Error& error) {
  using netlib::Cause;
  switch (error.cause) {
    case Cause::System:
      return codeForErrno(error.number);
    case Cause::Program:
      return error.number == 0 ? ErrorCode::Internal : static_cast<ErrorCode>(error.number);
    case Cause::Invalid:
    case Cause::InUse:
      return ErrorCode::InvalidConfig;
    case Cause::Attached:
      return ErrorCode::AlreadyAttached;
    case Cause::Differs:
      return ErrorCode::CheckFailed;
    case Cause::Exhausted:
    case Cause::Locked:
    case Cause::Disturbed:
      return ErrorCode::TryAgain;
    case Cause::Unsupported:
      return ErrorCode::UnsupportedField;
    case Cause::WrongNetns:
      return ErrorCode::InvalidNetns;
    // Files of pons and of the host. What is wrong with a request's own text is Decode, said by those who parse it.
    case Cause::Missing:
    case Cause::Damaged:
    case Cause::Unsafe:
      return ErrorCode::Io;
    case Cause::Internal:
      return ErrorCode::Internal;
  }
  return ErrorCode::Internal;
}

}  // namespace

Error::Error(netlib::Error error) : Error(codeFor(error), std::move(error.message), std::move(error.details)) {}

std::optional<Error> parseError(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document) return std::nullopt;
  const auto code = (*document)["code"].integer();
  const auto message = (*document)["msg"].string();
  if (!code || *code <= 0 || *code > std::numeric_limits<unsigned>::max() || !message) return std::nullopt;
  return Error{static_cast<ErrorCode>(*code), std::string{*message},
               std::string{(*document)["details"].string().value_or("")}};
}

std::string printError(const Error& error, std::string_view version) {
  json::Writer writer{json::Style::Indented};
  writer.beginObject();
  writer.member("cniVersion", version);
  writer.member("code", static_cast<std::uint32_t>(error.code));
  writer.member("msg", error.message);
  if (!error.details.empty()) writer.member("details", error.details);
  writer.endObject();
  return writer.text();
}

}  // namespace pons::cni
