// Delegated IPAM plugins: the program that "ipam.type" names allocates the addresses (CNI 1.1.0, section 4). It gets
// the configuration and environment of this call, with CNI_COMMAND replaced.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// The IPAM calls of one verb, each limited to two minutes. See netlib/os/program.h for which files are executed.
class Delegate final : public IpamCaller {
 public:
  explicit Delegate(const cni::Request& request);
  explicit Delegate(const cni::NetworkRequest& request);
  /// Without a request: calls use the plugin and configuration in the record. `searchPath` as CNI_PATH.
  explicit Delegate(std::string searchPath);

  /// Runs ADD of the plugin in the request; returns the request with the addresses (at least one), routes and DNS of
  /// its result. Returns the request unchanged if it has no delegated plugin. On error DEL of the plugin has been run.
  cni::Result<cni::Request> add(const cni::Request& request);

  /// Runs DEL of the plugin, with the configuration of this call if the call is DEL of this attachment with the same
  /// plugin, else with the recorded one. Program, with code and details of the CNI error, if the plugin cannot be run
  /// or fails.
  netlib::Result<> free(const Attachment& attachment) override;
  /// The same for CHECK.
  netlib::Result<> check(const Attachment& attachment) override;

  /// Runs GC or STATUS of the plugin in the request; does nothing if it has no delegated plugin. Errors as free().
  netlib::Result<> callForNetwork() const;

 private:
  struct Call {
    cni::Verb verb;
    const DelegatedIpam& plugin;
    std::optional<AttachmentKey> key;
    std::string netnsPath;
  };

  netlib::Result<std::string> run(const Call& call) const;
  netlib::Result<> runFor(cni::Verb verb, const Attachment& attachment) const;

  cni::Verb verb_;
  cni::Version version_;
  std::optional<AttachmentKey> key_;
  std::string netnsPath_;
  std::optional<DelegatedIpam> plugin_;
  std::string searchPath_;
};

/// True if a delegated plugin inherits the environment variable `name`: neither those of the CNI call, which are set
/// anew, nor those that make the dynamic linker, the C library, shells or interpreters load code or read other files.
bool isPassedOn(std::string_view name);

}  // namespace pons
