// Interfaces of containers: the attachments of a plugin chain in one.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/status.h"

namespace pons::ctl {

/// One interface of a container in one network. Chained plugins have attachments of their own, which are merged here.
struct Interface {
  const AttachmentStatus* first;
  std::vector<std::string> addresses;  ///< without prefix length
  std::vector<std::string> ports;      ///< see format.h
  Health health;                       ///< the first bad one, if any
};

/// `statuses` is sorted as by collectStatus(), and must outlive the result.
std::vector<Interface> interfacesOf(const std::vector<AttachmentStatus>& statuses);

}  // namespace pons::ctl
