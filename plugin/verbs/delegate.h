// Foreign IPAM plugins: the program that "ipam.type" names gives the addresses in our place (CNI 1.1.0, section 4). It
// is called with our own input and environment, but for CNI_COMMAND.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// The calls of one verb. See netlib/program.h for what may be executed.
class Delegate final : public IpamCaller {
 public:
  explicit Delegate(const cni::Request& request);
  explicit Delegate(const cni::NetworkRequest& request);
  /// For who has no request: attachments are freed as their records say. The path is CNI_PATH.
  explicit Delegate(std::string searchPath);

  /// The request with the addresses, routes and DNS that its plugin gives: at least one address. One that fails has
  /// been told to take back what it may have given.
  cni::Result<cni::Request> add(const cni::Request& request);

  /// DEL, with the configuration of this verb where it is about that attachment and its plugin, else with the recorded.
  netlib::Result<> free(const Attachment& attachment) override;
  /// CHECK likewise.
  netlib::Result<> check(const Attachment& attachment) override;

  /// GC or STATUS of the plugin in the request; nothing where it names none.
  cni::Result<> callForNetwork();

  /// The error of a verb: where a plugin's failure is the cause, with the code that the plugin gave.
  cni::Error explained(const cni::Error& error) const;

 private:
  struct Call {
    cni::Verb verb;
    const DelegatedIpam& plugin;
    std::optional<AttachmentKey> key;
    std::string netnsPath;
  };

  cni::Result<std::string> run(const Call& call) const;
  netlib::Result<> runFor(cni::Verb verb, const Attachment& attachment);

  cni::Verb verb_;
  cni::Version version_;
  std::optional<AttachmentKey> key_;
  std::string netnsPath_;
  std::optional<DelegatedIpam> plugin_;
  std::string searchPath_;
  std::optional<cni::Error> failure_;
};

/// Whether a variable of our environment goes on to another program: not those with which its caller would decide what
/// code runs in it.
bool isPassedOn(std::string_view name);

}  // namespace pons
