// Everything a runtime says about one attachment, valid as a whole or not at all.
#pragma once

#include "plugin/cni/decode/config.h"
#include "plugin/cni/result.h"

namespace pons::cni {

/// Bytes of the configuration of an ADD, of GC and STATUS; no runtime's comes near it.
inline constexpr std::size_t kMaxInput = 4 * 1024 * 1024;
/// Of the other verbs: what ADD took, with its result as "prevResult", can be checked and taken away.
inline constexpr std::size_t kMaxInputWithResult = 4 * kMaxInput;

struct Request {
  Applet applet;
  Verb verb;
  Version version;
  AttachmentKey key;
  std::string netnsPath;  ///< CNI_NETNS; may be empty for DEL
  Config config;
  std::optional<AddResult> previous;
};

/// For ADD, DEL and CHECK. DEL needs little, and nothing else is looked at: neither a key that an upgrade made invalid
/// nor a prevResult of somebody else may keep a container from being taken away. See decodeConfigOfDel(); the previous
/// result is there where it can be read.
Result<Request> parseRequest(Verb verb, const Environment& environment, std::string_view input);

/// An attachment that the runtime still has.
struct ValidAttachment {
  ContainerId container;
  netlib::IfName ifName;

  friend auto operator<=>(const ValidAttachment&, const ValidAttachment&) = default;
};

/// What GC and STATUS are about: a network, not a container.
struct NetworkRequest {
  Verb verb;
  Version version;
  NetworkName network;
  ChainedPlugin part;  ///< whose attachments of the network it is about
  Config config;
  /// "cni.dev/valid-attachments", or "cni.dev/attachments" as older libraries spell it; null is an empty list. Nothing
  /// where neither is there: then the runtime does not say that any attachment is gone.
  std::optional<std::vector<ValidAttachment>> valid;
};

/// For GC and STATUS, which came with CNI 1.1.0.
Result<NetworkRequest> parseNetworkRequest(Verb verb, const Environment& environment, std::string_view input);

/// What a main plugin of somebody else asks of us as its IPAM plugin.
struct IpamRequest {
  Verb verb;
  Version version;
  NetworkName network;
  std::optional<AttachmentKey> key;  ///< nothing for GC and STATUS
  AddressRequest addresses;          ///< for DEL host-local's directory only
  std::vector<Route> routes;
  Dns dns;
  std::optional<AddResult> previous;
  std::optional<std::vector<ValidAttachment>> valid;  ///< as in NetworkRequest
  std::vector<std::string> ignored;                   ///< as in Config
};

/// For every verb. `type` is the name under which we are called: "host-local" or "static".
Result<IpamRequest> parseIpamRequest(Verb verb, const Environment& environment, std::string_view input,
                                     std::string_view type);

/// The cniVersion that an error about this input answers to: the input's own where pons speaks it, else the newest.
std::string_view versionForErrors(std::string_view input);

}  // namespace pons::cni
