#include "plugin/cni/error.h"

#include <limits>

#include "plugin/json/json.h"

namespace pons::cni {

namespace {

ErrorCode codeFor(int errorNumber) {
  switch (errorNumber) {
    case EBADMSG:
      return ErrorCode::Decode;

    // Retrying does not help: the configuration has to change.
    case EINVAL:
    case ERANGE:
    case EADDRINUSE:
      return ErrorCode::InvalidConfig;
    // The kernel lacks a feature that the configuration requires.
    case EOPNOTSUPP:
      return ErrorCode::UnsupportedField;

    case EEXIST:
      return ErrorCode::AlreadyAttached;
    // Set by lower layers of pons; none of their system calls fails with these two.
    case EXDEV:
      return ErrorCode::InvalidNetns;  // not a network namespace, that of the host, or replaced in the meantime
    case ENOTUNIQ:
      return ErrorCode::CheckFailed;  // a step's verify() found a difference

    // May succeed later: a lock is held, a pool is full, the kernel is short of memory.
    case EADDRNOTAVAIL:
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

}  // namespace

Error::Error(netlib::Error error) : Error(codeFor(error.code), std::move(error.message)) {}

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
