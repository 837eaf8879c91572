// A CNI request: environment and configuration, completely validated.
#pragma once

#include "plugin/cni/decode/config.h"
#include "plugin/cni/decode/keys.h"
#include "plugin/cni/result.h"

namespace pons::cni {

/// Maximum size in bytes of the configuration for ADD, GC and STATUS.
inline constexpr std::size_t kMaxInput = 4 * 1024 * 1024;
/// For DEL and CHECK, whose input also contains the result of ADD as "prevResult".
inline constexpr std::size_t kMaxInputWithResult = 4 * kMaxInput;

struct Request {
  Applet applet;
  Verb verb;
  Version version;
  AttachmentKey key;
  std::string netnsPath;  ///< CNI_NETNS; may be empty for DEL
  Config config;
  std::optional<AddResult> previous;
  std::vector<UnknownKey> mistakes = {};  ///< ADD only: unknown keys that are not of a runtime or of other plugins
};

/// For ADD, DEL and CHECK. For DEL only the needed keys are decoded (see decodeConfigOfDel()), and an invalid
/// prevResult is ignored: neither a key that an upgrade of pons made invalid nor the result of another plugin may block
/// DEL.
Result<Request> parseRequest(Verb verb, const Environment& environment, std::string_view input);

/// An attachment that the runtime declares valid.
struct ValidAttachment {
  ContainerId container;
  netlib::IfName ifName;

  friend auto operator<=>(const ValidAttachment&, const ValidAttachment&) = default;
};

/// A request of GC or STATUS, which concerns a network.
struct NetworkRequest {
  Verb verb;
  Version version;
  NetworkName network;
  ChainedPlugin plugin;  ///< whose attachments of the network it concerns
  Config config;
  /// "cni.dev/valid-attachments", or "cni.dev/attachments" of older libraries; null is an empty array. Nothing if both
  /// are absent: then the runtime does not declare any attachment invalid.
  std::optional<std::vector<ValidAttachment>> valid;
};

/// For GC and STATUS (CNI 1.1.0). For GC an invalid configuration is decoded as for DEL.
Result<NetworkRequest> parseNetworkRequest(Verb verb, const Environment& environment, std::string_view input);

/// A call of pons as the IPAM plugin of another main plugin.
struct IpamRequest {
  Verb verb;
  Version version;
  NetworkName network;
  std::optional<AttachmentKey> key;  ///< absent for GC and STATUS
  AddressRequest addresses;          ///< for DEL only hostLocalDir
  std::vector<Route> routes;
  Dns dns;
  std::optional<AddResult> previous;
  std::optional<std::vector<ValidAttachment>> valid;  ///< as in NetworkRequest
  std::vector<Error> ignored;                         ///< as in Config
  std::vector<UnknownKey> mistakes = {};              ///< as in Request
};

/// For all verbs. `type`: the expected ipam.type, "host-local" or "static".
Result<IpamRequest> parseIpamRequest(Verb verb, const Environment& environment, std::string_view input,
                                     std::string_view type);

/// The cniVersion of an error about this input: that of the input if supported, else the newest.
std::string_view versionForErrors(std::string_view input);

/// The version that VERSION answers with: the one in `input`, even if it is not supported; the newest where there is
/// none, or something else than digits and dots.
std::string versionAskedIn(std::string_view input);

}  // namespace pons::cni
