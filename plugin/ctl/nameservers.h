// The nameservers of a container, as far as the host knows them.
#pragma once

#include <vector>

#include "plugin/ctl/arguments.h"
#include "plugin/model/attachment.h"

namespace pons::ctl {

/// Of the resolv.conf on record, else of the network's configuration, else those that the egress policy lets pass.
std::vector<netlib::IpAddress> nameserversOf(const Attachment& attachment, const Arguments& arguments);

}  // namespace pons::ctl
