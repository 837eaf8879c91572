// ponsctl show: attachments and their state in the kernel.
#pragma once

#include "plugin/ctl/facts.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

struct Shown {
  AttachmentStatus status;
  Facts facts;
  std::vector<netlib::IpAddress> nameservers = {};  ///< see nameserversOf()
};

std::string showJson(const std::vector<Shown>& shown);
std::string showText(const json::Value& root, const Terminal& terminal);

/// What can be named by `name`.
struct Named {
  AttachmentKey key;
  std::optional<Attachment> attachment;  ///< nothing if the record is unreadable
};
/// All attachments of one container, or of one network, by the first of these that matches: a container ID; its pod
/// ("default/web-0" or "web-0"), address, host port ("8080" or "8080/tcp"), network namespace (path, or name below a
/// directory netns), or host interface, or a network; a prefix of a container ID. Sorted. Missing, with what was
/// looked for, or with the candidates, where several containers or networks match.
netlib::Result<std::vector<AttachmentKey>> keysNamed(const std::vector<Named>& all, const std::string& name);

/// keysNamed() of those on record.
netlib::Result<std::vector<AttachmentKey>> attachmentsNamed(Host& host, const std::string& name);

}  // namespace pons::ctl
